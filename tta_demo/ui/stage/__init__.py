"""The stage: the picture that plays, and answers when one points at it."""

from tta_demo.ui.stage.boxes import StageBoxes, pack_boxes
from tta_demo.ui.stage.component import stage
from tta_demo.ui.stage.pack import BUSY, MODES, StagePicture, pack
from tta_demo.ui.stage.painted import painted
from tta_demo.ui.stage.ranking import pack_ranking

__all__ = [
    "BUSY", "MODES", "StageBoxes", "StagePicture", "pack", "pack_boxes",
    "pack_ranking", "painted", "stage",
]  # fmt: skip
