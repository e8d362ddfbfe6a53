"""What visitors leave on the disk: who it belongs to, how much it is, and when it goes."""

import os
import shutil
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from tta_demo.ui.kit.limits import FREE, OWN, STORED

__all__ = ["NoRoom", "Store"]

NO_ROOM = "The server is full of pictures at the moment: try again in a few minutes."
AGE = 3600
"""Seconds that a file stays which nobody on an open page has named."""
EACH = 8192
"""Bytes that a file takes besides its content, however small that is: itself and its folder."""


class NoRoom(OSError):
    """There is no room for more files."""

    def __init__(self) -> None:
        super().__init__(NO_ROOM)


class Store:
    """The folder of uploads and of what the page draws.

    Files of an open page stay until the page is closed, others for an hour; when all together
    have more bytes than they may, or a visitor's do, the oldest go.

    Args:
        uploads: the folder; every file in it may be deleted.
        whole: the folder with all that counts, `uploads` among it.
        most: bytes for everybody.
        own: bytes of one visitor.
    """

    def __init__(
        self, uploads: Path, whole: Path | None = None, most: int = STORED, own: int = OWN
    ) -> None:
        self.uploads, self.most, self.own = uploads.resolve(), most, own
        self.whole = whole or uploads
        self.uploads.mkdir(parents=True, exist_ok=True)
        self.nbytes = 0
        self._owned: dict[str, dict[Path, int]] = {}
        self._lock = threading.Lock()

    def take(self, count: int) -> None:
        """Counts bytes that are about to be written.

        Raises:
            NoRoom: there is no room for them.
        """
        free = shutil.disk_usage(self.uploads).free
        if self.nbytes + count > self.most or free < min(FREE, self.most):
            raise NoRoom
        self.nbytes += count

    def belongs(self, visitor: str, files: Iterable[Path]) -> None:
        """Remembers that files are a visitor's; the oldest go where they are too much together.

        Those that are named now stay in any case.
        """
        named = {file: size for file in files if (size := self._size(file)) is not None}
        with self._lock:
            owned = self._owned.setdefault(visitor, {})
            for file in named:  # named again, they are the newest
                owned.pop(file, None)
            owned |= named
            total, old = sum(owned.values()), []
            for file, size in owned.items():
                if total <= self.own or file in named:
                    break
                total -= size
                old.append(file)
        self._disown(visitor, old)

    def leave(self, visitor: str) -> None:
        """Deletes what belongs to a visitor alone."""
        with self._lock:
            files = list(self._owned.get(visitor, ()))
        self._disown(visitor, files)
        with self._lock:
            self._owned.pop(visitor, None)

    def sweep(self, kept: Collection[str] = (), now: float | None = None) -> set[str]:
        """Deletes what is old, or too much, and returns what is gone.

        Args:
            kept: paths of files that always stay.
            now: in seconds since 1970; this moment if left out.
        """
        now = time.time() if now is None else now
        with self._lock:
            owned = {file for files in self._owned.values() for file in files}
        files = sorted(self._files(kept))
        total = sum(size for *_, size in _walked(self.whole))
        gone = set()
        for changed, file, size in files:
            old = now - changed > AGE and file not in owned
            if old or total > self.most:
                self._delete(file)
                gone.add(str(file))
                total -= size
        self.nbytes = total
        return gone

    def _files(self, kept: Collection[str]) -> Iterator[tuple[float, Path, int]]:
        return (one for one in _walked(self.uploads) if str(one[1]) not in kept)

    def _disown(self, visitor: str, files: Iterable[Path]) -> None:
        """Takes files from a visitor, and deletes those that nobody has any more."""
        with self._lock:
            mine = self._owned.get(visitor, {})
            for file in files:
                mine.pop(file, None)
                if not any(file in others for others in self._owned.values()):
                    self._delete(file)

    def _delete(self, file: Path) -> None:
        """Deletes a file, and the folders in which nothing else is."""
        with suppress(OSError):
            file.unlink()
            for folder in file.parents[: -len(self.uploads.parts)]:
                folder.rmdir()

    def _size(self, file: Path) -> int | None:
        """Returns the size of a file in the folder; None if there is none."""
        if not file.is_relative_to(self.uploads):
            return None
        with suppress(OSError):
            return EACH + file.stat().st_size
        return None


def _walked(folder: Path) -> Iterator[tuple[float, Path, int]]:
    """Yields when each file in a folder was changed, where it is, and the bytes that it takes."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            with suppress(OSError):  # gone in the meantime
                facts = path.stat(follow_symlinks=False)
                yield facts.st_mtime, path, EACH + facts.st_size
