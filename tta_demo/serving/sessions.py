"""Who is here: open pages, and other sessions, of which only some are remembered."""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection

from tta_demo.ui.kit.limits import GUESTS, VISITORS

__all__ = ["Sessions"]

GRACE = 600
"""Seconds that a session is remembered after its page was closed, or only lost its line."""


class Sessions:
    """Tells which sessions to forget.

    Whose page is open cannot be pushed out by any number of new sessions: these push out each
    other. Pages beyond the limit count as such until they ask for something while there is room.

    Args:
        visitors: open pages that are safe.
        guests: other sessions that are remembered.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        visitors: int = VISITORS,
        guests: int = GUESTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.visitors, self.guests, self.clock = visitors, guests, clock
        self._open: Counter[str] = Counter()
        self._seen: OrderedDict[str, float] = OrderedDict()

    def opened(self, session: str) -> bool:
        """Says that a page is open; returns whether it is safe, and has to be `closed`."""
        safe = session in self._open or len(self._open) < self.visitors
        if safe:
            self._open[session] += 1
        self.asked(session)
        return safe

    def closed(self, session: str) -> None:
        """Says that a page is no longer open."""
        self._open[session] -= 1
        if not self._open[session]:
            del self._open[session]
        self.asked(session)

    def asked(self, session: str) -> None:
        """Says that a session asked for something."""
        self._seen[session] = self.clock()
        self._seen.move_to_end(session)

    def leaving(self, busy: Collection[str] = ()) -> list[str]:
        """Returns the sessions to forget, and forgets them; not those that are being answered."""
        guests = [one for one in self._seen if one not in self._open and one not in busy]
        late = self.clock() - GRACE
        over = len(guests) - self.guests
        gone = [one for i, one in enumerate(guests) if i < over or self._seen[one] < late]
        for one in gone:
            del self._seen[one]
        return gone
