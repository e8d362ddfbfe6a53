"""What a visitor can do on the Classify tab."""

from collections.abc import Iterator
from dataclasses import replace

import gradio as gr

from tta_demo.ui.classify.case import ClassifyCase, ClassifyVisitor, Settings, example_case
from tta_demo.ui.classify.show import EMPTY, show
from tta_demo.ui.kit.looking import READY, PictureActions, looked
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.stage import pack_ranking
from tta_demo.ui.yours.bringing import OwnActions
from tta_demo.ui.yours.model import YOURS
from tta_demo.ui.yours.owner import Wanted
from tta_demo.ui.yours.panel import panel_of, told

__all__ = ["ACTIONS", "OWN", "change_model", "look_with_chosen", "name_truth"]

ACTIONS = PictureActions(ClassifyCase, example_case, show, EMPTY)


def name_truth(visitor: ClassifyVisitor, truth: list[str]) -> Updates:
    """Takes the visitor's word for what is to be seen, or none; the looks stay as they are."""
    with visitor.turn:
        case = replace(visitor.present, truth=tuple(truth) or None, subject="")
        visitor.case = case
        return {"ranking": pack_ranking(case.classify(), truth=case.right, play=False)}


def change_model(model: str) -> Updates:
    """Shows where a visitor brings a model, or hides it."""
    return {"own_panel": gr.Column(visible=model == YOURS)}


def look_with_chosen(visitor: ClassifyVisitor, settings: Settings) -> Iterator[Updates]:
    """Looks with the model that was chosen, if there is a picture and it is another model."""
    with visitor.turn:
        if visitor.case is None:
            return
        chosen = replace(visitor.case.settings, model=settings.model)
        case = replace(visitor.case, settings=chosen)
        if visitor.prepared(case).own is visitor.case.own:
            visitor.case = case
            return
    yield from ACTIONS.change(visitor, settings)


def _look_with_own(
    visitor: ClassifyVisitor, wanted: Wanted, settings: Settings, first: bool
) -> Iterator[Updates]:
    """Looks at the photograph on stage with the visitor's own model, if there is one."""
    panel = panel_of(visitor.mine)
    if visitor.case is None:
        more = " Now give it a photograph."
        yield READY | panel | {"own_told": told(visitor.mine, more=more)}
        return
    case = replace(visitor.case, settings=replace(settings, model=YOURS))
    if case.own is not None and case.truth:  # the names of its classes may be others now
        names = dict(zip(case.record.classes, visitor.mine.record.classes, strict=False))
        case = replace(case, truth=tuple(names.get(name, name) for name in case.truth))
    for update in looked(visitor, case, show):
        yield update | panel


OWN = OwnActions("classify", _look_with_own)
"""What a visitor can do with a model of their own on this tab."""
