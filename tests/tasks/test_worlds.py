import re
from dataclasses import replace

import pytest
import torch

from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.domains import DOMAINS
from tta_demo.models.ensemble import rows_of
from tta_demo.tasks.worlds import MEASURED, WORLDS, world_named
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.plan import ONE_LOOK
from tta_demo.tta.views import VIEW_SETS

worlds = pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS.keys())
learned = pytest.mark.parametrize("world", MEASURED.values(), ids=MEASURED.keys())
UNWEIGHTED = [name for name, one in FUSIONS.items() if not one.weighted and name != "none"]


def test_an_unknown_world_is_refused_by_name():
    with pytest.raises(ValueError, match="moon"):
        world_named("moon")


@worlds
def test_a_world_is_what_its_name_says_and_its_model_segments(world):
    assert world_named(world.name) is world
    assert world.record.task == "segment"
    assert world.record.name == world.model
    assert all(path.is_file() and world.mask_of(path).is_file() for path in world.examples)


@worlds
@pytest.mark.parametrize("fusion", UNWEIGHTED)
def test_a_plan_without_weights_has_the_chosen_views(world, fusion):
    plan, notes = world.plan(("hflip", "shift"), fusion)
    assert (plan.views, plan.fusion, plan.weights) == (("hflip", "shift"), fusion, None)
    assert notes == ()


@worlds
def test_without_fusion_the_plan_is_that_of_one_look_whatever_is_chosen(world):
    plan, _ = world.plan(("hflip", "shift"), "none")
    assert plan.settings() == ONE_LOOK.settings()


@learned
def test_the_weights_are_those_of_the_smallest_file_that_has_all_views(world):
    sizes = [len(WeightFile.load(path).views) for path in world.weight_paths]
    assert sizes == sorted(sizes)
    for name in ("flips", "d4", "all"):
        views = VIEW_SETS[name]
        assert set(world.weight_file(views).views) == set(views)
        plan, notes = world.plan(views, "learned")
        wanted = world.weight_file(views).select(views, world.record.digest, world.record.classes)
        assert torch.equal(plan.weights.values, wanted.values)
        assert plan.weights.pool == wanted.pool
        assert notes == ()
    assert set(world.weight_file(("zoom0.5",)).views) == set(VIEW_SETS["all"])


@learned
def test_weights_of_fewer_views_are_scaled_up_and_that_is_told(world):
    plan, (note,) = world.plan(("identity", "hflip"), "learned")
    weights = world.weight_file(("identity", "hflip")).weights
    total = weights["identity"] + weights["hflip"]
    wanted = torch.tensor([weights["identity"], weights["hflip"]]) / total
    torch.testing.assert_close(plan.weights.values, wanted)
    assert f"{len(weights)} looks" in note
    assert "2 of them" in note


@learned
def test_weights_of_ones_own_are_used_and_named(world):
    file = replace(
        world.weight_file(("identity",)),
        weights={"hflip": 0.25, "identity": 0.75},
        calibration={"pictures": 12},
    )
    plan, (note,) = world.plan(("identity", "hflip"), "learned", file)
    assert plan.weights.values.tolist() == [0.75, 0.25]
    assert "12 pictures" in note


@worlds
def test_what_cannot_be_planned_is_refused(world):
    with pytest.raises(ValueError, match="no view"):
        world.plan((), "mean")
    with pytest.raises(ValueError, match="average"):
        world.plan(("identity",), "average")


@learned
def test_weights_of_other_views_or_another_model_are_refused(world):
    with pytest.raises(ValueError, match="shift"):
        world.plan(("identity", "shift"), "learned")  # no file has learned it
    other = replace(world.weight_file(("identity",)), digest="0123")
    with pytest.raises(ValueError, match="0123"):
        world.plan(("identity",), "learned", other)


def test_a_world_without_weights_says_so_and_takes_those_of_ones_own():
    photos = replace(WORLDS["photos"], weight_paths=())
    with pytest.raises(ValueError, match="Everyday photographs"):
        photos.plan(("identity", "hflip"), "learned")
    weights = {"hflip": 0.25, "identity": 0.75}
    file = WeightFile("photos", photos.model, photos.record.digest, weights)
    plan, _ = photos.plan(("identity", "hflip"), "learned", file)
    assert plan.weights.values.tolist() == [0.75, 0.25]


def test_the_weights_of_photographs_say_that_no_truth_taught_them():
    world = WORLDS["photos"]
    views = DOMAINS[world.record.domain].views
    plan, notes = world.plan(views, "learned")
    assert (plan.views, notes) == (views, ())
    taught = world.weight_file(views).calibration
    assert "no truth" in taught["data"]
    assert not {path.stem for path in world.examples} & set(taught["names"])


def test_photographs_have_no_sets_to_measure_on():
    with pytest.raises(ValueError, match="--data"):
        WORLDS["photos"].pictures("test", None)


WEEDS = WORLDS["weeds"]


def test_its_own_model_looks_if_none_is_named():
    assert WEEDS.by([]) is WEEDS
    assert WEEDS.by(["unet-weeds"]) is WEEDS
    assert WORLDS["nuclei"].by([]).looking == ()


def test_models_look_in_the_worlds_order_whatever_is_ticked_first():
    both = WEEDS.by(["unet-weeds-novice", "unet-weeds"])
    assert both.looking == ("unet-weeds", "unet-weeds-novice")
    assert both.record.rows(["hflip"]) == ("unet-weeds/hflip", "unet-weeds-novice/hflip")
    assert both.by(WEEDS.looking).looking == WEEDS.looking


@pytest.mark.parametrize("models", [["unet-weeds-novice"], WEEDS.models])
def test_no_learned_weights_go_to_models_that_they_were_not_learned_with(models):
    world = WEEDS.by(models)
    assert world.plan(VIEW_SETS["d4"], "mean")[0].views == rows_of(world.record, VIEW_SETS["d4"])
    with pytest.raises(ValueError, match=re.escape(world.record.name)):
        world.plan(VIEW_SETS["d4"], "learned")


def test_a_plan_may_name_rows_instead_of_views():
    world = WEEDS.by(WEEDS.models[:2])
    rows = ("unet-weeds/hflip", "unet-weeds-small/rot90")
    assert world.plan(rows, "mean")[0].views == rows
    assert world.plan(rows, "none")[0].views == ("unet-weeds/identity",)


@pytest.mark.parametrize(("world", "name"), [("weeds", "unet-nuclei"), ("photos", "unet-weeds")])
def test_a_model_of_another_world_is_refused(world, name):
    with pytest.raises(ValueError, match=name):
        WORLDS[world].by([name])
