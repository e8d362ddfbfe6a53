import time
from concurrent.futures import ThreadPoolExecutor
from math import isnan

import numpy as np
import pytest
import sklearn.metrics
import torch
from own_models import Counting, own_record

from tta_demo.models.registry import MODELS, load_model
from tta_demo.models.runner import Runner
from tta_demo.pictures.masks import read_mask
from tta_demo.pictures.reading import Picture, read_picture
from tta_demo.tasks.segment import segment
from tta_demo.tasks.worlds import MEASURED, WORLDS, world_named
from tta_demo.tta.fusion import FUSIONS, Weights
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.predict import predict_views, to_labels, to_tensor
from tta_demo.tta.views import VIEW_SETS, VIEWS

D4 = VIEW_SETS["d4"]


@pytest.fixture
def counting(toy_model):
    return Counting(toy_model)


@pytest.fixture
def record(tmp_path, counting):
    return own_record(tmp_path, "segment", counting)


def picture(height=31, width=40, seed=0):
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Picture.of(rgb, "It is noise.")


@pytest.fixture
def truth():
    return np.random.default_rng(1).integers(0, 3, (31, 40), np.uint8)


# The answer


@pytest.mark.parametrize("fusion", [name for name in FUSIONS if name not in ("none", "learned")])
def test_the_labels_are_those_of_the_fused_stack_within_half_precision(fusion, record, toy_model):
    result = segment(record, picture(), Plan(tuple(VIEWS), fusion))
    stack = predict_views(toy_model, to_tensor(picture().rgb), tuple(VIEWS))
    probs = Plan(tuple(VIEWS), fusion).fuse(stack)
    best, second = probs.topk(2, dim=0).values
    sure = (best - second > 5e-3).numpy()
    assert sure.mean() > 0.8
    np.testing.assert_array_equal(result.labels[sure], to_labels(probs)[sure])
    assert result.labels.dtype == np.uint8


def test_learned_weights_weigh_the_views_in_the_order_of_the_plan(record):
    views = ("hflip", "identity", "rot90")
    for place, name in enumerate(views):
        plan = Plan(views, "learned", Weights(torch.eye(3)[place]))
        result = segment(record, picture(), plan)
        np.testing.assert_array_equal(result.labels, result.looks[name].labels, name)


def test_looks_equal_fresh_ones_within_half_precision(record, toy_model):
    result = segment(record, picture(), Plan(tuple(VIEWS)))
    fresh = predict_views(toy_model, to_tensor(picture().rgb), tuple(VIEWS))
    assert list(result.looks) == list(VIEWS)
    for i, (name, one) in enumerate(result.looks.items()):
        assert one.log_probs.dtype == torch.float16
        probs = one.log_probs.float().exp()
        if one.seen is not None:
            probs = probs * one.seen
        torch.testing.assert_close(probs, fresh.probs[i], atol=1e-3, rtol=0, msg=name)
        seen = fresh.seen[i].numpy()  # the labels come from full precision
        np.testing.assert_array_equal(one.labels[seen], to_labels(fresh.probs[i])[seen], name)


def test_looks_count_the_bytes_of_their_arrays(record):
    looks = segment(record, picture(), Plan(("identity", "tilt+10", "zoom0.5"))).looks
    pixels = 31 * 40
    # Half precision, labels; the mask of the tilt; the labels that the model gave each view.
    wanted = 3 * (2 * 3 * pixels + pixels) + pixels + (2 * pixels + 16 * 20)
    assert sum(one.nbytes for one in looks.values()) == wanted


def test_threads_that_share_the_cache_get_the_same_looks(tmp_path, toy_model):
    runner = Runner(toy_model, stride=4)
    model = own_record(tmp_path, "segment", runner)
    pictures = [picture(9, 14, seed) for seed in range(3)]

    def stacked(one):
        looks = segment(model, one, Plan(D4)).looks
        return torch.stack([looks[name].log_probs for name in D4])

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(stacked, pictures * 6))
    for i, result in enumerate(results):
        wanted = predict_views(runner, to_tensor(pictures[i % 3].rgb), D4).log_probs.half()
        assert torch.equal(result, wanted), i


