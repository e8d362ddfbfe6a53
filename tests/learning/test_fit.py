import weakref

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from planted import (
    PLANTED,
    PLANTED_BY_CLASS,
    answers_of,
    gallery,
    last,
    planted,
    slow_log_likelihood,
    slow_pool,
)

from tta_demo.learning.answers import Answers
from tta_demo.learning.fit import fit, fit_steps
from tta_demo.learning.fit_methods import METHODS, needs_all_classes
from tta_demo.learning.module import Form, LearnableTTA
from tta_demo.learning.solver import ascend
from tta_demo.tta.crops import CROP_SETS
from tta_demo.tta.fusion import Weights, fuse
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import ViewStack

methods = pytest.mark.parametrize("method", METHODS)


# What a fit is made from


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
    wanted = fit(*gallery(probs[..., everywhere], labels[everywhere], 2))
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


FORMS = [Form(per_class, pool) for per_class in (False, True) for pool in ("linear", "log")]
FITTED = {
    f"{method}-{'class' if form.per_class else 'view'}-{form.pool}": (method, form)
    for method, record in METHODS.items()
    for form in FORMS
    if record.any_form or form == Form()
}
forms = pytest.mark.parametrize(("method", "form"), FITTED.values(), ids=FITTED.keys())


@forms
def test_the_weights_are_on_the_simplex_and_their_likelihood_is_that_of_a_loop(method, form):
    answers = answers_of(*planted([0.6, 0.3, 0.1], 120), pictures=3)
    steps = list(fit_steps(answers, method, form=form, prior=0))
    for now in steps:
        assert now.weights.shape == ((3, 3) if form.per_class else (3,))
        assert (now.weights >= 0).all(), now.weights
        np.testing.assert_allclose(now.weights.sum(0), 1, atol=1e-6)
    for now in (steps[0], steps[-1]):
        wanted = slow_log_likelihood(answers, now.weights, now.form.pool)
        assert now.history[-1] == pytest.approx(wanted, abs=1e-5)
    done = steps[-1]
    np.testing.assert_allclose(steps[0].weights, 1 / 3, atol=1e-6)
    assert done.history[-1] > done.history[0]
    assert (done.method, done.pixels, done.prior) == (method, 120, 0)
    assert (done.gap is None) == (done.form != Form())


@forms
def test_the_steps_grow_to_the_whole_history(method, form):
    answers = answers_of(*planted([0.6, 0.3, 0.1], 600), pictures=3)
    *steps, done = fit_steps(answers, method, form=form)
    assert len(steps) > 1
    for count, now in enumerate(steps, 1):
        assert now.history == done.history[:count]
        assert now.gap is None
    assert len(done.history) == len(steps)
    np.testing.assert_array_equal(done.weights, steps[-1].weights)


@forms
def test_permuting_views_permutes_the_weights_of_every_form(method, form):
    probs, labels = planted(PLANTED, 150)
    order = [2, 0, 3, 1]
    options = {"method": method, "form": form}
    one = last(answers_of(probs, labels, 3), **options)
    other = last(answers_of(probs[order], labels, 3), **options)
    np.testing.assert_allclose(other.weights, one.weights[order], atol=2e-3)


@forms
def test_fit_is_the_last_step(method, form):
    stacks, labels = gallery(*planted([0.6, 0.3, 0.1], 90), pictures=3)
    options = {"method": method, "form": form}
    whole = Answers.of(zip(stacks, labels, strict=True), whole=True)
    got, wanted = fit(stacks, labels, **options), last(whole, **options)
    # rounding may end adam a step earlier
    np.testing.assert_allclose(got.weights, wanted.weights, atol=1e-3)
    assert got.history[-1] == pytest.approx(wanted.history[-1], abs=1e-6)
    assert got.pixels == wanted.pixels == 90


@forms
def test_stopping_ends_early_and_still_completes_the_fit(method, form):
    answers = answers_of(*planted(PLANTED, 400), pictures=4)
    options = {"method": method, "form": form}
    asked = []

    def stopped():
        asked.append(1)
        return len(asked) >= 3

    done = last(answers, stopped=stopped, **options)
    assert len(done.history) == 3 < len(last(answers, **options).history)
    assert (done.gap is None) == (done.form != Form())


