import gradio as gr
import pytest
from gradio.context import LocalContext
from gradio.queueing import Event

from tta_demo.ui.kit.queue import with_lanes


@pytest.fixture
def asked():
    """Asks for an action now; what is returned lets those that are called next run as this one."""
    with gr.Blocks() as page:
        gr.Button().click(print)
    queue = with_lanes(page)._queue
    before = LocalContext.blocks.set(page), LocalContext.event_id.set(None)

    def ask():
        event = Event("me", page.fns[0], None, None)
        queue.event_ids_to_events[event._id] = event
        return lambda: LocalContext.event_id.set(event._id)

    yield ask
    LocalContext.blocks.reset(before[0])
    LocalContext.event_id.reset(before[1])