def test_one_look_is_the_original_view_even_if_the_plan_has_it_not(record, toy_model):
    result = segment(record, picture(), Plan(("hflip", "vflip")))
    with torch.no_grad():
        wanted = to_labels(toy_model(to_tensor(picture().rgb)[None])[0])
    np.testing.assert_array_equal(result.one_look, wanted)
    assert result.changed == (result.labels != wanted).mean() > 0


def test_no_tta_is_one_look_and_changes_nothing(record, counting):
    result = segment(record, picture())
    assert result.plan is ONE_LOOK
    assert counting.calls == 1
    assert result.changed == 0
    np.testing.assert_array_equal(result.labels, result.one_look)


def test_progress_is_shown_of_the_views_that_need_a_pass(record):
    shown = []

    def track(views):
        for view in views:
            shown.append(view.name)
            yield view

    segment(record, picture(), Plan(("hflip",)), track=track)
    segment(record, picture(), Plan(("hflip", "vflip", "identity")), track=track)
    assert shown == ["hflip", "identity", "vflip"]


# Scores and notes


def test_without_truth_there_is_no_score(record):
    result = segment(record, picture())
    assert result.matrices is None
    assert result.view_score("identity") is None
    assert "scores" not in result.report()


def test_the_scores_are_those_of_scikit_learn(record, truth):
    result = segment(record, picture(), Plan(D4), truth)
    report = result.report()
    pairs = {"one_look": result.one_look, "fused": result.labels}
    for (key, labels), matrix in zip(pairs.items(), result.matrices, strict=True):
        flat = truth.ravel(), labels.ravel()
        np.testing.assert_array_equal(matrix, sklearn.metrics.confusion_matrix(*flat))
        jaccard = sklearn.metrics.jaccard_score(*flat, average=None)
        scores = report["scores"][key]
        assert [*scores["iou"].values()] == pytest.approx(jaccard)
        assert [*scores["f1"].values()] == pytest.approx(
            sklearn.metrics.f1_score(*flat, average=None)
        )
        assert scores["miou"] == pytest.approx(jaccard.mean())
        assert scores["miou_without_background"] == pytest.approx(jaccard[1:].mean())
    assert [*report["scores"]["one_look"]["iou"]] == ["class 0", "class 1", "class 2"]
    shares = np.bincount(result.labels.ravel(), minlength=3) / truth.size
    assert [*report["pixels"].values()] == pytest.approx(shares)
    assert report["changed"] == result.changed


def test_the_report_says_how_sure_and_how_right_the_answers_are(record, truth):
    result = segment(record, picture(), Plan(D4), truth)
    scores = result.report()["scores"]
    for key, probs in (("one_look", result.stack("identity").probs[0]), ("fused", result.probs)):
        table = probs.flatten(1).T.numpy().astype(float)
        table /= table.sum(1, keepdims=True)
        nll = sklearn.metrics.log_loss(truth.ravel(), table)
        assert scores[key]["nll"] == pytest.approx(nll, abs=1e-3), key
        sure, right = table.max(1), table.argmax(1) == truth.ravel()
        bins = np.digitize(sure, np.linspace(0, 1, 16)[1:-1])
        gaps = [abs(right[bins == b].sum() - sure[bins == b].sum()) for b in range(15)]
        assert scores[key]["ece"] == pytest.approx(sum(gaps) / truth.size, abs=1e-3), key


