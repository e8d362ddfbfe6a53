"""A model of the Hub, as it comes to the page: how much of it is there, until it can be used."""

import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor, wait

import torch

from tta_demo.models.hub import hub_model
from tta_demo.models.registry import load_model
from tta_demo.tta.crops import CROP
from tta_demo.tta.predict import asked
from tta_demo.ui.kit.place import is_public
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.yours.model import Own
from tta_demo.ui.yours.owner import Wanted
from tta_demo.ui.yours.panel import under_way

__all__ = ["fetched"]

STOPPED = "its download was stopped; load it again to go on"
TICK = 0.25
"""Seconds between two looks at how far it is."""
SIZES = {"segment": (96, 128), "classify": (CROP, CROP)}
"""Of the picture that a model is tried out on, by task."""


def fetched(name: str, task: str, wanted: Wanted) -> Generator[Updates, None, Own]:
    """Downloads a model if need be and tries it out, telling the progress; returns it.

    Args:
        name: `OWNER/MODEL`; one of the menu on a page for everybody.
        task: `segment` or `classify`.
        wanted: once it says no, the download ends, and what has come is kept.

    Raises:
        ValueError: in a sentence, it cannot be had or cannot be used, or it was stopped.
    """
    coming = _Coming(name, task, wanted)
    pool = ThreadPoolExecutor(1, "hub")
    made = pool.submit(coming.make)
    pool.shutdown(wait=False)
    told = None
    while not made.done():
        if told != coming.told:
            told = coming.told
            yield {"own_told": under_way(*told)}
        wait([made], TICK)
        if not wanted():
            raise ValueError(STOPPED)
    return made.result()


class _Coming:
    """What a thread of its own does, and how far it is.

    Attributes:
        told: what it does, and how many bytes of how many have come.
    """

    def __init__(self, name: str, task: str, wanted: Wanted) -> None:
        self.name, self.task, self.wanted = name, task, wanted
        self.told: tuple[str, int, int] = (f"Asking the Hub for {name} …", 0, 0)

    def make(self) -> Own:
        record = hub_model(self.name, self.task, menu_only=is_public(), progress=self._note)
        self.told = (f"Opening {self.name}, and trying it once …", 0, 0)
        picture = torch.rand(1, 3, *SIZES[self.task], generator=torch.Generator().manual_seed(0))
        model, begun = load_model(record), time.perf_counter()
        asked(model, picture, maps=self.task == "segment")
        return Own(record, record, seconds=time.perf_counter() - begun)

    def _note(self, done: int, total: int) -> None:
        """Notes how much has come; raises to end a download that nobody waits for."""
        if not self.wanted():
            raise ValueError(STOPPED)
        of = f" of {total / 1e6:.1f}" if total else ""
        self.told = (f"Loading {self.name}: {done / 1e6:.1f}{of} MB", done, total)
