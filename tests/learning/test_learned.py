import weakref

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tta_demo.learning.answers import Answers
from tta_demo.learning.fit import fit, fit_steps
from tta_demo.learning.fit_methods import METHODS
from tta_demo.learning.module import LearnableTTA
from tta_demo.learning.solver import ascend
from tta_demo.tta.fusion import POOLS, fuse
from tta_demo.tta.predict import ViewStack, predict_views, to_tensor

PLANTED = np.array([0.5, 0.3, 0.2, 0.0])
PLANTED_BY_CLASS = np.array([[0.8, 0.1, 0.3], [0.1, 0.8, 0.3], [0.1, 0.1, 0.4]])

pools = pytest.mark.parametrize("pool", POOLS)
per_class_or_not = pytest.mark.parametrize("per_class", [False, True], ids=["view", "class"])
methods = pytest.mark.parametrize("method", METHODS)


def slow_pool(probs, weights, pool="linear"):
    """One pixel's fused answer `(C,)`, from those of the views that saw it, class by class."""
    views, classes = probs.shape
    table = weights if weights.ndim > 1 else np.repeat(weights[:, None], classes, 1)
    scores = []
    for c in range(classes):
        share = [table[v, c] / sum(table[:, c]) for v in range(views)]
        if pool == "linear":
            scores.append(sum(share[v] * probs[v, c] for v in range(views)))
        else:
            logs = [max(np.log(probs[v, c]), -16) if probs[v, c] else -16 for v in range(views)]
            scores.append(np.exp(sum(share[v] * logs[v] for v in range(views))))
    return np.array(scores) / sum(scores)


def planted(weights, pixels, classes=3, seed=0):
    """Answers `(V, C, N)` of independent views, and labels drawn from their weighted mean."""
    rng = np.random.default_rng(seed)
    weights = np.asarray(weights, float)
    probs = rng.dirichlet(np.full(classes, 0.5), (len(weights), pixels)).clip(1e-6)
    probs /= probs.sum(2, keepdims=True)
    table = weights if weights.ndim > 1 else np.repeat(weights[:, None], classes, 1)
    mix = np.einsum("vc,vnc->nc", table, probs)
    mix /= mix.sum(1, keepdims=True)
    labels = (rng.random((pixels, 1)) > mix.cumsum(1)).sum(1).clip(max=classes - 1)
    return probs.transpose(0, 2, 1), labels


def gallery(probs, labels, pictures=1, seen=None):
    """Stacks and labels of pictures that share the pixels out."""
    views = tuple(f"view{v}" for v in range(len(probs)))
    logs = torch.from_numpy(np.ascontiguousarray(np.log(probs))).float().chunk(pictures, 2)
    covers = [None] * pictures if seen is None else seen.chunk(pictures, 1)
    stacks = [ViewStack(views, one, cover) for one, cover in zip(logs, covers, strict=True)]
    return stacks, np.array_split(labels, pictures)


def answers_of(probs, labels, pictures=1):
    parts = np.array_split(probs.astype(np.float32), pictures, 2)
    return Answers(tuple(parts), tuple(np.array_split(labels, pictures)))


def last(*args, **options):
    *_, done = fit_steps(*args, **options)
    return done


def slow_log_likelihood(answers, weights, pool="linear"):
    """The mean over pixels of the log of the fused probability of the true class."""
    total = []
    for probs, labels in zip(answers.probs, answers.labels, strict=True):
        for i, label in enumerate(labels):
            total.append(np.log(slow_pool(probs[..., i].astype(float), weights, pool)[label]))
    return np.mean(total)


# The module


