"""Stop when sure: the looks of a plan, one after the other, until the answer is certain enough.

The looks to come can still turn an answer if its lead is small beside what they count together.
How small is learned on labelled pictures, for a loss that is named before: see `evidence.sure`.
"""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from tta_demo.tasks.classify import Classification
from tta_demo.tasks.segment import Segmentation
from tta_demo.tta.fusion import Weights
from tta_demo.tta.plan import Plan

__all__ = ["SWING", "first_looks", "look_until_sure", "still_open", "to_come", "turning"]

SWING = 0.1
"""How far the looks to come move a lead, typically, as a part of what they count together. What it
lacks in truth the threshold makes up, which is learned with it."""

Answered = TypeVar("Answered", Segmentation, Classification)


def first_looks(plan: Plan, count: int) -> Plan:
    """Returns the plan of a plan's first looks, their weights scaled up; all of them as it is.

    Looks that count nothing are fused evenly as long as there are no others.

    Args:
        plan: V views.
        count: 1..V.

    Example:
        >>> plan = Plan(("identity", "hflip", "rot90"), "learned", [0.3, 0.1, 0.6])
        >>> first_looks(plan, 2).weights.values
        tensor([0.7500, 0.2500])
    """
    if count == len(plan.views):
        return plan
    if plan.weights is None:
        return Plan(plan.views[:count], plan.fusion)
    values = plan.weights.values
    part, whole = values[:count], values.sum(0)
    even = whole.expand_as(part) / count
    scaled = torch.where(part.sum(0) > 0, part / part.sum(0).clamp_min(1e-9) * whole, even)
    return Plan(plan.views[:count], plan.fusion, Weights(scaled, plan.weights.pool))


def to_come(plan: Plan, count: int) -> float:
    """Returns what a plan's looks after the first ones count together, 0..1 of all.

    Example:
        >>> to_come(Plan(("identity", "hflip", "rot90", "rot180")), 1)
        0.75
    """
    if plan.weights is None or count == len(plan.views):
        return 1 - count / len(plan.views)
    values = plan.weights.values
    return float((values[count:].sum(0) / values.sum(0).clamp_min(1e-9)).mean())


def turning(probs: Tensor, rest: float) -> Tensor:
    """Returns how likely each answer is to be turned by the looks to come, `(...)` in 0..0.5.

    Args:
        probs: `(C, ...)` fused so far.
        rest: what the looks to come count, 0..1 of all.

    Example:
        >>> turning(torch.tensor([[0.5, 0.55, 0.9], [0.5, 0.45, 0.1]]), 0.5)
        tensor([5.0000e-01, 6.7668e-02, 5.6268e-08])
    """
    best, second = probs.topk(2, 0).values
    if rest <= 0:
        return torch.zeros_like(best)
    return 0.5 * torch.exp((second - best) / (SWING * rest))


def still_open(probs: Tensor, rest: float) -> float:
    """Returns the share of answers that the looks to come may be expected to turn, 0..0.5.

    Arguments are those of `turning`.
    """
    return float(turning(probs, rest).mean())


def look_until_sure(answer: Callable[[Plan], Answered], plan: Plan, below: float) -> Answered:
    """Returns the answer of as few of a plan's looks as are sure, in their order.

    Each further look costs one forward pass, as a task keeps those before it.

    Args:
        answer: looks by a plan: `segment` or `classify` of a picture.
        plan: all looks, the one to begin with first.
        below: share of the answers that the looks to come may be expected to turn; looking ends
            when it is less. 0 for all looks.
    """
    for count in range(1, len(plan.views)):
        found = answer(first_looks(plan, count))
        if still_open(found.probs, to_come(plan, count)) < below:
            return found
    return answer(plan)
