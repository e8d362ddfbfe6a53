import math

import cv2
import gradio as gr
import httpx
import numpy as np
import pytest
from raw_requests import CLIENT, Somebody

from tta_demo.ui.kit.measured import measured, picked, sent
from tta_demo.ui.yours.classes import pairs_of

MANY = 40_000
LOOKS = gr.CheckboxGroup(["identity", "hflip"])
ODD = "cannot have meant"


def test_names_count_once_in_the_order_in_which_they_came():
    assert measured(LOOKS, ["hflip", "identity"] * MANY) == ["hflip", "identity"]
    menu = gr.Dropdown(["a", "b"], multiselect=True)
    assert measured(menu, ["b"] * MANY) == ["b"]


def test_numbers_are_brought_within_the_ends_of_their_slider():
    slider = gr.Slider(4, 200, 16)
    assert [measured(slider, x) for x in (-1e300, 17, 1e300)] == [4, 17, 200]


@pytest.mark.parametrize(
    ("block", "value"),
    [
        (LOOKS, None),
        (LOOKS, "identity"),
        (LOOKS, [["identity"]]),
        (LOOKS, ["x" * 10**6]),
        (gr.Radio(["mean"]), None),
        (gr.Radio(["mean"]), ["mean"]),
        (gr.Dropdown(["mean"]), {"mean": 1}),
        (gr.Slider(0, 1), math.nan),
        (gr.Slider(0, 1), math.inf),
        (gr.Slider(0, 1), "0.5"),
        (gr.Slider(0, 1), True),
        (gr.Checkbox(), "yes"),
        (gr.Textbox(), "x" * 10**6),
        (gr.Textbox(), ["x"]),
        (gr.File(file_count="multiple"), {"path": "a"}),
        (gr.File(file_count="multiple"), ["a"]),
        (gr.File(file_count="multiple"), [{}] * MANY),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_a_control_cannot_send_is_refused(block, value):
    with pytest.raises(ValueError, match=ODD):
        measured(block, value)


def test_only_what_is_offered_can_be_chosen():
    for block, value in ((LOOKS, ["moon"]), (gr.Radio(["mean"]), "moon")):
        with pytest.raises(ValueError, match=ODD):
            measured(block, value)
    assert measured(gr.Radio(["d4"]), "all", {"d4", "all"}) == "all"


@pytest.mark.parametrize("number", [-1, 3, 1.0, True, "1", None, [1], math.nan], ids=repr)
def test_only_what_is_there_can_be_picked(number):
    assert picked("abc", 2) == "c"
    with pytest.raises(ValueError, match="There are 3"):
        picked("abc", number)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (None, int),
        ({}, int),
        ([1], int),
        ({"x": 1.0}, int),
        ({"x": True}, int),
        ({"x": 1}, bool),
        ({"x": math.nan}, float),
        ({"x": "1"}, float),
        ({"x": "ab"}, list),
        ({"x": [{}]}, list),
        ({"x": ["a"] * MANY}, list),
    ],
    ids=lambda x: repr(x)[:30],
)
def test_an_event_that_carries_something_else_is_refused(data, kind):
    assert sent(gr.EventData(None, {"x": ["b", "a", "b"]}), "x", list) == ["b", "a"]
    assert sent(gr.EventData(None, {"x": 2}), "x", float) == 2
    with pytest.raises(ValueError, match=ODD):
        sent(gr.EventData(None, data), "x", kind)


def test_a_line_of_many_signs_is_no_pair():
    with pytest.raises(ValueError, match="one pair"):
        pairs_of("=" * MANY, ["a", "b"])


# On the page


def test_a_look_named_forty_thousand_times_is_one_look(demo, passes, tmp_path):
    path = tmp_path / "new.png"
    cv2.imwrite(str(path), np.random.default_rng().integers(0, 256, (32, 48, 3), np.uint8))
    somebody = Somebody(demo)
    with path.open("rb") as file:
        stored = CLIENT.post(f"{somebody.url}/upload", files={"files": file}).json()[0]
    upload = {"path": stored, "meta": {"_type": "gradio.FileData"}}
    looks = {"mirror-and-turn": ["identity", "hflip"] * MANY}
    answer = somebody.asks("open_picture", picture=upload, **looks)
    assert answer["success"]
    assert len(passes) == 2


@pytest.mark.parametrize(
    ("action", "event", "values"),
    [
        ("open_example", None, {"examples": 10**9}),
        ("open_example", None, {"world": "yours"}),
        ("same_field", None, {"mirror-and-turn": None}),
        ("switch", {"on": [["identity"]], "at": 1, "fused": False}, {}),
        ("switch", None, {}),
        ("_open_lesson", {"number": -1}, {}),
        ("use_painting", {"width": 10**9}, {}),
        ("learn", None, {"learn-method": "magic"}),
        ("learn", None, {"learn-views": ["moon"]}),
        ("learn", None, {"learn-count": "many"}),
        ("begin", None, {"evidence-source": 3}),
    ],
    ids=str,
)
def test_raw_requests_get_a_sentence_and_the_page_goes_on(demo, action, event, values):
    somebody = Somebody(demo)
    try:
        answer = somebody.asks(action, event, **values)
    except httpx.ReadTimeout:
        pytest.fail(f"{action} hangs")
    assert not answer["success"]
    assert len(answer["output"]["error"] or "") > 20, answer


@pytest.mark.parametrize("picture", ["data:image/png;base64,AAAA", "https://example.org/a.png"])
def test_what_is_no_file_gets_a_sentence(demo, picture):
    answer = Somebody(demo).asks("open_picture", picture=picture)
    assert ODD in answer["output"]["error"]
