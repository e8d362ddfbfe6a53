"""Evidence about boxes: planted cases, and plain references."""

import json

import numpy as np
import pytest
from boxed import boxed

from tta_demo.evidence import stored
from tta_demo.evidence.box_doubt import box_removal, least_score
from tta_demo.evidence.boxes import BoxLooks, KeptBoxes, box_tally, kept_boxes
from tta_demo.evidence.curve import look_order
from tta_demo.evidence.document import document
from tta_demo.evidence.figures import drawn
from tta_demo.evidence.files import plan_file
from tta_demo.evidence.findings import weigh
from tta_demo.evidence.gather import gather
from tta_demo.evidence.job import Job, detecting
from tta_demo.evidence.looks import looks_on_trial
from tta_demo.evidence.options import EVEN, LEARNED, ONE
from tta_demo.evidence.tables import tables
from tta_demo.evidence.trust import SHARES
from tta_demo.evidence.words import summary
from tta_demo.learning.box_greedy import forward_boxes
from tta_demo.models.registry import MODELS
from tta_demo.scoring.box_metrics import average_precision
from tta_demo.scoring.interval import bootstrap
from tta_demo.tta.box_fusion import FUSERS, fuse_boxes
from tta_demo.tta.box_views import predict_boxes
from tta_demo.tta.boxes import Boxes, iou
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import to_tensor

BLURRED = (1.5, 0.1, 1)
GOOD = {"identity": BLURRED, "hflip": BLURRED, "vflip": BLURRED}
NOISE = {"noise": (30.0, 0.6, 12)}
"""Nothing but false boxes."""
SETS = {"mirror": ("identity", "hflip")}


def weighed(looks):
    return weigh(looks, SETS, "made up", "toy", "0")


@pytest.fixture(scope="module")
def evidence():
    return weighed(boxed(GOOD | NOISE, pictures=24))


def test_a_look_that_is_noise_comes_last_and_is_warned_of(evidence):
    assert evidence.curve.points[-1].added == "noise"
    assert [one.view for one in evidence.hurting] == ["noise"]
    assert "noise" not in evidence.plan(LEARNED).option.views
    assert "noise" not in evidence.recommended.option.views
    assert any("Noise hurts" in sentence for sentence in summary(evidence))


def test_looks_with_errors_of_their_own_are_worth_taking(evidence):
    assert evidence.recommended.gain.up
    assert len(evidence.recommended.option.views) > 1


def test_looks_that_see_the_same_are_left_at_one():
    looks = boxed({"identity": BLURRED})
    twice = [KeptBoxes(one.name, one.found * 3, one.truth, np.ones(3)) for one in looks.pictures]
    found = weighed(BoxLooks(tuple(GOOD), looks.classes, tuple(twice)))
    assert found.verdict.recommended == ONE
    assert not any(one.gain.up for one in found.plans)
    assert [one.gap for one in found.looks] == [0, 0, 0]


def test_scores_and_intervals_are_those_of_plain_ap_and_of_the_one_bootstrap():
    looks = boxed(GOOD, pictures=9)
    plans = {ONE: Plan(("identity",), "none"), EVEN: Plan(looks.views, "wbf")}
    answers = {name: lambda f, plan=plan: plan.fuse_boxes(f).boxes for name, plan in plans.items()}
    found = box_tally(looks, answers)
    fused = {name: [answer(f) for f in looks.found] for name, answer in answers.items()}

    def ap(name, counts):
        """Scores a set in which each picture stands as often as it counts."""
        places = np.repeat(np.arange(9), counts.astype(int))
        both = ([fused[name][i] for i in places], [looks.truth[i] for i in places])
        return average_precision(*both, looks.labels).ap

    assert found.scores() == pytest.approx([ap(name, np.ones(9)) for name in plans])
    gains, nothing = found.gains(ONE)
    (slow,) = bootstrap(lambda counts: [ap(EVEN, counts) - ap(ONE, counts)], 9)
    known = (gains[1].value, gains[1].low, gains[1].high)
    assert known == pytest.approx((*slow,), abs=1e-9)
    assert nothing == [None, None]


def test_looks_are_added_as_by_trying_every_one():
    looks = boxed({"identity": (4, 0.3, 2), "hflip": (1, 0.1, 0), "vflip": (2, 0.2, 1)})

    def ap(places):
        views = [looks.views[i] for i in places]
        fused = [fuse_boxes([f[v] for v in views], "wbf" if places[1:] else "none").boxes
                 for f in looks.found]  # fmt: skip
        return average_precision(fused, looks.truth, looks.labels).ap

    chosen = []
    for step in forward_boxes(looks.found, looks.truth, looks.labels):
        values = {i: ap([*chosen, i]) for i in range(3) if i not in chosen}
        assert step.value == pytest.approx(max(values.values()))
        assert values[step.view] == step.value
        chosen.append(step.view)
    assert look_order(looks) == tuple(looks.views[i] for i in chosen)
    assert chosen[0] == 1


def test_every_number_of_a_look_equals_a_plain_loop():
    looks = boxed(GOOD | NOISE, pictures=8)
    everything = average_precision(
        [fuse_boxes(one.found).boxes for one in looks.pictures], looks.truth, looks.labels
    )
    for place, one in enumerate(looks_on_trial(looks, [0.4, 0.3, 0.2, 0.1])):
        rest = [[b for i, b in enumerate(p.found) if i != place] for p in looks.pictures]
        without = average_precision(
            [fuse_boxes(found).boxes for found in rest], looks.truth, looks.labels
        )
        alone = average_precision(
            [p.found[place] for p in looks.pictures], looks.truth, looks.labels
        )
        assert one.score == pytest.approx(alone.ap)
        assert one.without.value == pytest.approx(without.ap - everything.ap)
        assert (one.nll, one.nll_without) == (None, None)


