import json
from functools import cache

import numpy as np
import pytest
import torch

from tta_demo.fusion import fuse
from tta_demo.learned import LearnableTTA, WeightFile, fit_exact, true_class_probs
from tta_demo.predict import ViewStack, predict_views, to_tensor
from tta_demo.samples.labelled import LabelledPicture

PLANTED = np.array([0.5, 0.3, 0.2, 0.0])


def planted_data(weights, pixels, classes=3, seed=0):
    """Answers `(V, N, C)` of independent views, and labels drawn from their weighted mean."""
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.full(classes, 0.5), (len(weights), pixels)).clip(1e-6)
    probs /= probs.sum(2, keepdims=True)
    mix = np.tensordot(weights, probs, 1)
    labels = (rng.random((pixels, 1)) > mix.cumsum(1)).sum(1).clip(max=classes - 1)
    return probs, labels


def planted_truth(weights=PLANTED, pixels=2000, seed=0):
    probs, labels = planted_data(weights, pixels, seed=seed)
    return probs[:, np.arange(pixels), labels]


def log_likelihood(truth, weights):
    return np.log(np.asarray(weights) @ truth).mean()


def sure_and_rarely_wrong():
    """Three views that are nearly always right; on a few pixels, each by its own rate, lost."""
    rng = np.random.default_rng(1)
    return np.where(rng.random((3, 1000)) < 0.1 * rng.random((3, 1)), 1e-7, 1.0)


DATA = {
    "planted": planted_truth(pixels=500),
    "even": planted_truth(np.full(5, 0.2), 400, seed=1),
    "one good view": np.stack([np.full(50, 0.9), np.linspace(0.1, 0.8, 50), np.full(50, 0.5)]),
    "random": np.random.default_rng(2).uniform(0.01, 1, (4, 300)),
    "nearly equal": 0.5 + 0.01 * np.random.default_rng(3).random((6, 200)),
    "sure and often wrong": np.where(
        np.random.default_rng(4).random((4, 300)) < 0.7, 1 - 1e-7, 1e-7
    ),
    "sure and rarely wrong": sure_and_rarely_wrong(),
    # Here full Newton steps overshoot.
    "mostly lost": (np.random.default_rng(14).random((3, 10)) ** 20).clip(1e-7),
    "one pixel": np.array([[0.3], [0.6], [0.5]]),
    "one view": np.array([[0.3, 0.8]]),
}
each = pytest.mark.parametrize("truth", DATA.values(), ids=DATA.keys())


@cache
def expectation_maximisation(name, steps=20_000):
    truth = DATA[name]
    weights = np.full(len(truth), 1 / len(truth))
    for _ in range(steps):
        weights = weights * (truth / (weights @ truth)).mean(1)
    return weights


# The exact fit


def test_planted_weights_are_recovered():
    fit = fit_exact(planted_truth(pixels=200_000).astype(np.float32))
    np.testing.assert_allclose(fit.weights, PLANTED, atol=0.02)
    assert fit.gap <= 1e-6


@each
def test_the_weights_are_on_the_simplex_and_the_gap_is_closed(truth):
    fit = fit_exact(truth)
    assert (fit.weights >= 0).all(), fit
    assert fit.weights.sum() == pytest.approx(1, abs=1e-12)
    assert fit.gap <= 1e-6, fit


@each
def test_the_likelihood_never_falls(truth):
    fit = fit_exact(truth)
    assert fit.history[0] == pytest.approx(
        log_likelihood(truth, np.full(len(truth), 1 / len(truth)))
    )
    assert fit.history[-1] == pytest.approx(log_likelihood(truth, fit.weights))
    assert (np.diff(fit.history) >= 0).all(), fit.history


@pytest.mark.parametrize("name", DATA)
def test_the_fit_equals_expectation_maximisation(name):
    truth = DATA[name]
    fit, slow = fit_exact(truth), expectation_maximisation(name)
    best = log_likelihood(truth, slow)
    assert log_likelihood(truth, fit.weights) == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("name", ["planted", "even", "random"])