@pytest.mark.parametrize("covered", [True, False], ids=["all-seen", "parts-seen"])
@pools
@per_class_or_not
def test_the_module_equals_a_loop_over_pixels(per_class, pool, covered):
    probs = (2 * torch.randn(3, 2, 4, 5, 6)).softmax(2)
    weights = torch.rand(3, 4) if per_class else torch.rand(3)
    weights = weights / weights.sum(0)
    seen = None
    if not covered:
        seen = torch.rand(3, 2, 1, 5, 6) < 0.6
        seen[1] |= ~seen.any(0)
    fused = LearnableTTA(3, 4 if per_class else None, pool, weights)(probs, seen).detach()
    assert fused.shape == (2, 4, 5, 6)
    for b, y, x in np.ndindex(2, 5, 6):
        here = np.s_[:] if covered else seen[:, b, 0, y, x].numpy()
        wanted = slow_pool(
            probs[:, b, :, y, x].double().numpy()[here], weights.numpy()[here], pool
        )
        np.testing.assert_allclose(fused[b, :, y, x], wanted, atol=2e-6)


@pytest.mark.parametrize("covered", [True, False], ids=["all-seen", "parts-seen"])
@pools
@per_class_or_not
def test_the_module_fuses_as_learned_fusion_does(per_class, pool, covered):
    log_probs = torch.randn(3, 4, 5, 6).log_softmax(1)
    weights = (torch.randn(3, 4) if per_class else torch.randn(3)).softmax(0)
    seen = None
    if not covered:
        seen = torch.rand(3, 5, 6) < 0.7
        seen[0] |= ~seen.any(0)
    tta = LearnableTTA(3, 4 if per_class else None, pool, weights)
    mask = None if covered else seen[:, None, None]
    fused = tta(log_probs.exp()[:, None], mask)[0].detach()
    wanted = fuse(ViewStack(("a", "b", "c"), log_probs, seen), "learned", weights, pool)
    torch.testing.assert_close(fused, wanted, atol=1e-6, rtol=0)


@pytest.mark.parametrize("covered", [True, False], ids=["all-seen", "parts-seen"])
@pools
@per_class_or_not
def test_the_classes_sum_to_1(per_class, pool, covered):
    tta = LearnableTTA(3, 4 if per_class else None, pool)
    torch.nn.init.normal_(tta.scores)
    seen = None
    if not covered:
        seen = torch.rand(3, 2, 1, 5, 6) < 0.6
        seen[0] |= ~seen.any(0)
    fused = tta(torch.randn(3, 2, 4, 5, 6).softmax(2), seen).detach()
    assert (fused >= 0).all()
    torch.testing.assert_close(fused.sum(1), torch.ones(2, 5, 6))


@pools
@per_class_or_not
def test_a_pixel_that_no_view_saw_gives_no_nan(per_class, pool):
    tta = LearnableTTA(3, 4 if per_class else None, pool)
    seen = torch.ones(3, 1, 1, 5, 6, dtype=torch.bool)
    seen[..., 0, 0] = False
    fused = tta(torch.randn(3, 1, 4, 5, 6).softmax(2), seen)
    assert fused.isfinite().all(), fused[..., 0, 0]
    fused[:, 0].mean().backward()
    assert tta.scores.grad.isfinite().all(), tta.scores.grad


@pools
@per_class_or_not
def test_probabilities_of_0_give_no_nan(per_class, pool):
    tta = LearnableTTA(3, 4 if per_class else None, pool)
    probs = F.one_hot(torch.randint(4, (3, 2, 5, 6)), 4).movedim(-1, 2).float()
    fused = tta(probs)
    torch.testing.assert_close(fused.sum(1).detach(), torch.ones(2, 5, 6))
    fused[:, 0].mean().backward()
    assert tta.scores.grad.isfinite().all(), tta.scores.grad


@pools
@per_class_or_not
def test_even_weights_are_where_it_starts(per_class, pool):
    probs = torch.randn(3, 2, 4, 5, 6).softmax(2)
    tta = LearnableTTA(3, 4 if per_class else None, pool)
    torch.testing.assert_close(tta.weights, torch.full((3, 4) if per_class else (3,), 1 / 3))
    mean = probs.mean(0) if pool == "linear" else probs.log().mean(0).softmax(1)
    torch.testing.assert_close(tta(probs).detach(), mean)


@pytest.mark.parametrize(
    "weights", [[0.7, 0.0, 0.3], [[0.7, 0.2], [0.0, 0.8], [0.3, 0.0]]], ids=["view", "class"]
)
def test_given_weights_are_where_it_starts_even_a_zero(weights):
    weights = torch.tensor(weights)
    tta = LearnableTTA(3, weights.shape[1] if weights.ndim > 1 else None, weights=weights)
    torch.testing.assert_close(tta.weights.detach(), weights)


