"""How actions are queued and shown: keyword arguments for gradio's events."""

from dataclasses import dataclass
from typing import Any

__all__ = [
    "ASKED", "EVERY", "HEAVY", "LANES", "LARGE", "LATEST", "LIGHT", "LOADING", "LONG", "OPENING",
    "STOP", "THREADS", "Lane",
]  # fmt: skip


@dataclass(frozen=True)
class Lane:
    """Room for actions of one kind.

    Attributes:
        places: actions under way at once.
        waiting: actions that wait for a place; one more is refused.
        each: actions of one visitor, under way and waiting; one more is refused.
        at_once: of these, under way; the second can call off the first.
    """

    places: int
    waiting: int
    each: int
    at_once: int = 2


LANES: dict[str, Lane] = {
    "stop": Lane(places=4, waiting=100, each=4),
    "light": Lane(places=80, waiting=200, each=24, at_once=3),
    "model": Lane(places=24, waiting=40, each=8),
    "learn": Lane(places=12, waiting=12, each=2),
    "hub": Lane(places=4, waiting=8, each=2),
    "full": Lane(places=1, waiting=4, each=1),
}
"""The lanes by name. Light actions that wait until their visitors' looks are done (`at_once` for
each place of "model") leave some places. Those who look take turns, look by look (`PASSES`): all
see a first answer soon, instead of some of them everything."""

THREADS = sum(lane.places for lane in LANES.values()) + 20
"""What serves all that at once; most of them wait."""


def _in_lane(name: str, **how: object) -> dict[str, Any]:
    lane = {"concurrency_id": name, "concurrency_limit": LANES[name].places}
    return lane | how


LIGHT = _in_lane("light", show_progress="hidden", api_visibility="private")
"""For actions without a forward pass."""

STOP = _in_lane("stop", show_progress="hidden", api_visibility="private")
"""For what ends another action: it never waits behind others."""

LATEST = LIGHT | {"trigger_mode": "always_last"}
"""The same as `LIGHT`; a choice made while one is under way is kept, not dropped."""

HEAVY = _in_lane("model", trigger_mode="always_last", api_visibility="private")
"""For actions that may run the model; a click while one is under way is kept, not dropped."""

ASKED = _in_lane("model")
"""For what programs ask: in one lane with the page's own."""

EVERY = {"trigger_mode": "multiple"}
"""For actions that read an event's data: gradio loses it when it keeps an event for later."""

OPENING = HEAVY | EVERY
"""For those that open a picture: a new one need not wait until all looks at the last are done."""

LONG = _in_lane("learn", show_progress="hidden", trigger_mode="once", api_visibility="private")
"""For actions that take minutes: they do not keep others from looking, see `waiting`."""

LARGE = _in_lane("full", show_progress="hidden", trigger_mode="once", api_visibility="private")
"""For looks at a large picture in its full size, one by one: each takes a gigabyte of memory."""

LOADING = _in_lane("hub")
"""For a download: it takes minutes, and does not keep others from looking."""
