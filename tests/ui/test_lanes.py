import gc
import threading
import time

import gradio as gr
import httpx
import pytest
from raw_requests import Somebody

from tta_demo.ui.kit import queue
from tta_demo.ui.kit.blocks import Page
from tta_demo.ui.kit.events import HEAVY, LANES, LIGHT, LONG, OPENING, STOP
from tta_demo.ui.kit.queue import with_lanes
from tta_demo.ui.kit.screen import Screen
from tta_demo.ui.kit.visitor import Viewer
from tta_demo.ui.kit.waiting import LESSONS, Room
from tta_demo.ui.learn.actions import learn, use
from tta_demo.ui.learn.lesson import LearnVisitor, Wanted
from tta_demo.ui.segment.case import SegmentVisitor

AT_ONCE = 10
"""Seconds in which what waits for nobody is done, on a machine that is busy."""


class Held:
    """Actions that go on until they are let go."""

    def __init__(self):
        self.go, self.closed = threading.Event(), threading.Event()


@pytest.fixture(scope="module")
def held():
    return Held()


@pytest.fixture(scope="module")
def page(held):
    def long():
        held.go.wait(60)

    def look(visitor: Viewer):
        with visitor.turn:
            held.go.wait(60)

    def unshowable(visitor: Viewer):
        with visitor.turn:
            yield {"picture": object()}

    def endless(visitor: Viewer):
        try:
            with visitor.turn:
                while True:
                    yield {"text": "more"}
        finally:
            held.closed.set()

    def patient(visitor: Viewer):
        try:
            with visitor.looking() as wanted:
                yield {"text": "looking"}
                while wanted():
                    held.go.wait(0.01)
        finally:  # a look that has not gone on yet is closed
            held.closed.set()

    def quick(visitor: Viewer):
        with visitor.turn:
            return {"text": "done"}

    def stop():
        return {"text": "stopped"}

    with Page() as page:
        screen = Screen(Viewer(), restore=dict)
        screen["picture"], screen["text"] = gr.Image(), gr.Textbox()
        screen.add_fixed(start=gr.Button())
        ways = {long: LONG, look: OPENING, unshowable: HEAVY, endless: HEAVY}
        ways |= {patient: OPENING, quick: LIGHT, stop: STOP}
        for action, how in ways.items():
            screen.on(screen["start"].click, action, how)
    with_lanes(page).launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    yield page
    page.close()


@pytest.fixture(autouse=True)
def freed(page, held):
    held.go.clear()
    yield
    held.go.set()


def test_no_crowd_of_learners_keeps_others_from_stopping_and_looking(page):
    room = LANES["learn"].places + LANES["learn"].waiting
    crowd = [Somebody(page).post("long").status_code for _ in range(room + 3)]
    assert crowd.count(200) in (room, room - 1)  # the last places fill while they are counted
    assert set(crowd) == {200, 503}
    for name in ("stop", "quick"):
        assert Somebody(page).asks(name)["success"]


def test_a_visitor_has_only_so_many_places_and_leaves_some_to_others(page, held):
    greedy = Somebody(page)
    posted = [greedy.post("look").status_code for _ in range(20)]
    each = LANES["model"].each
    assert posted == [200] * each + [503] * (20 - each)
    other = Somebody(page)
    assert other.post("endless").status_code == 200
    assert next(m for m in other.messages() if m["msg"] == "process_generating")
    held.go.set()
    assert all(answer["success"] for answer in greedy.answers(each))


def test_what_cannot_be_shown_keeps_nobody_waiting(page):
    somebody = Somebody(page)
    gc.disable()  # which would find it sooner or later
    try:
        assert not somebody.asks("unshowable")["success"]
        assert somebody.asks("quick")["success"]
    finally:
        gc.enable()


@pytest.mark.parametrize("action", ["endless", "patient"])
def test_who_goes_away_in_the_middle_ends_the_work_and_gives_the_turn_back(page, held, action):
    held.closed.clear()
    somebody = Somebody(page)
    somebody.post(action)
    for message in somebody.messages():
        if message["msg"] == "process_generating":
            break
    assert held.closed.wait(AT_ONCE)
    assert somebody.asks("quick")["success"]


