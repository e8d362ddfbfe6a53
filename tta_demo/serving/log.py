"""The log: one line of JSON for each request, and nothing in it that a visitor brought."""

import json
import logging
import time
from secrets import token_hex

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tta_demo.serving.answers import refuse
from tta_demo.serving.routes import route_of
from tta_demo.ui.kit.failing import LOG, facts_of

__all__ = ["Lines", "Logged", "log_to_stderr"]

HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
"""Of every answer. None forbids frames: a hosted page stands in one."""
QUIET = {"static", "file", "health"}
"""Routes that are in the log only if something is wrong."""


class Lines(logging.Formatter):
    """Writes a record as one line of JSON: when, how bad, what, and its `facts`.

    Example:
        >>> record = logging.LogRecord("tta_demo", 20, "", 0, "request", (), None)
        >>> record.facts = {"status": 200}
        >>> json.loads(Lines().format(record))["status"]
        200
    """

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        said = {"at": when, "level": record.levelname.lower(), "what": record.getMessage()}
        return json.dumps(said | getattr(record, "facts", {}))


def log_to_stderr() -> None:
    """Lets the log be seen."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines())
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


class Logged:
    """Gives every request a number, which its answer and its line in the log have.

    What was not foreseen becomes an answer that says what to do.

    Args:
        app: what answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number, began, status = token_hex(6), time.monotonic(), 0

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update(HEADERS | {"X-Request-Id": number})
            await send(message)

        try:
            await self.app(scope, receive, marked)
        except Exception as error:
            LOG.error("failure", extra={"facts": {"id": number} | facts_of(error)})
            if not status:  # of an answer that has begun, nothing more can come than its end
                told = f"Something went wrong (no. {number}): reload the page and try again."
                await refuse(500, told, scope, receive, marked)
        finally:
            _note(scope, status, number, time.monotonic() - began)


def _note(scope: Scope, status: int, number: str, seconds: float) -> None:
    """Writes a request down: where it went, not its address, which has names of files in it."""
    route = route_of(scope["method"], scope["path"])
    if route is not None and route.name in QUIET and status < 400:
        return
    facts = {
        "id": number,
        "method": scope["method"],
        "route": route.name if route else "none",
        "status": status or 499,  # gone before there was an answer
        "ms": round(1000 * seconds),
    }
    LOG.info("request", extra={"facts": facts})