@pytest.mark.parametrize("shape", [(2,), (4,), (3, 4), (4, 3), ()], ids=str)
def test_weights_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="shape"):
        LearnableTTA(3, weights=torch.full(shape, 0.5))


@pools
def test_equal_weights_for_all_classes_are_weights_per_view(pool):
    probs, weights = torch.randn(3, 2, 4, 5, 6).softmax(2), torch.tensor([0.5, 0.3, 0.2])
    by_class = LearnableTTA(3, 4, pool, weights[:, None].repeat(1, 4))
    torch.testing.assert_close(by_class(probs), LearnableTTA(3, None, pool, weights)(probs))


def test_the_log_pool_weighs_logits_if_each_view_has_one_weight():
    logits, weights = 3 * torch.randn(3, 2, 4, 5, 6) + 5, torch.tensor([0.5, 0.3, 0.2])
    wanted = (weights.view(3, 1, 1, 1, 1) * logits).sum(0).softmax(1)
    fused = LearnableTTA(3, None, "log", weights)(logits.softmax(2)).detach()
    torch.testing.assert_close(fused, wanted, atol=1e-5, rtol=0)


def test_the_log_pool_does_not_weigh_logits_if_weights_differ_by_class():
    logits, weights = 3 * torch.randn(3, 2, 4, 5, 6) + 5, torch.randn(3, 4).softmax(0)
    weighed = (weights.view(3, 1, 4, 1, 1) * logits).sum(0).softmax(1)
    fused = LearnableTTA(3, 4, "log", weights)(logits.softmax(2)).detach()
    assert (fused - weighed).abs().max() > 0.01


@pools
@per_class_or_not
def test_every_score_has_a_gradient(per_class, pool):
    tta = LearnableTTA(4, 3 if per_class else None, pool)
    tta((3 * torch.randn(4, 2, 3, 5, 5)).softmax(2))[:, 0].log().mean().neg().backward()
    assert tta.scores.grad.shape == ((4, 3) if per_class else (4,))
    assert tta.scores.grad.isfinite().all()
    assert (tta.scores.grad != 0).all(), tta.scores.grad


@per_class_or_not
def test_the_weights_stay_on_the_simplex_whatever_the_optimiser_does(per_class):
    tta = LearnableTTA(4, 3 if per_class else None)
    pull = torch.tensor([3.0, -2.0, 1.0, 0.5])
    optimiser = torch.optim.SGD(tta.parameters(), lr=100)
    for _ in range(5):
        loss = (tta.weights.movedim(0, -1) * pull).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        assert (tta.weights >= 0).all(), tta.weights
        total = tta.weights.detach().sum(0)
        torch.testing.assert_close(total, torch.ones_like(total), atol=1e-5, rtol=0)


@per_class_or_not
def test_saving_and_loading_keeps_the_weights(per_class, tmp_path):
    tta, other = (LearnableTTA(3, 2 if per_class else None) for _ in range(2))
    torch.nn.init.normal_(tta.scores)
    torch.save(tta.state_dict(), tmp_path / "tta.pt")
    assert not torch.equal(other.weights, tta.weights)
    other.load_state_dict(torch.load(tmp_path / "tta.pt"))
    assert torch.equal(other.weights, tta.weights)


def test_training_it_on_the_negative_log_likelihood_reaches_the_exact_fit():
    probs, labels = planted([0.6, 0.3, 0.1], 2000)
    answers, index = torch.from_numpy(probs).float()[:, None], torch.from_numpy(labels)[None]
    tta = LearnableTTA(3)
    optimiser = torch.optim.Adam(tta.parameters(), lr=0.05)
    for _ in range(300):
        loss = F.nll_loss(tta(answers).log(), index)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    exact = last(answers_of(probs, labels))
    assert -loss.item() == pytest.approx(exact.history[-1], abs=1e-5)
    np.testing.assert_allclose(tta.weights.detach().numpy(), exact.weights, atol=0.01)


# What a fit is made from


