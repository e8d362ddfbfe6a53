import asyncio
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.state_holder import SessionState

from tta_demo.ui.kit.blocks import Page
from tta_demo.ui.kit.screen import Screen
from tta_demo.ui.kit.visitor import Visitor


@dataclass(frozen=True)
class Size:
    width: int
    height: int


@pytest.fixture
def screen():
    with gr.Blocks():
        screen = Screen(Visitor(), restore=dict)
        screen["width"], screen["height"] = gr.Slider(), gr.Slider()
        screen["boxes"] = [gr.Checkbox(), gr.Checkbox()]
        screen["size"] = Size
        screen.add_fixed(start=gr.Button())
        yield screen


def wired(screen, action):
    """Returns the action as gradio calls it, with what it reads and writes."""
    caught = []

    def trigger(*given, **how):
        caught.append(given)
        return SimpleNamespace(failure=trigger)

    screen.on(trigger, action)
    return caught[0]


def test_an_action_gets_values_and_records_and_changes_parts_by_name(screen):
    def turn(size: Size, boxes: list[bool], start: str):
        assert (boxes, start) == ([True, False], "go")
        return {"size": Size(size.height, size.width), "boxes": boxes[::-1]}

    handler, reads, _ = wired(screen, turn)
    one, two = screen["boxes"]
    values = {screen["width"]: 3, screen["height"]: 2, one: True, two: False}
    values[screen["start"]] = "go"
    assert reads == set(values)
    changed = {screen["width"]: 2, screen["height"]: 3, one: False, two: True}
    assert handler(values) == changed


def test_what_an_action_does_not_name_stays(screen):
    assert wired(screen, lambda: {"width": 1})[0]({}) == {screen["width"]: 1}
    assert wired(screen, lambda: None)[0]({}) == {}


def test_a_generator_that_yields_nothing_blanks_nothing(screen):
    def silent(width: int):
        if width:
            yield {"width": 0}

    handler, *_ = wired(screen, silent)
    assert list(handler({screen["width"]: 0})) == [{}]
    assert list(handler({screen["width"]: 1})) == [{}, {screen["width"]: 0}]


def posted(page, action, values):
    """Returns what an action's new values become on the way to the browser, and its session."""
    state = SessionState(page)
    with ThreadPoolExecutor(1) as pool:  # here a browser's loop may be running
        sent = pool.submit(asyncio.run, page.postprocess_data(action, values, state))
    return sent.result(), state


def test_what_stays_is_not_built_anew_and_what_changes_is_sent_as_gradio_does():
    sent = []
    for kind in (gr.Blocks, Page):
        with kind() as page:
            text, other, box = gr.Textbox(), gr.Textbox(), gr.Checkbox()
            gr.Button().click(lambda: None, None, [text, other, box])
        action = page.fns[0]
        values = {text: "new", box: gr.update(visible=False)}
        found, state = posted(page, action, values)
        assert (state[other._id] is other) == (kind is Page)
        nothing = {} if kind is Page else gr.skip()
        sent += [found, posted(page, action, nothing)[0]]
        sent.append(posted(page, action, ["a", "b", True])[0])
    assert sent[:3] == sent[3:]


def test_a_step_never_changes_inside_what_the_step_before_it_sent():
    """The browser carries edits out in place, on values that it may not have shown yet."""
    with Page() as page:
        text, box = gr.Textbox(), gr.Checkbox()
        gr.Button().click(lambda: None, None, [text, box])
    steps = [[gr.update(value="a"), gr.skip()], [gr.skip(), {"value": True, "label": "b"}]]
    sent = [
        page.handle_streaming_diffs(page.fns[0], deepcopy(step), "session", "run", False)
        for step in steps
    ]
    assert sent[0] == steps[0]
    assert sent[1] == [[["replace", [], value]] for value in steps[1]]
    assert (
        page.handle_streaming_diffs(page.fns[0], [None, None], "session", "run", True) == steps[1]
    )


def test_data_of_an_event_is_asked_for_as_gradio_wants_it(screen):
    def select(width: int, event: gr.SelectData):
        return {"width": width + event}

    handler, reads, _ = wired(screen, select)
    assert gr.helpers.special_args(handler)[2] == 1
    assert reads == {screen["width"]}
    assert handler({screen["width"]: 1}, 2)[screen["width"]] == 3


def test_wrong_names_fail_when_the_page_is_built(screen):
    with pytest.raises(KeyError, match="widht"):
        screen.on(screen["start"].click, lambda widht: {})
    with pytest.raises(KeyError, match="widht"):
        screen["widht"]
    with pytest.raises(KeyError, match="width"):
        screen["width"] = gr.Slider()
    screen.add_fixed(other=gr.Button())
    with pytest.raises(KeyError, match="depth"):
        screen["volume"] = dataclass(type("Volume", (), {"__annotations__": {"depth": int}}))


@pytest.mark.parametrize("name", ["widht", "start"])
def test_wrong_names_fail_when_the_action_returns(screen, name):
    with pytest.raises(gr.Error) as failed:
        wired(screen, lambda: {name: 1})[0]({})
    assert isinstance(failed.value.__cause__, KeyError)
    assert name in str(failed.value.__cause__)


def test_a_value_error_becomes_a_message_without_markup(screen):
    def refuse():
        raise ValueError("<b>no</b>")

    with pytest.raises(gr.Error, match="&lt;b&gt;no"):
        wired(screen, refuse)[0]({})


def test_no_action_writes_markdown_in_which_a_file_could_name_pictures_of_elsewhere(demo):
    written = {block for action in demo.fns.values() for block in action.outputs}
    assert len(written) > 50
    assert [block.elem_id for block in written if isinstance(block, gr.Markdown)] == []
