"""What a link to the page looks like in a message: title, description and picture."""

import gzip
import re
from html import escape

from gradio.route_utils import get_root_url
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tta_demo.pictures.assets import ASSETS

__all__ = ["PICTURE", "SIZE", "TITLE", "LinkPreview"]

TITLE = "Look again: test-time augmentation"
DESCRIPTION = (
    "A model looks at a picture several times, mirrored and turned, undoes each change on its "
    "answer, and combines the answers. See what that mends, and what it breaks."
)
PATH = "/preview.jpg"
PICTURE = ASSETS / "preview.jpg"
SIZE = 1200, 630
"""Width and height of the picture in pixels, as most who show previews want it."""
ALT = "A field with weeds; the pixels that eight looks together mended and broke are marked."
_THEIRS = re.compile(rb'\s*<meta\s+(?:property="og:|name="twitter:)[^>]*>')


class LinkPreview:
    """Puts the page's own words where gradio's template says "Gradio", and serves the picture.

    Whoever makes a preview runs no script, and gradio adds `head` by one: so the words have to be
    in what the server sends. It is sent compressed, a third of its size; gradio does that with
    its scripts alone, by the ends of their names.

    Args:
        app: what answers everything else.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        path = scope.get("path")
        if scope["type"] != "http" or path not in ("/", PATH):
            await self.app(scope, receive, send)
        elif path == PATH:
            await FileResponse(PICTURE)(scope, receive, send)
        else:
            await self.app(scope, receive, _Rewriting(send, Request(scope)))


class _Rewriting:
    """Sends a page with other tags in its head; keeps the first part until the rest is there."""

    def __init__(self, send: Send, request: Request) -> None:
        self.send, self.tags = send, _tags(request)
        self.packs = "gzip" in request.headers.get("accept-encoding", "")
        self.start: Message = {}
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
            return
        self.body += message.get("body", b"")
        if message.get("more_body"):
            return
        headers, body = MutableHeaders(raw=self.start["headers"]), self.body
        if headers.get("content-type", "").startswith("text/html"):
            head, script, rest = body.partition(b"<script")
            head = _THEIRS.sub(b"", head).replace(b"<head>", b"<head>" + self.tags, 1)
            body = head + script + rest
            headers.add_vary_header("Accept-Encoding")
            if self.packs:
                body = gzip.compress(body, 4)
                headers["content-encoding"] = "gzip"
            headers["content-length"] = str(len(body))
        await self.send(self.start)
        await self.send({"type": "http.response.body", "body": body})


def _tags(request: Request) -> bytes:
    """Returns the tags, with addresses as whoever asks sees them, behind a proxy too."""
    root = get_root_url(request, route_path="/", root_path=request.scope.get("root_path"))
    query = request.url.query
    said = {
        "og:type": "website",
        "og:title": TITLE,
        "og:description": DESCRIPTION,
        "og:url": f"{root}/{query and '?' + query}",
        "og:image": f"{root}{PATH}",
        "og:image:width": str(SIZE[0]),
        "og:image:height": str(SIZE[1]),
        "og:image:alt": ALT,
    }
    tags = [f'<meta property="{name}" content="{escape(text)}">' for name, text in said.items()]
    tags.append('<meta name="twitter:card" content="summary_large_image">')
    tags.append(f'<meta name="description" content="{escape(DESCRIPTION)}">')
    tags.append(f"<title>{escape(TITLE)}</title>")
    return "".join(tags).encode()
