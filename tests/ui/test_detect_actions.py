"""What a visitor does on the Detect tab, without a browser."""

from dataclasses import replace

import gradio as gr
import pytest
from gradio.context import LocalContext
from gradio.queueing import Event

from tta_demo.ui.detect.actions import ACTIONS, new_field, open_place
from tta_demo.ui.detect.case import Settings
from tta_demo.ui.detect.choices import change_place
from tta_demo.ui.detect.places import PLACES, SETS
from tta_demo.ui.kit.queue import with_lanes
from tta_demo.ui.kit.visitor import Viewer

FIELD = Settings("weeds", ["identity", "hflip"], "wbf", 0.3)
OBJECTS = replace(FIELD, place="objects")


@pytest.fixture
def visitor():
    """A visitor who looks at the first field."""
    viewer = Viewer()
    list(ACTIONS.open_first(viewer, FIELD))
    return viewer


def test_what_is_chosen_before_another_places_picture_is_there_is_for_this_one(visitor):
    field = visitor.case
    list(ACTIONS.change(visitor, replace(OBJECTS, threshold=0.5)))
    assert visitor.case.picture is field.picture
    assert visitor.case.place is PLACES["weeds"]
    assert visitor.case.settings.threshold == 0.5
    list(open_place(visitor, OBJECTS))
    assert visitor.case.place is PLACES["objects"]
    assert visitor.case.detect().model.name == "nanodet-g"


@pytest.fixture
def queue():
    """A queue, and actions that run as if it had started them."""
    with gr.Blocks() as page:
        gr.Button().click(print)
    before = LocalContext.blocks.set(with_lanes(page)), LocalContext.event_id.set(None)
    yield page._queue
    LocalContext.blocks.reset(before[0])
    LocalContext.event_id.reset(before[1])


def test_of_two_choices_the_later_stays_whichever_has_the_turn_first(visitor, queue):
    wishes = [Event("me", queue.blocks.fns[0], None, None) for _ in range(3)]
    queue.event_ids_to_events |= {wish._id: wish for wish in wishes}

    def chooses(number, threshold):
        LocalContext.event_id.set(wishes[number]._id)
        list(ACTIONS.change(visitor, replace(FIELD, threshold=threshold)))
        return visitor.case.settings.threshold

    assert chooses(1, 0.5) == 0.5
    assert chooses(0, 0.4) == 0.5
    assert chooses(2, 0.6) == 0.6


def test_a_field_is_not_made_where_there_are_none(visitor):
    before = visitor.case
    assert list(new_field(visitor, 0.5, OBJECTS)) == []
    assert visitor.case is before


def test_after_an_error_the_place_on_screen_is_offered_again(visitor):
    assert change_place("objects")["generator"].visible is False
    restored = ACTIONS.restore(visitor)
    assert restored["generator"].visible is True
    assert restored["settings"].place == "weeds"
    assert [value for _, value in restored["preset"].choices] == list(PLACES["weeds"].sets)
    assert restored["preset"].value == "mirror"


@pytest.mark.parametrize("name", PLACES)
def test_a_place_ticks_one_of_the_sets_that_it_offers(name):
    place, offered = PLACES[name], change_place(name)
    assert place.ticked in place.sets
    assert offered["preset"].value == place.ticked
    assert tuple(offered["views"]) == SETS[place.ticked]
    assert len(offered["example"].samples) == len(place.examples)


@pytest.mark.parametrize("name", PLACES)
def test_the_words_on_stage_are_the_places(name):
    viewer = Viewer()
    shown = list(open_place(viewer, replace(FIELD, place=name)))[-1]
    assert f'"thing":"{PLACES[name].thing}"' in shown["stage"]["about"]
    assert len(viewer.case.truth) > 0