def test_stopping_at_once_gives_even_weights_and_their_gap():
    answers = answers_of(*planted(PLANTED, 400))
    done = last(answers, prior=0, stopped=lambda: True)
    np.testing.assert_array_equal(done.weights, np.full(4, 0.25))
    assert last(answers, prior=0).history[-1] - done.history[-1] <= done.gap


@pytest.mark.parametrize("method", ["exact", "adam", "classic"])
def test_the_gap_bounds_the_distance_to_the_best(method):
    answers = answers_of(*planted(PLANTED, 400), pictures=4)
    best = last(answers, prior=0).history[-1]
    done = last(answers, method, 0)
    assert best - done.history[-1] <= done.gap + 1e-6


@pytest.mark.parametrize("prior", [0, 0.5, None])
def test_the_exact_fit_is_certified(prior):
    done = last(answers_of(*planted(PLANTED, 2000)), prior=prior)
    assert 0 <= done.gap <= 1e-6
    assert min(done.history) == done.history[0]


def test_planted_weights_are_recovered():
    stacks, labels = gallery(*planted(PLANTED, 60_000), pictures=3)
    np.testing.assert_allclose(fit(stacks, labels, prior=0).weights, PLANTED, atol=0.02)


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


def objective(fitted):
    """The mean log-likelihood of one picture's pixels and that of the prior."""
    prior = fitted.prior * np.log(fitted.weights).mean() if fitted.prior else 0
    return fitted.history[-1] + prior


@pytest.mark.parametrize(("weights", "pixels"), ADAM.values(), ids=ADAM.keys())
@pytest.mark.parametrize("prior", [0, 0.2])
def test_adam_reaches_the_exact_fit(weights, pixels, prior):
    answers = answers_of(*planted(weights, pixels))
    exact, adam = last(answers, prior=prior), last(answers, "adam", prior)
    assert objective(adam) == pytest.approx(objective(exact), abs=1e-5), adam
    np.testing.assert_allclose(adam.weights, exact.weights, atol=0.01)


def test_adam_reaches_at_least_the_exact_likelihood_with_weights_per_class():
    answers = answers_of(*planted(PLANTED_BY_CLASS, 4000))
    exact, adam = last(answers, prior=0), last(answers, "adam", 0, Form(per_class=True))
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
    adam = last(answers, "adam", 0, Form(pool="log"))
    assert adam.history[-1] == pytest.approx(values.max(), abs=1e-4)
    assert adam.weights[0] == pytest.approx(grid[values.argmax()].item(), abs=0.02)


@pytest.mark.parametrize(
    "form", [Form(True, "linear"), Form(False, "log"), Form(True, "log")], ids=str
)
def test_the_exact_method_refuses_forms_without_a_certificate(form):
    stacks, labels = gallery(*planted(PLANTED, 30))
    with pytest.raises(ValueError, match=r"exact.*adam"):
        fit(stacks, labels, form=form)


def test_an_unknown_method_or_pool_is_refused_by_name():
    stacks, labels = gallery(*planted(PLANTED, 30))
    with pytest.raises(ValueError, match="magic"):
        fit(stacks, labels, "magic")
    with pytest.raises(ValueError, match="magic"):
        Form(pool="magic")


@pytest.mark.parametrize("form", FORMS, ids=str)
@methods
def test_no_step_is_taken_with_an_unknown_method_or_a_form_that_it_cannot_fit(method, form):
    answers = answers_of(*planted(PLANTED, 30))
    with pytest.raises(ValueError, match="magic"):
        next(fit_steps(answers, "magic", form=form))
    if (method, form) in FITTED.values():
        assert needs_all_classes(method, form) == (form != Form() or METHODS[method].whole)
        pool = METHODS[method].pool or form.pool
        assert next(fit_steps(answers, method, form=form)).form == Form(form.per_class, pool)
    else:
        with pytest.raises(ValueError, match=method):
            needs_all_classes(method, form)
        with pytest.raises(ValueError, match=method):
            next(fit_steps(answers, method, form=form))


