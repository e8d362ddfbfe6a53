from math import log

import numpy as np
import pytest
import torch

from tta_demo.tta.fusion import FUSIONS, POOLS, Weights, fuse
from tta_demo.tta.predict import ViewStack

SHAPE = (4, 3, 5, 6)  # views, classes, height, width
WEIGHTS = torch.tensor([0.4, 0.3, 0.2, 0.1])

SEVERAL = [name for name in FUSIONS if name != "none"]
every = pytest.mark.parametrize("fusion", SEVERAL)
coverage = pytest.mark.parametrize("covered", [True, False], ids=["all-seen", "parts-seen"])
EVEN = [name for name in SEVERAL if not FUSIONS[name].weighted]


def make_stack(shape=SHAPE, covered=True, seed=0):
    """Random answers; the original view is in the middle, so that its place is no accident."""
    generator = torch.Generator().manual_seed(seed)
    log_probs = (2 * torch.randn(shape, generator=generator)).log_softmax(1)
    views = [f"view{i}" for i in range(shape[0])]
    views[shape[0] // 2] = "identity"
    seen = None
    if not covered:
        seen = torch.rand(shape[0], *shape[2:], generator=generator) < 0.5
        for count in range(shape[0] + 1):  # a pixel that none, one, two, ... all views saw
            seen[:, 0, count] = torch.arange(shape[0]) < count
    return ViewStack(tuple(views), log_probs, seen)


def weights_for(fusion, weights=WEIGHTS):
    return Weights(weights) if FUSIONS[fusion].weighted else None


def permuted(stack, order):
    seen = None if stack.seen is None else stack.seen[order]
    return ViewStack(tuple(stack.views[i] for i in order), stack.log_probs[order], seen)


def pixels(stack, fused):
    """Yields each pixel's answers by the views that saw it, `(n, C)`, and the fused one `(C,)`."""
    for y, x in np.ndindex(stack.log_probs.shape[2:]):
        probs = stack.log_probs[..., y, x].double().exp().numpy()
        seen = np.s_[:] if stack.seen is None else stack.seen[:, y, x].numpy()
        yield probs[seen], fused[:, y, x].numpy()


# Laws of every fusion


@coverage
@every
def test_the_result_is_a_distribution(fusion, covered):
    fused = fuse(make_stack(covered=covered), fusion, weights_for(fusion))
    assert fused.shape == SHAPE[1:]
    assert fused.dtype == torch.float32
    assert fused.min() >= 0
    torch.testing.assert_close(fused.sum(0), torch.ones(SHAPE[2:]))


@coverage
@every
def test_the_order_of_views_does_not_matter(fusion, covered):
    stack = make_stack(covered=covered)
    wanted = fuse(stack, fusion, weights_for(fusion))
    for order in ([3, 2, 1, 0], [1, 3, 0, 2]):
        fused = fuse(permuted(stack, order), fusion, weights_for(fusion, WEIGHTS[order]))
        torch.testing.assert_close(fused, wanted, atol=1e-6, rtol=0)


@pytest.mark.parametrize("copies", [1, 2, 3, 4])
@coverage
@every
def test_copies_of_one_view_give_that_view(fusion, covered, copies):
    stack = make_stack(covered=covered)
    same = permuted(stack, [2] * copies)
    fused = fuse(same, fusion, weights_for(fusion, WEIGHTS[:copies] / WEIGHTS[:copies].sum()))
    seen = torch.ones(SHAPE[2:], dtype=torch.bool) if stack.seen is None else stack.seen[2]
    view = stack.log_probs[2].exp()
    if fusion == "vote":
        assert torch.equal(fused.argmax(0)[seen], view.argmax(0)[seen])
    else:
        torch.testing.assert_close(fused[:, seen], view[:, seen], atol=1e-6, rtol=0)


@every
def test_classification_is_segmentation_of_one_pixel(fusion):
    stack = make_stack((4, 3, 1, 1))
    answers = ViewStack(stack.views, stack.log_probs[..., 0, 0])
    fused = fuse(answers, fusion, weights_for(fusion))
    assert fused.shape == (3,)
    torch.testing.assert_close(fused, fuse(stack, fusion, weights_for(fusion))[:, 0, 0])


@every
def test_views_that_all_saw_everything_need_no_mask(fusion):
    stack = make_stack()
    masked = ViewStack(stack.views, stack.log_probs, torch.ones(4, 5, 6, dtype=torch.bool))
    torch.testing.assert_close(
        fuse(masked, fusion, weights_for(fusion)), fuse(stack, fusion, weights_for(fusion))
    )


@pytest.mark.parametrize("fusion", [*EVEN, "learned"])
def test_a_pixel_that_one_view_saw_gets_its_answer(fusion):
    stack = make_stack(covered=False)
    fused = fuse(stack, fusion, weights_for(fusion))
    alone = 0
    for probs, got in pixels(stack, fused):
        if len(probs) == 1:
            alone += 1
            if fusion == "vote":
                assert got.argmax() == probs[0].argmax()
            else:
                np.testing.assert_allclose(got, probs[0], atol=1e-6)
    assert alone > 0


@every
def test_a_pixel_that_no_view_saw_could_be_anything(fusion):
    stack = make_stack(covered=False)
    fused = fuse(stack, fusion, weights_for(fusion))
    unseen = ~stack.seen.any(0)
    assert unseen.any()
    torch.testing.assert_close(fused[:, unseen], torch.full((3, int(unseen.sum())), 1 / 3))


@coverage
@every
def test_float16_answers_fuse_as_float32_ones(fusion, covered):
    stack = make_stack(covered=covered)
    half = ViewStack(stack.views, stack.log_probs.half(), stack.seen)
    fused = fuse(half, fusion, weights_for(fusion))
    torch.testing.assert_close(fused, fuse(stack, fusion, weights_for(fusion)), atol=5e-3, rtol=0)


@coverage
@every
def test_fusing_changes_nothing_in_the_stack(fusion, covered):
    stack = make_stack(covered=covered)
    before = stack.log_probs.clone()
    first = fuse(stack, fusion, weights_for(fusion))
    assert torch.equal(fuse(stack, fusion, weights_for(fusion)), first)
    assert torch.equal(stack.log_probs, before)


# Slow references, one pixel at a time: from the answers (n, C) of the views that saw it


def normalised(scores):
    return scores / scores.sum()


def by_confidence(probs):
    trust = [1 + (p * np.log(p)).sum() / log(len(p)) for p in probs]
    return normalised(sum(t * p for t, p in zip(trust, probs, strict=True)))


REFERENCES = {
    "mean": lambda probs: np.mean(probs, axis=0),
    "gmean": lambda probs: normalised(np.prod(probs, axis=0) ** (1 / len(probs))),
    "max": lambda probs: normalised(np.max(probs, axis=0)),
    "median": lambda probs: normalised(np.median(probs, axis=0)),
    "confidence": by_confidence,
}


@pytest.mark.parametrize("views", [1, 2, 3, 4, 5, 8, 15])
@coverage
@pytest.mark.parametrize("fusion", REFERENCES)
def test_a_fusion_equals_its_slow_reference(fusion, covered, views):
    stack = make_stack((views, 4, 16, 17))
    if not covered:
        seen = torch.rand(views, 16, 17) < 0.6
        stack = ViewStack(stack.views, stack.log_probs, seen)
    for probs, got in pixels(stack, fuse(stack, fusion)):
        if len(probs):
            np.testing.assert_allclose(got, REFERENCES[fusion](probs), atol=2e-6)


def elected(probs):
    """The class with most votes; among those with as many, the one of highest mean."""
    votes = np.bincount(probs.argmax(1), minlength=probs.shape[1])
    leaders = np.flatnonzero(votes == votes.max())
    return votes, leaders, leaders[probs.mean(0)[leaders].argmax()]


@pytest.mark.parametrize("views", [2, 3, 4, 6, 15])
@coverage
def test_the_vote_elects_the_majority_and_breaks_ties_by_mean_probability(covered, views):
    stack = make_stack((views, 4, 16, 17))
    if not covered:
        seen = torch.rand(views, 16, 17) < 0.6
        stack = ViewStack(stack.views, stack.log_probs, seen)
    ties = 0
    for probs, got in pixels(stack, fuse(stack, "vote")):
        if len(probs):
            votes, leaders, winner = elected(probs)
            ties += len(leaders) > 1
            assert got.argmax() == winner, f"votes {votes}, mean {probs.mean(0)}, got {got}"
            assert abs(got - votes / len(probs)).max() <= 0.5 / len(probs), (votes, got)
    assert ties > 0


def test_a_sure_view_gains_most_from_confidence_and_an_unsure_one_nothing():
    answers = torch.tensor([[0.98, 0.01, 0.01], [1 / 3, 1 / 3, 1 / 3]])
    fused = fuse(ViewStack(("identity", "hflip"), answers.log()), "confidence")
    torch.testing.assert_close(fused, answers[0], atol=1e-5, rtol=0)


@coverage
def test_no_fusion_is_the_answer_of_the_one_view_taken_wherever_it_stands(covered):
    stack = make_stack(covered=covered)
    fused = fuse(stack.take(("identity",)), "none")
    seen = torch.ones(SHAPE[2:], dtype=torch.bool) if covered else stack.seen[2]
    torch.testing.assert_close(fused[:, seen], stack.log_probs[2].exp()[:, seen])
    torch.testing.assert_close(fused.sum(0), torch.ones(SHAPE[2:]))


@pytest.mark.parametrize("order", [[0, 1], [2, 3, 0, 1]], ids=str)
def test_no_fusion_of_several_views_is_refused(order):
    with pytest.raises(ValueError, match="one view"):
        fuse(permuted(make_stack(), order), "none")


@coverage
def test_a_part_of_a_stack_has_its_views_in_the_order_asked_for(covered):
    stack = make_stack(covered=covered)
    part = stack.take(("view3", "view0"))
    assert part.views == ("view3", "view0")
    assert torch.equal(part.log_probs, stack.log_probs[[3, 0]])
    assert covered or torch.equal(part.seen, stack.seen[[3, 0]])
    for wrong in (("view9",), ("view0", "view0"), ()):
        with pytest.raises(ValueError, match="view"):
            stack.take(wrong)


# Weights


@pytest.mark.parametrize("index", range(4))
@coverage
def test_all_weight_on_one_view_gives_that_view(covered, index):
    stack = make_stack(covered=covered)
    fused = fuse(stack, "learned", Weights(torch.eye(4)[index]))
    seen = torch.ones(SHAPE[2:], dtype=torch.bool) if covered else stack.seen[index]
    torch.testing.assert_close(fused[:, seen], stack.log_probs[index].exp()[:, seen])


@coverage
def test_even_weights_give_the_mean(covered):
    stack = make_stack(covered=covered)
    even = Weights(torch.full((4,), 0.25))
    torch.testing.assert_close(fuse(stack, "learned", even), fuse(stack, "mean"))


def test_weights_are_scaled_up_over_the_views_that_saw_a_pixel():
    stack = make_stack(covered=False)
    fused = fuse(stack, "learned", Weights(WEIGHTS))
    for y, x in np.ndindex(5, 6):
        seen = stack.seen[:, y, x].numpy()
        if seen.any():
            probs = stack.log_probs[:, :, y, x].exp().numpy()[seen]
            wanted = np.average(probs, axis=0, weights=WEIGHTS.numpy()[seen])
            np.testing.assert_allclose(fused[:, y, x].numpy(), wanted, atol=1e-6)


@pytest.mark.parametrize(
    "weights",
    [
        [0.5, 0.5],
        [0.2, 0.2, 0.2, 0.2, 0.2],
        [[0.25, 0.25, 0.25, 0.25]],
        [0.5, 0.5, 0.5, -0.5],
        [0.1, 0.1, 0.1, 0.1],
        [0.0, 0.0, 0.0, 0.0],
        [float("nan"), 0.5, 0.5, 0.0],
        [float("inf"), 0.0, 0.0, 0.0],
    ],
    ids=str,
)
def test_weights_that_are_not_on_the_simplex_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        fuse(make_stack(), "learned", Weights(torch.tensor(weights)))


def test_learned_fusion_needs_weights():
    with pytest.raises(ValueError, match="learned"):
        fuse(make_stack(), "learned")


@pytest.mark.parametrize("fusion", [*EVEN, "none"])
def test_weights_for_a_fusion_that_has_none_are_refused(fusion):
    with pytest.raises(ValueError, match=fusion):
        fuse(make_stack(), fusion, Weights(WEIGHTS))


def test_an_unknown_fusion_is_refused():
    with pytest.raises(ValueError, match="average"):
        fuse(make_stack(), "average")


@pytest.mark.parametrize("weights", [[0.5, 0.5], np.array([0.5, 0.5]), torch.tensor([0.5, 0.5])])
def test_weights_come_from_any_array(weights):
    assert torch.equal(Weights(weights).values, torch.tensor([0.5, 0.5]))


def test_an_unknown_pool_is_refused():
    with pytest.raises(ValueError, match="cube"):
        Weights([1.0], "cube")


# Weights per class, and the log pool


def class_weights(views=4, classes=3, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return (1.5 * torch.randn(views, classes, generator=generator)).softmax(0)


def pooled_slowly(probs, weights, pool):
    """One pixel's answer `(C,)` from those `(n, C)` of the views that saw it."""
    scores = []
    for c in range(probs.shape[1]):
        share = weights[:, c] if weights.ndim > 1 else weights
        share = share / share.sum()
        if pool == "linear":
            scores.append(sum(share * probs[:, c]))
        else:
            scores.append(np.prod(probs[:, c] ** share))
    return normalised(np.array(scores))


both_pools = pytest.mark.parametrize("pool", POOLS)
both_forms = pytest.mark.parametrize("weights", [WEIGHTS, class_weights()], ids=["view", "class"])


@coverage
@both_pools
@both_forms
def test_learned_fusion_equals_a_loop_over_pixels_and_classes(weights, pool, covered):
    stack = make_stack(covered=covered)
    fused = fuse(stack, "learned", Weights(weights, pool))
    assert fused.shape == SHAPE[1:]
    torch.testing.assert_close(fused.sum(0), torch.ones(SHAPE[2:]))
    for y, x in np.ndindex(SHAPE[2:]):
        seen = np.s_[:] if covered else stack.seen[:, y, x].numpy()
        probs = stack.log_probs[:, :, y, x].double().exp().numpy()[seen]
        if len(probs):
            wanted = pooled_slowly(probs, weights.double().numpy()[seen], pool)
        else:
            wanted = np.full(3, 1 / 3)
        np.testing.assert_allclose(fused[:, y, x], wanted, atol=2e-6)


@coverage
def test_weights_of_logits_need_no_sum(covered):
    stack, weights = make_stack(covered=covered), 3 * class_weights() * torch.tensor([0.2, 1, 2])
    fused = fuse(stack, "learned", Weights(weights, "logits"))
    for y, x in np.ndindex(SHAPE[2:]):
        seen = np.s_[:] if covered else stack.seen[:, y, x].numpy()
        if not stack.log_probs[:, 0, y, x][seen].numel():
            continue
        # the views that see it weigh as much as all of them
        here = weights[seen] / weights[seen].sum(0) * weights.sum(0)
        wanted = (here * stack.log_probs[:, :, y, x].float()[seen]).sum(0).softmax(0)
        np.testing.assert_allclose(fused[:, y, x], wanted, atol=2e-6)
    alone = Weights(3 * weights[:, 0], "logits")
    assert fuse(stack, "learned", alone).isfinite().all()


@coverage
@both_pools
def test_equal_weights_for_all_classes_are_weights_per_view(pool, covered):
    stack = make_stack(covered=covered)
    by_class = fuse(stack, "learned", Weights(WEIGHTS[:, None].repeat(1, 3), pool))
    torch.testing.assert_close(by_class, fuse(stack, "learned", Weights(WEIGHTS, pool)))


@coverage
@pytest.mark.parametrize("shape", [(4,), (4, 3)], ids=["view", "class"])
def test_even_weights_in_the_log_pool_are_the_average_of_logits(shape, covered):
    stack = make_stack(covered=covered)
    even = fuse(stack, "learned", Weights(torch.full(shape, 0.25), "log"))
    torch.testing.assert_close(even, fuse(stack, "gmean"))


@coverage
@both_pools
@both_forms
def test_permuting_views_with_their_weights_changes_nothing(weights, pool, covered):
    stack, order = make_stack(covered=covered), [1, 3, 0, 2]
    fused = fuse(permuted(stack, order), "learned", Weights(weights[order], pool))
    torch.testing.assert_close(
        fused, fuse(stack, "learned", Weights(weights, pool)), atol=1e-6, rtol=0
    )


@both_pools
def test_permuting_classes_with_their_weights_permutes_the_answer(pool):
    stack, weights, order = make_stack(covered=False), class_weights(), [2, 0, 1]
    other = ViewStack(stack.views, stack.log_probs[:, order], stack.seen)
    fused = fuse(stack, "learned", Weights(weights, pool))
    torch.testing.assert_close(
        fuse(other, "learned", Weights(weights[:, order], pool)), fused[order]
    )


@both_pools
@both_forms
def test_a_classification_stack_is_one_pixel_for_every_form(weights, pool):
    stack = make_stack((4, 3, 1, 1))
    answers = ViewStack(stack.views, stack.log_probs[..., 0, 0])
    fused = fuse(answers, "learned", Weights(weights, pool))
    torch.testing.assert_close(fused, fuse(stack, "learned", Weights(weights, pool))[:, 0, 0])


def test_the_log_pool_weighs_logits_only_if_each_view_has_one_weight():
    logits = 2 * torch.randn(SHAPE) + 4
    stack = ViewStack(("a", "b", "c", "d"), logits.log_softmax(1))
    for weights, same in ((WEIGHTS[:, None], True), (class_weights(), False)):
        weighed = (weights[..., None, None] * logits).sum(0).softmax(0)
        used = weights[:, 0] if same else weights
        distance = (fuse(stack, "learned", Weights(used, "log")) - weighed).abs().max()
        assert (distance < 1e-5) == same, distance


@pytest.mark.parametrize("index", range(4))
@both_pools
def test_all_weight_of_every_class_on_one_view_gives_that_view(pool, index):
    stack = make_stack()
    fused = fuse(stack, "learned", Weights(torch.eye(4)[index][:, None].repeat(1, 3), pool))
    torch.testing.assert_close(fused, stack.log_probs[index].exp())


@both_pools
def test_a_class_that_no_seeing_view_has_a_weight_for_does_not_win(pool):
    answers = torch.tensor([[0.1, 0.8, 0.1], [0.1, 0.8, 0.1]])[..., None].log()
    stack = ViewStack(("a", "b"), answers, torch.tensor([[False], [True]]))
    weights = torch.tensor([[1.0, 0.5, 0.5], [0.0, 0.5, 0.5]])
    fused = fuse(stack, "learned", Weights(weights, pool))
    assert fused[:, 0].argmax() == 1, fused


@pytest.mark.parametrize(
    "weights",
    [
        class_weights(4, 2),
        class_weights(3, 4),
        class_weights(4, 3).T,
        2 * class_weights(4, 3),
        torch.tensor([[0.5, 0.5, 0.5]] * 3 + [[-0.5, -0.5, -0.5]]),
        torch.tensor([[0.25, 0.25, 0.3]] * 4),
        class_weights(4, 3)[..., None],
        torch.full((4, 3), float("nan")),
    ],
    ids=["classes", "views", "turned", "sum 2", "negative", "one class", "cube", "nan"],
)
def test_class_weights_that_are_not_on_the_simplex_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        fuse(make_stack(), "learned", Weights(weights))
