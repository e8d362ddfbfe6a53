"""The story for a projector: one sentence at a time, with what stands on the stage behind it."""

import json
from dataclasses import dataclass

import gradio as gr

from tta_demo.tta.views import VIEW_SETS
from tta_demo.ui.kit.files import beside
from tta_demo.ui.segment.link import Link

__all__ = ["LESSONS", "Lesson", "teacher"]

_EIGHT = Link(views=VIEW_SETS["d4"])
_ROW = f".rows li:nth-child({_EIGHT.views.index('vflip') + 1})"
_CLOSE = ".close"


@dataclass(frozen=True)
class Lesson:
    """One sentence of the story.

    Attributes:
        sentence: plain words.
        term: the exact ones.
        link: the scene.
        presses: what the teacher's hand presses on the stage then, one after the other, by
            selectors; what is not there is passed over.
    """

    sentence: str
    term: str
    link: Link
    presses: tuple[str, ...] = ()


def _mode(name: str) -> str:
    return f".modes [data-mode={name}]"


LESSONS = (
    Lesson(
        "The model looks at a field once, and marks the weeds.",
        "one forward pass",
        _EIGHT,
        (_CLOSE, _mode("one")),
    ),
    Lesson(
        "Now the same field stands on its head. It answers again, not quite the same.",
        "an augmented view",
        _EIGHT,
        (_CLOSE, f"{_ROW} .name"),
    ),
    Lesson(
        "The answer is turned back, so that it lies on the picture again.",
        "the inverse transform",
        _EIGHT,
        (_CLOSE, f"{_ROW} .name"),
    ),
    Lesson(
        "Eight looks, eight answers: joined, each with the same say.",
        "test-time augmentation over D4, the mean of probabilities",
        _EIGHT,
        (_CLOSE, _mode("changed"), ".play"),
    ),
    Lesson(
        "This is what changed: dots were mended, crosses were broken.",
        "fixed and broken pixels",
        _EIGHT,
        (_CLOSE, _mode("changed")),
    ),
    Lesson(
        "Where the looks disagree, nobody should be too sure.",
        "uncertainty",
        _EIGHT,
        (_CLOSE, _mode("doubt")),
    ),
    Lesson(
        "Some looks are better witnesses. How much each counts is learned from known answers.",
        "learned fusion, maximum likelihood",
        Link(fusion="learned"),
        (_CLOSE, _mode("changed")),
    ),
    Lesson(
        "More is not always better. Leave it where time is short or turning makes no sense.",
        "fifteen views, some of them harmful",
        Link(views=VIEW_SETS["all"]),
        (_CLOSE, _mode("changed")),
    ),
)


def teacher(elem_id: str) -> gr.HTML:
    """Returns the button that starts the story; its event `scene` carries a lesson's `number`."""
    told = [
        {
            "sentence": lesson.sentence,
            "term": lesson.term,
            "scene": lesson.link.query(),
            "presses": list(lesson.presses),
        }
        for lesson in LESSONS
    ]
    return gr.HTML(
        value=json.dumps(told),
        html_template=beside(__file__, "teach.html"),
        js_on_load=beside(__file__, "teach.js"),
        apply_default_css=False,
        elem_id=elem_id,
    )
