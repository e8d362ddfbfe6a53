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

    def acts(
        self,
        control: str,
        event: str,
        value: Any,  # noqa: ANN401 (JSON)
        answers: str | None = None,
    ) -> tuple[dict[str, Any], float, float]:
        """Uses a control, and waits for the end of what it starts.

        Args:
            control: its id.
            event: what happens to it.
            value: what it has then.
            answers: the id of a part that may answer before the end, one that can be busy.

        Returns:
            The values of what changed, by id; the seconds until that part first answered; and
            until the end.

        Raises:
            BusyError: too many are waiting.
            RuntimeError: the page tells an error.
        """
        start, first, changed, begun = time.monotonic(), 0.0, {}, False
        action = self.post(control, event, value)
        names = [self.page.parts[one].get("elem_id") for one in action["outputs"]]
        for message in self.messages():
            new = (message.get("output") or {}).get("data") or []
            if message["msg"] == "process_generating":
                # from the second step on as the one edit that replaces all
                new = [edit[2] for (edit,) in new] if begun else new
                begun = True
            elif message["msg"] == "process_completed" and not message["success"]:
                raise RuntimeError(str(message["output"].get("error"))[:200])
            changed |= {n: one for n, one in zip(names, new, strict=False) if not _same(one)}
            if not first and answers and not changed.get(answers, {"busy": True})["busy"]:
                first = time.monotonic() - start
            if message["msg"] == "process_completed":
                break
        took = time.monotonic() - start
        return changed, first or took, took

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


def _same(value: Any) -> bool:  # noqa: ANN401 (JSON)
    """Returns whether an update says that a part stays as it is."""
    return isinstance(value, dict) and value.keys() == {"__type__"}