def labelled(height, width, seed):
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (height, width, 3), np.uint8)
    return rgb, rng.integers(0, 3, (height, width), np.uint8)


def columns(table):
    """The columns in an order of their own, as a draw without replacement reorders them."""
    return table[:, np.lexsort(table)]


@pytest.mark.parametrize("whole", [False, True], ids=["true-class", "whole"])
def test_answers_come_from_the_pixels_that_all_views_saw(toy_model, whole):
    views = ("identity", "shift", "tilt+10", "hflip")
    pictures = [labelled(31, 40, 0), labelled(25, 22, 1)]
    looked = [
        (predict_views(toy_model, to_tensor(rgb), views), labels) for rgb, labels in pictures
    ]
    wanted = [
        stack.probs[:, labels[y, x], y, x].numpy()
        for stack, labels in looked
        for y, x in np.ndindex(labels.shape)
        if stack.seen[:, y, x].all()
    ]
    answers = Answers.of(looked, whole)
    assert 0 < answers.pixels == len(wanted) < 31 * 40 + 25 * 22
    assert answers.views == 4
    assert [p.shape[:2] for p in answers.probs] == [(4, 3 if whole else 1)] * 2
    got = columns(answers.true_class())
    np.testing.assert_allclose(got, columns(np.stack(wanted, 1)), atol=1e-6)


@pytest.mark.parametrize("whole", [False, True], ids=["true-class", "whole"])
def test_the_limit_of_pixels_holds_for_each_picture_and_the_seed_decides_which(whole):
    sizes = (150, 20)
    stacks = [ViewStack(("a", "b"), torch.randn(2, 3, n).log_softmax(1)) for n in sizes]
    labels = [np.arange(n) % 3 for n in sizes]

    def draw(seed):
        looked = zip(stacks, labels, strict=True)
        return Answers.of(looked, whole, pixels=100, seed=seed)

    one, again, other = draw(0), draw(0), draw(1)
    assert [len(part) for part in one.labels] == [100, 20]
    assert one.pixels == 120
    np.testing.assert_array_equal(one.true_class(), again.true_class())
    assert not np.array_equal(one.true_class(), other.true_class())
    everything = np.concatenate(
        [s.probs[:, y, np.arange(len(y))] for s, y in zip(stacks, labels, strict=True)], 1
    )
    drawn = {tuple(pixel) for pixel in one.true_class().T}
    assert len(drawn) == 120, "a pixel was drawn twice"
    assert drawn <= {tuple(pixel) for pixel in everything.T}


def test_answers_keep_the_labels_beside_their_pixels():
    probs, labels = planted(PLANTED, 300)
    stacks, truths = gallery(probs, labels, 2, torch.rand(4, 300) < 0.9)
    answers = Answers.of(zip(stacks, truths, strict=True), whole=True, pixels=80)
    for part, truth in zip(answers.probs, answers.labels, strict=True):
        assert len(truth) == part.shape[2] == 80
        for i, label in enumerate(truth):
            at = np.abs(probs - part[..., i, None]).sum((0, 1)).argmin()
            np.testing.assert_allclose(part[..., i], probs[..., at], rtol=1e-4)
            assert label == labels[at]


def test_some_pictures_can_be_taken():
    probs, labels = planted(PLANTED, 90)
    answers = answers_of(probs, labels, 3)
    some = answers.take([2, 0])
    assert some.pixels == 60
    np.testing.assert_array_equal(some.labels[0], labels[60:])
    np.testing.assert_array_equal(some.probs[1], answers.probs[0])


def test_stacks_are_read_one_by_one_and_not_kept():
    alive = weakref.WeakSet()

    def looked():
        for _ in range(5):
            assert len(alive) <= 1, "earlier stacks are still in memory"
            stack = ViewStack(("a", "b"), torch.randn(2, 3, 50).log_softmax(1))
            alive.add(stack.log_probs)
            yield stack
            del stack

    fit(looked(), [np.zeros(50, int)] * 5)


