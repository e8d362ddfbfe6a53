"""Classes that mean left and right: a mirror makes one of the other."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tta_demo.tta.box_views import predict_boxes
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.crops import CROP_SETS, CROP_VIEWS, predict_crops
from tta_demo.tta.fusion import Weights, fuse
from tta_demo.tta.predict import look, predict_views, unmirrored
from tta_demo.tta.symmetry import D4
from tta_demo.tta.views import VIEW_SETS, VIEWS

D4_NAMES = VIEW_SETS["d4"]
MIRRORS = [name for name, view in VIEWS.items() if view.symmetry.flip]
OTHERS = [name for name in VIEWS if name not in MIRRORS]


def handedness(images):
    """Whether green grows to the left or to the right for one who looks where red grows.

    A turn changes nothing about it, a mirror its sign.
    """
    x = F.pad(images, (1, 1, 1, 1), "replicate")
    right = (x[..., 1:-1, 2:] - x[..., 1:-1, :-2])[:, :2]
    down = (x[..., 2:, 1:-1] - x[..., :-2, 1:-1])[:, :2]
    return right[:, 0] * down[:, 1] - down[:, 0] * right[:, 1]


class Handed:
    """Answers `of` the handedness: nothing, left or right."""

    def __init__(self, answer, swap=((1, 2),)):
        self.answer, self.swap = answer, swap

    def __call__(self, images):
        return self.answer(handedness(images))


def maps(hand):
    return torch.stack([torch.zeros_like(hand), 9 * hand, -9 * hand], 1)


def scores(hand):
    return maps(hand.sum((1, 2)) / 9)


def one_box(hand):
    label = 1 if hand.sum() > 0 else 2
    return [Boxes([[0, 0, hand.shape[2], hand.shape[1]]], [0.9], [label])]


@pytest.fixture
def image():
    return torch.rand(3, 7, 12)


def test_half_of_the_symmetries_mirror_and_no_other_view():
    assert MIRRORS == ["hflip", "vflip", "transpose", "antitranspose"]


@pytest.mark.parametrize("symmetry", D4[1:], ids=lambda s: s.name)
def test_a_model_that_tells_left_from_right_is_equivariant_with_the_swap_alone(symmetry, image):
    plain, turned = (
        predict_views(Handed(maps, swap), image, ["identity", symmetry.name]).probs
        for swap in (((1, 2),), ())
    )
    torch.testing.assert_close(plain[1], plain[0], atol=1e-6, rtol=0)
    gap = float((turned[1] - turned[0]).abs().max())
    assert gap > 0.3 if symmetry.flip else gap < 1e-6


def test_exchanging_twice_is_no_exchange():
    answers = torch.rand(2, 5, 3, 4)
    model = Handed(maps, ((1, 4), (0, 2)))
    once = unmirrored(answers, model, VIEWS["hflip"])
    assert torch.equal(once[:, [2, 4, 0, 3, 1]], answers)
    assert torch.equal(unmirrored(once, model, VIEWS["hflip"]), answers)


@pytest.mark.parametrize("name", OTHERS)
def test_a_view_without_a_mirror_is_left_alone(name, image):
    with_swap, without = (look(Handed(maps, swap), image, VIEWS[name]) for swap in (((1, 2),), ()))
    assert torch.equal(with_swap.log_probs, without.log_probs)


@pytest.mark.parametrize("name", MIRRORS)
def test_what_the_model_was_shown_keeps_what_the_model_said(name, image):
    with_swap, without = (look(Handed(maps, swap), image, VIEWS[name]) for swap in (((1, 2),), ()))
    np.testing.assert_array_equal(with_swap.frame, without.frame)
    np.testing.assert_array_equal(with_swap.labels, np.array([0, 2, 1])[without.labels])


def test_a_weight_of_a_class_weighs_that_class_of_the_picture(image):
    views = ("identity", "hflip")
    stack = predict_views(Handed(maps), image, views)
    raw = predict_views(Handed(maps, ()), image, views)
    fused = fuse(stack, "learned", Weights([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]))
    wanted = torch.stack([raw.probs[0, 0], raw.probs[1, 2], raw.probs[0, 2]])
    torch.testing.assert_close(fused, wanted / wanted.sum(0))


def test_boxes_get_the_labels_of_the_picture(image):
    for swap, different in (((1, 2),), set()), ((), set(MIRRORS)):
        looks = predict_boxes(Handed(one_box, swap), image, D4_NAMES)
        plain = looks["identity"].boxes.labels
        assert {name for name, one in looks.items() if one.boxes.labels != plain} == different
        assert {name for name, one in looks.items() if one.frame.labels != plain} == set(MIRRORS)


def test_crops_get_the_scores_of_the_pictures_classes():
    rgb = np.random.default_rng(0).integers(0, 256, (240, 300, 3), np.uint8)
    names = CROP_SETS["d4"]
    kept = predict_crops(Handed(scores), rgb, names).probs
    torch.testing.assert_close(kept, kept[:1].expand_as(kept), atol=1e-3, rtol=0)
    plain = predict_crops(Handed(scores, ()), rgb, names).probs
    mirrored = torch.tensor([CROP_VIEWS[name].view.symmetry.flip for name in names])
    assert ((plain - plain[0]).abs().amax(1) > 0.3).tolist() == mirrored.tolist()


@pytest.mark.parametrize("swap", [((1, 3),), ((0, 1), (1, 2)), ((-1, 1),)], ids=str)
def test_ids_that_are_no_pairs_of_classes_are_refused(swap, image):
    with pytest.raises(ValueError, match="swap"):
        predict_views(Handed(maps, swap), image, ["hflip"])
