import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from own_models import Counting, own_record

from tta_demo.models.registry import MODELS
from tta_demo.pictures.assets import ASSETS
from tta_demo.pictures.reading import Picture
from tta_demo.tasks.classify import classify
from tta_demo.tasks.plan_file import plan_facts, read_plan, read_sure
from tta_demo.tasks.segment import segment
from tta_demo.tasks.sure import first_looks, look_until_sure, still_open, to_come
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.crops import CROP_SETS
from tta_demo.tta.fusion import FUSIONS, Weights
from tta_demo.tta.plan import Plan
from tta_demo.tta.views import VIEW_SETS

D4 = VIEW_SETS["d4"]
WEIGHTS = Weights([0.3, 0.1, 0.05, 0.05, 0.2, 0.1, 0.1, 0.1])
PLANS = [Plan(D4), Plan(D4, "gmean"), Plan(D4, "learned", WEIGHTS)]


@pytest.fixture
def counting(toy_model):
    return Counting(toy_model)


@pytest.fixture
def looking(tmp_path, counting):
    """From a plan to the answer to one picture, by a model that counts its calls."""
    record = own_record(tmp_path, "segment", counting)
    rgb = np.random.default_rng(0).integers(0, 256, (31, 40, 3), np.uint8)
    return lambda plan: segment(record, Picture.of(rgb), plan)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.fusion)
def test_nothing_open_asks_for_all_looks_and_anything_for_one(plan, looking, counting):
    one = look_until_sure(looking, plan, np.inf)
    assert counting.calls == len(one.plan.views) == 1
    every = look_until_sure(looking, plan, 0.0)
    assert counting.calls == 8  # and no look twice
    assert every.plan is plan
    assert torch.equal(every.probs, looking(plan).probs)


def test_just_the_looks_until_the_first_sure_one_run(looking, counting):
    plan = PLANS[2]
    shares = [still_open(looking(first_looks(plan, k)).probs, to_come(plan, k)) for k in (1, 2, 3)]
    assert counting.calls == 3
    assert shares[0] > shares[2]
    found = look_until_sure(looking, plan, np.nextafter(shares[1], 1))
    assert counting.calls == 3  # those that ran before are kept
    assert found.plan.views == plan.views[: 1 if shares[0] <= shares[1] else 2]


def test_lower_thresholds_never_take_fewer_looks(looking):
    taken = [
        len(look_until_sure(looking, Plan(D4), below).plan.views)
        for below in (0, 1e-4, 1e-3, 0.01, 0.1, 1)
    ]
    assert taken == sorted(taken, reverse=True)
    assert taken[0] == 8
    assert taken[-1] == 1


def test_a_classifier_looks_crop_by_crop(tmp_path, seed):
    matrix = torch.randn(147, 6)
    counting = Counting(lambda crops: F.adaptive_avg_pool2d(crops, 7).flatten(1) @ matrix)
    record = own_record(tmp_path, "classify", counting, classes=6)
    rgb = np.random.default_rng(0).integers(0, 256, (64, 80, 3), np.uint8)
    plan = Plan(CROP_SETS["ten-crop"])
    found = look_until_sure(lambda p: classify(record, Picture.of(rgb), p), plan, np.inf)
    assert counting.shown == len(found.plan.views) == 1
    every = look_until_sure(lambda p: classify(record, Picture.of(rgb), p), plan, 0)
    assert counting.shown == 10
    assert torch.equal(every.probs, classify(record, Picture.of(rgb), plan).probs)


@pytest.mark.parametrize("fusion", [name for name in FUSIONS if name not in ("none", "learned")])
def test_first_looks_are_fused_as_the_plan_fuses(fusion):
    assert first_looks(Plan(D4, fusion), 3).settings() == Plan(D4[:3], fusion).settings()


@pytest.mark.parametrize("pool", ["linear", "log", "logits"])
def test_the_weights_of_first_looks_keep_their_shares_and_their_sum(pool):
    factor = 3 if pool == "logits" else 1
    by_class = torch.stack([WEIGHTS.values, WEIGHTS.values.flip(0)], 1) * factor
    plan = Plan(D4, "learned", Weights(by_class, pool))
    part = first_looks(plan, 3).weights.values
    torch.testing.assert_close(part.sum(0), by_class.sum(0))
    torch.testing.assert_close(part / part[0], by_class[:3] / by_class[0])
    assert to_come(plan, 3) == pytest.approx(1 - (0.45 + 0.3) / 2)
    assert to_come(plan, 8) == 0


def test_a_first_look_that_counts_nothing_is_taken_as_it_is():
    plan = Plan(D4[:3], "learned", Weights([0.0, 0.4, 0.6]))
    assert first_looks(plan, 1).weights.values.tolist() == [1.0]
    assert first_looks(plan, 2).weights.values.tolist() == [0.0, 1.0]


def test_a_plan_file_says_when_to_stop(tmp_path):
    record, path = MODELS["unet-weeds"], tmp_path / "plan.json"
    path.write_text(json.dumps(plan_facts(PLANS[2], record, sure_below=0.01)))
    assert read_sure(path) == 0.01
    assert read_plan(path, record).settings() == PLANS[2].settings()
    path.write_text(json.dumps(plan_facts(PLANS[2], record)))
    assert read_sure(path) == 0


@pytest.mark.parametrize("wrong", [-0.1, True, "0.1", None, float("nan")])
def test_what_is_no_threshold_is_refused_with_its_value(tmp_path, wrong):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"sure_below": wrong}))
    with pytest.raises(ValueError, match=r"plan\.json: .sure_below. is"):
        read_sure(path)


@pytest.mark.parametrize("world", ["weeds", "nuclei"])
def test_the_plans_that_come_along_are_for_the_models_that_do(world):
    path = ASSETS / "plans" / f"{world}-sure.json"
    plan = read_plan(path, WORLDS[world].record)
    assert plan.views[0] == "identity"
    assert set(plan.views) == set(D4)
    assert read_sure(path) > 0
