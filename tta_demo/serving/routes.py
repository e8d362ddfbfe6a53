"""Which addresses answer, and how large a request to each may be; all others are not there.

Gradio has many more: they fetch other addresses, store what nobody asked for, or show how the
server is doing. The page uses none of them.
"""

import re
from dataclasses import dataclass

from tta_demo.ui.kit.limits import FILE, REQUEST

__all__ = ["API", "HEALTH", "ROUTES", "UPLOAD", "Route", "route_of"]

API = "/gradio_api"
HEALTH, UPLOAD = "/healthz", f"{API}/upload"
_FORMS = 2**20  # bytes around the files of an upload: their names and types


@dataclass(frozen=True)
class Route:
    """Addresses that answer in the same way.

    Attributes:
        name: for the log, where an address could tell what a visitor has.
        path: matches all of an address; the group `session` is whose request it is.
        method: `GET`, which includes `HEAD`, or `POST`.
        most: bytes that a request may bring.
    """

    name: str
    path: re.Pattern[str]
    method: str = "GET"
    most: int = 0


def _post(name: str, path: str, most: int) -> Route:
    return Route(name, re.compile(path), "POST", most)


def _get(name: str, path: str) -> Route:
    return Route(name, re.compile(path))


ROUTES = (
    _get("page", "/"),
    _get("config", "/config/?"),
    _get("static", r"/(?:assets|static)/.+|/theme\.css|/favicon\.ico|/robots\.txt|/preview\.jpg"),
    _get("health", HEALTH),
    _get("info", f"{API}/info/?"),
    _get("start", f"{API}/startup-events"),
    _get("heartbeat", rf"{API}/heartbeat/(?P<session>[\w-]{{1,64}})"),
    _get("answers", f"{API}/queue/data"),
    _get("progress", f"{API}/upload_progress"),
    _get("file", rf"{API}/file=(?!\w+:).+"),  # never an address of another server
    _get("result", rf"{API}/call/\w+/\w+"),
    _post("join", f"{API}/queue/join", REQUEST),
    _post("call", rf"{API}/call/\w+", REQUEST),
    _post("cancel", f"{API}/cancel", 10_000),
    _post("reset", f"{API}/reset/?", 10_000),
    _post("upload", UPLOAD, FILE + _FORMS),
)


def route_of(method: str, path: str) -> Route | None:
    """Returns where a request goes; None if there is no such address.

    Example:
        >>> route_of("GET", "/").name, route_of("GET", "/gradio_api/file=https://a.b/c")
        ('page', None)
    """
    method = "GET" if method == "HEAD" else method
    matching = (one for one in ROUTES if one.method == method and one.path.fullmatch(path))
    return next(matching, None)
