"""Memory that is free again, but not yet the system's."""

import ctypes

__all__ = ["give_back"]


def give_back() -> None:
    """Gives memory that was freed back to the system; does nothing where the C library can't.

    glibc keeps what threads have freed, in a heap for every few of them: between many visitors'
    answers of all sizes these heaps only grew.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