def test_the_report_says_what_every_look_took_even_if_it_is_kept(tmp_path, toy_model):
    def slow(images):
        time.sleep(0.05)
        return toy_model(images)

    record = own_record(tmp_path, "segment", slow)
    first = segment(record, picture(), Plan(("identity", "hflip"))).report()["seconds"]
    assert all(taken > 0.05 for taken in first["looks"].values())
    assert first["whole"] == pytest.approx(sum(first["looks"].values()) + first["fusing"])
    kept = segment(record, picture(), Plan(("hflip",))).report()["seconds"]
    assert kept["looks"] == first["looks"]
    assert kept["whole"] == pytest.approx(first["looks"]["hflip"] + kept["fusing"])


@pytest.mark.parametrize("background", [True, False])
def test_a_view_is_scored_on_the_pixels_that_it_saw(record, truth, background):
    result = segment(record, picture(), Plan(("identity", "tilt+10")), truth)
    for name in ("identity", "tilt+10"):
        one = result.looks[name]
        seen = np.ones_like(truth, bool) if one.seen is None else one.seen.numpy()
        assert (name == "identity") == seen.all()
        jaccard = sklearn.metrics.jaccard_score(truth[seen], one.labels[seen], average=None)
        wanted = jaccard[0 if background else 1 :].mean()
        assert result.view_score(name, background) == pytest.approx(wanted)
    assert result.report()["scores"]["views"]["tilt+10"] == result.view_score("tilt+10")


def test_classes_that_are_nowhere_have_no_score_in_the_report(tmp_path):
    def nothing_but_background(images):
        return torch.stack([torch.zeros(images.shape[-2:]) + x for x in (9, 0, 0)])[None]

    model = own_record(tmp_path, "segment", nothing_but_background)
    report = segment(model, picture(), Plan(D4), np.zeros((31, 40), np.uint8)).report()
    for scores in (report["scores"]["one_look"], report["scores"]["fused"]):
        assert scores["iou"] == scores["f1"] == {"class 0": 1, "class 1": None, "class 2": None}
        assert (scores["miou"], scores["miou_without_background"]) == (1, None)
    assert not any(isnan(x) for x in report["scores"]["views"].values())


def test_a_part_that_no_view_of_the_plan_saw_is_noted(record):
    tilted = segment(record, picture(), Plan(("tilt+10", "tilt-10")))
    unseen = (
        1
        - torch.stack([tilted.looks[name].seen for name in ("tilt+10", "tilt-10")])
        .any(0)
        .float()
        .mean()
    )
    assert 0 < unseen < 0.5
    first, second = tilted.notes
    assert first == "It is noise."
    assert f"{100 * unseen:.1f} %" in second
    assert segment(record, picture(), Plan(("tilt+10", "noise"))).notes == ("It is noise.",)


# The built-in worlds


@pytest.mark.parametrize("name", MEASURED)
def test_the_report_of_an_example_names_its_model_its_weights_and_its_scores(name):
    world = world_named(name)
    opened = read_picture(world.examples[0])
    truth, _ = world.read_truth(world.mask_of(world.examples[0]), opened)
    plan, notes = world.plan(VIEW_SETS["flips"], "learned")
    report = segment(world.record, opened, plan, truth).report()
    assert notes == ()
    assert report["model"] == {"name": world.model, "digest": MODELS[world.model].digest}
    assert [*report["weights"]] == list(VIEW_SETS["flips"])
    assert sum(report["weights"].values()) == pytest.approx(1)
    assert 0.5 < report["scores"]["fused"]["miou"] <= 1


@pytest.mark.parametrize("name", WORLDS)
def test_one_look_at_an_example_is_what_the_model_says(name):
    world = world_named(name)
    opened = read_picture(world.examples[0])
    labels, _ = read_mask(world.mask_of(world.examples[0]), world.record.palette, opened)
    assert labels.shape == opened.rgb.shape[:2]
    result = segment(world.record, opened)
    wanted = load_model(world.model)(to_tensor(opened.rgb)[None]).softmax(1)[0]
    np.testing.assert_array_equal(result.one_look, to_labels(wanted))
    assert result.changed < 1e-4, "half precision may turn a tie"
