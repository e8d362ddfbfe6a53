import os
from pathlib import Path
from uuid import uuid4

import gradio as gr
import numpy as np
import pytest
from gradio.context import LocalContext
from gradio.queueing import Event
from gradio.utils import get_upload_folder

from tta_demo.models.registry import load_model
from tta_demo.pictures.reading import Picture
from tta_demo.tasks.worlds import WORLDS
from tta_demo.ui.kit.queue import with_lanes


@pytest.fixture
def unseen():
    """A small picture that no cache has seen."""
    return Picture.of(np.frombuffer(os.urandom(40 * 64 * 3), np.uint8).reshape(40, 64, 3).copy())


@pytest.fixture
def folder():
    """A new folder among the uploads."""
    folder = Path(get_upload_folder()) / uuid4().hex
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def passes():
    """The names of the models of weeds by forward pass, one by one."""
    seen, hooks = [], []
    for name in WORLDS["weeds"].models:
        network = load_model(name).network
        hooks.append(network.register_forward_pre_hook(lambda *_, name=name: seen.append(name)))
    yield seen
    for hook in hooks:
        hook.remove()


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
