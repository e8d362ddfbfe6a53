"""Visits: what a session asks for and has, and that all of it goes when the session does."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tta_demo.pictures.assets import ASSETS
from tta_demo.serving.answers import again, body_of, refuse
from tta_demo.serving.memory import give_back
from tta_demo.serving.payload import named_files
from tta_demo.serving.routes import route_of
from tta_demo.serving.sessions import Sessions
from tta_demo.serving.store import Store
from tta_demo.ui.kit.limits import REQUEST

__all__ = ["Visits"]

EVERY = 30
"""Seconds from one look at what has to go to the next."""
_SESSION = re.compile(r"[\w-]{1,64}")
MANY = 100_000
"""Values of a request: a megabyte of brackets would keep everybody waiting for a second or two,
and twenty megabytes as long as it waits itself."""


class Visits:
    """Lets sessions in, and cleans up behind them.

    Args:
        app: what answers; inside of gradio's app, whose memory of sessions is kept small here.
        store: the files of visitors.
        sessions: who is here.
    """

    def __init__(self, app: ASGIApp, store: Store, sessions: Sessions) -> None:
        self.app, self.store, self.sessions = app, store, sessions
        shown = re.escape(json.dumps(str(store.uploads))[1:-1].encode())
        self._shown = re.compile(rb'"path":"(' + shown + rb'[^"\\]+)"')

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or cleans up as long as the server runs."""
        if scope["type"] == "lifespan":
            async with self._cleaning(scope["app"]):
                await self.app(scope, receive, send)
            return
        route = route_of(scope["method"], scope["path"])
        if route.name == "heartbeat":
            session = route.path.fullmatch(scope["path"])["session"]
            await self._open(session, scope, receive, send)
        elif route.name in ("join", "call"):
            await self._start(scope, receive, send)
        elif route.name == "answers":
            await self.app(scope, receive, self._noting(scope, send))
        else:
            await self.app(scope, receive, send)

    async def _open(self, session: str, scope: Scope, receive: Receive, send: Send) -> None:
        safe = self.sessions.opened(session)
        try:
            await self.app(scope, receive, send)
        finally:
            if safe:
                self.sessions.closed(session)

    async def _start(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a session start something that the page has, on files that were uploaded."""
        body = await body_of(receive, REQUEST)
        try:
            said = _read(body or b"")
            files = named_files(said, [self.store.uploads, ASSETS.resolve()])
            _check(said, scope["app"].get_blocks().fns)
        except ValueError as error:
            await refuse(400, str(error), scope, receive, send)
            return
        session = said["session_hash"]
        self.store.belongs(session, files)
        self.sessions.asked(session)
        self._forget(scope["app"])
        await self.app(scope, again(json.dumps(said).encode(), receive), send)

    def _noting(self, scope: Scope, send: Send) -> Send:
        """Returns where answers are sent to; files in them belong to whom they are for."""
        session = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[0]

        async def noting(message: Message) -> None:
            found = self._shown.findall(message.get("body", b""))
            if found:
                self.store.belongs(session, [Path(path.decode()) for path in found])
            await send(message)

        return noting

    def _forget(self, app: Any) -> None:  # noqa: ANN401 (gradio's app)
        """Lets go of all that gradio and the store have of sessions that are to be forgotten."""
        queue, states = app.get_blocks()._queue, app.state_holder
        busy = {event.session_hash for event in queue.event_ids_to_events.values()}
        for session in self.sessions.leaving(busy):
            states.session_data.pop(session, None)
            states.time_last_used.pop(session, None)
            queue.pending_messages_per_session.pop(session, None)
            queue.pending_event_ids_session.pop(session, None)
            self.store.leave(session)

    @asynccontextmanager
    async def _cleaning(self, app: Any) -> AsyncIterator[None]:  # noqa: ANN401
        task = asyncio.create_task(self._clean(app))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _clean(self, app: Any) -> None:  # noqa: ANN401
        while True:
            await asyncio.sleep(EVERY)
            self._forget(app)
            blocks = app.get_blocks()
            kept = {path for block in blocks.blocks.values() for path in _kept(block)}
            gone = await asyncio.to_thread(self.store.sweep, kept)
            for paths in blocks.temp_file_sets:
                paths -= gone
            await asyncio.to_thread(give_back)


def _kept(block: object) -> set[str]:
    """Returns the files of examples, which belong to the page."""
    return getattr(block, "keep_in_cache", set())


def _read(body: bytes) -> dict[str, Any]:
    """Returns what a request says; whose session it is, is made up where it is missing.

    Raises:
        ValueError: it is no JSON, has too many values, or a strange session.
    """
    if sum(map(body.count, (b",", b"[", b"{"))) > MANY:
        raise ValueError(f"The request has more than {MANY} values.")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("The request is no JSON.") from None
    if not isinstance(said, dict):
        raise ValueError("The request holds no named values.")
    session = said.setdefault("session_hash", token_hex(8))
    if not (isinstance(session, str) and _SESSION.fullmatch(session)):
        raise ValueError("The request has a strange session_hash.")
    return said


def _check(said: dict[str, Any], actions: Mapping[int, Any]) -> None:
    """Raises a `ValueError` for an action that the page does not have, or not with such values."""
    number, values = said.get("fn_index"), said.get("data")
    action = actions.get(number) if isinstance(number, int) else None
    if number is not None and action is None:
        raise ValueError("The page has changed: reload it.")
    if not isinstance(values, list) or (action and len(values) != len(action.inputs)):
        raise ValueError("The request has other values than the page sends: reload it.")
