"""Ways to find weights: the exact one, Adam on the same loss, and the classic one.

The right loss is the negative log of the fused probability of the true class. Tutorials often take
a softmax of probabilities once more: then even a perfect answer costs (0.551 for 3 classes), a
confident mistake hardly more, and the best weights are sparse. That is `classic`, to compare with.
Exact and Adam add a prior that draws the weights towards even ones, see `prior`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tta_demo.learning.answers import Answers
from tta_demo.learning.module import Form, LearnableTTA
from tta_demo.learning.solver import ascend

__all__ = ["METHODS", "Method", "needs_all_classes"]

_Steps = Iterator[tuple[np.ndarray, float]]
"""Weights `(V,)` or `(V, C)` float64 and their mean log-likelihood, even ones first."""


def needs_all_classes(
    method: str, form: Form, prior: float | None = 0.0, score: str = "nll"
) -> bool:
    """Returns whether more than the true class's probability is needed.

    A prior of None is to be chosen by the score.

    Raises:
        ValueError: there is no such method, or it cannot fit this form.
    """
    if method not in METHODS:
        raise ValueError(f"method {method!r} is unknown: choose one of {', '.join(METHODS)}")
    if not (form.plain or METHODS[method].any_form):
        raise ValueError(
            f"method {method!r} fits one weight a view and the linear pool, because other forms "
            "have no certificate here: choose adam"
        )
    chosen_by_overlap = prior is None and METHODS[method].prior and score == "miou"
    return not form.plain or METHODS[method].whole or chosen_by_overlap


def _exact(answers: Answers, _: Form, prior: float) -> _Steps:
    return ascend(answers.true_class(), prior)


def _adam(answers: Answers, form: Form, prior: float, steps: int = 300) -> _Steps:
    """Descends the loss of all pixels at once and the prior's, until their sum is flat.

    Per class, the prior is shared out over the classes: alike in all, they cost as one a view.
    """
    tta, (probs, labels) = _module(answers, form), _tensors(answers)
    values = tta.values(probs)
    optimiser = torch.optim.Adam(tta.parameters(), lr=0.1)
    reached: list[float] = []
    # it swings about the best before it settles: flat is what has no new best for long
    while len(reached) <= steps and (
        len(reached) < 60 or max(reached[-30:]) - max(reached[:-30]) > 1e-7
    ):
        loss = _loss(tta, values, labels)
        yield tta.weights.detach().double().numpy(), -loss.item()
        if prior:
            loss = loss - prior * tta.scores.log_softmax(0).mean()
        reached.append(-loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def _classic(answers: Answers, form: Form, _: float, epochs: int = 5) -> _Steps:
    """Descends the cross-entropy of fused probabilities taken for logits, picture by picture."""
    tta, (everything, truth) = _module(answers, form), _tensors(answers)
    everything = tta.values(everything)
    optimiser = torch.optim.Adam(tta.parameters(), lr=0.01)
    seen_between = max(1, len(answers.labels) // 4)
    for step in range(epochs * len(answers.labels) + 1):
        if step % seen_between == 0 or step == epochs * len(answers.labels):
            with torch.no_grad():
                value = -_loss(tta, everything, truth).item()
            yield tta.weights.detach().double().numpy(), value
        probs, labels = _tensors(answers.take([step % len(answers.labels)]))
        optimiser.zero_grad()
        F.cross_entropy(tta(probs), labels).backward()
        optimiser.step()


def _module(answers: Answers, form: Form) -> LearnableTTA:
    classes = answers.probs[0].shape[1] if form.per_class else None
    return LearnableTTA(answers.views, classes, form.pool)


def _tensors(answers: Answers) -> tuple[Tensor, Tensor]:
    probs, labels = (np.concatenate(parts, -1) for parts in (answers.probs, answers.labels))
    return torch.from_numpy(probs)[:, None], torch.from_numpy(labels)[None]


def _loss(tta: LearnableTTA, values: Tensor, labels: Tensor) -> Tensor:
    """Returns the mean negative log of the fused probability of the true class `(B, N)`."""
    fused = tta.pooled(values)
    if fused.shape[1] > 1:
        fused = fused.gather(1, labels[:, None])
    return -fused.log().mean()


@dataclass(frozen=True)
class Method:
    """A way to find weights, with plain words for people.

    Attributes:
        steps: from answers, the form and what the prior counts (where all pixels together count
            1), to weights and their likelihood.
        whole: whether it needs all classes even where the likelihood does not.
        any_form: whether it fits weights per class, and the log pool.
        prior: whether it takes a prior.
    """

    label: str
    summary: str
    source: str
    steps: Callable[[Answers, Form, float], _Steps]
    whole: bool = False
    any_form: bool = True
    prior: bool = True


METHODS: dict[str, Method] = {
    "exact": Method(
        "Exact",
        "Finds the one best answer in a handful of steps, and proves that none is better.",
        "Kim et al. 2018",
        _exact,
        any_form=False,
    ),
    "adam": Method(
        "Adam",
        "Walks downhill on the same loss in up to 300 small steps; close to the best.",
        "Kingma and Ba 2015",
        _adam,
    ),
    "classic": Method(
        "Classic",
        "As the well-known tutorial does it: five rounds with a loss that takes a softmax of "
        "probabilities, so that confident mistakes hardly count.",
        "a well-known tutorial",
        _classic,
        whole=True,
        prior=False,
    ),
}
