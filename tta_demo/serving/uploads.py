"""Uploads: only files, counted while they come, and nothing stays of one that is broken off."""

import asyncio
import errno
import shutil
from pathlib import Path
from secrets import token_hex

from gradio.route_utils import GradioMultiPartParser
from gradio.routes import file_upload_statuses
from gradio_client.utils import strip_invalid_filename_characters
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tta_demo.serving.answers import TooLarge, part_of
from tta_demo.serving.routes import UPLOAD, route_of
from tta_demo.serving.store import NO_ROOM, NoRoom, Store
from tta_demo.ui.kit.limits import FILE

__all__ = ["Uploads"]

MANY = 1000
"""Files of one upload."""
FIELD = "files"
"""What the page calls them."""


class Uploads:
    """Stores uploads where gradio looks for them, each in a folder that nobody can guess.

    Gradio itself would name folders by their content, and keep what is sent under other names or
    is broken off.

    Args:
        app: what answers all other requests.
        store: where they go.
    """

    def __init__(self, app: ASGIApp, store: Store) -> None:
        self.app, self.store = app, store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http" or scope["path"] != UPLOAD:
            await self.app(scope, receive, send)
            return
        try:
            answer = await self._answer(Request(scope, self._counted(receive)))
        except ClientDisconnect:
            return
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        folder = self.store.uploads / token_hex(16)
        folder.mkdir()
        try:
            return JSONResponse([str(file) for file in await _stored(request, folder)])
        except BaseException as error:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            status = _status(error)
            if status is None:
                raise
            return PlainTextResponse(NO_ROOM if status == 507 else str(error), status)

    def _counted(self, receive: Receive) -> Receive:
        """Returns where the same comes from, as long as it is not too much."""
        total, most = 0, route_of("POST", UPLOAD).most

        async def counting() -> Message:
            nonlocal total
            part = await part_of(receive)
            total += (count := len(part.get("body", b"")))
            if total > most:
                raise TooLarge(f"The upload is too large: {most:,} bytes are the limit.")
            self.store.take(count)
            return part

        return counting


class _OnlyFiles(GradioMultiPartParser):
    """Takes nothing but files, under the name that the page gives them."""

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        if self._current_part.file is None or self._current_part.field_name != FIELD:
            raise MultiPartException(f"An upload holds nothing but files, named {FIELD!r}.")


async def _stored(request: Request, folder: Path) -> list[Path]:
    """Writes the files of an upload into a folder, and returns where they are, in their order."""
    progress = request.query_params.get("upload_id", "")[:64]
    parser = _OnlyFiles(
        request.headers,
        request.stream(),
        max_files=MANY,
        upload_dir=folder,
        upload_id=progress,
        upload_progress=file_upload_statuses if progress else None,
        max_file_size=FILE,
    )
    try:
        form = await parser.parse()
    except KeyError as error:
        raise MultiPartException("An upload is a form with files.") from error
    finally:
        later = asyncio.get_running_loop().call_later
        later(60, file_upload_statuses.stop_tracking, progress)  # whoever watches has seen the end
    uploads, files = form.getlist(FIELD), []
    if not uploads:
        raise MultiPartException("An upload holds at least one file.")
    for number, upload in enumerate(uploads):
        upload.file.close()
        name = strip_invalid_filename_characters(Path(upload.filename or "").name)
        place = folder / str(number)  # two files of one upload may have one name
        place.mkdir()
        files.append(Path(upload.file.name).rename(place / (name or "file")))
    return files


def _status(error: BaseException) -> int | None:
    """Returns the status of a refused upload; None for what was not foreseen."""
    if isinstance(error, TooLarge):
        return 413
    if isinstance(error, MultiPartException):
        return 413 if "maximum allowed size" in error.message else 400
    if isinstance(error, TimeoutError):
        return 408
    full = isinstance(error, NoRoom) or getattr(error, "errno", None) == errno.ENOSPC
    return 507 if full else None
