import numpy as np
import pytest
import torch
from looked import made, stacks_of

from tta_demo.evidence.options import Option
from tta_demo.evidence.sets import coverage, sets_on_trial, threshold
from tta_demo.evidence.trust import SHARES, _doubts, error_removal, temperature, trust
from tta_demo.insight.doubt import doubt
from tta_demo.scoring.metrics import calibration_error, reliability
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import ViewStack

VIEWS = {"identity": 1.5, "hflip": 1.5, "vflip": 3.0}
PLAN = Plan(tuple(VIEWS))


def honest(pictures=40, pixels=400, sharper=1.0, views=1, seed=0):
    """Looks that give the very distribution that the truth is drawn from, made so much sharper."""
    rng = np.random.default_rng(seed)
    logits, truth = [], []
    for _ in range(pictures):
        rows = 1.5 * rng.standard_normal((3, pixels))
        probs = np.exp(rows) / np.exp(rows).sum(0)
        drawn = (rng.random(pixels) > probs.cumsum(0)).sum(0).clip(max=2)
        logits.append(np.repeat(sharper * rows[None], views, 0))
        truth.append(drawn)
    return stacks_of(logits, truth, ("identity", "hflip", "vflip")[:views])


@pytest.mark.parametrize("sharper", [0.6, 1.0, 2.0])
def test_the_temperature_undoes_what_made_the_answers_too_sure(sharper):
    stacks = honest(sharper=sharper, views=2)
    calibration, held = stacks.split()
    found = trust(calibration, held, "all", Plan(stacks.views))
    for t in (found.before, found.after):  # looks that agree: before and after are the same
        assert t == pytest.approx(sharper, rel=0.05)
    assert found.nll_after <= found.nll + 1e-4
    assert found.ece_after < 0.02


def test_the_temperature_is_that_of_a_plain_search():
    stacks = made(VIEWS, pictures=4, clarity=3.0)
    tried = np.exp(np.linspace(np.log(0.2), np.log(4), 80))

    def loss(t):
        total = 0.0
        for one in stacks.pictures:
            logs = torch.from_numpy(one.log_probs).float() / t
            probs = logs.softmax(1).mean(0).numpy()
            total -= np.log(probs[one.truth, np.arange(len(one.truth))]).sum()
        return total

    found = temperature(
        stacks,
        lambda s, t: PLAN.fuse(ViewStack(s.views, (s.log_probs.float() / t).log_softmax(1))),
    )
    best = min(tried, key=loss)
    assert found == pytest.approx(best, rel=0.05)
    assert loss(found) <= loss(best) + 1e-6


def test_bins_and_ece_are_those_of_the_metrics():
    calibration, held = made(VIEWS, pictures=8, clarity=2.0).split()
    found = trust(calibration, held, "all", PLAN)
    table = np.zeros((15, 3))
    for place, one in enumerate(held.pictures):
        probs = PLAN.fuse(held.stack(place)).numpy()
        table += reliability(probs.max(0), probs.argmax(0) == one.truth)
    assert found.ece == pytest.approx(calibration_error(table))
    for (pixels, sure, right), row in zip(found.bins, table, strict=True):
        assert pixels == row[0]
        if pixels:
            assert (sure, right) == pytest.approx((row[1] / row[0], row[2] / row[0]))


def slow_removal(signal, wrong, share):
    """Hands over pixels one by one, the most doubtful first; equal ones have no order here."""
    order = sorted(range(len(signal)), key=lambda i: -signal[i])
    return sum(wrong[i] for i in order[: round(share * len(signal))]) / sum(wrong)


def test_the_curves_are_those_of_handing_over_pixel_by_pixel():
    stacks = made(VIEWS, pictures=4, pixels=250, clarity=2.0)
    curves = error_removal(stacks, PLAN)
    rows = [
        _doubts(stacks.stack(i), one.truth, PLAN, None) for i, one in enumerate(stacks.pictures)
    ]
    signals, wrong = (np.concatenate(parts, 1) for parts in zip(*rows, strict=True))
    for curve, signal, missed in zip(curves, signals, wrong, strict=True):
        assert curve.errors == pytest.approx(missed.mean())
        for share, removed in zip(SHARES[::5], curve.removed[::5], strict=True):
            slow = slow_removal(signal, missed, share)
            assert removed == pytest.approx(slow, abs=1.5 / missed.sum())
        assert np.all(np.diff(curve.removed) >= 0)


