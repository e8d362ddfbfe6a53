"""What holds for all three tasks, with models made at run time."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import permutations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from own_models import Counting, own_record

from tta_demo.models.registry import MODELS
from tta_demo.pictures.reading import Picture
from tta_demo.tasks.cache import KEPT
from tta_demo.tasks.classify import ONE_CROP, classify
from tta_demo.tasks.detect import detect
from tta_demo.tasks.result import needed, plan_of
from tta_demo.tasks.segment import segment
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.crops import CROP_VIEWS
from tta_demo.tta.fusion import FUSIONS, Weights
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.views import VIEWS


def bright_box(images):
    """The box around what is bright, one a picture; its class is 1."""
    found = []
    for image in images:
        rows, columns = (image.mean(0) > 0.5).nonzero().T.tolist()
        corners = [min(columns), min(rows), max(columns) + 1, max(rows) + 1]
        found.append(Boxes([corners], [0.9], [1]))
    return found


@dataclass
class Task:
    """One task with its function, a model for it, and views that it has."""

    run: object
    model: object
    plain: str
    views: tuple[str, ...]
    fusion: str

    def record(self, folder, **options):
        self.counting = Counting(self.model)
        return own_record(folder, self.name, self.counting, **options)

    @property
    def name(self):
        return self.run.__name__


def slopes(images):
    return images * torch.tensor([3.0, 1.0, -2.0]).view(1, 3, 1, 1)


def colors(crops):
    return 9 * F.adaptive_avg_pool2d(crops, 2).flatten(1)[:, :3]


TASKS = {
    task.name: task
    for task in (
        Task(segment, slopes, "identity", ("hflip", "rot90", "darker"), "gmean"),
        Task(classify, colors, "center", ("top-left", "center-mirror", "darker"), "gmean"),
        Task(detect, bright_box, "identity", ("hflip", "rot90", "darker"), "wbf"),
    )
}
tasks = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())


@pytest.fixture
def picture():
    rgb = np.random.default_rng(0).integers(0, 90, (40, 52, 3), np.uint8)
    rgb[9:30, 20:44] = 250
    return Picture.of(rgb, "It was made for a test.")


# One shape


@tasks
def test_a_model_of_ones_own_needs_no_registry(task, picture, tmp_path):
    record = task.record(tmp_path)
    result = task.run(record, picture, Plan(task.views, task.fusion))
    assert record.name not in MODELS
    assert (result.model, result.picture) == (record, picture)
    assert set(result.looks) == {*task.views, task.plain}
    assert task.counting.shown == 4
    assert result.report()["model"] == {"name": "own", "digest": record.digest}


@tasks
def test_the_report_says_what_was_done_with_what_and_what_was_found(task, picture, tmp_path):
    plan = Plan(task.views, task.fusion)
    report = task.run(task.record(tmp_path), picture, plan).report()
    assert report["picture"] == {"size": (40, 52), "working_size": (40, 52)}
    assert (report["views"], report["fusion"]) == (list(task.views), task.fusion)
    assert report["weights"] is None
    assert report["notes"][0] == "It was made for a test."
    assert len(report["notes"]) == 1 + (task.name == "detect"), "its toy finds the same anyhow"
    assert "scores" not in report, "there is no truth"
    found = {"segment": "pixels", "classify": "fused", "detect": "boxes"}[task.name]
    assert report[found]


@tasks
def test_the_report_names_the_weights_of_the_views(task, picture, tmp_path):
    fusion = "wbf" if task.name == "detect" else "learned"
    plan = Plan(task.views, fusion, Weights([0.5, 0.25, 0.25]))
    result = task.run(task.record(tmp_path), picture, plan)
    assert result.weights == dict(zip(task.views, [0.5, 0.25, 0.25], strict=True))
    assert result.report()["weights"] == result.weights


@tasks
def test_views_can_be_shown_that_do_not_count(task, picture, tmp_path):
    record = task.record(tmp_path)
    plan = Plan(task.views[:1], task.fusion)
    alone = task.run(record, picture, plan)
    beside = task.run(record, picture, plan, shown=task.views)
    assert set(beside.looks) == {*task.views, task.plain}
    one, other = alone.report(), beside.report()
    for report in (one, other):
        report.pop("seconds", None)  # those of the looks beside are told too
        del report["date"]
    assert one == other


PLANS = {
    "mean": lambda views: Plan(views, "mean"),
    "weights": lambda views: Plan(views, "learned", Weights([1 / 3, 0.1, 17 / 30])),
    "log": lambda views: Plan(views, "learned", Weights([0.3, 0.3, 0.4], "log")),
    "per class": lambda views: Plan(
        views, "learned", Weights(torch.softmax(torch.randn(len(views), 3), 0))
    ),
}


@pytest.mark.parametrize("made", PLANS.values(), ids=PLANS.keys())
@pytest.mark.parametrize("name", ["segment", "classify"])
def test_the_plan_is_read_back_from_the_report_to_the_last_bit(name, made, picture, tmp_path):
    task = TASKS[name]
    plan = made(task.views)
    report = task.run(task.record(tmp_path), picture, plan).report()
    read = plan_of(json.loads(json.dumps(report)))
    assert (read.views, read.fusion) == (plan.views, plan.fusion)
    assert read.settings() == plan.settings()


@tasks
def test_the_report_takes_what_the_caller_knows(task, picture, tmp_path):
    report = task.run(task.record(tmp_path), picture).report(world="mine", seed=3)
    assert (report["world"], report["seed"]) == ("mine", 3)


# The cache of looks


@tasks
def test_another_fusion_costs_no_pass_and_one_more_view_its_own(task, picture, tmp_path):
    record, (first, *rest) = task.record(tmp_path), task.views
    other = "nms" if task.name == "detect" else "max"
    task.run(record, picture, Plan((first, task.plain), task.fusion))
    assert task.counting.shown == 2
    again = Picture.of(picture.rgb.copy())
    task.run(record, again, Plan((task.plain, first), other))
    task.run(record, again, Plan((task.plain,), "none"))
    assert task.counting.shown == 2
    task.run(record, again, Plan(task.views, other))
    assert task.counting.shown == 2 + len(rest)


@tasks
def test_other_pictures_and_other_models_cost_all_passes(task, picture, tmp_path):
    record, plan = task.record(tmp_path), Plan(task.views, task.fusion)
    task.run(record, picture, plan)
    task.run(record, Picture.of(picture.rgb[:, ::-1]), plan)
    assert task.counting.shown == 8
    other = task.record(tmp_path)  # with a count of its own
    task.run(other, picture, plan)
    assert task.counting.shown == 4


def test_one_file_of_weights_can_serve_all_three_tasks(picture, tmp_path):
    views = ("darker",)  # the name of a view, and of a crop
    for _ in range(2):
        for task in TASKS.values():
            record = task.record(tmp_path, content=b"one network with three heads")
            result = task.run(record, picture, Plan(views, task.fusion))
            assert set(result.looks) == {"darker", task.plain}
            assert result.report()["fusion"] == task.fusion


@tasks
def test_looks_that_left_the_cache_are_looked_at_again(task, picture, tmp_path, monkeypatch):
    record, plan = task.record(tmp_path), Plan(task.views, task.fusion)
    monkeypatch.setattr(KEPT, "limit", 0)
    first, again = (task.run(record, picture, plan).findings() for _ in range(2))
    assert KEPT.nbytes == 0
    assert task.counting.shown == 8
    assert first == again


@tasks
def test_what_is_kept_is_as_large_as_it_says(task, picture, tmp_path, monkeypatch):
    monkeypatch.setattr(KEPT, "limit", 0)
    task.run(task.record(tmp_path), picture, Plan(task.views, task.fusion))
    monkeypatch.undo()
    assert KEPT.nbytes == 0, "the cache is empty now"
    result = task.run(task.record(tmp_path), picture, Plan(task.views, task.fusion))
    assert KEPT.nbytes == sum(one.nbytes for one in result.looks.values()) > 0
    if task.name == "classify":
        memory = [one.untyped_storage().nbytes() for one in result.looks.values()]
        assert sum(memory) == KEPT.nbytes == 4 * 2 * 3  # half precision, three classes
    if task.name == "segment":
        pixels = 40 * 52  # half precision, labels, and labels of the frame; no mask of coverage
        memory = [one.log_probs.untyped_storage().nbytes() for one in result.looks.values()]
        assert sum(memory) == 4 * 2 * 3 * pixels
        assert KEPT.nbytes == 4 * (2 * 3 + 1 + 1) * pixels


@tasks
@pytest.mark.parametrize("limit", [0, 20_000, KEPT.limit], ids=str)
def test_many_threads_get_the_answers_of_one(task, limit, picture, tmp_path, monkeypatch):
    monkeypatch.setattr(KEPT, "limit", limit)
    pictures = [Picture.of(picture.rgb.copy()) for _ in range(4)]
    for i, one in enumerate(pictures):
        one.rgb[30 : 30 + 2 * i] = 250
    plan, record = Plan(task.views, task.fusion), task.record(tmp_path)
    wanted = [task.run(task.record(tmp_path), one, plan).findings() for one in pictures]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: task.run(record, pictures[i % 4], plan), range(32)))
    for i, result in enumerate(found):
        assert result.findings() == wanted[i % 4]
    assert len({str(one) for one in wanted}) == 4, "the pictures are alike"
    assert KEPT.nbytes <= limit


# What is refused, and when


REFUSED = {
    "no view": (lambda task: Plan((), task.fusion), "no view"),
    "an unknown view": (lambda task: Plan((*task.views, "rot45"), task.fusion), "rot45"),
    "a view twice": (lambda task: Plan((task.plain,) * 2, task.fusion), "once"),
    "an unknown fusion": (lambda task: Plan(task.views, "average"), "average"),
    "no fusion of several": (lambda task: Plan(task.views, "none"), "none"),
    "weights for fewer views": (
        lambda task: Plan(
            task.views, "wbf" if task.name == "detect" else "learned", Weights([0.5, 0.5])
        ),
        "weights",
    ),
    "weights for more classes": (
        lambda task: Plan(
            task.views,
            "wbf" if task.name == "detect" else "learned",
            Weights(torch.full((3, 4), 1 / 3)),
        ),
        "weights",
    ),
}


@tasks
@pytest.mark.parametrize(("plan", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_a_plan_that_cannot_work_is_refused_before_any_forward_pass(
    task, plan, told, picture, tmp_path
):
    with pytest.raises(ValueError, match=told):
        task.run(task.record(tmp_path), picture, plan(task))
    assert task.counting.calls == 0


@pytest.mark.parametrize("name", ["segment", "classify"])
def test_learned_fusion_without_weights_and_weights_without_it_are_refused(
    name, picture, tmp_path
):
    task = TASKS[name]
    for plan in (Plan(task.views, "learned"), Plan(task.views, "mean", Weights([0.5, 0.5, 0]))):
        with pytest.raises(ValueError, match="learned"):
            task.run(task.record(tmp_path), picture, plan)
        assert task.counting.calls == 0


@tasks
def test_an_unknown_view_to_show_is_refused_too(task, picture, tmp_path):
    with pytest.raises(ValueError, match="rot45"):
        task.run(task.record(tmp_path), picture, Plan(task.views, task.fusion), shown=["rot45"])
    assert task.counting.calls == 0


def test_a_fusion_of_boxes_is_none_of_maps_and_the_other_way_round(picture, tmp_path):
    for name, fusion in (("segment", "wbf"), ("classify", "nms"), ("detect", "mean")):
        with pytest.raises(ValueError, match=f"{fusion}.*unknown"):
            TASKS[name].run(TASKS[name].record(tmp_path), picture, Plan(("darker",), fusion))


# Plans


def test_needed_views_are_the_plans_the_plain_one_and_others_each_once():
    need = partial(needed, plain="identity", views=VIEWS)
    assert need(ONE_LOOK, shown=()) == ("identity",)
    assert need(Plan(("hflip", "noise")), shown=()) == ("hflip", "noise", "identity")
    plan = Plan(("hflip", "identity"))
    assert need(plan, shown=("noise", "hflip", "noise")) == ("hflip", "identity", "noise")


@pytest.mark.parametrize("names", [(), ("rot45",), ("identity", "rot45"), ("hflip", "hflip")])
def test_needed_refuses_no_view_an_unknown_one_and_one_twice(names):
    with pytest.raises(ValueError, match="view"):
        needed(Plan(names), "identity", (), VIEWS)


def test_needed_refuses_unknown_views_to_show_and_those_of_another_task():
    with pytest.raises(ValueError, match="rot45"):
        needed(ONE_LOOK, "identity", ("rot45",), VIEWS)
    with pytest.raises(ValueError, match="center"):
        needed(ONE_CROP, "identity", (), VIEWS)
    with pytest.raises(ValueError, match="identity"):
        needed(ONE_LOOK, "center", (), CROP_VIEWS)


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS.keys())
@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("names", [(), ("rot45",), ("identity", "rot45")], ids=str)
def test_a_plan_of_a_world_with_unknown_views_never_runs(world, fusion, names):
    if fusion == "none" and names:
        assert world.plan(names, "none")[0].views == ONE_LOOK.views  # the others do not matter
        return
    told = "rot45" if names else "no view"
    if fusion == "learned" and names and not world.weight_paths:
        told = "no weights were learned"
    with pytest.raises(ValueError, match=told):
        needed(world.plan(names, fusion)[0], "identity", (), VIEWS)


@pytest.mark.parametrize(
    "values",
    [
        [0.5, float("nan")],
        [float("inf"), 0],
        [float("inf"), float("-inf")],
        [float("nan")] * 2,
        [1.5, -0.5],
        [0.5, 0.4],
        [1, 1],
        [0, 0],
        [],
        [[]],
        1.0,
        [[[1.0]]],
        [[0.5, 0.5], [0.5, float("nan")]],
        [[0.9, 0.1], [0.9, 0.1]],
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [torch.tensor, np.array])
def test_numbers_that_are_no_weights_are_refused(values, kind):
    with pytest.raises(ValueError, match="weights"):
        Weights(kind(values))


@pytest.mark.parametrize(("name", "other"), [*permutations(TASKS, 2)])
def test_a_model_of_another_task_is_refused_before_any_forward_pass(
    name, other, picture, tmp_path
):
    record = TASKS[other].record(tmp_path)
    for plan in (Plan(TASKS[name].views, TASKS[name].fusion), Plan((), "average")):
        with pytest.raises(ValueError, match=f"'own' is made to {other}, not to {name}: choose"):
            TASKS[name].run(record, picture, plan)
    assert TASKS[other].counting.calls == 0
