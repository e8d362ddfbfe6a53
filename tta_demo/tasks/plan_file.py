"""A plan as a file (JSON), to look by again."""

from pathlib import Path
from typing import Any

from tta_demo.learning.weight_file import weights_by_name
from tta_demo.learning.weight_reading import has, quoted, read_fields
from tta_demo.models.ensemble import Ensemble, whose
from tta_demo.models.record import ModelRecord
from tta_demo.tasks.result import plan_of
from tta_demo.tta.box_fusion import FUSERS
from tta_demo.tta.crops import CROP_VIEWS
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.plan import Plan
from tta_demo.tta.views import VIEWS

__all__ = ["plan_facts", "read_plan", "read_sure"]

MAX_BYTES = 1_000_000

_KNOWN = {
    "segment": {*VIEWS, *FUSIONS},
    "classify": {*CROP_VIEWS, *FUSIONS},
    "detect": {*VIEWS, *FUSERS},
}
"""Names of views and fusions by task."""


def plan_facts(plan: Plan, model: ModelRecord | Ensemble, **known: object) -> dict[str, Any]:
    """Returns a plan for a model as named values, ready for JSON, and what is known beside."""
    weights = plan.weights
    by_name = weights and weights_by_name(plan.views, weights.values.tolist(), model.classes)
    return known | {
        "model": {"name": model.name, "digest": model.digest},
        "views": list(plan.views),
        "fusion": plan.fusion,
        "weights": by_name,
        "pool": weights and weights.pool,
    }


def read_plan(path: Path, model: ModelRecord | Ensemble) -> Plan:
    """Returns the plan of a file that `advise` wrote, or of a report.

    Raises:
        ValueError: it holds no plan, one of another task, or one with weights that were learned
            for another model.
    """
    try:
        data = read_fields(path, MAX_BYTES)
        has(data, "views", list), has(data, "fusion", str)
        plan = plan_of({"weights": None, "pool": None} | data)
        named = [whose(row)[1] for row in plan.views]
        digest = has(has(data, "model", dict), "digest", str)
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path.name} is no plan: {error}. Take one that `python -m tta_demo advise` wrote."
        ) from error
    odd = [name for name in (*named, plan.fusion) if name not in _KNOWN[model.task]]
    if odd:
        told = f"{path.name} is for another task"
        raise ValueError(f"{told}: there is no {quoted(odd[0])} to {model.task} by")
    if plan.weights is not None and digest != model.digest:
        raise ValueError(
            f"the weights of {path.name} were learned for model {quoted(digest)}, not for this "
            f"one ({model.digest}): ask for advice again"
        )
    return plan


def read_sure(path: Path) -> float:
    """Returns the threshold below which a plan's file stops looking; 0, for all looks, without.

    See `look_until_sure`. What is no threshold is a `ValueError`; so is what is no plan, which
    `read_plan` tells better.
    """
    below = read_fields(path, MAX_BYTES).get("sure_below", 0.0)
    if isinstance(below, bool) or not isinstance(below, int | float) or not below >= 0:
        raise ValueError(f'{path.name}: "sure_below" is {quoted(below)}, not a number from 0 on')
    return float(below)