def test_pixels_that_are_not_seen_by_all_are_not_used():
    probs, labels = planted(PLANTED, 400)
    seen = torch.rand(4, 400) < 0.8
    everywhere = seen.all(0).numpy()
    stacks, truths = gallery(probs, labels, 2, seen)
    got = fit(stacks, truths)
    assert 0 < got.pixels == everywhere.sum() < 400
    wanted = fit(*gallery(probs[..., everywhere], labels[everywhere]))
    np.testing.assert_allclose(got.weights, wanted.weights, atol=1e-6)


@pytest.mark.parametrize("looked", [[], ["unseen"], ["unseen", "unseen"]], ids=len)
def test_nothing_to_fit_on_is_refused(looked):
    unseen = ViewStack(("a", "b"), torch.zeros(2, 3, 4), torch.eye(2).bool().repeat(1, 2))
    with pytest.raises(ValueError, match=f"{len(looked)} pictures"):
        fit([unseen for _ in looked], [np.zeros(4, int) for _ in looked])


@pytest.mark.parametrize("method", ["exact", "classic"])
@pytest.mark.parametrize("shape", [(6, 5), (5, 5), (7, 6)], ids=str)
def test_labels_of_another_shape_than_the_picture_are_refused(shape, method):
    stack = ViewStack(("a", "b"), torch.randn(2, 3, 5, 6).log_softmax(1))
    with pytest.raises(ValueError, match=r"shape|size"):
        fit([stack], [np.zeros(shape, int)], method)


@pytest.mark.parametrize("counts", [(2, 1), (1, 2)], ids=str)
def test_a_picture_without_labels_is_refused(counts):
    stack = ViewStack(("a", "b"), torch.randn(2, 3, 9).log_softmax(1))
    with pytest.raises(ValueError, match=r"shorter|longer"):
        fit([stack] * counts[0], [np.zeros(9, int)] * counts[1])


# Every method and form


FORMS = [
    (method, per_class, pool)
    for method, record in METHODS.items()
    for per_class in (False, True)
    for pool in POOLS
    if record.any_form or (not per_class and pool == "linear")
]
forms = pytest.mark.parametrize(("method", "per_class", "pool"), FORMS)


@forms
def test_the_weights_are_on_the_simplex_and_their_likelihood_is_that_of_a_loop(
    method, per_class, pool
):
    answers = answers_of(*planted([0.6, 0.3, 0.1], 120), pictures=3)
    steps = list(fit_steps(answers, method, per_class=per_class, pool=pool))
    for now in steps:
        assert now.weights.shape == ((3, 3) if per_class else (3,))
        assert (now.weights >= 0).all(), now.weights
        np.testing.assert_allclose(now.weights.sum(0), 1, atol=1e-6)
    for now in (steps[0], steps[-1]):
        wanted = slow_log_likelihood(answers, now.weights, pool)
        assert now.history[-1] == pytest.approx(wanted, abs=1e-5)
    done = steps[-1]
    np.testing.assert_allclose(steps[0].weights, 1 / 3, atol=1e-6)
    assert done.history[-1] > done.history[0]
    assert (done.method, done.pixels, done.shrink) == (method, 120, 0)
    assert (done.gap is None) == (per_class or pool == "log")


@forms
def test_the_steps_grow_to_the_whole_history(method, per_class, pool):
    answers = answers_of(*planted([0.6, 0.3, 0.1], 60), pictures=3)
    *steps, done = fit_steps(answers, method, per_class=per_class, pool=pool)
    for count, now in enumerate(steps, 1):
        assert now.history == done.history[:count]
        assert now.gap is None
    assert len(done.history) == len(steps)
    np.testing.assert_array_equal(done.weights, steps[-1].weights)


@forms
def test_permuting_views_permutes_the_weights_of_every_form(method, per_class, pool):
    probs, labels = planted(PLANTED, 150)
    order = [2, 0, 3, 1]
    options = {"method": method, "per_class": per_class, "pool": pool}
    one = last(answers_of(probs, labels, 3), **options)
    other = last(answers_of(probs[order], labels, 3), **options)
    np.testing.assert_allclose(other.weights, one.weights[order], atol=2e-3)


