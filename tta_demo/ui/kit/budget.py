"""What all visitors hold together, in memory and in folders of their own, has one limit."""

import threading
from collections import OrderedDict
from typing import Protocol
from weakref import ref

from tta_demo.ui.kit.limits import HELD

__all__ = ["HOLDINGS", "Holdings"]


class Holder(Protocol):
    """Who holds something and can give it back."""

    turn: threading.Lock

    @property
    def nbytes(self) -> int:
        """Bytes of what is held."""

    def lighten(self) -> None:
        """Gives it back."""


class Holdings:
    """Lets those who acted longest ago give back what they hold, once it is too much in all.

    Args:
        most: bytes.
    """

    def __init__(self, most: int = HELD) -> None:
        self.most = most
        self._holders: OrderedDict[int, ref[Holder]] = OrderedDict()
        self._lock = threading.Lock()

    def acted(self, holder: Holder) -> None:
        """Says that somebody acted, and may hold more than before; others make room for it."""
        with self._lock:
            self._holders[id(holder)] = ref(holder)
            self._holders.move_to_end(id(holder))
            here = {key: one for key, each in self._holders.items() if (one := each()) is not None}
            self._holders = OrderedDict((key, self._holders[key]) for key in here)
        total = sum(one.nbytes for one in here.values())
        for one in here.values():
            if total <= self.most:
                return
            if one is not holder and one.turn.acquire(blocking=False):
                try:
                    total -= one.nbytes
                    one.lighten()
                finally:
                    one.turn.release()


HOLDINGS = Holdings()
"""Those of all visitors of all tabs."""
