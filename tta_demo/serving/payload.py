"""The files that a request names: uploaded ones, and nothing else."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tta_demo.serving.routes import API

__all__ = ["named_files"]

DEEPEST = 40
"""Lists in lists of a request; the page sends five."""


def named_files(body: object, folders: Sequence[Path]) -> list[Path]:
    """Returns the files that a request names, in their order.

    Whatever says `path` or `url` counts, wherever it stands: gradio fetches addresses that it
    finds there. The files need not be there.

    Args:
        body: what the request's JSON says.
        folders: resolved; that a file may lie in.

    Raises:
        ValueError: it names an address, content, or a file elsewhere; or it is nested too deeply.

    Example:
        >>> named_files({"data": [{"path": "/up/a/b.png"}]}, [Path("/up")])[0].name
        'b.png'
        >>> named_files([{"path": "https://example.org/b.png"}], [Path("/up")])
        Traceback (most recent call last):
        ...
        ValueError: No file arrived: the request names one that was not uploaded here.
    """
    found = []
    for values in _naming(body):
        path, url = values.get("path"), values.get("url")
        if path is None and url is None:
            continue
        if not isinstance(path, str) or "\0" in path or not _leads_to(url, path):
            raise ValueError(_ELSEWHERE)
        file = Path(path).resolve()
        if not any(file.is_relative_to(folder) for folder in folders):
            raise ValueError(_ELSEWHERE)
        found.append(file)
    return found


_ELSEWHERE = "No file arrived: the request names one that was not uploaded here."


def _leads_to(url: object, path: str) -> bool:
    """Returns whether an address is missing, or is that of the file on this server."""
    if url is None:
        return True
    return isinstance(url, str) and unquote(url).partition(f"{API}/file=")[2] == path


def _naming(body: object) -> Iterator[dict[str, Any]]:
    """Yields all named values in a JSON value that may name a file."""
    level = [body]
    for _ in range(DEEPEST):
        yield from (
            one for one in level if isinstance(one, dict) and ("path" in one or "url" in one)
        )
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return
    raise ValueError(f"A request is nested more than {DEEPEST} times.")
