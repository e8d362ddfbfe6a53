import numpy as np
import pytest
from planted import answers_of, last, planted

from tta_demo.learning.answers import Answers
from tta_demo.learning.fit import fit_steps
from tta_demo.learning.module import Form
from tta_demo.learning.prior import ENOUGH, FEW, FOLDS, PRIORS, chosen_prior
from tta_demo.learning.solver import ascend

LEAST = PRIORS[-1]


def moody(seed, pictures=20, views=6, pixels=300, merit=0.0, mood=0.6):
    """Two classes; all pixels of a picture share one random bias of each view.

    The views are exchangeable, and which is best differs from picture to picture by chance; but
    for the first, where it has merit.
    """
    rng = np.random.default_rng(seed)
    moods = rng.normal(0.6, mood, (pictures, views, 1))
    moods[:, 0] += merit
    right = 1 / (1 + np.exp(-moods - rng.normal(0, 1.5, (pictures, views, pixels))))
    labels = rng.integers(0, 2, (pictures, pixels))
    probs = np.where(np.arange(2)[:, None, None, None] == labels[:, None], right, 1 - right)
    return Answers(tuple(probs.transpose(1, 2, 0, 3).astype(np.float32)), tuple(labels))


def chosen(answers, score="miou"):
    *_, prior = chosen_prior(answers, score)
    return prior


@pytest.mark.parametrize("score", ["miou", "nll"])
@pytest.mark.parametrize("seed", range(3))
def test_a_view_of_merit_is_trusted(seed, score):
    answers = moody(seed, merit=2.0)
    found = last(answers, score=score)
    assert found.prior == chosen(answers, score) <= (4 if score == "miou" else 0.25)
    assert found.weights[0] > 0.5


@pytest.mark.parametrize("pictures", [8, 20])
def test_exchangeable_views_stay_even_because_pictures_differ_and_not_their_pixels(pictures):
    by_picture = [chosen(moody(seed, pictures)) for seed in range(8)]
    assert np.median(by_picture) == np.inf, by_picture


@pytest.mark.parametrize("pictures", [1, 3])
def test_too_few_pictures_to_differ_are_taken_to_tell_less_than_their_pixels(pictures):
    by_picture = [chosen(moody(seed, pictures, pixels=4000, mood=0.1)) for seed in range(8)]
    assert np.median(by_picture) == np.inf, by_picture


@pytest.mark.parametrize("pictures", [1, 3, 8])
@pytest.mark.parametrize("seed", range(3))
def test_few_pictures_that_agree_are_trusted_a_little(seed, pictures):
    answers = moody(seed, pictures, merit=4.0)
    found = last(answers)
    assert found.prior == FEW
    assert found.weights[0] > 1.1 / 6


def test_one_pixel_shows_nothing():
    assert chosen(answers_of(*planted([1, 0], 1))) == np.inf


@pytest.mark.parametrize("pictures", [1, 2, 6])
def test_a_single_view_has_even_weights(pictures):
    assert chosen(answers_of(*planted([1], 60), pictures)) == np.inf


@pytest.mark.parametrize("score", ["miou", "nll"])
def test_even_wins_ties(score):
    answers = moody(0)
    copies = Answers(tuple(one[[0, 0, 0]] for one in answers.probs), answers.labels)
    assert chosen(copies, score) == np.inf
    assert chosen(copies.take(range(5)), score) == np.inf


def overlapping_worse():
    """A view that is likelier in all pictures, and takes the rare class for the common one.

    It is hardly sure where it is wrong; the others are right, and sure of nothing else.
    """
    rng, parts, truths = np.random.default_rng(0), [], []
    for _ in range(24):
        truth = (rng.random(400) < 0.1).astype(int)
        right = np.where(truth == 1, [[0.48], [0.53], [0.53]], [[0.95], [0.6], [0.6]])
        right += rng.uniform(-0.01, 0.01, right.shape)
        sides = np.arange(2)[None, :, None] == truth
        parts.append(np.where(sides, right[:, None], 1 - right[:, None]).astype(np.float32))
        truths.append(truth)
    return Answers(tuple(parts), tuple(truths))


def test_what_is_likelier_and_overlaps_worse_is_trusted_for_its_likelihood_alone():
    answers = overlapping_worse()
    assert chosen(answers, "nll") == LEAST
    assert chosen(answers, "miou") >= 1
    weights = {score: last(answers, score=score).weights[0] for score in ("nll", "miou")}
    assert weights["miou"] < weights["nll"]


