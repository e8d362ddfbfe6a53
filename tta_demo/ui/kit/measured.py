"""What a request says, measured before it is used: anybody can post what no control would send."""

import math
from collections.abc import Collection, Sequence
from typing import Any, TypeVar

import gradio as gr
from gradio.blocks import Block

__all__ = ["ODD", "measured", "picked", "sent"]

T = TypeVar("T")

LETTERS = 20_000
"""Of a text box: some hundred lines."""
WORD = 300
"""Letters of what is chosen."""
MANY = 2000
"""Files, or names in a list that an event carries."""
ODD = "The page sent what it cannot have meant ({}): reload it."


def measured(block: Block, value: Any, offered: Collection[str] | None = None) -> Any:  # noqa: ANN401 (any control's)
    """Returns the value of a control, such as the control could have sent it.

    Names count once, and numbers are brought within the slider's ends. Menus are only measured:
    what they offer follows from what is on screen, which their actions know.

    Args:
        block: the control, as the page was built with it.
        value: what the request says.
        offered: what can be chosen; if left out, what the page was built with.

    Raises:
        ValueError: the control cannot have sent it.

    Example:
        >>> measured(gr.Slider(0, 1), 7), measured(gr.CheckboxGroup(["a", "b"]), ["b"] * 40_000)
        (1, ['b'])
    """
    if isinstance(block, gr.CheckboxGroup | gr.Radio | gr.Dropdown):
        return _chosen(block, value, offered)
    if isinstance(block, gr.Slider):
        _check(block, _is_number(value))
        return min(max(value, block.minimum), block.maximum)
    if isinstance(block, gr.Checkbox):
        _check(block, isinstance(value, bool))
    if isinstance(block, gr.Textbox):
        value = value or ""
        _check(block, isinstance(value, str) and len(value) <= LETTERS)
    if isinstance(block, gr.File) and block.file_count == "multiple":
        whole = value is None or (isinstance(value, list) and len(value) <= MANY)
        _check(block, whole and all(isinstance(one, dict) for one in value or []))
    return value


def picked(things: Sequence[T], number: object) -> T:
    """Returns the one of some things that was picked by its number, from 0.

    Raises:
        ValueError: there is none of this number.
    """
    if type(number) is not int or not 0 <= number < len(things):
        raise ValueError(f"There are {len(things)} to choose from, and {_short(number)} is none.")
    return things[number]


def sent(event: gr.EventData, name: str, kind: type[T]) -> T:
    """Returns what an event carries under a name; a list is one of names, each once.

    Raises:
        ValueError: it is not there, or is something else.
    """
    value = event._data.get(name) if isinstance(event._data, dict) else None
    fits = _is_number(value) if kind is float else type(value) is kind
    if not fits or (kind is list and not _are_words(value)):
        raise ValueError(ODD.format(name))
    return list(dict.fromkeys(value)) if kind is list else kind(value)


def _chosen(
    block: gr.CheckboxGroup | gr.Radio | gr.Dropdown,
    value: object,
    offered: Collection[str] | None,
) -> list[str] | str | None:
    menu = isinstance(block, gr.Dropdown)
    several = block.multiselect if menu else isinstance(block, gr.CheckboxGroup)
    if menu and value is None:
        return [] if several else None
    names = value if several else [value]
    _check(block, isinstance(names, list) and all(map(_is_word, names)))
    once = list(dict.fromkeys(names))
    known = offered or {name for _, name in block.choices}
    _check(block, menu or set(once) <= set(known))
    return once if several else once[0]


def _are_words(value: list[object]) -> bool:
    return len(value) <= MANY and all(map(_is_word, value))


def _is_word(value: object) -> bool:
    return isinstance(value, str) and len(value) <= WORD


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _check(block: Block, fits: bool) -> None:
    if not fits:
        raise ValueError(ODD.format(block.label or "a choice"))


def _short(value: object) -> str:
    return repr(value)[:40]
