"""One cache of looks for everybody: another fusion costs no forward pass, one more view one."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

__all__ = ["DRAWN", "KEPT", "Cache", "picture_key"]


class Cache:
    """The least recently used looks leave once all together have more than `limit` bytes.

    A look is whatever knows its `nbytes`. Thread-safe; those who want the same looks at once wait
    for whoever makes them.
    """

    def __init__(self, limit: int = 512 * 2**20) -> None:
        self.limit = limit
        self.nbytes = 0
        self._kept: OrderedDict[tuple[str, str, str], Any] = OrderedDict()
        self._makers: WeakValueDictionary[tuple[str, str], threading.Lock] = WeakValueDictionary()
        self._lock = threading.Lock()

    def looks(
        self,
        digest: str,
        picture: str,
        views: Sequence[str],
        make: Callable[[list[str]], Iterable[tuple[str, Any]]],
    ) -> dict[str, Any]:
        """Returns the looks by view name; only those that are missing are made.

        Args:
            digest: tells the model from others.
            picture: tells the picture from others, see `picture_key`.
            views: V names.
            make: from the names of missing views to these and their looks, one by one.
        """
        keys = {name: (digest, picture, name) for name in views}
        found = self._found(keys)
        if any(one is None for one in found.values()):
            with self._making(digest, picture):
                found = self._found(keys)  # somebody else may have made some meanwhile
                missing = [name for name, one in found.items() if one is None]
                for name, one in make(missing) if missing else ():
                    found[name] = one
                    self._keep(keys[name], one)
        return found

    def _making(self, digest: str, picture: str) -> threading.Lock:
        """Returns the lock of who makes a model's looks at a picture: not two at once."""
        with self._lock:
            return self._makers.setdefault((digest, picture), threading.Lock())

    def _found(self, keys: Mapping[str, tuple[str, str, str]]) -> dict[str, Any]:
        with self._lock:
            for key in keys.values():
                if key in self._kept:
                    self._kept.move_to_end(key)
            return {name: self._kept.get(key) for name, key in keys.items()}

    def _keep(self, key: tuple[str, str, str], one: Any) -> None:  # noqa: ANN401 (see the class)
        with self._lock:
            self._kept[key] = one
            self.nbytes += one.nbytes
            while self.nbytes > self.limit:
                self.nbytes -= self._kept.popitem(last=False)[1].nbytes

    def missing(self, digest: str, picture: str, views: Sequence[str]) -> list[str]:
        """Returns the views whose looks are not here."""
        with self._lock:
            return [name for name in views if (digest, picture, name) not in self._kept]


KEPT = Cache()
"""The process-wide cache of looks at pictures; whatever keeps them keeps them here."""

DRAWN = Cache(256 * 2**20)
"""That of lessons and trials, which need many pictures: they push nothing off the screens."""


def picture_key(rgb: np.ndarray) -> str:
    """Returns what tells the pixels `(H, W, 3)` uint8 of a picture from all others."""
    return blake2b(rgb.tobytes() + str(rgb.shape).encode(), digest_size=16).hexdigest()