def test_every_fusion_of_boxes_has_its_trial(evidence):
    found = {one.fusion: one for one in evidence.fusions}
    assert set(found) == set(FUSERS) - {"none"} | {"learned boxes"}
    assert found["wbf"].gain.value == 0
    assert found["wbf"].score == pytest.approx(evidence.plan(EVEN).score)


def slow_least(scores, right, true):
    def f1(least):
        shown = scores >= least
        return 2 * right[shown].sum() / (shown.sum() + true)

    return max(scores, key=f1)


@pytest.mark.parametrize("seed", range(5))
def test_boxes_count_from_the_score_of_the_best_f1_on(seed):
    rng = np.random.default_rng(seed)
    scores, right = rng.integers(1, 30, 40) / 30, rng.random(40) < 0.5
    found, slow = least_score(scores, right, 30), slow_least(scores, right, 30)
    for value in (found, slow):
        shown = scores >= value
        f1 = 2 * right[shown].sum() / (shown.sum() + 30)
        assert f1 == pytest.approx(max(
            2 * right[scores >= s].sum() / ((scores >= s).sum() + 30) for s in scores
        ))  # fmt: skip


def test_wrong_boxes_leave_one_by_one_the_lowest_score_first():
    looks = boxed({"identity": (2, 0.2, 3), "hflip": (2, 0.2, 3)}, pictures=30)
    calibration, held = looks.split()
    one, together, agreed = box_removal(calibration, held, Plan(looks.views, "wbf"))
    scores, wrong, rights = [], [], 0
    known = [
        (box.scores[0], right(box, truth))
        for found, truth in zip(calibration.found, calibration.truth, strict=True)
        for box in each(found["identity"])
    ]
    true = sum(len(truth) for truth in calibration.truth)
    least = slow_least(*map(np.array, zip(*known, strict=True)), true)
    for found, truth in zip(held.found, held.truth, strict=True):
        for box in each(found["identity"]):
            if box.scores[0] >= least:
                scores.append(box.scores[0])
                wrong.append(not right(box, truth))
                rights += right(box, truth)
    order = np.argsort(scores)
    assert one.errors == pytest.approx(np.mean(wrong))
    assert one.missed == pytest.approx(1 - rights / sum(len(t) for t in held.truth))
    for share, removed in zip(SHARES[::10], one.removed[::10], strict=True):
        slow = np.array(wrong)[order][: round(share * len(order))].sum() / sum(wrong)
        assert removed == pytest.approx(slow, abs=1.5 / sum(wrong))
    assert together.missed == agreed.missed < one.missed
    # a false box of one look is not found by the other: few that agree are a sign
    assert min(np.mean(together.removed), np.mean(agreed.removed)) > np.mean(SHARES)


def each(boxes):
    return [boxes.take(np.array([i])) for i in range(len(boxes))]


def right(box, truth):
    """Objects stand apart and no look sees one twice, so that no box takes another's object."""
    return bool(((iou(box.xyxy, truth.xyxy)[0] >= 0.5) & (truth.labels == box.labels)).any())


def test_what_has_no_likelihood_has_no_column_no_trust_and_no_sets(evidence):
    there = tables(evidence)
    assert {"plans", "cost", "looks", "fusions", "removal"} == set(there)
    for table in there.values():
        assert not any("nll" in column.key for column in table.columns)
        assert all(len(row) == len(table.columns) for row in table.said())
    text = document(evidence, {})
    assert "NLL" not in text
    assert "missed" in text


def test_evidence_about_boxes_is_drawn_and_comes_back_from_its_file(tmp_path, evidence):
    titles = [axes.get_title() for axes in drawn(evidence, "cost").axes]
    assert titles == ["AP, %", "ms"]
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps(stored.as_json(evidence)))
    again = stored.read_evidence(path)
    assert stored.as_json(again) == stored.as_json(evidence)
    plan = json.loads(plan_file(again, again.verdict.recommended, MODELS["weed-detector"]))
    assert plan["fusion"] == "wbf"


def test_halves_without_a_true_box_are_refused():
    looks = boxed(GOOD, pictures=6)
    none = [KeptBoxes(one.name, one.found, Boxes.empty(), one.seconds) for one in looks.pictures]
    with pytest.raises(ValueError, match="true box"):
        weighed(BoxLooks(looks.views, looks.classes, tuple(none)))


def test_looks_of_a_detector_are_kept_in_files_and_are_those_of_the_library(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    truth = Boxes([[1, 2, 9, 8]], [1.0], [2])

    def model(images):
        return [Boxes([[0, 0, 5, images.shape[-1] / 4]], [float(images.mean())], [1])]

    views = ("identity", "rot90")
    expected = predict_boxes(model, to_tensor(rgb), views)
    kept = kept_boxes(iter(expected.values()), "a", truth, 2)
    assert kept_boxes(iter(expected.values()), "a", truth, 2, lambda: True) is None
    job = Job(MODELS["weed-detector"], views, {"a": ""}, lambda name: (kept, ()), BoxLooks)
    (again,) = gather(job, tmp_path, iter)[0].pictures
    for one, view in zip(again.found, views, strict=True):
        np.testing.assert_array_equal(one.xyxy, expected[view].boxes.xyxy)
        np.testing.assert_array_equal(one.scores, expected[view].boxes.scores)
    np.testing.assert_array_equal(again.truth.xyxy, truth.xyxy)
    assert (again.seconds > 0).all()


def test_tilts_are_refused_before_any_look():
    with pytest.raises(ValueError, match="tilt"):
        detecting(MODELS["weed-detector"], {}, {}, ("tilt+10",))
