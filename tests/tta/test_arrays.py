"""Answers that a loop of one's own has made, fused without any model of ours."""

import numpy as np
import pytest
import torch
from torch import nn

from tta_demo.learning.fit import fit
from tta_demo.learning.module import Form
from tta_demo.tta.box_views import predict_boxes
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.fusion import FUSIONS, Weights, fuse
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import ViewStack, predict_views

VIEWS = ("mine", "turned", "larger")
SHAPES = pytest.mark.parametrize("shape", [(3, 4, 6, 7), (3, 4)], ids=["maps", "scores"])
KINDS = pytest.mark.parametrize("kind", [torch.Tensor, torch.Tensor.numpy, torch.Tensor.double])
UNWEIGHTED = [name for name in FUSIONS if name not in ("none", "learned")]


@SHAPES
@KINDS
@pytest.mark.parametrize("fusion", UNWEIGHTED)
def test_arrays_of_either_kind_fuse_as_their_stack(fusion, kind, shape):
    logits = 2 * torch.randn(shape)
    wanted = fuse(ViewStack(VIEWS, logits.log_softmax(1)), fusion)
    for answers in (logits, logits.softmax(1)):
        torch.testing.assert_close(fuse(kind(answers), fusion), wanted, atol=1e-5, rtol=0)
        found = Plan(VIEWS, fusion).fuse(kind(answers))
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)


def test_half_precision_and_certain_probabilities_are_probabilities():
    answers = torch.rand(3, 4, 6, 7).softmax(1).half()
    answers[0] = torch.eye(4)[0].view(4, 1, 1)
    fused = fuse(answers, "mean")
    torch.testing.assert_close(fused, answers.float().mean(0), atol=2e-3, rtol=0)
    assert fused.isfinite().all()


@pytest.mark.parametrize("pool", ["linear", "log"])
def test_what_is_learned_from_arrays_goes_straight_into_fuse_and_plan(pool):
    truth = np.random.default_rng(0).integers(0, 4, (6, 7))
    right = 3 * np.moveaxis(np.eye(4)[truth], -1, 0)
    answers = np.stack(
        [right + noise for noise in np.random.default_rng(1).normal(0, 2, (3, 4, 6, 7))]
    )
    found = fit([answers], [truth], "adam", prior=1, form=Form(pool=pool))
    wanted = found.plan(VIEWS).fuse(answers)
    assert torch.equal(fuse(answers, "learned", found), wanted)
    assert torch.equal(Plan(VIEWS, "learned", found).fuse(answers), wanted)
    if pool == "linear":
        assert torch.equal(fuse(answers, "learned", found.weights), wanted)
        assert torch.equal(Plan(VIEWS, "learned", found.weights.tolist()).fuse(answers), wanted)
    assert Plan(VIEWS, "learned", found).settings() == found.plan(VIEWS).settings()
    assert not torch.equal(wanted, fuse(answers, "mean"))


GOOD = torch.rand(3, 4, 6, 7).softmax(1)
REFUSED = {
    "labels": GOOD.argmax(1),
    "one class a view": GOOD[:, 0],
    "an axis of length 1 for the class": GOOD[:, :1],
    "pictures and views": GOOD[:, None],
    "bytes": (255 * GOOD).to(torch.uint8),
    "one NaN": torch.where(GOOD.max() == GOOD, torch.nan, GOOD),
    "infinite": torch.where(GOOD.max() == GOOD, torch.inf, 9 * GOOD),
    "sigmoids": (GOOD - 0.5).sigmoid(),
    "no view": GOOD[:0],
    "a number": torch.tensor(0.5),
}


@pytest.mark.parametrize("answers", REFUSED.values(), ids=REFUSED.keys())
def test_arrays_that_are_no_answers_are_refused(answers):
    for kind in (answers, answers.numpy()):
        with pytest.raises(ValueError, match="answers"):
            fuse(kind)


def test_a_plan_of_other_views_than_the_array_has_is_refused():
    with pytest.raises(ValueError, match="V = 2"):
        Plan(VIEWS[:2]).fuse(GOOD)
    with pytest.raises(ValueError, match="weights"):
        fuse(GOOD, "learned", np.array([0.5, 0.5]))
    with pytest.raises(ValueError, match="weights"):
        Plan(VIEWS, "learned", [0.5, 0.4, 0.3])


def test_weights_are_taken_as_they_are():
    weights = Weights([0.5, 0.5], "log")
    assert Weights.of(weights) is weights
    assert Weights.of(None) is None


# What a model may answer, and what it is shown

IMAGE = torch.rand(3, 8, 10)
ANSWERS = {
    "one class": lambda x: x[:, :1],
    "a coarser answer": lambda x: x[..., ::2, ::2],
    "turned": lambda x: x.mT,
    "scores": lambda x: x.mean((2, 3)),
    "no picture": lambda x: x[0],
    "NaN": lambda x: x / 0 * 0,
    "infinite": lambda x: x / 0,
    "impossible everywhere": lambda x: -x / 0,
    "a dictionary": lambda x: {"out": x},
    "an array": lambda x: x.numpy(),
    "nothing": lambda _: None,
}


@pytest.mark.parametrize("model", ANSWERS.values(), ids=ANSWERS.keys())
def test_an_answer_that_makes_no_sense_is_refused(model):
    with pytest.raises(ValueError, match="logits"):
        predict_views(model, IMAGE)


def test_a_class_that_cannot_be_is_no_mistake():
    def model(images):
        return torch.cat([images, torch.full_like(images[:, :1], -torch.inf)], 1)

    assert (predict_views(model, IMAGE).probs[0, 3] < 1e-6).all()


@pytest.mark.parametrize(
    "image",
    [255 * IMAGE, IMAGE.to(torch.uint8), (IMAGE - 0.45) / 0.22, IMAGE / 0 * 0],
    ids=["0..255", "integers", "standardised", "NaN"],
)
def test_a_picture_of_other_values_is_refused(image):
    boxes = [Boxes([[0, 0, 1, 1]], [0.5], [1])]
    for predict, model in ((predict_views, lambda x: x), (predict_boxes, lambda _: boxes)):
        with pytest.raises(ValueError, match="image"):
            predict(model, image)


def test_a_model_in_training_mode_is_refused_before_it_is_asked():
    network = nn.Sequential(nn.Dropout2d(), nn.Conv2d(3, 3, 1))
    for predict in (predict_views, predict_boxes):
        with pytest.raises(ValueError, match=r"eval\(\)"):
            predict(network, IMAGE)
    assert predict_views(network.eval(), IMAGE).probs.shape == (1, 3, 8, 10)
