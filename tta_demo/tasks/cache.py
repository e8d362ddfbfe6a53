"""One cache of looks for everybody: another fusion costs no forward pass, one more view one."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np

__all__ = ["KEPT", "Cache", "picture_key"]


class Cache:
    """The least recently used looks leave once all together have more than `limit` bytes.

    A look is whatever knows its `nbytes`. Thread-safe; looks are made outside the lock.
    """

    def __init__(self, limit: int = 512 * 2**20) -> None:
        self.limit = limit
        self.nbytes = 0
        self._kept: OrderedDict[tuple[str, str, str], Any] = OrderedDict()
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
        with self._lock:
            found = {name: self._kept.get(key) for name, key in keys.items()}
            missing = [name for name, one in found.items() if one is None]
            for name, key in keys.items():
                if found[name] is not None:
                    self._kept.move_to_end(key)
        for name, one in make(missing) if missing else ():
            found[name] = one
            with self._lock:
                if keys[name] in self._kept:
                    self.nbytes -= self._kept.pop(keys[name]).nbytes
                self._kept[keys[name]] = one
                self.nbytes += one.nbytes
                while self.nbytes > self.limit:
                    self.nbytes -= self._kept.popitem(last=False)[1].nbytes
        return found

    def missing(self, digest: str, picture: str, views: Sequence[str]) -> list[str]:
        """Returns the views whose looks are not here."""
        with self._lock:
            return [name for name in views if (digest, picture, name) not in self._kept]


KEPT = Cache()
"""The process-wide cache; whatever keeps looks keeps them here, within one limit."""


def picture_key(rgb: np.ndarray) -> str:
    """Returns what tells the pixels `(H, W, 3)` uint8 of a picture from all others."""
    return blake2b(rgb.tobytes() + str(rgb.shape).encode(), digest_size=16).hexdigest()