def slow_choice(answers):
    """The rule by the likelihood, written out picture by picture."""
    count = len(answers.labels)
    losses = np.zeros((len(PRIORS) + 1, count))
    for place in range(count):
        rest = [i for i in range(count) if i % FOLDS != place % FOLDS]
        truth = np.concatenate([answers.take([i]).true_class() for i in rest], 1)
        for row, prior in enumerate((np.inf, *PRIORS)):
            *_, (weights, _) = ascend(truth, prior / len(rest))
            losses[row, place] = -np.log(weights @ answers.take([place]).true_class()).mean()
    gains = losses[0] - losses[1:]
    sure = gains.mean(1) - gains.std(1, ddof=1) / np.sqrt(count)
    return PRIORS[sure.argmax()] if sure.max() > 0 else np.inf


@pytest.mark.parametrize("merit", [0, 0.3, 1])
@pytest.mark.parametrize("seed", range(3))
def test_the_choice_by_likelihood_is_that_of_a_loop_over_pictures(seed, merit):
    answers = moody(seed, pictures=17, merit=merit)
    assert chosen(answers, "nll") == slow_choice(answers)


def test_with_few_pictures_there_is_nothing_to_try():
    assert list(chosen_prior(moody(0, ENOUGH - 1, merit=4.0))) == [FEW]
    assert list(chosen_prior(moody(0, ENOUGH)))[:-1] == [None] * FOLDS


def slow_answer(answers):
    """Whether a few pictures show that views differ, written out picture by picture."""
    slopes = []
    for place in range(answers.pictures):
        truth = answers.take([place]).true_class()
        slopes.append([(one / truth.mean(0) - 1).mean() for one in truth])
    slopes, count = np.array(slopes), answers.pictures
    slope = slopes.mean(0)
    chance = slopes.var(0, ddof=1).sum() / count
    along = slopes @ slope
    return slope @ slope - chance - along.std(ddof=1) / np.sqrt(count) > 0


@pytest.mark.parametrize("merit", [0.5, 1, 2])
@pytest.mark.parametrize("seed", range(6))
def test_whether_views_differ_is_that_of_a_loop_over_pictures(seed, merit):
    answers = moody(seed, 6, merit=merit)
    assert chosen(answers) == (FEW if slow_answer(answers) else np.inf)


def test_pictures_without_a_pixel_do_not_count():
    answers = moody(1, ENOUGH, merit=1)
    nothing = np.zeros((6, 2, 0), np.float32), np.zeros(0, int)
    more = Answers((nothing[0], *answers.probs), (nothing[1], *answers.labels))
    assert more.pictures == ENOUGH
    assert chosen(more) == chosen(answers)
    assert len(list(chosen_prior(more.take(range(ENOUGH))))) == 1  # one is too few to try
    np.testing.assert_allclose(last(more).weights, last(answers).weights, atol=1e-12)


def test_stopping_ends_the_choice_with_the_prior_for_few_pictures():
    *shown, done = fit_steps(moody(0, merit=2.0), stopped=lambda: True)
    assert done.prior == FEW
    np.testing.assert_allclose(shown[0].weights, 1 / 6, atol=1e-7)


@pytest.mark.parametrize("form", [(True, "linear"), (False, "log")], ids=str)
def test_weights_of_every_form_get_the_chosen_prior(form):
    answers = moody(0, merit=2.0, pixels=40)
    assert last(answers, "adam", form=Form(*form)).prior == chosen(answers)


def test_the_true_class_alone_cannot_tell_the_overlap():
    answers = moody(0)
    alone = Answers(
        tuple(answers.take([i]).true_class()[:, None] for i in range(20)), answers.labels
    )
    with pytest.raises(ValueError, match="mIoU"):
        chosen(alone)
    assert chosen(alone, "nll") == chosen(answers, "nll")


def test_an_unknown_score_is_refused():
    with pytest.raises(ValueError, match="magic"):
        next(chosen_prior(moody(0), "magic"))


def test_a_permutation_of_views_changes_nothing():
    probs, labels = planted([0.6, 0.3, 0.1], 3200)
    one, other = answers_of(probs, labels, 20), answers_of(probs[[2, 0, 1]], labels, 20)
    assert chosen(one) == chosen(other)
