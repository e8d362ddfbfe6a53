"""How actions are queued and shown: keyword arguments for gradio's events."""

from typing import Any

__all__ = ["ASKED", "EVERY", "HEAVY", "LATEST", "LIGHT", "LONG", "OPENING", "RAW"]

LIGHT: dict[str, Any] = {
    "show_progress": "hidden",
    "concurrency_id": "light",
    "api_visibility": "private",
}
"""For actions without a forward pass."""

LATEST = LIGHT | {"trigger_mode": "always_last"}
"""The same; a choice made while one is under way is kept, not dropped."""

HEAVY: dict[str, Any] = {
    "concurrency_id": "model",
    "concurrency_limit": 4,
    "trigger_mode": "always_last",
    "api_visibility": "private",
}
"""For actions that may run the model; a click while one is under way is kept, not dropped."""

ASKED: dict[str, Any] = {"concurrency_id": "model"}
"""For what programs ask: in one queue with the page's own."""

EVERY = {"trigger_mode": "multiple"}
"""For actions that read an event's data: gradio loses it when it keeps an event for later."""

OPENING = HEAVY | EVERY
"""For those that open a picture: a new one need not wait until all looks at the last are done."""

LONG: dict[str, Any] = {
    "show_progress": "hidden",
    "concurrency_id": "learn",
    "concurrency_limit": 2,
    "trigger_mode": "once",
    "api_visibility": "private",
}
"""For actions that take minutes: they do not keep others from looking."""

RAW = {"preprocess": False}
"""For uploads: gradio would open the file itself, and fail before our own words are reached."""
