"""How long calls take."""

import statistics
import time
from collections.abc import Callable

__all__ = ["median_seconds", "seconds_of"]


def seconds_of(call: Callable[[], object]) -> float:
    """Returns how long one call takes, in seconds."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def median_seconds(*calls: Callable[[], object], repeats: int = 15) -> list[float]:
    """Returns each call's median; the calls take turns, so that other load meets all alike.

    Args:
        calls: what to measure.
        repeats: how often each is measured, after two turns that only warm up.
    """
    turns = [[seconds_of(call) for call in calls] for _ in range(repeats + 2)]
    return [statistics.median(taken) for taken in zip(*turns[2:], strict=True)]
