import numpy as np
import pytest
import torch
import torch.nn.functional as F
from planted import answers_of, last, planted, slow_pool

from tta_demo.learning.module import LearnableTTA
from tta_demo.tta.fusion import Weights, fuse
from tta_demo.tta.predict import ViewStack

pools = pytest.mark.parametrize("pool", ["linear", "log"])
per_class_or_not = pytest.mark.parametrize("per_class", [False, True], ids=["view", "class"])


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
    wanted = fuse(ViewStack(("a", "b", "c"), log_probs, seen), "learned", Weights(weights, pool))
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
    exact = last(answers_of(probs, labels), prior=0)
    assert -loss.item() == pytest.approx(exact.history[-1], abs=1e-5)
    np.testing.assert_allclose(tta.weights.detach().numpy(), exact.weights, atol=0.01)
