import json

import pytest
import torch

from tta_demo.models.registry import MODELS, models_for
from tta_demo.tasks.plan_file import plan_facts, read_plan
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.fusion import Weights
from tta_demo.tta.plan import ONE_LOOK, Plan

RECORD = MODELS["unet-weeds"]
PLANS = [
    ONE_LOOK,
    Plan(("identity", "hflip"), "gmean"),
    Plan(("identity", "rot90"), "learned", Weights([0.25, 0.75])),
    Plan(("identity", "rot90"), "learned", Weights([[0.5, 0.1, 1], [0.5, 0.9, 0]], "log")),
]


def written(tmp_path, facts):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(facts))
    return path


@pytest.mark.parametrize("plan", PLANS)
def test_a_plan_comes_back_from_its_file(tmp_path, plan):
    again = read_plan(written(tmp_path, plan_facts(plan, RECORD, name="a")), RECORD)
    assert again.settings() == plan.settings()
    stack = torch.randn(2, 3, generator=torch.Generator().manual_seed(0)).softmax(1)
    if len(plan.views) == 2:
        torch.testing.assert_close(again.fuse(stack), plan.fuse(stack))


def test_weights_of_another_model_are_refused_and_even_looks_are_not(tmp_path):
    other = MODELS["unet-weeds-small"]
    with pytest.raises(ValueError, match="learned for model"):
        read_plan(written(tmp_path, plan_facts(PLANS[2], RECORD)), other)
    assert read_plan(written(tmp_path, plan_facts(PLANS[1], RECORD)), other).fusion == "gmean"


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"views": "identity"},
        {"views": ["identity"], "fusion": "none"},
        {"weights": {"identity": 1}},
        {"weights": {"identity": 2, "rot90": 3}},
        {"weights": 5},
        {"model": None},
        {"pool": "guess"},
    ],
)
def test_what_is_no_plan_is_refused_with_its_name(tmp_path, broken):
    whole = plan_facts(PLANS[2], RECORD) if len(broken) == 1 else {}
    with pytest.raises(ValueError, match=r"plan\.json is no plan"):
        read_plan(written(tmp_path, whole | broken), RECORD)


@pytest.mark.parametrize(
    ("plan", "task", "odd"),
    [
        (PLANS[2], "detect", "learned"),
        (PLANS[1], "classify", "identity"),
        (Plan(("center", "top-left")), "segment", "center"),
        (Plan(("center",), "none"), "detect", "center"),
        (Plan(("identity", "hflip"), "wbf"), "segment", "wbf"),
        (Plan(("unet-weeds/hflip",)), "detect", "mean"),
    ],
)
def test_a_plan_of_another_task_is_refused(tmp_path, plan, task, odd):
    record = next(iter(models_for(task).values()))
    with pytest.raises(ValueError, match=rf'^plan\.json is for another task.*"{odd}".*{task}'):
        read_plan(written(tmp_path, plan_facts(plan, RECORD)), record)


def test_boxes_are_fused_by_a_plan_that_comes_back(tmp_path):
    record, views = MODELS["weed-detector"], ("identity", "hflip")
    plan = Plan(views, "wbf", Weights([0.25, 0.75]))
    again = read_plan(written(tmp_path, plan_facts(plan, record)), record)
    assert again.settings() == plan.settings()
    box = Boxes([[0, 0, 4, 4]], [0.8], [1])
    found = dict.fromkeys(views, Boxes.empty()) | {"hflip": box}
    assert again.fuse_boxes(found).boxes.scores == pytest.approx([0.6])


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"none\.json cannot be read"):
        read_plan(tmp_path / "none.json", RECORD)