def test_who_leaves_while_an_action_waits_ends_nothing_for_others(page, held):
    crowd = [Somebody(page) for _ in range(LANES["model"].places + 2)]
    for somebody in crowd:
        assert somebody.post("look").status_code == 200
        page._queue.pending_messages_per_session.pop(somebody.session)
    held.go.set()
    end = time.monotonic() + AT_ONCE
    while len(page._queue) and time.monotonic() < end:
        time.sleep(0.05)
    assert Somebody(page).asks("quick")["success"]


def test_who_asks_on_and_on_but_reads_nothing_fills_no_memory(page, monkeypatch):
    monkeypatch.setattr(queue, "UNREAD", 40)
    deaf, unread = Somebody(page), page._queue.pending_messages_per_session
    unread.clear()
    for _ in range(30):
        deaf.post("quick")
        assert sum(messages.qsize() for messages in unread.values()) <= 40
        assert Somebody(page).asks("quick")["success"]


def test_nothing_is_answered_past_the_queue(page):
    names = {fn.api_name for fn in page.fns.values() if fn.api_name}
    for name in names:
        answer = httpx.post(f"{page.local_url}gradio_api/run/{name}", json={"data": []})
        assert answer.status_code == 404


def test_every_action_of_the_page_has_its_lane_and_all_fit_into_the_threads(demo):
    asked = [fn for fn in demo.fns.values() if fn.fn is not None]
    assert {fn.concurrency_id for fn in asked} == set(LANES)
    for fn in asked:
        assert fn.concurrency_limit == LANES[fn.concurrency_id].places
    assert sum(lane.places for lane in LANES.values()) < demo.max_threads
    assert with_lanes(gr.Blocks()).max_threads == demo.max_threads, "as other servers mount it"
    # light actions that wait for their visitors' looks leave places to others
    assert LANES["model"].places * LANES["light"].at_once < LANES["light"].places


# Lessons


def test_lessons_wait_in_the_order_in_which_they_came_and_are_told_how_many_come_first():
    room, stopped = Room(at_once=1, waiting=2), threading.Event()
    with room.place() as first:
        assert list(first.wait(stopped)) == []
        with room.place() as second, room.place() as third:
            assert (first.before, second.before, third.before) == (0, 1, 2)
            with pytest.raises(ValueError, match="3 visitors"), room.place():
                pass
            waiting = third.wait(stopped)
            assert "2 visitors before you" in next(waiting)
            stopped.set()
            assert list(waiting) == []
    assert room.order == []


def test_whoever_leaves_lets_the_next_one_in():
    room, stopped = Room(at_once=1, waiting=2), threading.Event()
    with room.place() as first:
        second = room.place()
        waiting = second.__enter__().wait(stopped)
        next(waiting)
    assert list(waiting) == []
    second.__exit__(None, None, None)
    assert first not in room.order


WANTED = Wanted("fields", 4, 2, None, "weeds", ["identity"], "view", "exact", True, "nll", 1.0)


def test_a_lesson_that_waits_looks_at_nothing_and_can_be_stopped(monkeypatch):
    monkeypatch.setattr("tta_demo.tasks.gallery.Gallery.look", pytest.fail)
    visitor = LearnVisitor()
    with LESSONS.place(), LESSONS.place():
        lesson = learn(visitor, WANTED, SegmentVisitor())
        next(lesson)
        assert "1 visitor before you" in next(lesson)["status"]
        with pytest.raises(ValueError, match="under way"), visitor.free_turn("under way"):
            pass
        visitor.halt.set()
        assert "Stopped" in [*lesson][-1]["status"]
    assert not LESSONS.order
    with visitor.free_turn("under way"):
        pass


def test_a_lesson_under_way_keeps_no_weights_from_being_used():
    visitor = LearnVisitor()
    with visitor.turn, pytest.raises(ValueError, match="no weights yet"):
        use(visitor, SegmentVisitor())