# From a fit to a plan


@forms
def test_a_fit_knows_its_form_and_its_plan_fuses_with_its_weights(method, form):
    stacks, labels = gallery(*planted([0.6, 0.3, 0.1], 60), pictures=2)
    done = fit(stacks, labels, method, form=form)
    assert done.form == form or method == "shanmugam"
    plan = done.plan(stacks[0].views)
    assert (plan.views, plan.fusion) == (stacks[0].views, "learned")
    assert plan.weights.pool == done.form.pool
    np.testing.assert_allclose(plan.weights.values, done.weights, atol=1e-6)
    for stack in stacks:
        fused = plan.fuse(stack).double().numpy()
        for pixel, answer in enumerate(fused.T):
            probs = stack.probs[..., pixel].double().numpy()
            wanted = slow_pool(probs, done.weights, done.form.pool)
            np.testing.assert_allclose(answer, wanted, atol=1e-5)


# One answer a picture, as crops give it


def pictures_of(weights, pictures=6000, classes=4):
    """Stacks `(V, C)` and class ids drawn from the views' mixture with these weights."""
    probs, labels = planted(weights, pictures, classes)
    names = CROP_SETS["five-crop"][: len(weights)]
    logs = torch.from_numpy(probs).log()
    return [ViewStack(names, logs[..., i]) for i in range(pictures)], list(labels)


def test_planted_weights_are_found_on_stacks_of_one_answer_a_picture():
    found = fit(*pictures_of([0.6, 0.3, 0.1, 0.0]), prior=0)
    assert found.pixels == 6000
    assert found.gap <= 1e-6
    np.testing.assert_allclose(found.weights, [0.6, 0.3, 0.1, 0.0], atol=0.04)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_weights_of_every_form_are_learned_on_crops_and_fuse_them(form):
    stacks, labels = pictures_of([0.7, 0.2, 0.1], pictures=300)
    done = fit(stacks, labels, "exact" if form == Form() else "adam", 1, form)
    assert done.weights.shape == ((3, 4) if form.per_class else (3,))

    def loss(plan):
        pairs = zip(stacks, labels, strict=True)
        return -np.mean([plan.fuse(stack)[label].log().item() for stack, label in pairs])

    names = stacks[0].views
    even = loss(Plan(names, "mean" if form.pool == "linear" else "gmean"))
    assert loss(done.plan(names)) < even


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
    exact, classic = last(answers, prior=0), last(answers, "classic")
    assert classic.history[0] < classic.history[-1] <= exact.history[-1] + 1e-6


def test_confident_mistakes_hardly_count_for_the_classic_method():
    right = np.arange(400) % 10 > 0
    often_sure = np.where(right, 0.99, 1e-6)  # of higher mean, and lost on 10 % of the pixels
    truth = np.stack([often_sure, np.full(400, 0.8)])
    answers = answers_of(np.stack([truth, 1 - truth], 1), np.zeros(400, int), pictures=8)
    assert last(answers, "classic").weights[0] > 0.55
    assert last(answers, prior=0).weights[0] < 0.5


# The prior


@pytest.mark.parametrize("prior", [0, 0.1, 1, 10, np.inf])
@pytest.mark.parametrize("seed", range(3))
def test_the_exact_fit_is_never_worse_than_even_on_its_own_pixels(seed, prior):
    answers = answers_of(*planted(np.full(5, 0.2), 100, seed=seed), pictures=2)
    done = last(answers, prior=prior)
    here = slow_log_likelihood(answers, done.weights)
    assert here >= slow_log_likelihood(answers, np.full(5, 0.2)) - 1e-12
    assert done.prior == prior


@pytest.mark.parametrize("pictures", [1, 3, 6])
def test_the_prior_counts_as_so_many_of_the_pictures(pictures):
    answers = answers_of(*planted(PLANTED, 600), pictures)
    *_, (weights, _) = ascend(answers.true_class(), 2 / pictures)
    np.testing.assert_allclose(last(answers, prior=2).weights, weights, atol=1e-9)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_an_infinite_prior_leaves_even_weights(form):
    method = "exact" if form == Form() else "adam"
    done = last(answers_of(*planted(PLANTED, 150), pictures=3), method, np.inf, form)
    np.testing.assert_allclose(done.weights, 0.25, atol=1e-7)
    assert len(done.history) == 1
    assert done.gap == (0 if form == Form() else None)


