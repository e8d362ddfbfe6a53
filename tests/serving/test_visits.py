"""Sessions of the served page: what they hold, and that it goes with them."""

import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from gradio.state_holder import SessionState
from waiting import until

from tta_demo.pictures.assets import ASSETS
from tta_demo.serving.sessions import GRACE
from tta_demo.serving.visits import Visits
from tta_demo.ui.kit.visitor import Visitor

API = "gradio_api"


@pytest.fixture
def visits(demo):
    """What the served page knows of sessions and their files, as it was afterwards."""
    kept = next(one.kwargs for one in demo.app.user_middleware if one.cls is Visits)
    sessions, before = kept["sessions"], dict(vars(kept["sessions"]))
    yield kept
    vars(sessions).update({name: before[name] for name in ("visitors", "guests", "clock")})


@contextmanager
def page(url, session):
    """Keeps a session's page open."""
    with httpx.stream("GET", f"{url}{API}/heartbeat/{session}") as answer:
        beats = answer.iter_raw()
        next(beats)
        yield


def ask(url, demo, session, action="classify", values=(None, "ten-crop", "mean")):
    """Starts an action, here one that refuses at once."""
    number = next(i for i, fn in demo.fns.items() if fn.api_name == action)
    body = {"data": list(values), "fn_index": number, "session_hash": session}
    assert httpx.post(f"{url}{API}/queue/join", json=body).status_code == 200


def test_many_new_sessions_push_out_none_whose_page_is_open(url, demo, visits):
    known = demo.app.state_holder.session_data
    queue = demo._queue
    visits["sessions"].guests = 2
    with page(url, "resident"):
        ask(url, demo, "resident")
        for number in range(4):
            ask(url, demo, f"passer-{number}")
        until(lambda: not queue.event_ids_to_events)
        ask(url, demo, "passer-4")
        assert "resident" in known
        passers = [name for name in known if name.startswith("passer")]
        assert len(passers) <= 2
        waiting = [n for n in queue.pending_messages_per_session if n.startswith("passer")]
        assert len(waiting) <= 3


def test_two_sessions_share_no_visitor(demo):
    one, other = SessionState(demo), SessionState(demo)
    blocks = {key: getattr(block, "value", None) for key, block in demo.blocks.items()}
    states = {key: value for key, value in blocks.items() if isinstance(value, Visitor)}
    assert len(states) >= 5
    for key, first in states.items():
        assert len({id(one[key]), id(other[key]), id(first)}) == 3


def test_what_a_visitor_uploaded_and_was_shown_goes_after_the_page_is_closed(url, demo, visits):
    picture = (ASSETS / "examples" / "nuclei-1.png").read_bytes()
    path = httpx.post(f"{url}{API}/upload", files={"files": ("a.png", picture)}).json()[0]
    session, store = "leaver", visits["store"]
    values = [
        {"path": path, "meta": {"_type": "gradio.FileData"}},
        "nuclei",
        "flips",
        "mean",
        None,
    ]
    with page(url, session):
        ask(url, demo, session, "segment", values)
        answers = httpx.get(f"{url}{API}/queue/data?session_hash={session}", timeout=60).text
        assert "process_completed" in answers
    owned = list(store._owned[session])
    assert Path(path) in owned
    assert {file.name for file in owned} > {"mask.png", "overlay.png"}
    assert all(file.exists() for file in owned)
    until(lambda: session not in visits["sessions"]._open)
    visits["sessions"].clock = lambda: time.monotonic() + 2 * GRACE
    ask(url, demo, "another")
    assert not any(file.exists() for file in owned)
    assert session not in demo.app.state_holder.session_data