@forms
def test_fit_is_the_last_step(method, per_class, pool):
    stacks, labels = gallery(*planted([0.6, 0.3, 0.1], 90), pictures=3)
    options = {"method": method, "per_class": per_class, "pool": pool, "shrink": 0.3}
    whole = Answers.of(zip(stacks, labels, strict=True), whole=True)
    got, wanted = fit(stacks, labels, **options), last(whole, **options)
    # rounding may end adam a step earlier
    np.testing.assert_allclose(got.weights, wanted.weights, atol=1e-3)
    assert got.history[-1] == pytest.approx(wanted.history[-1], abs=1e-6)
    assert got.pixels == wanted.pixels == 90


@forms
def test_stopping_ends_early_and_still_completes_the_fit(method, per_class, pool):
    answers = answers_of(*planted(PLANTED, 400), pictures=4)
    options = {"method": method, "per_class": per_class, "pool": pool}
    asked = []

    def stopped():
        asked.append(1)
        return len(asked) >= 3

    done = last(answers, stopped=stopped, shrink=0.5, **options)
    assert len(done.history) == 3 < len(last(answers, **options).history)
    assert (done.gap is None) == (per_class or pool == "log")
    assert done.shrink == 0.5
    np.testing.assert_allclose(done.weights, done.found / 2 + 0.5 / 4)


def test_stopping_at_once_gives_even_weights_and_their_gap():
    answers = answers_of(*planted(PLANTED, 400))
    done = last(answers, shrink=None, stopped=lambda: True)
    np.testing.assert_array_equal(done.weights, np.full(4, 0.25))
    assert last(answers).history[-1] - done.history[-1] <= done.gap
    assert done.shrink == 0


@methods
def test_the_gap_bounds_the_distance_to_the_best(method):
    answers = answers_of(*planted(PLANTED, 400), pictures=4)
    best = last(answers).history[-1]
    done = last(answers, method)
    assert best - done.history[-1] <= done.gap + 1e-6


def test_the_exact_fit_is_certified():
    done = last(answers_of(*planted(PLANTED, 2000)))
    assert 0 <= done.gap <= 1e-6
    assert (np.diff(done.history) >= 0).all()


def test_planted_weights_are_recovered():
    stacks, labels = gallery(*planted(PLANTED, 60_000), pictures=3)
    np.testing.assert_allclose(fit(stacks, labels).weights, PLANTED, atol=0.02)


def test_the_exact_weights_are_the_same_with_all_classes_at_hand():
    stacks, labels = gallery(*planted(PLANTED, 900), pictures=3)
    one, other = (
        last(Answers.of(zip(stacks, labels, strict=True), whole, pixels=200))
        for whole in (False, True)
    )
    np.testing.assert_allclose(one.weights, other.weights, atol=1e-12)
    assert one.pixels == other.pixels == 600


ADAM = {
    "a view without weight": (PLANTED, 500),
    "many pixels": (PLANTED, 4000),
    "even": (np.full(5, 0.2), 500),
    "two views": (np.array([0.7, 0.3]), 500),
    "three views": (np.array([0.5, 0.3, 0.2]), 1000),
}


@pytest.mark.parametrize(("weights", "pixels"), ADAM.values(), ids=ADAM.keys())
def test_adam_reaches_the_exact_fit(weights, pixels):
    answers = answers_of(*planted(weights, pixels))
    exact, adam = last(answers), last(answers, "adam")
    assert adam.history[-1] == pytest.approx(exact.history[-1], abs=1e-5), adam
    np.testing.assert_allclose(adam.weights, exact.weights, atol=0.01)


def test_adam_reaches_at_least_the_exact_likelihood_with_weights_per_class():
    answers = answers_of(*planted(PLANTED_BY_CLASS, 4000))
    exact, adam = last(answers), last(answers, "adam", per_class=True)
    assert adam.history[-1] > exact.history[-1] + 0.01
    np.testing.assert_allclose(adam.weights, PLANTED_BY_CLASS, atol=0.06)


