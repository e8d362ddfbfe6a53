from math import log2

import numpy as np
import pytest
import torch

from tta_demo.insight.changes import BROKEN, CHANGED, FIXED, SAME, WRONG, changes
from tta_demo.insight.doubt import doubt, entropy
from tta_demo.insight.equivariance import gaps
from tta_demo.tta.predict import ViewStack, predict_views
from tta_demo.tta.views import VIEW_SETS, VIEWS


def make_stack(views=5, classes=4, size=(6, 7), covered=True, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logs = (2 * torch.randn(views, classes, *size, generator=generator)).log_softmax(1)
    seen = None if covered else torch.rand(views, *size, generator=generator) < 0.7
    return ViewStack(("identity", *(f"view{i}" for i in range(1, views))), logs, seen)


def slow_code(before, after, truth):
    if before != truth:
        return WRONG if after != truth else FIXED
    return SAME if after == truth else BROKEN


def test_every_pixel_has_the_code_of_its_story():
    rng = np.random.default_rng(0)
    before, after, truth = rng.integers(0, 3, (3, 11, 8))
    found = changes(before, after, truth)
    for place in np.ndindex(11, 8):
        assert found.codes[place] == slow_code(before[place], after[place], truth[place])
    assert found.before == (before != truth).sum()
    assert found.before - found.after == found.count(FIXED) - found.count(BROKEN)


def test_without_a_truth_pixels_are_the_same_or_changed():
    before, after = np.random.default_rng(1).integers(0, 3, (2, 9, 5))
    found = changes(before, after)
    np.testing.assert_array_equal(found.codes == CHANGED, before != after)
    assert found.count(SAME) + found.count(CHANGED) == 45
    assert (found.before, found.after) == (None, None)


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_answers_of_other_sizes_are_refused(wrong):
    arrays = [np.zeros((3, 4), int) for _ in range(3)]
    arrays[wrong] = np.zeros((4, 3), int)
    with pytest.raises(ValueError, match="shapes"):
        changes(*arrays)


def slow_entropy(probs):
    return -sum(p * log2(p) for p in probs if p > 0)


@pytest.mark.parametrize("covered", [True, False], ids=["all-seen", "parts-seen"])
@pytest.mark.parametrize("even", [True, False], ids=["even", "weighted"])
def test_doubt_equals_a_loop_over_pixels_and_is_the_sum_of_its_parts(covered, even):
    stack = make_stack(covered=covered)
    weights = torch.full((5,), 0.2) if even else torch.tensor([0.4, 0.3, 0.1, 0.1, 0.1])
    found = doubt(stack, None if even else weights)
    for y, x in np.ndindex(6, 7):
        seen = np.ones(5, bool) if covered else stack.seen[:, y, x].numpy()
        if seen.any():
            probs = stack.log_probs[:, :, y, x].double().exp().numpy()[seen]
            share = weights.double().numpy()[seen] / weights.double().numpy()[seen].sum()
            total = slow_entropy(share @ probs)
            shared = sum(w * slow_entropy(p) for w, p in zip(share, probs, strict=True))
            assert float(found.total[y, x]) == pytest.approx(total, abs=1e-5)
            assert float(found.shared[y, x]) == pytest.approx(shared, abs=1e-5)
    torch.testing.assert_close(found.total, found.shared + found.disagreement, atol=1e-6, rtol=0)


def test_views_that_agree_do_not_contradict_each_other():
    one = make_stack(views=1)
    same = ViewStack(("identity", "b", "c"), one.log_probs.repeat(3, 1, 1, 1))
    found = doubt(same)
    torch.testing.assert_close(found.total, entropy(one.probs[0]), atol=1e-5, rtol=0)
    assert found.disagreement.max() < 1e-5


def test_the_doubt_of_no_knowledge_is_the_logarithm_of_the_number_of_classes():
    stack = ViewStack(("a",), torch.full((1, 8, 2, 2), 1 / 8).log())
    torch.testing.assert_close(doubt(stack).total, torch.full((2, 2), 3.0))


@pytest.mark.parametrize("covered", [True, False], ids=["all-seen", "parts-seen"])
def test_a_gap_is_the_mean_total_variation_over_what_both_saw(covered):
    stack = make_stack(covered=covered)
    found = gaps(stack)
    assert found["identity"] == 0
    for view, name in enumerate(stack.views):
        distances = []
        for y, x in np.ndindex(6, 7):
            if covered or (stack.seen[view, y, x] and stack.seen[0, y, x]):
                p, q = stack.log_probs[[view, 0], :, y, x].exp().numpy()
                distances.append(0.5 * np.abs(p - q).sum())
        assert found[name] == pytest.approx(np.mean(distances), abs=1e-5)


def test_a_model_that_sees_single_pixels_has_no_gap_in_any_symmetry(toy_model):
    image = torch.rand(3, 9, 14)
    blind = gaps(predict_views(lambda x: 5 * x, image, VIEW_SETS["d4"]))
    assert max(blind.values()) < 1e-6
    sighted = gaps(predict_views(toy_model, image, tuple(VIEWS)))
    assert min(gap for name, gap in sighted.items() if name != "identity") > 0.01


def test_a_stack_without_the_plain_view_is_refused():
    stack = make_stack()
    with pytest.raises(ValueError, match="identity"):
        gaps(stack.take(("view1", "view2")))
