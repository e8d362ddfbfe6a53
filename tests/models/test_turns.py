import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tta_demo.models import turns
from tta_demo.models.turns import Turns, patiently

LONG = 10


@pytest.fixture
def busy():
    return Turns()


def waiting(busy, count, line="line"):
    """Waits until so many wait in a line; the last of them came last."""
    until = time.monotonic() + LONG
    while len(busy._lines.get(line, ())) + len(busy._patient) < count:
        assert time.monotonic() < until
        time.sleep(0.001)


def test_turns_are_given_one_at_a_time_in_the_order_in_which_they_were_asked_for(busy):
    order, inside = [], []

    def ask(name):
        with busy.turn("line"):
            inside.append(name)
            order.append(name)
            assert len(inside) == 1
            time.sleep(0.001)
            inside.remove(name)

    with ThreadPoolExecutor(6) as pool, busy.turn("line"):
        for name in range(6):
            pool.submit(ask, name)
            waiting(busy, name + 1)
    assert order == [*range(6)]


def test_who_asks_again_at_once_does_not_keep_others_out(busy):
    """A plain lock lets the first thread through hundreds of times here."""
    passes, done = [], threading.Event()

    def again_and_again():
        while not done.is_set():
            with busy.turn("line"):
                passes.append(1)
                time.sleep(0.005)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(again_and_again)
        waits = []
        for _ in range(10):
            time.sleep(0.003)
            before = len(passes)
            with busy.turn("line"):
                waits.append(len(passes) - before)
        done.set()
    assert max(waits) <= 2


def test_lines_do_not_wait_for_each_other(busy):
    with busy.turn("one"), ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: busy.turn("other").__enter__()).result(LONG)


def test_a_line_may_let_several_pass_together_and_no_more(busy):
    inside, most = [], []

    def ask():
        with busy.turn("line", at_once=2):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.02)
            inside.pop()

    with ThreadPoolExecutor(6) as pool:
        for _ in range(12):
            pool.submit(ask)
    assert len(most) == 12
    assert max(most) == 2


def test_a_patient_pass_waits_until_nobody_else_asks_in_any_line(busy):
    order = []

    def lesson():
        with patiently(), busy.turn("other"):
            order.append("lesson")

    with ThreadPoolExecutor(1) as pool:
        with busy.turn("line"):
            late = pool.submit(lesson)
            waiting(busy, 1)
        for look in range(3):  # somebody who looks again at once
            with busy.turn("line"):
                order.append(look)
        late.result(LONG)
    assert order == [0, 1, 2, "lesson"]


def test_a_lesson_goes_on_however_many_others_there_are(busy, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 0.05)
    done = threading.Event()

    def visitor():
        while not done.is_set():
            with busy.turn("line"):
                time.sleep(0.001)

    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(visitor)
        try:
            with patiently():
                start = time.monotonic()
                for _ in range(3):
                    with busy.turn("line"):
                        pass
        finally:
            done.set()
    assert time.monotonic() - start < LONG


def test_patience_ends_with_its_block_and_a_failed_pass_gives_its_turn_away(busy):
    for _ in range(2):
        with pytest.raises(MemoryError), patiently(), busy.turn("line"):
            raise MemoryError
        with pytest.raises(MemoryError), busy.turn("line"):
            raise MemoryError
    assert not busy._running
    assert not busy._lines
    assert not busy._patient
