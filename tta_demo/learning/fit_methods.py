"""Ways to find weights: the exact one, Adam on the same loss, and two of others to compare with.

The right loss is the negative log of the fused probability of the true class. Tutorials often take
a softmax of probabilities once more: then even a perfect answer costs (0.551 for 3 classes), a
confident mistake hardly more, and the best weights are sparse. That is `classic`, to compare with.
Exact and Adam add a prior that draws the weights towards even ones, see `prior`.

`shanmugam` follows the public code of Shanmugam et al., "Better Aggregation in Test-Time
Augmentation", 2021: coefficients of the model's logits that begin even and are set to 0 where a
step takes them below; the cross-entropy; SGD. Here the logits are log-probabilities, at
temperature 1, a step is a picture, and there are 30 rounds.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tta_demo.learning.answers import Answers
from tta_demo.learning.greedy import policies
from tta_demo.learning.module import LEARNABLE, Form, LearnableTTA
from tta_demo.learning.solver import ascend, log_likelihood
from tta_demo.tta.predict import FLOOR

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
    if not (form.plain or METHODS[method].any_form) or form.pool not in LEARNABLE:
        raise ValueError(
            f"method {method!r} has a form of weights of its own, not {form}: choose adam for one "
            "a class or the log pool, shanmugam for logits"
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


def _shanmugam(answers: Answers, _: Form, __: float, rounds: int = 30) -> _Steps:
    """Descends the cross-entropy of weighed logits, once for one weight a view, once a class too.

    After each round over the pictures, the weights are those of the two that get more pixels right
    of every fifth picture, which is not learned from; of one a view with fewer pictures.
    """
    values = [torch.from_numpy(probs).log().clamp_min(FLOOR) for probs in answers.probs]
    labels = [torch.from_numpy(truth) for truth in answers.labels]
    everything, truth = torch.cat(values, -1), torch.cat(labels)
    held = range(4, len(labels), 5)
    views, classes = answers.views, answers.classes
    both = [torch.full(shape, 1 / views) for shape in ((views, 1), (views, classes))]
    optimiser = torch.optim.SGD(
        [one.requires_grad_() for one in both], lr=0.01, momentum=0.9, weight_decay=1e-4
    )
    for turn in range(rounds + 1):
        for place in range(len(labels)) if turn else ():
            if place not in held and len(labels[place]):
                optimiser.zero_grad()
                for one in both:
                    F.cross_entropy(_weighed(one, values[place]).T, labels[place]).backward()
                optimiser.step()
                for one in both:
                    one.data.clamp_(min=0)
        with torch.no_grad():
            right = [
                sum((_weighed(one, values[i]).argmax(0) == labels[i]).sum().item() for i in held)
                for one in both
            ]
            best = both[right[1] > right[0]]
            value = -F.cross_entropy(_weighed(best, everything).T, truth).item()
        yield _normal(best).detach().squeeze(1).double().numpy(), value


def _greedy(answers: Answers, _: Form, __: float) -> _Steps:
    """Yields even weights, and then policies of looks, ever better once they are calibrated."""
    truth = answers.true_class()
    for weights in chain([np.full(answers.views, 1 / answers.views)], policies(answers)):
        yield weights, log_likelihood(truth, weights)


def _weighed(coefficients: Tensor, logits: Tensor) -> Tensor:
    """Returns the logits `(C, N)` of `(V, C, N)`; coefficients are `(V, 1)` or `(V, C)`."""
    return (_normal(coefficients)[..., None] * logits).sum(0)


def _normal(coefficients: Tensor) -> Tensor:
    """Returns the weights that coefficients stand for: only one a view is normalised."""
    one_a_view = coefficients.shape[1] == 1
    return coefficients / coefficients.sum().clamp_min(1e-9) if one_a_view else coefficients


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
        pool: what its weights weigh, whatever the form; None for the pool of the form.
    """

    label: str
    summary: str
    source: str
    steps: Callable[[Answers, Form, float], _Steps]
    whole: bool = False
    any_form: bool = True
    prior: bool = True
    pool: str | None = None


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
    "shanmugam": Method(
        "Shanmugam",
        "Weighs the looks before they become probabilities, per look or per look and class, "
        "whichever gets more right on pictures that it left out.",
        "Shanmugam et al. 2021",
        _shanmugam,
        whole=True,
        any_form=False,
        prior=False,
        pool="logits",
    ),
    "greedy": Method(
        "Greedy",
        "Adds the look that helps the average of those before it most, some more than once, and "
        "keeps the best set on the way; judged with the temperature that suits each average.",
        "Molchanov et al. 2020",
        _greedy,
        whole=True,
        any_form=False,
        prior=False,
    ),
}
