"""What a visitor is told when an action fails, and what the log keeps of it."""

import errno
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from secrets import token_hex
from typing import Any

import gradio as gr

__all__ = ["LOG", "facts_of", "failing"]

LOG = logging.getLogger("tta_demo")
"""Where the page notes what nobody foresaw, with `facts` beside the message."""

FULL = "The server's disk is full at the moment: try again in a few minutes."
MEMORY = "There is not enough memory for this at the moment: try fewer looks or a smaller picture."
UNFORESEEN = (
    "Something went wrong here (no. {}), and it is noted. What was on screen before stays: try "
    "again, or reload the page."
)


@contextmanager
def failing(action: str, ours: bool = True) -> Iterator[None]:
    """Turns any error of an action into a message on the page, which renders HTML: it is escaped.

    A `ValueError` has a message for the visitor. Others may have paths and names in theirs: they
    go to the log, by where they were raised.

    Args:
        action: its name, for the log.
        ours: whether it is not gradio that fails, on a value: its messages quote that.
    """
    try:
        yield
    except gr.Error as error:
        error.print_exception = False
        raise
    except Exception as error:
        told = _told(error, action) if ours else _unforeseen(error.__cause__ or error, action)
        told = escape(told, quote=False)  # programs read quotes as they are
        raise gr.Error(told, duration=12, print_exception=False) from error


def _told(error: Exception, action: str) -> str:
    return str(error) if isinstance(error, ValueError) else _unforeseen(error, action)


def _unforeseen(error: BaseException, action: str) -> str:
    number = token_hex(6)
    LOG.error("failure", extra={"facts": {"id": number, "action": action} | facts_of(error)})
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return FULL
    if isinstance(error, MemoryError):
        return MEMORY
    return UNFORESEEN.format(number)


def facts_of(error: BaseException) -> dict[str, Any]:
    """Returns the kind of an error and where it was raised; not its message, which may tell names.

    Example:
        >>> facts_of(KeyError("a visitor's file"))
        {'error': 'KeyError', 'trace': []}
    """
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    trace = [f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in frames]
    return {"error": type(error).__name__, "trace": trace}
