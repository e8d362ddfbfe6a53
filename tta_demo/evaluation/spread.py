"""Where the work on many pictures is done: here, or on all machines of a Ray cluster."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

__all__ = ["Spread", "over_ray"]

Item, Found = TypeVar("Item"), TypeVar("Found")
Spread = Callable[[Callable[[Item], Found], Iterable[Item]], Iterable[Found]]
"""Gives what some work finds for each item, in their order; `map` does it here, one by one."""

AHEAD = 2
"""Tasks for each core that are under way or wait for it: none idles, and few results wait."""

_KNOWN: dict[str, Callable[[Any], Any]] = {}
"""Of a process that does the work: the work, unpacked once, so that a model is loaded once."""


def over_ray(work: Callable[[Item], Found], items: Iterable[Item]) -> Iterator[Found]:
    """Yields what the work finds for each item, in their order; an item is a task of one core.

    The cluster is that of `RAY_ADDRESS`, else the one that runs here, else one of this machine's
    cores, for the time being. A task whose machine dies is done again elsewhere. Every machine
    has this package, and finds files (pictures, a model) where this one does.

    Args:
        work: as for `map`; it travels once, so what it holds on to must be fit for pickle.
        items: asked for little by little.

    Raises:
        ValueError: Ray is not installed.
    """
    try:
        import ray
    except ModuleNotFoundError:
        raise ValueError("Ray is not installed: pip install ray") from None
    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False)
    packed = ray.put(ray.cloudpickle.dumps(work))
    task, rest = ray.remote(num_cpus=1, max_retries=3)(_do), iter(items)
    flying = deque()
    try:
        while True:
            room = int(AHEAD * ray.cluster_resources().get("CPU", 1)) - len(flying)
            flying += [task.remote(packed.hex(), packed, one) for one in islice(rest, room)]
            if not flying:
                return
            yield ray.get(flying.popleft())
    finally:
        for late in flying:
            ray.cancel(late)


def _do(key: str, packed: bytes, item: Item) -> Found:
    if key not in _KNOWN:
        import ray

        _KNOWN.clear()
        _KNOWN[key] = ray.cloudpickle.loads(packed)
    return _KNOWN[key](item)