@pytest.mark.parametrize("pool", ["linear", "log"])
def test_weights_per_class_come_nearer_to_even_as_the_prior_grows(pool):
    answers = answers_of(*planted(PLANTED_BY_CLASS, 900), pictures=3)
    fits = [last(answers, "adam", prior, Form(True, pool)) for prior in (0, 1, 30)]
    off = [np.abs(one.weights - 1 / 3).max() for one in fits]
    assert off[0] > off[1] > 2 * off[2]


@pytest.mark.parametrize("prior", [-0.1, float("nan")])
def test_a_prior_below_0_is_refused(prior):
    with pytest.raises(ValueError, match="prior"):
        last(answers_of(*planted(PLANTED, 30)), prior=prior)


def test_the_classic_method_refuses_a_prior():
    with pytest.raises(ValueError, match=r"classic.*exact"):
        last(answers_of(*planted(PLANTED, 30)), "classic", 1)


def test_what_a_fit_returns_goes_straight_into_fusion_and_plan():
    stacks, labels = gallery(*planted([0.6, 0.3, 0.1], 60), pictures=2)
    found = fit(stacks, labels)
    wanted = fuse(stacks[0], "learned", Weights(found.weights))
    for given in (found, found.weights, found.weights.tolist(), found.learned):
        assert torch.equal(fuse(stacks[0], "learned", given), wanted)
        plan = Plan(stacks[0].views, "learned", given)
        assert torch.equal(plan.fuse(stacks[0]), wanted)


# The method of Shanmugam et al.


def slow_shanmugam(answers, per_class, rounds=30):
    """SGD with momentum and decay on the cross-entropy of weighed logits, written out."""
    views, classes = answers.views, answers.classes
    weights = torch.full((views, classes if per_class else 1), 1 / views, dtype=torch.float64)
    momentum = torch.zeros_like(weights)
    for step in range(rounds * len(answers.labels)):
        place = step % len(answers.labels)
        if place % 5 == 4:
            continue
        weights.requires_grad_()
        logits = torch.from_numpy(answers.probs[place]).double().log()
        used = weights if per_class else weights / weights.sum()
        fused = torch.einsum("vc,vcn->nc", used.expand(-1, classes), logits)
        loss = F.cross_entropy(fused, torch.from_numpy(answers.labels[place]))
        (gradient,) = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            momentum = 0.9 * momentum + gradient + 1e-4 * weights
            weights = (weights - 0.01 * momentum).clamp(min=0)
    return (weights if per_class else weights / weights.sum()).numpy()


@pytest.mark.parametrize("pictures", [3, 10])
def test_shanmugams_weights_are_those_of_their_descent_written_out(pictures):
    answers = answers_of(*planted(PLANTED_BY_CLASS, 600), pictures)
    done = last(answers, "shanmugam")
    assert done.form == Form(done.weights.ndim > 1, "logits")
    wanted = slow_shanmugam(answers, done.form.per_class)
    np.testing.assert_allclose(done.weights, wanted.squeeze(), atol=1e-4)
    right = {}
    for per_class in (False, True):
        weights = np.broadcast_to(slow_shanmugam(answers, per_class), (3, 3))
        held = range(4, pictures, 5)
        right[per_class] = sum(
            (np.einsum("vc,vcn->cn", weights, np.log(answers.probs[i])).argmax(0)
             == answers.labels[i]).sum() for i in held
        )  # fmt: skip
    assert done.form.per_class == (right[True] > right[False])


def test_one_view_a_class_is_chosen_where_each_knows_a_class_and_of_few_pictures_never():
    answers = answers_of(*planted(np.array([[0.95, 0.02, 0.5], [0.05, 0.98, 0.5]]), 4000), 20)
    assert last(answers, "shanmugam").form.per_class
    assert not last(answers.take(range(4)), "shanmugam").form.per_class