def test_adam_with_the_log_pool_agrees_with_trying_every_weight():
    rng = np.random.default_rng(3)
    probs = rng.dirichlet(np.full(3, 0.7), (2, 600)).clip(1e-6)
    grid = np.linspace(0, 1, 501)[:, None, None]
    pooled = probs[0] ** grid * probs[1] ** (1 - grid)
    pooled /= pooled.sum(2, keepdims=True)
    labels = (rng.random((600, 1)) > pooled[320].cumsum(1)).sum(1)  # planted 0.64
    values = np.log(pooled[:, np.arange(600), labels]).mean(1)
    answers = answers_of((probs / probs.sum(2, keepdims=True)).transpose(0, 2, 1), labels)
    adam = last(answers, "adam", pool="log")
    assert adam.history[-1] == pytest.approx(values.max(), abs=1e-4)
    assert adam.weights[0] == pytest.approx(grid[values.argmax()].item(), abs=0.02)


@pytest.mark.parametrize(
    ("per_class", "pool"), [(True, "linear"), (False, "log"), (True, "log")], ids=str
)
def test_the_exact_method_refuses_forms_without_a_certificate(per_class, pool):
    stacks, labels = gallery(*planted(PLANTED, 30))
    with pytest.raises(ValueError, match=r"exact.*adam"):
        fit(stacks, labels, per_class=per_class, pool=pool)


@pytest.mark.parametrize("options", [{"method": "magic"}, {"method": "adam", "pool": "magic"}])
def test_an_unknown_method_or_pool_is_refused_by_name(options):
    stacks, labels = gallery(*planted(PLANTED, 30))
    with pytest.raises(ValueError, match="magic"):
        fit(stacks, labels, **options)


# The classic method


@pytest.mark.parametrize(("classes", "cost"), [(3, 0.551), (2, 0.313)])
def test_a_perfect_answer_costs_something_in_the_classic_loss_alone(classes, cost):
    truth = torch.arange(classes)[None]
    fused = LearnableTTA(2)(torch.eye(classes)[None, None].expand(2, 1, -1, -1))
    assert F.cross_entropy(fused, truth).item() == pytest.approx(cost, abs=5e-4)
    assert F.nll_loss(fused.log(), truth).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_the_classic_method_is_at_best_as_likely_as_the_exact_one(seed):
    answers = answers_of(*planted(PLANTED, 600, seed=seed), pictures=4)
    exact, classic = last(answers), last(answers, "classic")
    assert classic.history[0] < classic.history[-1] <= exact.history[-1] + 1e-6


def test_confident_mistakes_hardly_count_for_the_classic_method():
    right = np.arange(400) % 10 > 0
    often_sure = np.where(right, 0.99, 1e-6)  # of higher mean, and lost on 10 % of the pixels
    truth = np.stack([often_sure, np.full(400, 0.8)])
    answers = answers_of(np.stack([truth, 1 - truth], 1), np.zeros(400, int), pictures=8)
    assert last(answers, "classic").weights[0] > 0.55
    assert last(answers).weights[0] < 0.5


# Shrinking


@pytest.mark.parametrize("shrink", [0, 0.1, 0.25, 0.5, 0.9, 1])
@pytest.mark.parametrize("seed", range(3))
def test_the_exact_fit_is_never_worse_than_even_on_its_own_pixels(seed, shrink):
    answers = answers_of(*planted(np.full(5, 0.2), 100, seed=seed), pictures=2)
    done = last(answers, shrink=shrink)
    here = slow_log_likelihood(answers, done.weights)
    assert here >= slow_log_likelihood(answers, np.full(5, 0.2)) - 1e-12
    assert done.shrink == shrink


@forms
def test_shrinking_all_the_way_is_even_and_the_fit_as_found_is_kept(method, per_class, pool):
    answers = answers_of(*planted(PLANTED, 150), pictures=3)
    options = {"method": method, "per_class": per_class, "pool": pool}
    done, plain = last(answers, shrink=1, **options), last(answers, **options)
    np.testing.assert_allclose(done.weights, 0.25, atol=1e-12)
    np.testing.assert_array_equal(done.found, plain.weights)
    assert done.gap == plain.gap
    assert done.history == plain.history


@pytest.mark.parametrize("shrink", [-0.1, 1.1, float("nan")])
def test_a_shrink_outside_of_0_to_1_is_refused(shrink):
    with pytest.raises(ValueError, match="shrink"):
        last(answers_of(*planted(PLANTED, 30)), shrink=shrink)


