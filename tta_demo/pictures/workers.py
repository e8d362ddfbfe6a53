"""Pictures that strangers left are decoded in processes of their own, which may die of them.

A few files can fill any memory or take hours: tags that all point at the same bytes, tiles larger
than their picture, thousands of empty scans. So the process that decodes them has limits of memory
and time; one that passes them is ended and replaced, and nobody else notices.
"""

import atexit
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path

from tta_demo.pictures.decoder import REQUEST
from tta_demo.pictures.decoding import TOO_LARGE, Decoded
from tta_demo.pictures.parcel import Torn, received

__all__ = ["decode_apart", "guard", "is_strangers"]

WARM = 2
"""Processes that wait for the next picture."""
MOST = 4
"""Processes that decode at the same time; further pictures wait for their turn."""
MEMORY = 640 << 20
"""Bytes that a file may take, beyond what the process has without one."""
CPU_SECONDS = 6
"""Processor time that a file may take, rounded up to whole seconds."""
SECONDS = 30
"""What it may take altogether, where others keep the processor."""

TOO_SLOW = "takes too long to open: export it again as PNG or plain JPEG"
NOT_NOW = "cannot be opened, the computer is too busy: try again in a minute"

_PROGRAM = Path(__file__).with_name("decoder.py")
_KEPT = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "SYSTEMROOT", "LANG", "LC_ALL")
"""What a process may know of our environment: no tokens."""
_GIVING_BACK = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "4000000"}
"""Makes the C library give memory back at once, so that it does not count for the next file."""

_guarded: set[str] = set()
_idle: deque["_Worker"] = deque()
_places = threading.Semaphore(MOST)


def guard(folder: Path) -> None:
    """Marks a folder that strangers leave files in, and starts what will decode them.

    It is made if need be; a folder that is gone again is forgotten.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _guarded.difference_update([known for known in tuple(_guarded) if not Path(known).is_dir()])
    _guarded.add(os.path.realpath(folder))
    _warm()


def is_strangers(path: str | Path) -> bool:
    """Returns whether a file lies in a folder that `guard` marked."""
    found = Path(os.path.realpath(path))
    return any(found.is_relative_to(folder) for folder in tuple(_guarded))


def decode_apart(path: str | Path, draft: bool = False) -> Decoded:
    """Returns what `decode_here` does, but decodes in another process, under limits.

    Raises:
        ValueError: as `decode_here`; or the file takes too much memory or time.
    """
    with _places:
        try:
            worker = _taken()
        except OSError as error:  # no memory or no place for a process
            raise ValueError(f"{Path(path).name} {NOT_NOW}") from error
        try:
            return worker.decode(Path(path), draft)
        except Torn as error:
            raise ValueError(f"{Path(path).name} {worker.fault()}") from error
        finally:
            _give_back(worker)


def _taken() -> "_Worker":
    """Returns a living process."""
    while True:
        try:
            worker = _idle.popleft()
        except IndexError:
            return _Worker()
        if worker.lives():
            return worker
        worker.end()


def _give_back(worker: "_Worker") -> None:
    if worker.lives() and len(_idle) < WARM:
        _idle.append(worker)
        return
    worker.end()
    _warm()


def _warm() -> None:
    with suppress(OSError):  # the next picture tries again
        while len(_idle) < WARM:
            _idle.append(_Worker())


@atexit.register
def _end_all() -> None:
    while _idle:
        _idle.popleft().end()


class _Worker:
    """A process that decodes one picture after the other."""

    def __init__(self) -> None:
        known = {key: os.environ[key] for key in _KEPT if key in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_PROGRAM), str(MEMORY), str(CPU_SECONDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=known | _GIVING_BACK,
            start_new_session=True,  # Ctrl-C is the parent's
        )
        with suppress(ImportError, AttributeError, OSError):  # where there are such pipes
            import fcntl

            fcntl.fcntl(self._process.stdout, fcntl.F_SETPIPE_SZ, 1 << 20)
        self._late = False

    def lives(self) -> bool:
        return not self._late and self._process.poll() is None

    def decode(self, path: Path, draft: bool) -> Decoded:
        """Returns a file's picture; raises `Torn` where the process breaks off."""
        timer = threading.Timer(SECONDS, self._give_up)
        timer.start()
        try:
            name = os.fsencode(path.absolute())
            self._process.stdin.write(REQUEST.pack(len(name), draft) + name)
            self._process.stdin.flush()
            return received(self._read)
        except OSError as error:
            raise Torn from error
        finally:
            timer.cancel()
            timer.join()

    def end(self) -> str:
        """Ends the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what it did not take any more
                pipe.close()

    def fault(self) -> str:
        """Ends a process that broke off in its last file, and returns why it did."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)  # until the system tells
        self.end()
        if self._late or self._process.returncode == -getattr(signal, "SIGXCPU", 0):
            return TOO_SLOW
        return TOO_LARGE

    def _give_up(self) -> None:
        self._late = True
        self._process.kill()

    def _read(self, count: int) -> bytearray:
        """Returns so many bytes of an answer, fewer where it breaks off."""
        data = bytearray(count)
        arrived = self._process.stdout.readinto(data)
        return data if arrived == count else data[:arrived]
