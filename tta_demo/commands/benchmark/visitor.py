"""A visitor of a page that is served: posts what a browser would, and waits for the answer."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx

__all__ = ["BusyError", "Page", "Somebody"]

PATIENCE = 300
"""Seconds without a word after which a visitor gives up."""


class BusyError(RuntimeError):
    """The page says that too many are waiting."""


class Page:
    """What a page says of itself: its controls by their ids, and what each of them starts.

    Args:
        url: its address.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        config = httpx.get(f"{self.url}/config", timeout=60).raise_for_status().json()
        self.parts = {part["id"]: part["props"] for part in config["components"]}
        self.ids = {props.get("elem_id"): number for number, props in self.parts.items()}
        self.actions = {
            (target, event): action
            for action in config["dependencies"]
            for target, event in action["targets"]
            if action["backend_fn"]
        }

    def action(self, control: str, event: str) -> dict[str, Any]:
        """Returns what an event of a control starts; a `ValueError` if it is nothing."""
        found = self.actions.get((self.ids.get(control), event))
        if found is None:
            raise ValueError(f"{self.url} has no {control!r} that starts something: update it")
        return found


class Somebody:
    """One visitor, with a session and a connection of their own."""

    def __init__(self, page: Page) -> None:
        self.page, self.session = page, uuid.uuid4().hex[:12]
        self.net = httpx.Client(base_url=f"{page.url}/gradio_api", timeout=PATIENCE)
        self.controls: dict[int, Any] = {}

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        """Uploads a file; returns what stands for it in a control."""
        stored = self.net.post("/upload", files={"files": (name, content)})
        where = stored.raise_for_status().json()[0]
        return {"path": where, "orig_name": name, "meta": {"_type": "gradio.FileData"}}

    def acts(self, control: str, event: str, value: Any) -> tuple[dict[str, Any], float]:  # noqa: ANN401 (JSON)
        """Uses a control; returns the values of what it changed, by id, and the seconds it took.

        Raises:
            BusyError: too many are waiting.
            RuntimeError: the page tells an error.
        """
        start = time.monotonic()
        action = self.post(control, event, value)
        done = next(m for m in self.messages() if m["msg"] == "process_completed")
        if not done["success"]:
            raise RuntimeError(str(done["output"].get("error"))[:200])
        changed = dict(zip(action["outputs"], done["output"]["data"], strict=True))
        named = {self.page.parts[one].get("elem_id"): new for one, new in changed.items()}
        return named, time.monotonic() - start

    def post(self, control: str, event: str, value: Any) -> dict[str, Any]:  # noqa: ANN401 (JSON)
        """Uses a control without waiting; returns the action that it started."""
        action = self.page.action(control, event)
        self.controls[self.page.ids[control]] = value
        data = [self.controls.get(one, self._first(one)) for one in action["inputs"]]
        body = {"fn_index": action["id"], "session_hash": self.session, "data": data}
        answer = self.net.post("/queue/join", json=body)
        if answer.status_code == 503:
            raise BusyError
        answer.raise_for_status()
        return action

    def messages(self) -> Iterator[dict[str, Any]]:
        """Yields what the page says of what is under way."""
        with self.net.stream("GET", "/queue/data", params={"session_hash": self.session}) as lines:
            for line in lines.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line.removeprefix("data:"))

    def _first(self, part: int) -> Any:  # noqa: ANN401 (JSON)
        """Returns how a control stands when the page opens."""
        return self.page.parts[part].get("value")