def moody(seed, pictures=6, views=10, pixels=100):
    """True-class answers `(V, n)` a picture; all its pixels share one random bias of each view.

    The views are exchangeable: which is best differs from picture to picture by chance.
    """
    rng = np.random.default_rng(seed)
    moods = rng.normal(1, 0.6, (pictures, views, 1))
    return 1 / (1 + np.exp(-moods - rng.normal(0, 1.5, (pictures, views, pixels))))


def of_true_class(pictures):
    labels = tuple(np.zeros(one.shape[1], int) for one in pictures)
    return Answers(tuple(one[:, None].astype(np.float32) for one in pictures), labels)


def chosen(pictures):
    return last(of_true_class(pictures), shrink=None).shrink


def dealt_anew(pictures, seed):
    """The same pixels, shared out over the pictures at random."""
    count, views, pixels = pictures.shape
    order = np.random.default_rng(seed).permutation(count * pixels)
    together = pictures.transpose(1, 0, 2).reshape(views, -1)[:, order]
    return together.reshape(views, count, pixels).transpose(1, 0, 2)


def test_cross_validation_shrinks_exchangeable_views_far_because_it_holds_out_whole_pictures():
    by_picture = [chosen(moody(seed)) for seed in range(20)]
    by_pixel = [chosen(dealt_anew(moody(seed), seed)) for seed in range(20)]
    assert np.mean(by_picture) > 0.6, by_picture
    # Were pixels held out instead of pictures, it would take moods for merit.
    assert np.mean(by_pixel) < 0.2, by_pixel


@pytest.mark.parametrize("seed", range(4))
def test_cross_validation_hardly_shrinks_where_one_view_is_truly_better(seed):
    pictures = moody(seed)
    pictures[:, 0] **= 0.3
    assert chosen(pictures) <= 0.1


@pytest.mark.parametrize("pictures", [2, 4, 5])
@pytest.mark.parametrize("seed", range(3))
def test_the_chosen_shrink_is_the_best_when_leaving_out_each_picture_in_turn(seed, pictures):
    data = moody(seed, pictures)
    shrinks = np.linspace(0, 1, 11)
    values = np.zeros(11)
    for out in range(pictures):
        rest = np.concatenate([data[i] for i in range(pictures) if i != out], 1)
        *_, (weights, _) = ascend(rest)
        values += [np.log(((1 - s) * weights + s / 10) @ data[out]).mean() for s in shrinks]
    got = chosen(data)
    assert values[np.abs(shrinks - got).argmin()] == pytest.approx(values.max(), abs=1e-4)


def test_a_chosen_shrink_is_applied_and_the_certificate_stays_with_the_weights_as_found():
    answers = of_true_class(moody(0))
    done = last(answers, shrink=None)
    assert done.shrink > 0
    np.testing.assert_allclose(
        done.weights, (1 - done.shrink) * done.found + done.shrink / 10, atol=1e-12
    )
    assert done.gap <= 1e-6


def test_choosing_the_shrink_needs_2_pictures():
    stacks, labels = gallery(*planted(PLANTED, 30))
    with pytest.raises(ValueError, match="needs 2"):
        fit(stacks, labels, shrink=None)
    assert fit(*gallery(*planted(PLANTED, 30), pictures=2), shrink=None).shrink >= 0


def test_a_picture_without_a_pixel_does_not_change_the_shrink():
    pictures = list(moody(0, 4))
    wanted = chosen(pictures)
    assert wanted > 0
    assert chosen([*pictures, np.zeros((10, 0))]) == wanted


@forms
def test_the_shrink_can_be_chosen_for_every_form(method, per_class, pool):
    answers = answers_of(*planted([0.9, 0.05, 0.05], 120), pictures=3)
    done = last(answers, method, None, per_class, pool)
    assert 0 <= done.shrink <= 1
    found = slow_log_likelihood(answers, done.weights, pool)
    assert found >= slow_log_likelihood(answers, np.full(3, 1 / 3), pool) - 1e-6
