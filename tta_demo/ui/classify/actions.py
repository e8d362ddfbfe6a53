"""What a visitor can do on the Classify tab."""

from dataclasses import replace

from tta_demo.ui.classify.case import ClassifyCase, example_case
from tta_demo.ui.classify.show import EMPTY, show
from tta_demo.ui.kit.looking import PictureActions
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.kit.visitor import Viewer
from tta_demo.ui.stage import pack_ranking

__all__ = ["ACTIONS", "name_truth"]

ACTIONS = PictureActions(ClassifyCase, example_case, show, EMPTY)


def name_truth(visitor: Viewer, truth: list[str]) -> Updates:
    """Takes the visitor's word for what is to be seen, or none; the looks stay as they are."""
    with visitor.turn:
        case = replace(visitor.present, truth=tuple(truth) or None, subject="")
        visitor.case = case
        return {"ranking": pack_ranking(case.classify(), truth=case.truth, play=False)}
