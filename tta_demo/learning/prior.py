"""How much a prior counts that draws learned weights towards even ones, chosen from pictures.

Maximum likelihood overfits few pictures, and what is likelier need not overlap better. A Dirichlet
prior that counts as much as a few *pictures* (never pixels: those of one picture are alike) keeps
both in bounds, at the price of smaller gains. So it counts as much as the pictures ask for, where
there are enough of them to ask; and weights stay even where the pictures do not show that some
views deserve more. `assets/results/harm.json` says what the rule was measured to do.
"""

from collections.abc import Callable, Iterator

import numpy as np

from tta_demo.learning.answers import Answers
from tta_demo.learning.solver import ascend
from tta_demo.scoring.interval import pseudo_values
from tta_demo.scoring.metrics import confusion, mean_iou

__all__ = ["ENOUGH", "FEW", "FOLDS", "PIXELS", "PRIORS", "SCORES", "chosen_prior"]

FEW = 1.0
"""Pictures that the prior counts where there are few to learn on, and views clearly differ."""
ENOUGH = 16
"""Pictures to learn on from which on the prior is chosen by trying."""
PRIORS = (64.0, 16.0, 4.0, 1.0, 0.25, 0.1)
"""Pictures that it may count then, nearly even weights first."""
SPREAD = 4
"""Pictures to learn on from which on they alone show how much pictures differ."""
INDEPENDENT = 150
"""So many independent pixels tell as much as all of a picture, which are alike; asked with fewer
pictures than `SPREAD`. Those of fields and nuclei mostly tell more; those of damaged photographs
far less, and a single one is trusted too much, as `benchmark harm` shows."""
ROUNDING = 1e-10
"""What float32 may add to the square of a slope."""
FOLDS = 5
PIXELS = 2048
"""Most of one picture that the fits of the choice see; scores are of all, as few change."""

SCORES = {"miou": "Overlap (mIoU)", "nll": "Loss (NLL)"}
"""What the choice can look at, in words."""


def chosen_prior(answers: Answers, score: str = "miou") -> Iterator[float | None]:
    """Yields None after each step of the choice, and the prior that is chosen at the end.

    With fewer than `ENOUGH` pictures that is `FEW` where they show that views differ (`_differ`),
    else infinity: even weights. Otherwise, each of `PRIORS` is tried by cross-validation over
    pictures, and its gain over even weights counted: of the score, and of the likelihood, which
    must not fall for the sake of the score. Of both, a standard error over pictures (jackknife) is
    taken off. The prior with the highest such bound of the score is chosen; of equal ones, and
    where none is above 0, the one nearest to even; infinity, if not even that is surely likelier.

    The fits are those of one weight a view for the linear pool, whatever is to be learned then.

    Args:
        answers: of all classes if the score is `miou`.
        score: a key of `SCORES`.

    Raises:
        ValueError: the score is unknown, or needs all classes.
    """
    if score not in SCORES:
        raise ValueError(f"score {score!r} is unknown: choose one of {', '.join(SCORES)}")
    if answers.pictures < ENOUGH:
        yield FEW if _differ(answers.thinned(answers.pixels)) else np.inf
        return
    seen, thin = answers.thinned(answers.pixels), answers.thinned(PIXELS)
    if score == "miou" and seen.classes < 2:
        raise ValueError("answers hold the true class alone: mIoU needs all, or take score 'nll'")
    tried = (np.inf, *PRIORS)
    pixels = np.array([len(labels) for labels in seen.labels])
    losses = np.zeros((len(tried), len(pixels)))
    tables = np.zeros((*losses.shape, seen.classes, seen.classes))
    for fold in range(FOLDS):
        held = range(fold, len(pixels), FOLDS)
        for row, weights in enumerate(_fits(thin, held, tried)):
            for place in held:
                losses[row, place], tables[row, place] = _scored(seen, place, weights)
        yield None
    likely = _bounds(lambda counts: -losses @ counts / (pixels @ counts), len(pixels))
    best = int(likely.argmax())
    if score == "miou":
        overlap = _bounds(
            lambda counts: np.array(
                [mean_iou(one) for one in np.tensordot(counts, tables, (0, 1))]
            ),
            len(pixels),
        )
        best = int(np.where(likely > 0, overlap, 0).argmax())
    yield PRIORS[best] if likely[best] > 0 else np.inf


def _differ(seen: Answers) -> bool:
    """Returns whether a few pictures show that some views are likelier right than others.

    From even weights the likelihood rises along its slope, view by view the mean of
    p_v / p_mix - 1, and the more the steeper it is: by the square of its length, of which what
    chance alone would add is taken off here, and a standard error. How far chance goes is what the
    pictures differ by, and while they are too few to tell, what their pixels do: both must agree.
    """
    alone = (seen.take([place]).true_class() for place in range(seen.pictures))
    each = [truth / truth.mean(0) - 1 for truth in alone]
    slopes = np.array([one.mean(1) for one in each])
    slope, spreads = slopes.mean(0), []
    if len(slopes) > 1:
        spreads.append(np.cov(slopes.T) / len(slopes))
    if len(slopes) < SPREAD and seen.pixels > 1:
        counts = sum(min(INDEPENDENT, one.shape[1]) for one in each)
        spreads.append(np.cov(np.concatenate(each, 1)) / counts)
    steep = slope @ slope - ROUNDING
    spreads = map(np.atleast_2d, spreads)
    sure = [steep > np.trace(one) + np.sqrt(slope @ one @ slope) for one in spreads]
    return bool(sure) and all(sure)


def _fits(thin: Answers, held: range, priors: tuple[float, ...]) -> Iterator[np.ndarray]:
    """Yields the weights by each prior, the strongest first, from pictures that are not held."""
    rest = [place for place in range(len(thin.labels)) if place not in held]
    truth, weights = thin.take(rest).true_class(), None
    for prior in priors:
        *_, (weights, _) = ascend(truth, prior / len(rest), weights, tolerance=1e-5)
        yield weights


def _scored(seen: Answers, place: int, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """Returns the sum of the negative log-likelihood of a picture, and its confusion `(C, C)`."""
    probs, truth = seen.probs[place], seen.labels[place]
    fused = np.tensordot(weights.astype(np.float32), probs, 1)
    if len(fused) == 1:  # the true class alone
        return -float(np.log(fused).sum()), np.zeros((1, 1))
    true = fused[truth, np.arange(len(truth))]
    return -float(np.log(true).sum()), confusion(truth, fused.argmax(0), len(fused))


def _bounds(scores: Callable[[np.ndarray], np.ndarray], pictures: int) -> np.ndarray:
    """Returns by how much each row's score surely exceeds that of the first, without the first."""

    def gains(counts: np.ndarray) -> np.ndarray:
        found = scores(counts)
        return found[1:] - found[0]

    each = pseudo_values(gains, pictures)
    return gains(np.ones(pictures)) - each.std(0, ddof=1) / np.sqrt(pictures)
