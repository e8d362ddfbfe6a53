"""Requests as anybody can post them, past all controls of the page."""

import json
import uuid

import gradio as gr
import httpx

CLIENT = httpx.Client(timeout=30)


class Somebody:
    """A session of its own, that posts what it likes to a page."""

    def __init__(self, page):
        self.page, self.session = page, uuid.uuid4().hex[:10]
        self.url = f"{page.local_url}gradio_api"

    def post(self, name, event=None, **values):
        """Posts an action with values by the ids of its inputs; returns the response."""
        number, function = next(
            (number, function)
            for number, function in self.page.fns.items()
            if getattr(function.fn, "__name__", "") == name
            and {block.elem_id for block in function.inputs}.issuperset(values)
        )
        data = [values.get(block.elem_id, _default(block)) for block in function.inputs]
        body = {"fn_index": number, "session_hash": self.session, "data": data}
        return CLIENT.post(f"{self.url}/queue/join", json=body | {"event_data": event})

    def answers(self, until=1, timeout=30):
        """Returns the last messages on so many actions, in the order in which they ended."""
        done = []
        for message in self.messages(timeout):
            if message["msg"] == "process_completed":
                done.append(message)
            if len(done) == until:
                return done
        return done

    def messages(self, timeout=30):
        """Yields all that the server says."""
        ask = {"session_hash": self.session}
        with CLIENT.stream("GET", f"{self.url}/queue/data", params=ask, timeout=timeout) as lines:
            for line in lines.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line.removeprefix("data:"))

    def asks(self, name, event=None, **values):
        """Posts an action, and returns its last message."""
        response = self.post(name, event, **values)
        assert response.status_code == 200, response.text
        return self.answers()[0]


def _default(block):
    """Returns what the page sends as long as nobody touches a control."""
    return None if isinstance(block, gr.State) else getattr(block, "value", None)
