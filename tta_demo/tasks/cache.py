"""One cache of looks for everybody: another fusion costs no forward pass, one more view one."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import Protocol, TypeVar

import numpy as np

__all__ = ["KEPT", "Cache", "picture_key"]


class Sized(Protocol):
    """Anything that knows its memory in bytes."""

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""


Kept = TypeVar("Kept", bound=Sized)
Key = tuple[str, str, str]
"""The model's digest, the picture's key, the view's name."""


class Cache:
    """The least recently used looks leave once all together pass a number of bytes.

    Thread-safe; what makes a look runs outside its lock.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int = 512 * 2**20) -> None:
        self.limit = limit
        self.nbytes = 0
        self._kept: OrderedDict[Key, Sized] = OrderedDict()
        self._lock = threading.Lock()

    def looks(
        self,
        digest: str,
        picture: str,
        views: Sequence[str],
        make: Callable[[list[str]], Iterable[tuple[str, Kept]]],
    ) -> dict[str, Kept]:
        """Returns the looks by view name; only those that are missing are made.

        Args:
            digest: tells the model from others.
            picture: tells the picture from others, see `picture_key`.
            views: V names.
            make: from the names of missing views to these and their looks, one by one.
        """
        found = {name: self._get((digest, picture, name)) for name in views}
        missing = [name for name, one in found.items() if one is None]
        for name, one in make(missing) if missing else ():
            found[name] = one
            self._put((digest, picture, name), one)
        return found

    def missing(self, digest: str, picture: str, views: Sequence[str]) -> list[str]:
        """Returns the views whose looks are not here."""
        with self._lock:
            return [name for name in views if (digest, picture, name) not in self._kept]

    def _get(self, key: Key) -> Sized | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _put(self, key: Key, one: Sized) -> None:
        with self._lock:
            if key in self._kept:
                self.nbytes -= self._kept.pop(key).nbytes
            self._kept[key] = one
            self.nbytes += one.nbytes
            while self.nbytes > self.limit:
                self.nbytes -= self._kept.popitem(last=False)[1].nbytes


KEPT = Cache()
"""The process-wide cache; whatever keeps looks keeps them here, within one limit."""


def picture_key(rgb: np.ndarray) -> str:
    """Returns what tells a picture from all others.

    Args:
        rgb: `(H, W, 3)` uint8.
    """
    return blake2b(rgb.tobytes() + str(rgb.shape).encode(), digest_size=16).hexdigest()
