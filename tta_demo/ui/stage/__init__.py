"""The stage: the picture that plays, and answers when one points at it."""

from tta_demo.ui.stage.component import STAGE_CSS, stage
from tta_demo.ui.stage.pack import BUSY, Scene, SceneLook, pack, painted
from tta_demo.ui.stage.palette import display_colors

__all__ = ["BUSY", "STAGE_CSS", "Scene", "SceneLook", "display_colors", "pack", "painted", "stage"]