def test_the_weights_equal_expectation_maximisation_where_views_differ(name):
    slow = expectation_maximisation(name)
    np.testing.assert_allclose(fit_exact(DATA[name]).weights, slow, atol=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_two_views_agree_with_trying_every_weight(seed):
    truth = planted_truth(np.array([0.7, 0.3]), 300, seed)
    grid = np.linspace(0, 1, 2001)
    values = np.log(np.outer(grid, truth[0]) + np.outer(1 - grid, truth[1])).mean(1)
    fit = fit_exact(truth)
    assert fit.weights[0] == pytest.approx(grid[values.argmax()], abs=1e-3)
    assert fit.history[-1] >= values.max() - 1e-9


def test_permuting_views_permutes_weights():
    truth, order = DATA["planted"], [2, 0, 3, 1]
    weights = fit_exact(truth).weights
    np.testing.assert_allclose(fit_exact(truth[order]).weights, weights[order], atol=1e-3)


def test_copies_of_a_view_share_its_weight():
    truth = DATA["planted"]
    alone, copied = fit_exact(truth), fit_exact(truth[[0, 1, 2, 3, 0, 0]])
    shared = copied.weights[:4].copy()
    shared[0] += copied.weights[4:].sum()
    np.testing.assert_allclose(shared, alone.weights, atol=1e-3)
    assert copied.history[-1] == pytest.approx(alone.history[-1], abs=1e-6)


def test_the_order_and_repetition_of_pixels_do_not_matter():
    truth = DATA["planted"]
    again = fit_exact(np.tile(truth[:, ::-1], 3))
    np.testing.assert_allclose(again.weights, fit_exact(truth).weights, atol=1e-4)


@each
def test_no_shrinking_towards_even_makes_it_worse_than_even_on_its_own_data(truth):
    even = np.full(len(truth), 1 / len(truth))
    fit = fit_exact(truth)
    for shrink in np.linspace(0, 1, 11):
        value = log_likelihood(truth, (1 - shrink) * fit.weights + shrink * even)
        assert value >= log_likelihood(truth, even) - 1e-12, shrink


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
@pytest.mark.parametrize("name", ["planted", "random", "sure and often wrong"])
def test_the_gap_bounds_the_distance_to_the_best_even_when_stopped_early(name, steps):
    truth = DATA[name]
    best = log_likelihood(truth, expectation_maximisation(name))
    fit = fit_exact(truth, steps=steps)
    assert len(fit.history) <= steps + 1
    assert best - log_likelihood(truth, fit.weights) <= fit.gap + 1e-12, fit


def test_a_loose_tolerance_stops_earlier_and_is_kept():
    truth = DATA["random"]
    loose, exact = fit_exact(truth, tolerance=1e-2), fit_exact(truth)
    assert loose.gap <= 1e-2
    assert len(loose.history) < len(exact.history)


def test_many_pixels_are_all_counted_wherever_they_stand():
    right, pixels = 270_000, 340_000
    truth = np.full((2, pixels), 0.9, np.float32)
    truth[1, :right] = truth[0, right:] = 0.1
    wanted = (right / pixels - 0.1) / 0.8  # where the mean of p_v / p_mix is 1 for both views
    for data in (truth, truth[:, ::-1]):
        assert fit_exact(data).weights[0] == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize(
    "truth",
    [
        np.ones(5),
        np.ones((2, 3, 4)),
        np.ones((3, 0)),
        np.ones((0, 3)),
        np.array([[0.5, 0.0], [0.5, 0.5]]),
        np.array([[0.5, -0.1], [0.5, 0.5]]),
        np.array([[0.5, np.nan], [0.5, 0.5]]),
        np.array([[0.5, np.inf], [0.5, 0.5]]),
    ],
    ids=["vector", "cube", "no-pixel", "no-view", "zero", "negative", "nan", "inf"],
)
def test_what_is_no_table_of_positive_probabilities_is_refused(truth):
    with pytest.raises(ValueError, match="truth"):
        fit_exact(truth)


# What the fit is made from


def labelled(height, width, seed):
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (height, width, 3), np.uint8)
    return LabelledPicture(f"p{seed}", rgb, rng.integers(0, 3, (height, width), np.uint8))


def test_true_class_probabilities_come_from_the_pixels_that_all_views_saw(toy_model):
    pictures = [labelled(31, 40, 0), labelled(25, 22, 1)]
    views = ("identity", "shift", "tilt+10", "hflip")
    wanted = []
    for picture in pictures:
        stack = predict_views(toy_model, to_tensor(picture.rgb), views)
        for y, x in np.ndindex(picture.labels.shape):
            if stack.seen[:, y, x].all():
                wanted.append(stack.probs[:, picture.labels[y, x], y, x].numpy())
    truth = true_class_probs(toy_model, pictures, views)
    assert truth.shape == (4, len(wanted))
    # The draw without replacement reorders the pixels of a picture.
    by_value = np.lexsort(truth), np.lexsort(np.stack(wanted, 1))
    np.testing.assert_allclose(
        truth[:, by_value[0]], np.stack(wanted, 1)[:, by_value[1]], atol=1e-6
    )


