"""Planted cases: what is known of the looks must come out as the advice."""

import numpy as np
import pytest
from looked import inverted, made, stacks_of

from tta_demo.evidence.curve import cost_curve, look_order
from tta_demo.evidence.findings import weigh
from tta_demo.evidence.fusions import LOGITS, fusions_on_trial
from tta_demo.evidence.looks import habits, looks_on_trial
from tta_demo.evidence.options import EVEN, GREEDY, LEARNED, ONE, learned_on, options
from tta_demo.evidence.tally import tally
from tta_demo.evidence.verdict import judge, plans_on_trial
from tta_demo.insight.equivariance import gaps
from tta_demo.learning.fit import fit_steps
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.plan import Plan
from tta_demo.tta.views import VIEW_SETS

GOOD = {"identity": 2.0, "hflip": 2.0, "vflip": 2.0, "rot180": 2.0}
SETS = {"mirror": ("identity", "hflip"), **VIEW_SETS}


def weighed(stacks):
    return weigh(stacks, SETS, "made up", "toy", "0")


def test_independent_looks_are_worth_taking():
    found = weighed(made(GOOD, pictures=24))
    assert found.recommended.gain.up
    assert len(found.recommended.option.views) == 4
    assert not found.hurting


def test_looks_that_answer_alike_are_left_at_one():
    found = weighed(made(dict.fromkeys(GOOD, 0.0), shared=2.0))
    assert found.verdict.recommended == ONE
    assert {one.option.name for one in found.plans if one.gain.up} == set()


def test_looks_that_add_nothing_are_rarely_recommended():
    nothing, taken = {"identity": 0.0, "hflip": 0.7, "vflip": 0.7}, []
    for seed in range(20):
        calibration, held = made(nothing, shared=2.5, pixels=150, seed=seed).split()
        found = options(calibration, SETS, held.views, learned_on(calibration), (2,))
        taken.append(judge(plans_on_trial(held, found)).recommended)
    assert taken.count(ONE) >= 18


def test_a_look_that_is_noise_is_dropped_and_warned_of():
    stacks = made(GOOD | {"noise": 30.0}, pictures=24)
    found = weighed(stacks)
    assert [one.view for one in found.hurting] == ["noise"]
    assert look_order(stacks)[-1] == "noise"
    for name in (GREEDY, LEARNED):
        assert "noise" not in found.plan(name).option.views
    assert "noise" not in found.recommended.option.views
    assert found.curve.points[-1].added == "noise"
    assert found.curve.points[-1].score < found.curve.points[-2].score


def test_a_look_that_is_wrong_is_warned_of_and_the_model_dislikes_it():
    stacks = inverted(made(GOOD, pictures=24), "rot180")
    trials = looks_on_trial(stacks, [0.25] * 4)
    assert [one.view for one in trials if one.hurts] == ["rot180"]
    disliked = {one.change for one in habits(trials) if one.disliked}
    assert disliked == {"half turns"}


def test_a_model_is_blind_to_what_changes_nothing():
    stacks = made(dict.fromkeys(GOOD, 0.0), shared=2.0)
    found = habits(looks_on_trial(stacks, [0.25] * 4))
    assert {one.change for one in found if one.blind} == {"mirroring", "half turns"}
    assert not any(one.disliked for one in found)


def test_every_number_of_a_look_equals_a_plain_loop():
    stacks = made({"identity": 1, "hflip": 3, "noise": 5}, pictures=10, pixels=80)
    trials = looks_on_trial(stacks, [0.5, 0.3, 0.2])
    everything = tally(stacks, {"all": Plan(stacks.views).fuse})
    for v, one in enumerate(trials):
        rest = tuple(view for view in stacks.views if view != one.view)
        alone = tally(stacks, {"alone": Plan((one.view,)).fuse})
        without = tally(stacks, {"rest": Plan(rest).fuse})
        assert one.score == pytest.approx(alone.scores()[0])
        assert one.nll == pytest.approx(alone.nll()[0], abs=1e-5)
        change = without.scores()[0] - everything.scores()[0]
        assert one.without.value == pytest.approx(change, abs=1e-6)
        gap = [gaps(stacks.stack(i))[one.view] for i in range(10)]
        assert one.gap == pytest.approx(np.mean(gap))
        assert one.weight == [0.5, 0.3, 0.2][v]


def test_the_curve_is_the_even_mean_of_the_first_looks():
    stacks = made({"identity": 3, "hflip": 1, "noise": 9, "vflip": 2}, pictures=16)
    calibration, held = stacks.split()
    order = look_order(calibration)
    curve = cost_curve(calibration, held, order)
    for k, point in enumerate(curve.points, start=1):
        views = tuple(order[:k])
        plain = tally(held, {"a": Plan(views).fuse})
        seen = tally(calibration, {"a": Plan(views).fuse})
        assert (point.looks, point.added) == (k, order[k - 1])
        assert point.score == pytest.approx(plain.scores()[0], abs=1e-6)
        assert point.seen_score == pytest.approx(seen.scores()[0], abs=1e-6)
        assert point.ms == pytest.approx(10.0 * k)


