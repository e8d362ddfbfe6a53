"""How a segmentation is put on the stage."""

from collections.abc import Collection

import numpy as np

from tta_demo.models.ensemble import members_of, rows_of
from tta_demo.tasks.segment import Segmentation
from tta_demo.tasks.sure import first_looks
from tta_demo.tta.fusion import Weights
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import to_labels
from tta_demo.tta.views import VIEWS
from tta_demo.ui.segment.case import SegmentCase
from tta_demo.ui.stage import MODES, StagePicture

__all__ = ["scene_of"]


def scene_of(
    case: SegmentCase, result: Segmentation, play: str, mode: str = MODES[0]
) -> StagePicture:
    """Returns what the stage shows of a result.

    The original is always there, to compare with, though it may take no part.

    Args:
        case: which looks are off.
        result: its looks and its plan.
        play: see `StagePicture`.
        mode: the same.
    """
    plan, palette = result.plan, result.model.palette
    offered = {result.plain, *plan.views, *(case.off if plan.fusion != "none" else ())}
    names = _ordered(result, offered)
    every = _offered(case, plan, names)
    return StagePicture(
        name=case.name,
        rgb=result.picture.rgb,
        looks={name: result.looks[name] for name in names},
        models={name: one.called for name, one in members_of(result.model).items() if name},
        together=_together(result),
        names=palette.names,
        colors=palette.bright.colors,
        fusion=plan.fusion,
        weights=None if every.weights is None else every.weights.values.numpy(),
        pool="linear" if every.weights is None else every.weights.pool,
        truth=result.truth,
        itself=case.itself,
        on=[name in plan.views for name in names],
        play=play,
        mode=mode,
    )


def _offered(case: SegmentCase, plan: Plan, names: tuple[str, ...]) -> Plan:
    """Returns the plan of all looks on the stage, on or off; those without a weight have 0."""
    if plan.weights is None:
        return plan
    try:
        return case.world.plan(names, plan.fusion, case.file)[0]
    except ValueError:  # a look that is off has no learned weight
        values = dict(zip(plan.views, plan.weights.values, strict=True))
        none = plan.weights.values[0] * 0
        table = np.stack([values.get(name, none).numpy() for name in names])
        return Plan(names, plan.fusion, Weights(table, plan.weights.pool))


def _ordered(result: Segmentation, rows: Collection[str]) -> tuple[str, ...]:
    """Returns rows in the stage's order: by model, and its views as the registry has them."""
    return tuple(row for row in rows_of(result.model, VIEWS) if row in rows)


def _together(result: Segmentation) -> np.ndarray:
    """Returns the labels `(K, h, w)` of the first 1..K looks of the plan, fused its way."""
    plan, views = result.plan, _ordered(result, result.plan.views)
    weights = plan.weights
    if weights is not None:
        places = [plan.views.index(name) for name in views]
        weights = Weights(weights.values[places], weights.pool)
    plan, stack = Plan(views, plan.fusion, weights), result.stack(*views)
    first = [to_labels(first_looks(plan, k).fuse(stack)) for k in range(1, len(views))]
    return np.stack([*first, result.labels])
