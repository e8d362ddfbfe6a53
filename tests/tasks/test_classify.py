from pathlib import Path

import gradio
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from own_models import Counting, own_record
from sklearn.datasets import load_sample_image

from tta_demo.models.registry import MODELS
from tta_demo.pictures.reading import Picture, read_picture
from tta_demo.tasks.classify import ONE_CROP, classify
from tta_demo.tta.crops import CROP_SETS, cut, predict_crops
from tta_demo.tta.fusion import FUSIONS, Weights, fuse
from tta_demo.tta.plan import Plan

RECORD = MODELS["efficientnet-lite0"]
PHOTOS = Path(gradio.__file__).parent / "media_assets" / "images"


@pytest.fixture
def toy(seed):
    """Logits `(B, 6)` that look at every part of the crop differently: no symmetry at all."""
    matrix = 0.3 * torch.randn(3 * 7 * 7, 6)
    return lambda crops: F.adaptive_avg_pool2d(crops, 7).flatten(1) @ matrix


@pytest.fixture
def counting(toy):
    return Counting(toy)


@pytest.fixture
def small(tmp_path, counting):
    """The record of the toy model."""
    return own_record(tmp_path, "classify", counting, classes=6)


def picture(height=64, width=80, seed=0):
    """Large blots of colour, so that crops of it differ."""
    blots = np.random.default_rng(seed).integers(0, 256, (8, 10, 3), np.uint8)
    return np.kron(blots, np.ones((height // 8, width // 10, 1), np.uint8))


# A stack of crops


def test_a_stack_holds_the_log_probabilities_of_each_crop_alone(toy):
    names = CROP_SETS["all"]
    stack = predict_crops(toy, picture(), names)
    assert stack.views == names
    for name, row in zip(names, stack.log_probs, strict=True):
        wanted = toy(cut(picture(), [name])).softmax(1)[0].log()
        torch.testing.assert_close(row, wanted, atol=1e-5, rtol=0)


# Of these widths, the middle of the resized picture stands exactly in the middle.
@pytest.mark.parametrize("size", [(256, 300), (64, 80), (80, 60), (120, 120)], ids=str)
@pytest.mark.parametrize("name", ["mirror", "ten-crop", "d4"])
def test_the_fused_answer_to_a_mirrored_picture_is_that_to_the_picture(toy, name, size):
    rgb = picture(*size)
    there, mirrored = (predict_crops(toy, x, CROP_SETS[name]) for x in (rgb, rgb[:, ::-1]))
    assert (there.probs[0] - mirrored.probs[0]).abs().max() > 0.02, "the model is symmetric"
    for fusion in ("mean", "gmean", "max", "median", "vote", "confidence"):
        torch.testing.assert_close(fuse(there, fusion), fuse(mirrored, fusion), atol=2e-3, rtol=0)


def test_the_five_crops_alone_are_no_mirrored_set(toy):
    there, mirrored = (
        fuse(predict_crops(toy, x, CROP_SETS["five-crop"]), "mean")
        for x in (picture(), picture()[:, ::-1])
    )
    assert (there - mirrored).abs().max() > 0.02


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_the_fused_d4_answer_to_a_turned_square_is_that_to_the_square(toy, turns):
    rgb = picture(80, 80)
    there, turned = (
        fuse(predict_crops(toy, x, CROP_SETS["d4"]), "mean") for x in (rgb, np.rot90(rgb, turns))
    )
    torch.testing.assert_close(there, turned, atol=2e-3, rtol=0)


def test_the_geometric_mean_is_the_softmax_of_the_mean_logits(toy):
    names = CROP_SETS["ten-crop"]
    wanted = toy(cut(picture(), names)).mean(0).softmax(0)
    stack = predict_crops(toy, picture(), names)
    torch.testing.assert_close(fuse(stack, "gmean"), wanted, atol=1e-5, rtol=0)
    assert (fuse(stack, "mean") - wanted).abs().max() > 1e-3


def test_prediction_leaves_nothing_for_autograd():
    layer = torch.nn.Linear(3, 4)
    stack = predict_crops(lambda x: layer(x.mean((2, 3))), picture(), ["center"])
    assert not stack.log_probs.requires_grad
    assert not stack.log_probs.is_inference(), "the learner could not train on it"


@pytest.mark.parametrize(
    "model", [lambda x: x, lambda x: x.mean((2, 3))[:1], lambda x: x.mean((1, 2, 3))]
)
def test_logits_of_another_shape_are_refused(model):
    with pytest.raises(ValueError, match=r"logits \(2, C\)"):
        predict_crops(model, picture(), ["center", "top-left"])


# From a picture to an answer


def opened(**options):
    return Picture.of(picture(**options))


@pytest.mark.parametrize("fusion", [name for name in FUSIONS if name not in ("none", "learned")])
def test_the_fused_answer_is_that_of_its_stack(small, toy, fusion):
    names = CROP_SETS["ten-crop"]
    fresh = predict_crops(toy, picture(), names)
    answer = classify(small, opened(), Plan(names, fusion))
    assert answer.stack.views == answer.plan.views == names
    torch.testing.assert_close(answer.probs, fuse(fresh, fusion), atol=5e-3, rtol=0)
    torch.testing.assert_close(answer.one_look, fresh.probs[0], atol=5e-3, rtol=0)


@pytest.mark.parametrize("names", [("top-left",), ("top-left", "center"), ("center",)], ids=str)
def test_no_fusion_is_the_middle_whatever_is_chosen(small, toy, names):
    plan = Plan.chosen(names, "none", plain="center")
    answer = classify(small, opened(), plan, shown=names)
    wanted = predict_crops(toy, picture()).probs[0]
    torch.testing.assert_close(answer.probs, wanted, atol=5e-3, rtol=0)
    assert torch.equal(answer.probs, answer.one_look)
    assert plan.settings() == ONE_CROP.settings()
    assert set(answer.looks) == {*names, "center"}


def test_one_look_is_the_middle_even_if_the_plan_has_it_not(small, toy):
    answer = classify(small, opened(), Plan(("top-left", "bottom-right")))
    wanted = predict_crops(toy, picture()).probs[0]
    torch.testing.assert_close(answer.one_look, wanted, atol=5e-3, rtol=0)
    assert answer.stack.views == ("top-left", "bottom-right")


def test_no_tta_is_the_crop_in_the_middle_once(small, counting):
    answer = classify(small, opened())
    assert answer.plan is ONE_CROP
    assert (counting.calls, counting.shown) == (1, 1)
    assert torch.equal(answer.probs, answer.one_look)


def test_learned_weights_weigh_the_crops_in_the_order_of_the_views(small):
    names = ("top-left", "center", "bottom-right")
    for place in range(3):
        plan = Plan(names, "learned", Weights(torch.eye(3)[place]))
        answer = classify(small, opened(), plan)
        torch.testing.assert_close(answer.probs, answer.stack.probs[place], atol=2e-3, rtol=0)


def test_weights_per_class_and_crop_take_each_class_from_its_own_crop(small):
    weights = torch.zeros(2, 6)
    weights[0, :3], weights[1, 3:] = 1, 1
    plan = Plan(("center", "top-left"), "learned", Weights(weights))
    answer = classify(small, opened(), plan)
    scores = torch.cat([answer.stack.probs[0, :3], answer.stack.probs[1, 3:]])
    torch.testing.assert_close(answer.probs, scores / scores.sum())
    assert answer.weights["top-left"] == {f"class {i}": float(i > 2) for i in range(6)}


def test_the_likeliest_classes_come_first_with_their_probabilities(small):
    answer = classify(small, opened(), Plan(CROP_SETS["five-crop"]))
    probs = answer.probs.tolist()
    assert answer.top(3) == sorted(enumerate(probs), key=lambda pair: -pair[1])[:3]
    assert len(answer.top(100)) == 6


def test_agreement_is_the_share_of_crops_with_the_fused_first_choice(small):
    answer = classify(small, opened(), Plan(CROP_SETS["ten-crop"]))
    first = answer.top(1)[0][0]
    firsts = answer.stack.probs.argmax(1).tolist()
    assert answer.agreement == pytest.approx(firsts.count(first) / 10)
    assert 0 < answer.agreement < 1, "this picture tests nothing"
    assert classify(small, opened()).agreement == 1


def test_the_report_names_the_likeliest_classes_of_one_look_and_of_all(small):
    answer = classify(small, opened(), Plan(CROP_SETS["ten-crop"], "gmean"))
    report = answer.report()
    assert [*report["fused"].items()] == [(f"class {i}", p) for i, p in answer.top(5)]
    own = sorted(enumerate(answer.one_look.tolist()), key=lambda pair: -pair[1])[:5]
    assert [*report["one_look"].items()] == [(f"class {i}", p) for i, p in own]
    assert report["agreement"] == answer.agreement


def test_another_fusion_costs_no_pass_and_another_crop_one_crop(small, counting):
    names = CROP_SETS["five-crop"]
    classify(small, opened(), Plan(names))
    assert (counting.calls, counting.shown) == (1, 5)
    classify(small, opened(), Plan(names[::-1], "gmean"))
    assert (counting.calls, counting.shown) == (1, 5)
    classify(small, opened(), Plan((*names, "center-mirror")))
    assert (counting.calls, counting.shown) == (2, 6)
    classify(small, opened(seed=1), Plan(("top-left",)))  # and the middle, as one look
    assert (counting.calls, counting.shown) == (3, 8)


@pytest.mark.parametrize(
    "plan",
    [
        {"views": ()},
        {"views": ("centre",)},
        {"views": ("center", "center")},
        {"fusion": "average"},
        {"fusion": "learned"},
        {"weights": [1.0]},
        {"fusion": "learned", "weights": [0.5, 0.5]},
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(small, counting, plan):
    weights = Weights(plan["weights"]) if "weights" in plan else None
    with pytest.raises(ValueError, match=r"view|fusion|weights"):
        classify(small, opened(), Plan(**{"views": ("center",)} | plan | {"weights": weights}))
    assert counting.calls == 0


def test_pixels_of_another_shape_are_refused(small, counting):
    with pytest.raises(ValueError, match="rgb"):
        classify(small, Picture.of(picture()[..., 0]))
    assert counting.calls == 0


# The built-in classifier


def photo(name):
    path = PHOTOS / name
    return read_picture(path) if path.exists() else Picture.of(load_sample_image(name).copy())


SHOWN = {"cheetah.jpg": 293, "cheetah1.jpg": 293, "lion.jpg": 291, "flower.jpg": 985}


@pytest.mark.parametrize("views", ["center", "ten-crop", "all"])
@pytest.mark.parametrize(("name", "place"), SHOWN.items(), ids=str)
def test_the_classifier_sees_what_is_in_a_photograph(name, place, views):
    answer = classify(RECORD, photo(name), Plan(CROP_SETS[views]), device="cpu")
    assert answer.top(1)[0][0] == place, [(RECORD.classes[i], p) for i, p in answer.top()]


@pytest.mark.parametrize("views", ["center", "ten-crop"])
def test_the_classifier_takes_the_summer_palace_for_a_palace_in_five_guesses(views):
    answer = classify(RECORD, photo("china.jpg"), Plan(CROP_SETS[views]), device="cpu")
    assert RECORD.classes.index("palace") in dict(answer.top())