def test_enough_looks_are_the_fewest_that_keep_the_gain():
    stacks = made({"identity": 3, "hflip": 1, "vflip": 3, "rot180": 3, "noise": 9}, pictures=40)
    calibration, held = stacks.split()
    curve = cost_curve(calibration, held, look_order(calibration))
    plain = tally(calibration, {"one": Plan(("identity",), "none").fuse}).scores()[0]
    gains = [point.seen_score - plain for point in curve.points]
    assert gains[curve.enough - 1] >= 0.95 * max(gains)
    assert all(gain < 0.95 * max(gains) for gain in gains[: curve.enough - 1])
    assert gains[curve.best - 1] == max(gains)
    assert curve.kept == pytest.approx(
        curve.points[curve.enough - 1].gain.value / curve.points[curve.best - 1].gain.value
    )


def test_where_nothing_gains_no_number_of_looks_is_enough():
    bad = made({"identity": 0.5, "noise": 30}, pictures=8, clarity=5)
    curve = cost_curve(*bad.split(), ("identity", "noise"))
    assert (curve.enough, curve.best, curve.kept) == (None, None, None)


def test_each_set_of_looks_is_tried_once():
    stacks = made(GOOD, pictures=8)
    found = options(stacks, SETS, stacks.views, learned_on(stacks), (1, 2, 3, 4))
    chosen = [one for one in found if one.weights is None]
    assert len({frozenset(one.views) for one in chosen}) == len(chosen)
    assert [one.name for one in chosen] == [ONE, EVEN, "mirror", "best 3"]
    assert found[0].plan.fusion == "none"


def test_a_verdict_needs_enough_pictures():
    found = weighed(made(GOOD, pictures=4))
    assert found.verdict.recommended == ONE or found.verdict.told
    with pytest.raises(ValueError, match="at least 4"):
        weighed(made(GOOD, pictures=3))


def test_the_cheapest_of_those_that_are_not_clearly_worse_is_taken():
    stacks = made({"identity": 2.5, "hflip": 2.5, "vflip": 60, "rot180": 60}, pictures=60)
    trials = plans_on_trial(
        stacks, options(stacks, SETS, ("identity", "hflip"), learned_on(stacks), (2,))
    )
    verdict = judge(trials)
    by_name = {one.option.name: one for one in trials}
    good = [one for one in trials if one.gain.up and not one.behind.down]
    assert by_name[verdict.recommended] in good
    least = min(len(one.option.views) for one in good)
    assert len(by_name[verdict.recommended].option.views) == least
    assert set(by_name[verdict.recommended].option.views) == {"identity", "hflip"}


def test_every_fusion_has_its_trial_against_the_mean():
    stacks = made(GOOD, pictures=10)
    learned, (*_, logits) = learned_on(stacks), fit_steps(stacks.answers(), "shanmugam")
    found = {one.fusion: one for one in fusions_on_trial(stacks, stacks, learned)}
    assert set(found) == (set(FUSIONS) | {LOGITS}) - {"none"}
    plans = {"learned": learned.plan(stacks.views), LOGITS: logits.plan(stacks.views)}
    for name, one in found.items():
        slow = tally(stacks, {"a": (plans.get(name) or Plan(stacks.views, name)).fuse})
        assert one.score == pytest.approx(slow.scores()[0])
        assert one.gain.value == pytest.approx(one.score - found["mean"].score)


def test_whole_pictures_go_through_all_of_it():
    views = {"center": 2.0, "center-mirror": 2.0, "top-left": 2.0}
    stacks = made(views, pictures=60, pixels=1)
    found = weigh(stacks, {"mirror": ("center", "center-mirror")}, "made up", "toy", "0")
    assert found.protocol.score == "accuracy"
    assert [one.option.name for one in found.plans][:3] == [ONE, EVEN, "mirror"]
    assert found.looks[0].view == "center"


def test_one_look_alone_is_no_reason_to_fail():
    found = weighed(made({"identity": 2.0}, pictures=16))
    assert found.verdict.recommended == ONE


def test_what_is_learned_on_is_never_measured_on():
    found = weighed(made(GOOD, pictures=12))
    learned, measured = set(found.protocol.calibration), set(found.protocol.held)
    assert not learned & measured
    assert len(learned | measured) == 12


def test_a_swap_of_pictures_changes_nothing_of_the_scores():
    stacks = made(GOOD, pictures=10)
    turned = stacks_of(
        [one.log_probs.astype(float) for one in stacks.pictures[::-1]],
        [one.truth for one in stacks.pictures[::-1]],
        stacks.views,
    )
    answers = {"a": Plan(stacks.views).fuse}
    assert tally(stacks, answers).scores() == pytest.approx(tally(turned, answers).scores())