def test_at_most_the_given_number_of_pixels_is_drawn_and_the_seed_decides_which(toy_model):
    pictures = [labelled(31, 40, 0), labelled(5, 4, 1)]
    draws = [
        true_class_probs(toy_model, pictures, ["identity", "hflip"], pixels=100, seed=seed)
        for seed in (0, 0, 1)
    ]
    assert draws[0].shape == (2, 100 + 20)
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])


# The module


def test_even_weights_to_start_with_give_the_mean():
    probs = torch.rand(3, 2, 4, 5, 6).softmax(2)
    tta = LearnableTTA(3)
    torch.testing.assert_close(tta.weights.detach(), torch.full((3,), 1 / 3))
    torch.testing.assert_close(tta(probs).detach(), probs.mean(0))


def test_given_weights_are_where_it_starts_even_a_zero():
    weights = torch.tensor([0.7, 0.0, 0.3])
    torch.testing.assert_close(LearnableTTA(3, weights).weights.detach(), weights)


def test_the_module_fuses_as_learned_fusion_does_with_and_without_coverage():
    weights = torch.tensor([0.5, 0.3, 0.2])
    log_probs = torch.randn(3, 4, 5, 6).log_softmax(1)
    tta = LearnableTTA(3, weights)
    for seen in (None, torch.rand(3, 5, 6) < 0.7):
        if seen is not None:
            seen[0] = True
        wanted = fuse(ViewStack(("a", "b", "c"), log_probs, seen), "learned", weights)
        mask = None if seen is None else seen[:, None, None]
        fused = tta(log_probs.exp()[:, None], mask)[0].detach()
        torch.testing.assert_close(fused, wanted, atol=1e-6, rtol=0)


def test_every_weight_has_a_gradient():
    tta = LearnableTTA(4)
    tta(torch.rand(4, 2, 3, 5, 5).softmax(2))[:, 0].log().mean().neg().backward()
    assert tta.scores.grad.isfinite().all()
    assert (tta.scores.grad != 0).all(), tta.scores.grad


def test_the_weights_stay_on_the_simplex_whatever_the_optimiser_does():
    tta = LearnableTTA(4)
    optimiser = torch.optim.SGD(tta.parameters(), lr=100)
    for _ in range(5):
        loss = (tta.weights * torch.tensor([3.0, -2.0, 1.0, 0.5])).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        assert (tta.weights >= 0).all(), tta.weights
        assert float(tta.weights.detach().sum()) == pytest.approx(1, abs=1e-5)


def test_saving_and_loading_keeps_the_weights(tmp_path):
    tta = LearnableTTA(3, torch.tensor([0.7, 0.1, 0.2]))
    torch.save(tta.state_dict(), tmp_path / "tta.pt")
    other = LearnableTTA(3)
    assert not torch.equal(other.weights, tta.weights)
    other.load_state_dict(torch.load(tmp_path / "tta.pt"))
    assert torch.equal(other.weights, tta.weights)


def test_training_on_the_negative_log_likelihood_reaches_the_exact_fit():
    probs, labels = planted_data(np.array([0.6, 0.3, 0.1]), 2000)
    answers, index = torch.from_numpy(probs).float(), torch.from_numpy(labels)
    tta = LearnableTTA(3)
    optimiser = torch.optim.Adam(tta.parameters(), lr=0.05)
    for _ in range(300):
        loss = torch.nn.functional.nll_loss(tta(answers).log(), index)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    exact = fit_exact(probs[:, np.arange(2000), labels])
    assert -loss.item() == pytest.approx(exact.history[-1], abs=1e-5)
    np.testing.assert_allclose(tta.weights.detach().numpy(), exact.weights, atol=0.01)


# The file


FILE = WeightFile(
    world="nuclei",
    model="unet-nuclei",
    digest="0123456789abcdef",
    weights={"identity": 0.5, "hflip": 0.3, "rot90": 0.2, "noise": 0.0, "zoom0.5": 0.0},
    calibration={"pictures": 12, "pixels": 3456},
    scores={"miou": 0.87},
    date="2025-01-31",
)


