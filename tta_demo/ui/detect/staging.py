"""How a detection is put on the stage."""

from tta_demo.tasks.detect import Detection
from tta_demo.tasks.sure import first_looks
from tta_demo.tta.box_fusion import FUSERS
from tta_demo.ui.stage import StageBoxes

__all__ = ["scene_of"]


def scene_of(result: Detection, threshold: float, thing: str) -> StageBoxes:
    """Returns what the stage shows of a result, of the looks of its plan.

    Args:
        result: its looks and its plan.
        threshold: the lowest score shown, 0..1.
        thing: what one of the things found is called.
    """
    plan = result.plan
    parts = [first_looks(plan, k) for k in range(1, len(plan.views))]
    looks = {name: one.boxes for name, one in result.looks.items()}
    return StageBoxes(
        rgb=result.picture.rgb,
        looks={name: looks[name] for name in plan.views},
        one_look=result.one_look,
        fused=[*(part.fuse_boxes(looks) for part in parts), result.fused],
        names=result.model.classes,
        thing=thing,
        threshold=threshold,
        shares=FUSERS[plan.fusion].shares,
        weights=plan.weights and plan.weights.values.tolist(),
        truth=result.truth,
    )
