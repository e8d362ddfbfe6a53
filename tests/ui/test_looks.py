import json
from dataclasses import replace
from threading import Thread
from types import SimpleNamespace

import gradio as gr
import pytest

from tta_demo.models.turns import PASSES
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.views import VIEW_SETS
from tta_demo.ui.segment import looks
from tta_demo.ui.segment.actions import (
    begin,
    change_fusion,
    change_views,
    new_field,
    open_example,
    switch,
)
from tta_demo.ui.segment.case import SegmentCase, SegmentVisitor, Settings, field_case, tick
from tta_demo.ui.segment.looks import look
from tta_demo.ui.yours.model import YOURS

WORLD = next(iter(WORLDS.values()))
SETTINGS = Settings(WORLD.name, "learned", True, tick(VIEW_SETS["d4"]))


@pytest.fixture
def case(unseen):
    return SegmentCase(name="new", picture=unseen, settings=SETTINGS)


def test_what_is_chosen_while_a_picture_waits_for_its_turn_stays(case, asked):
    visitor = SegmentVisitor()
    list(look(visitor, case, lambda: True))
    opening, choice = asked(), asked()
    choice()
    change_fusion(visitor, "vote")
    opening()
    list(open_example(visitor, 1, case.settings))
    assert visitor.case.picture is not case.picture
    assert visitor.case.settings.fusion == "vote"


def test_what_is_chosen_for_another_world_leaves_a_waiting_picture_alone(case, asked):
    visitor = SegmentVisitor()
    list(look(visitor, case, lambda: True))
    opening, choice = asked(), asked()
    choice()
    list(change_views(visitor, replace(SETTINGS, world=YOURS)))
    opening()
    list(open_example(visitor, 1, SETTINGS))
    assert visitor.case.picture is not case.picture
    assert visitor.case.settings.world == WORLD.name


@pytest.fixture
def impatient(monkeypatch):
    """All takes long, and showing costs nothing."""
    monkeypatch.setattr(looks, "PATIENCE", 0)
    monkeypatch.setattr(looks, "COST", 1e9)


def on(update):
    """Returns how many looks an update puts on the stage."""
    return sum(json.loads(update["stage"]["about"])["on"])


@pytest.mark.usefixtures("impatient")
def test_what_takes_long_is_shown_look_by_look_at_no_further_pass(case, passes):
    visitor = SegmentVisitor()
    busy, *firsts, last = look(visitor, case, lambda: True, "fast")
    assert busy["stage"] == {"busy": True}
    assert [on(update) for update in firsts] == list(range(1, 8))
    assert on(last) == len(passes) == 8
    assert json.loads(last["stage"]["about"])["play"] == "none", "it was seen already"
    assert visitor.case is case
    *_, again = look(visitor, case, lambda: True, "fast")
    assert len(passes) == 8
    assert again["numbers"] == last["numbers"]


def test_what_is_quick_is_shown_at_once(case):
    updates = list(look(SegmentVisitor(), case, lambda: True, "fast"))
    assert len(updates) == 2
    assert json.loads(updates[-1]["stage"]["about"])["play"] == "fast"


@pytest.mark.usefixtures("impatient")
def test_showing_does_not_cost_more_than_its_share(case, monkeypatch):
    monkeypatch.setattr(looks, "COST", 0)
    _, *firsts, _ = look(SegmentVisitor(), case, lambda: True)
    assert [on(update) for update in firsts] == [1]


@pytest.mark.usefixtures("impatient")
def test_while_others_wait_for_theirs_the_first_look_has_to_do(case):
    def ask():
        with PASSES.turn("elsewhere"):
            pass

    other = Thread(target=ask)
    with PASSES.turn("elsewhere"):
        other.start()
        while not PASSES.asked:
            pass
        _, *firsts, last = look(SegmentVisitor(), case, lambda: True)
    other.join()
    assert [on(update) for update in firsts] == [1]
    assert on(last) == 8


def test_who_wants_another_picture_waits_for_one_look_at_most(case, passes):
    visitor = SegmentVisitor()
    other = field_case(SETTINGS, 4000900, 0.5)

    def wish():
        with visitor.looking() as wanted:
            list(look(visitor, other, wanted))

    newer = Thread(target=wish)
    with visitor.looking() as wanted:
        updates = look(visitor, case, wanted)
        next(updates)
        newer.start()
        while wanted():  # until the wish has arrived
            pass
        assert list(updates) == []
        assert visitor.case is None
    newer.join()
    assert not passes[8:]
    assert visitor.case is other


def test_an_older_wish_that_gets_its_turn_later_shows_nothing(case):
    visitor = SegmentVisitor()
    with visitor.looking() as older:
        pass
    with visitor.looking() as newer:
        pass
    assert list(look(visitor, case, older)) == []
    assert len(list(look(visitor, case, newer))) == 2
    with visitor.looking(opens=False) as same:
        assert newer()
        assert same()


def test_a_new_field_that_arrives_after_another_world_is_left_alone():
    assert list(new_field(SegmentVisitor(), 0.5, Settings("nuclei", "mean", True, []))) == []


def test_of_switches_that_overtake_each_other_the_last_one_counts(case):
    visitor = SegmentVisitor()
    list(look(visitor, case, lambda: True))
    for at, views in ((2, ["identity", "vflip"]), (1, ["identity", "hflip", "vflip"])):
        list(switch(visitor, gr.EventData(None, {"on": views, "fused": True, "at": at})))
    assert visitor.case.settings.views == ("identity", "vflip")


def test_what_is_chosen_before_the_first_result_is_in_it():
    visitor, asked = SegmentVisitor(), SimpleNamespace(query_params={})
    assert change_fusion(visitor, "vote") == {}
    first, then = begin(visitor, Settings("weeds", "mean", True, [["identity", "hflip"]]), asked)
    assert visitor.case.settings.fusion == "vote"
    assert "fusion=vote" in then["share"]["query"]
    assert "fusion=vote" not in first["share"]["query"]
    visitor.case = None
    with pytest.raises(ValueError, match="no picture"):
        change_fusion(visitor, "mean")