def test_a_saved_file_loads_as_it_was(tmp_path):
    FILE.save(tmp_path / "weights.json")
    assert WeightFile.load(tmp_path / "weights.json") == FILE


def test_fitted_weights_survive_the_file(tmp_path):
    weights = dict(zip("abcd", fit_exact(DATA["planted"]).weights.tolist(), strict=True))
    file = WeightFile("w", "m", "d", weights)
    file.save(tmp_path / "weights.json")
    assert WeightFile.load(tmp_path / "weights.json").weights == weights


def test_the_file_has_an_entry_for_each_view(tmp_path):
    FILE.save(tmp_path / "weights.json")
    data = json.loads((tmp_path / "weights.json").read_text())
    assert data["format"] == 1
    assert {e["view"]: e["weight"] for e in data["entries"]} == FILE.weights
    assert {(e["model"], e["digest"]) for e in data["entries"]} == {(FILE.model, FILE.digest)}


def test_all_views_get_their_weights_in_the_order_asked_for():
    order = ("rot90", "identity", "zoom0.5", "noise", "hflip")
    wanted = torch.tensor([0.2, 0.5, 0.0, 0.0, 0.3])
    torch.testing.assert_close(FILE.select(order, FILE.digest), wanted)


def test_some_views_share_all_the_weight():
    weights = FILE.select(("rot90", "hflip", "noise"), FILE.digest)
    torch.testing.assert_close(weights, torch.tensor([0.4, 0.6, 0.0]))


def test_a_view_without_a_weight_is_refused_by_name():
    with pytest.raises(ValueError, match="gamma-"):
        FILE.select(("identity", "gamma-"), FILE.digest)


def test_another_model_is_refused():
    with pytest.raises(ValueError, match="fedcba9876543210"):
        FILE.select(("identity",), "fedcba9876543210")


def test_views_that_all_count_nothing_are_refused():
    with pytest.raises(ValueError, match="noise"):
        FILE.select(("noise", "zoom0.5"), FILE.digest)


def saved(tmp_path, **changes):
    path = tmp_path / "weights.json"
    FILE.save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return path


def entry(view="identity", weight=1.0, **changes):
    one = {"model": "m", "digest": "d", "view": view, "class": None, "weight": weight}
    return one | changes


BROKEN = {
    "format": {"format": 2},
    "pool": {"pool": "log"},
    "no entries": {"entries": []},
    "entries of another kind": {"entries": ["identity"]},
    "entries that are no list": {"entries": None},
    "no weight": {"entries": [{"model": "m", "digest": "d", "view": "identity", "class": None}]},
    "a weight in words": {"entries": [entry(weight="much")]},
    "a negative weight": {"entries": [entry(weight=1.5), entry("hflip", -0.5)]},
    "weights that sum to 2": {"entries": [entry(), entry("hflip")]},
    "nan": {"entries": [entry(weight=float("nan"))]},
    "a view twice": {"entries": [entry(weight=0.5), entry(weight=0.5)]},
    "weights by class": {"entries": [entry(**{"class": "cell"})]},
    "two models": {"entries": [entry(weight=0.5), entry("hflip", 0.5, model="other", digest="e")]},
}


@pytest.mark.parametrize("changes", BROKEN.values(), ids=BROKEN.keys())
def test_a_file_that_means_something_else_is_refused_by_name(changes, tmp_path):
    with pytest.raises(ValueError, match=r"weights\.json"):
        WeightFile.load(saved(tmp_path, **changes))


def test_the_same_file_unbroken_is_not_refused(tmp_path):
    changed = saved(tmp_path, entries=[entry(weight=0.5), entry("hflip", 0.5)])
    assert WeightFile.load(changed).weights == {"identity": 0.5, "hflip": 0.5}


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '{"format": 1}', "\x89PNG"])
def test_a_file_that_is_no_weights_file_is_refused_by_name(text, tmp_path):
    (tmp_path / "weights.json").write_text(text)
    with pytest.raises(ValueError, match=r"weights\.json"):
        WeightFile.load(tmp_path / "weights.json")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "weights.json").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(ValueError, match=r"weights\.json"):
        WeightFile.load(tmp_path / "weights.json")


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match=r"weights\.json"):
        WeightFile.load(tmp_path / "weights.json")