def test_doubt_finds_errors_better_than_chance_and_no_doubt_at_all_is_chance():
    stacks = made(VIEWS, pictures=10, clarity=2.5)
    for curve in error_removal(stacks, PLAN):
        assert np.mean(curve.removed) > np.mean(SHARES)
    blank = stacks_of([np.zeros((3, 3, 100))], [np.arange(100) % 3], tuple(VIEWS))
    for curve in error_removal(blank, PLAN):
        np.testing.assert_allclose(curve.removed, SHARES, atol=1e-9)


def test_without_an_error_nothing_is_left_to_remove():
    stacks = made({"identity": 0.0, "hflip": 0.0}, pictures=2, clarity=9)
    assert error_removal(stacks, Plan(stacks.views))[0].removed[0] == 1


def test_total_doubt_is_shared_plus_disagreement_which_is_the_mean_divergence():
    stacks = made(VIEWS, pictures=1, pixels=500)
    parts = doubt(stacks.stack(0))
    probs = stacks.stack(0).log_probs.double().exp().numpy()
    mean = probs.mean(0)
    divergence = (probs * np.log2(probs / mean)).sum(1).mean(0)
    total = parts.shared + parts.disagreement
    np.testing.assert_allclose(parts.total, total, atol=1e-6)
    # half precision leaves each look's probabilities to sum to 1 within 1e-3
    np.testing.assert_allclose(parts.disagreement, divergence, atol=2e-3)


@pytest.mark.parametrize("promise", [0.7, 0.9, 0.95])
@pytest.mark.parametrize("pixels", [1, 30])
def test_sets_hold_their_promise_over_repeated_splits(promise, pixels):
    covered = []
    for seed in range(150):
        stacks = made({"identity": 3.0}, pictures=60, pixels=pixels, clarity=2.5, seed=seed)
        parts = [(one.probs[0], one.truth) for one in stacks.pictures]
        least = threshold(parts[:40], promise)
        covered.append(np.mean([coverage(part, least)[0] for part in parts[40:]]))
    error = 3 * np.std(covered) / np.sqrt(len(covered))
    assert np.mean(covered) >= promise - error


def test_sets_are_no_larger_than_they_must_be():
    covered = []
    for seed in range(100):
        stacks = made({"identity": 3.0}, pictures=120, pixels=1, clarity=1.0, seed=seed)
        parts = [(one.probs[0], one.truth) for one in stacks.pictures]
        least = threshold(parts[:99], 0.9)
        covered.append(np.mean([coverage(part, least)[0] for part in parts[99:]]))
    assert np.mean(covered) == pytest.approx(0.905, abs=0.02)  # at most 1 / 100 more


def slow_threshold(parts, promise):
    """The highest of all values and 1 that keeps the bound, by trying each."""
    best = 0.0
    values = {1.0} | {float(p) for probs, _ in parts for p in probs.ravel()}
    for least in values:
        missed = 0.0
        for probs, truth in parts:
            outside = [
                probs[y, i] < least and probs[:, i].argmax() != y for i, y in enumerate(truth)
            ]
            missed += np.mean(outside)
        if (missed + 1) / (len(parts) + 1) <= 1 - promise + 1e-9:
            best = max(best, least)
    return best


@pytest.mark.parametrize("promise", [0.5, 0.8, 0.9, 0.99])
def test_the_threshold_is_the_highest_that_the_bound_allows(promise):
    stacks = made({"identity": 3.0}, pictures=20, pixels=4, clarity=1.0)
    parts = [(one.probs[0], one.truth) for one in stacks.pictures]
    found, slow = threshold(parts, promise), slow_threshold(parts, promise)
    for probs, truth in parts:  # the same sets, as between two values nothing changes
        assert coverage((probs, truth), found) == coverage((probs, truth), slow)


def test_too_few_pictures_give_all_classes_and_say_so():
    stacks = made(VIEWS, pictures=4)
    (first, *_, last) = sets_on_trial(stacks, [Option("one look", ("identity",), "none")])
    assert first.promise == 0.9
    assert not last.possible
    assert (last.size, last.coverage) == (3.0, 1.0)


def test_looking_again_makes_sets_smaller_where_it_helps():
    stacks = made(dict.fromkeys(VIEWS, 2.0), pictures=40)
    plans = [Option("one look", ("identity",), "none"), Option("all", tuple(VIEWS))]
    found = {(one.plan, one.promise): one for one in sets_on_trial(stacks, plans)}
    assert found["all", 0.95].size < found["one look", 0.95].size
