"""Decodes pictures in a process of its own, for `workers`: a path comes in, a parcel goes out.

Whatever a file does, it can do no more than the limits of this process allow. It is run by its
path, and knows nothing of the package but the two modules that it needs: it starts in a moment.
"""

import gc
import os
import struct
import sys
from collections.abc import Iterable
from math import ceil
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

__all__ = ["REQUEST"]

REQUEST = struct.Struct("<I?")
"""Bytes of the path that follows; whether a JPEG may decode smaller."""


def main(memory: int, seconds: int) -> None:
    """Answers requests on stdin until there are no more.

    Args:
        memory: bytes that a file may take.
        seconds: processor time that a file may take.
    """
    package = ModuleType("tta_demo")  # the real one imports torch
    package.__path__ = [str(Path(__file__).parents[1])]
    sys.modules["tta_demo"] = package
    from PIL import Image

    from tta_demo.pictures.decoding import decode_here
    from tta_demo.pictures.parcel import packed, refusal

    Image.init()  # all kinds, before the memory is measured
    gc.freeze()  # what stays is not looked through after every picture
    requests, answers = sys.stdin.buffer, _only_answers()
    _limit_memory(memory)
    while header := requests.read(REQUEST.size):
        length, draft = REQUEST.unpack(header)
        path = Path(os.fsdecode(requests.read(length)))
        _limit_time(seconds)
        try:
            _write(answers, packed(decode_here(path, draft)))
        except ValueError as error:
            _write(answers, refusal(str(error)))
        gc.collect()


def _only_answers() -> BinaryIO:
    """Returns where answers go; whatever a library prints goes elsewhere."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return answers


def _write(answers: BinaryIO, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        answers.write(piece)
    answers.flush()


def _limit_memory(most: int) -> None:
    """Limits the memory from now on, and writes no files; where the system knows such limits."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        return
    most += pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_time(seconds: int) -> None:
    """Lets the next file take so much processor time; then the system ends the process."""
    try:
        import resource
    except ImportError:
        return
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (ceil(used + seconds), most))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
