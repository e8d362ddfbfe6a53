"""What a visitor can do on the Classify tab."""

from tta_demo.ui.classify.case import ClassifyCase, example_case
from tta_demo.ui.classify.show import EMPTY, show
from tta_demo.ui.kit.looking import PictureActions

__all__ = ["ACTIONS"]

ACTIONS = PictureActions(ClassifyCase, example_case, show, EMPTY)
