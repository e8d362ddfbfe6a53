"""How a classification becomes what is shown."""

from tta_demo.ui.classify.case import ClassifyCase
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.stage import pack_ranking

__all__ = ["EMPTY", "show"]

EMPTY: Updates = {"ranking": None, "truth": [], "notes": ""}
"""The result without a picture."""


def show(case: ClassifyCase) -> Updates:
    """Returns everything about the case's answer; may run the model."""
    result = case.classify()
    return {
        "ranking": pack_ranking(result, case.subject, case.truth),
        "truth": list(case.truth or ()),
        "notes": "\n\n".join(result.notes),
    }
