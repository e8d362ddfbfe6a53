"""What a visitor does on the Detect tab, without a browser."""

import json
from dataclasses import replace

import pytest

from tta_demo.learning.weight_file import WeightFile
from tta_demo.tta.box_fusion import FUSERS, fuse_boxes
from tta_demo.ui.detect.actions import ACTIONS, carry, new_field, open_place
from tta_demo.ui.detect.case import LEARNED, DetectVisitor, Settings
from tta_demo.ui.detect.choices import FUSIONS, change_place
from tta_demo.ui.detect.places import PLACES, SETS
from tta_demo.ui.detect.staging import scene_of

FIELD = Settings("weeds", ["identity", "hflip"], "wbf", 0.3)
OBJECTS = replace(FIELD, place="objects")


@pytest.fixture
def visitor():
    """A visitor who looks at the first field."""
    viewer = DetectVisitor()
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


def test_of_two_choices_the_later_stays_whichever_has_the_turn_first(visitor, asked):
    wishes = [asked() for _ in range(3)]

    def chooses(number, threshold):
        wishes[number]()
        list(ACTIONS.change(visitor, replace(FIELD, threshold=threshold)))
        return visitor.case.settings.threshold

    assert chooses(1, 0.5) == 0.5
    assert chooses(0, 0.4) == 0.5
    assert chooses(2, 0.6) == 0.6


def test_a_choice_stays_for_a_picture_that_was_asked_for_before(visitor, asked):
    first, second, choice = asked(), asked(), asked()
    field = visitor.case.picture
    choice()
    list(ACTIONS.change(visitor, replace(FIELD, threshold=0.5)))
    second()
    list(ACTIONS.open_example(visitor, 1, FIELD))
    assert visitor.case.picture is not field
    assert visitor.case.settings.threshold == 0.5
    first()
    assert list(ACTIONS.open_example(visitor, 2, FIELD)) == []


def test_a_field_is_not_made_where_there_are_none(visitor):
    before = visitor.case
    assert list(new_field(visitor, 0.5, OBJECTS)) == []
    assert visitor.case is before


def test_after_an_error_the_place_on_screen_is_offered_again(visitor):
    assert change_place(visitor, "objects", "wbf")["generator"].visible is False
    restored = ACTIONS.restore(visitor)
    assert restored["generator"].visible is True
    assert restored["settings"].place == "weeds"
    assert [value for _, value in restored["preset"].choices] == list(PLACES["weeds"].sets)
    assert restored["preset"].value == "mirror"


@pytest.mark.parametrize("name", PLACES)
def test_a_place_ticks_one_of_the_sets_that_it_offers(name):
    place, offered = PLACES[name], change_place(DetectVisitor(), name, "wbf")
    assert place.ticked in place.sets
    assert offered["preset"].value == place.ticked
    assert tuple(offered["views"]) == SETS[place.ticked]
    assert len(offered["example"].samples) == len(place.examples)


@pytest.mark.parametrize("name", PLACES)
def test_the_words_on_stage_are_the_places(name):
    viewer = DetectVisitor()
    shown = list(open_place(viewer, replace(FIELD, place=name)))[-1]
    assert f'"thing":"{PLACES[name].thing}"' in shown["stage"]["about"]
    assert len(viewer.case.truth) > 0


WEIGHTS = {"hflip": 0.2, "vflip": 0.7, "rot90": 0.1}
RECORD = PLACES["weeds"].record
FILE = WeightFile("weed-detector", RECORD.name, RECORD.digest, WEIGHTS)


def offered(radio):
    return [value for _, value in radio.choices]


def test_a_plan_is_carried_to_the_picture_on_screen_or_to_the_first_of_its_place(visitor):
    list(ACTIONS.open_example(visitor, 1, replace(FIELD, threshold=0.5)))
    field = visitor.case
    shown = carry(visitor, "weeds", ("vflip", "rot90"), "wbf")
    assert visitor.case.picture is field.picture
    assert visitor.case.detect().plan.views == ("vflip", "rot90")
    assert shown["settings"] == replace(FIELD, views=["vflip", "rot90"], threshold=0.5)
    assert shown["preset"].value is None
    list(open_place(visitor, OBJECTS))
    shown = carry(visitor, "weeds", SETS["d4"], "wbf")
    assert shown["settings"].place == "weeds"
    assert shown["settings"].threshold == PLACES["weeds"].threshold
    assert shown["preset"].value == "d4"
    assert visitor.case.detect().model is RECORD


def test_looks_count_as_learned_also_in_the_next_picture_and_with_fewer_looks(visitor):
    carry(visitor, "weeds", tuple(WEIGHTS), LEARNED, FILE)
    for number, ticked in ((0, [*WEIGHTS]), (1, ["rot90", "vflip"])):
        list(ACTIONS.open_example(visitor, number, replace(FIELD, views=ticked, fusion=LEARNED)))
        result = visitor.case.detect()
        assert set(result.plan.views) == set(ticked)
        views, scene = result.plan.views, scene_of(result, 0.3, "plant")
        looks = [result.looks[view].boxes for view in views]
        for k, fused in enumerate(scene.fused, 1):
            wanted = fuse_boxes(looks[:k], "wbf", [WEIGHTS[view] for view in views[:k]])
            assert fused.boxes.scores == pytest.approx(wanted.boxes.scores)
        assert any("Weights of your own" in note for note in result.notes)


def test_learned_weights_are_offered_where_they_are_for_the_detector(visitor):
    restored = ACTIONS.restore(visitor)
    assert offered(restored["fusion"]) == [*FUSERS]
    with pytest.raises(ValueError, match="No weights"):
        list(ACTIONS.change(visitor, replace(FIELD, fusion=LEARNED)))
    shown = carry(visitor, "weeds", tuple(WEIGHTS), LEARNED, FILE)
    assert (offered(shown["fusion"]), shown["fusion"].value) == ([*FUSIONS], LEARNED)
    away = change_place(visitor, "objects", LEARNED)["fusion"]
    assert (offered(away), away.value) == ([*FUSERS], "wbf")
    assert offered(change_place(visitor, "weeds", "nms")["fusion"]) == [*FUSIONS]


def test_a_look_without_a_learned_weight_is_named_and_changes_nothing(visitor):
    carry(visitor, "weeds", tuple(WEIGHTS), LEARNED, FILE)
    before = visitor.case
    with pytest.raises(ValueError, match="no weight was learned for zoom"):
        list(ACTIONS.change(visitor, replace(FIELD, views=["hflip", "zoom0.5"], fusion=LEARNED)))
    assert visitor.case is before


def test_weights_of_another_detector_are_refused_and_not_kept(visitor):
    before = visitor.case
    with pytest.raises(ValueError, match="not for this model"):
        carry(visitor, "weeds", tuple(WEIGHTS), LEARNED, replace(FILE, digest="0"))
    assert visitor.case is before
    assert not visitor.files


def test_the_page_tells_what_each_look_counts(visitor):
    shown = carry(visitor, "weeds", tuple(WEIGHTS), LEARNED, FILE)
    assert "Mirror 20\N{NO-BREAK SPACE}%" in shown["meaning"]
    assert "30\N{NO-BREAK SPACE}% together" in shown["meaning"]
    about = json.loads(shown["stage"]["about"])
    assert about["weights"] == pytest.approx(
        [WEIGHTS[v] for v in visitor.case.detect().plan.views]
    )
    assert (
        json.loads(carry(visitor, "weeds", ("hflip",), "wbf")["stage"]["about"])["weights"] is None
    )
