"""Short answers to requests, and their bodies read within a limit."""

import asyncio

from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

__all__ = ["TooLarge", "again", "body_of", "part_of", "refuse", "too_large"]

PATIENCE = 60
"""Seconds that a request may say nothing in before it is over."""


class TooLarge(ValueError):
    """A request brings more than it may."""


async def refuse(status: int, sentence: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with a sentence, as gradio's own errors do."""
    await JSONResponse({"detail": sentence}, status)(scope, receive, send)


def too_large(scope: Scope, most: int) -> bool:
    """Returns whether a request says itself that it brings more than it may.

    One that brings something without saying how much may do so unless nothing is allowed.
    """
    headers = dict(scope["headers"])
    said = headers.get(b"content-length", b"0")
    if not said.isdigit() or int(said) > most:
        return True
    return not most and b"transfer-encoding" in headers


async def part_of(receive: Receive) -> Message:
    """Returns the next part of a request.

    Raises:
        TimeoutError: it does not come.
    """
    return await asyncio.wait_for(receive(), PATIENCE)


async def body_of(receive: Receive, most: int) -> bytes | None:
    """Returns the body of a request; None if whoever sent it is gone.

    Raises:
        TooLarge: it has more than so many bytes.
        TimeoutError: it does not come.
    """
    body, more = bytearray(), True
    while more:
        part = await part_of(receive)
        if part["type"] == "http.disconnect":
            return None
        body += part.get("body", b"")
        if len(body) > most:
            raise TooLarge
        more = part.get("more_body", False)
    return bytes(body)


def again(body: bytes, receive: Receive) -> Receive:
    """Returns where a body that was read can be read once more."""
    parts = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def replay() -> Message:
        part = next(parts, None)
        return await receive() if part is None else part

    return replay
