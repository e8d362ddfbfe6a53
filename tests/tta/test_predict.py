import cv2
import numpy as np
import pytest
import torch
import ttach
from torch import nn

from tta_demo.models.runner import Runner
from tta_demo.models.unet import UNet
from tta_demo.tta.fusion import Weights, fuse
from tta_demo.tta.predict import FLOOR, look, predict_views, to_labels
from tta_demo.tta.symmetry import D4
from tta_demo.tta.views import VIEW_SETS, VIEWS

D4_NAMES = VIEW_SETS["d4"]

# By name: the move and its way back, in numpy, over the last two axes.
MOVES = {
    "identity": (lambda a: a, lambda a: a),
    "hflip": (lambda a: a[..., ::-1], lambda a: a[..., ::-1]),
    "vflip": (lambda a: a[..., ::-1, :], lambda a: a[..., ::-1, :]),
    "rot180": (lambda a: a[..., ::-1, ::-1], lambda a: a[..., ::-1, ::-1]),
    "rot90": (lambda a: np.rot90(a, 1, (-2, -1)), lambda a: np.rot90(a, -1, (-2, -1))),
    "rot270": (lambda a: np.rot90(a, -1, (-2, -1)), lambda a: np.rot90(a, 1, (-2, -1))),
    "transpose": (lambda a: a.swapaxes(-1, -2), lambda a: a.swapaxes(-1, -2)),
    "antitranspose": (
        lambda a: a[..., ::-1, ::-1].swapaxes(-1, -2),
        lambda a: a[..., ::-1, ::-1].swapaxes(-1, -2),
    ),
}


def one_hot(index, count):
    return torch.eye(count)[index]


def answer(model, image):
    """Probabilities `(C, H, W)` of one plain forward pass."""
    with torch.no_grad():
        return model(image[None]).softmax(1)[0]


def picture(height=9, width=14, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


# One-hot weights


@pytest.mark.parametrize("name", D4_NAMES)
def test_all_weight_on_one_symmetry_gives_its_answer_turned_back(name, toy_model):
    image = torch.rand(3, 7, 12)
    stack = predict_views(toy_model, image, D4_NAMES)
    fused = fuse(stack, "learned", Weights(one_hot(D4_NAMES.index(name), 8))).numpy()
    move, back = MOVES[name]
    moved = torch.from_numpy(move(image.numpy()).copy())
    np.testing.assert_allclose(fused, back(answer(toy_model, moved).numpy()), atol=1e-6)


def test_a_model_without_symmetry_answers_every_symmetry_differently(toy_model):
    stack = predict_views(toy_model, torch.rand(3, 7, 12), D4_NAMES)
    for i in range(8):
        for j in range(i):
            gap = (stack.probs[i] - stack.probs[j]).abs().max()
            assert gap > 0.1, f"{D4_NAMES[i]} and {D4_NAMES[j]}"


@pytest.mark.parametrize("name", VIEWS)
def test_all_weight_on_one_view_of_all_gives_that_view(name, toy_model):
    names = tuple(VIEWS)
    image = torch.rand(3, 31, 40)
    stack = predict_views(toy_model, image, names)
    alone = predict_views(toy_model, image, [name])
    fused = fuse(stack, "learned", Weights(one_hot(names.index(name), len(names))))
    seen = stack.seen[names.index(name)]
    # A pixel at the edge of what a tilt saw sums to a little less than 1 before normalising.
    torch.testing.assert_close(fused[:, seen], alone.probs[0][:, seen], atol=1e-3, rtol=0)


# The oracle


def bright_rectangle(height=37, width=50):
    truth = np.zeros((height, width), np.uint8)
    truth[9:29, 14:48] = 1  # nearer to the right and the bottom, and not square
    image = torch.from_numpy(np.where(truth, 0.95, 0.05)).float().expand(3, height, width)
    return image, truth


def oracle(images):
    bright = images.mean(1, keepdim=True) - 0.5
    return 1000 * torch.cat([-bright, bright], 1)


@pytest.mark.parametrize("name", [*D4_NAMES, "shift"])
def test_the_oracle_finds_the_rectangle_exactly(name):
    image, truth = bright_rectangle()
    stack = predict_views(oracle, image, [name])
    labels = to_labels(stack.probs[0])
    seen = np.ones_like(truth, bool) if stack.seen is None else stack.seen[0].numpy()
    np.testing.assert_array_equal(labels[seen], truth[seen])
    assert truth[seen].any()


@pytest.mark.parametrize("name", VIEWS)
def test_the_oracle_finds_the_rectangle_through_every_view_up_to_its_edge(name):
    image, truth = bright_rectangle()
    stack = predict_views(oracle, image, [name])
    labels = to_labels(stack.probs[0])
    square = np.ones((5, 5), np.uint8)
    sure = cv2.erode(truth, square) == cv2.dilate(truth, square)
    if stack.seen is not None:
        sure &= stack.seen[0].numpy()
    wrong = np.argwhere(sure & (labels != truth))
    assert len(wrong) == 0, wrong
    assert truth[sure].sum() > 200


def test_the_oracle_finds_the_rectangle_with_all_views_fused():
    image, truth = bright_rectangle()
    labels = to_labels(fuse(predict_views(oracle, image, tuple(VIEWS)), "mean"))
    edge = cv2.morphologyEx(truth, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    np.testing.assert_array_equal(labels[~edge], truth[~edge])


# Equivariance


def fused_evenly(model, image, fusion="mean"):
    return fuse(predict_views(model, image, D4_NAMES), fusion)


@pytest.mark.parametrize("fusion", ["mean", "gmean", "median", "max", "confidence"])
@pytest.mark.parametrize("symmetry", D4, ids=lambda s: s.name)
def test_fusing_d4_evenly_makes_any_model_equivariant(symmetry, fusion, toy_model):
    image = torch.rand(3, 7, 12)
    moved = fused_evenly(toy_model, symmetry(image), fusion)
    torch.testing.assert_close(
        moved, symmetry(fused_evenly(toy_model, image, fusion)), atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("symmetry", D4, ids=lambda s: s.name)
def test_fusing_d4_evenly_is_equivariant_through_the_padding_of_a_network(symmetry, random_unet):
    runner = Runner(random_unet, UNet.STRIDE)
    image = torch.rand(3, 21, 35)
    moved = fused_evenly(runner, symmetry(image))
    torch.testing.assert_close(moved, symmetry(fused_evenly(runner, image)), atol=1e-5, rtol=0)


def test_one_look_of_the_same_models_is_not_equivariant(toy_model, random_unet):
    image = torch.rand(3, 21, 35)
    for model in (toy_model, Runner(random_unet, UNet.STRIDE)):
        for symmetry in D4[1:]:
            gap = answer(model, symmetry(image)) - symmetry(answer(model, image))
            assert gap.abs().max() > 1e-2, symmetry.name


def test_fusing_d4_evenly_agrees_with_ttach(random_unet):
    network = random_unet
    image = torch.rand(3, 32, 48)
    wrapper = ttach.SegmentationTTAWrapper(
        nn.Sequential(network, nn.Softmax(1)), ttach.aliases.d4_transform(), merge_mode="mean"
    )
    with torch.no_grad():
        theirs = wrapper(image[None])[0]
    ours = fused_evenly(network, image)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    assert ours.std() > 0.02


# The stack


def test_the_stack_has_the_views_in_the_given_order(toy_model):
    names = ("rot90", "zoom0.5", "identity")
    image = torch.rand(3, 9, 14)
    stack = predict_views(toy_model, image, names)
    assert stack.views == names
    for i, name in enumerate(names):
        assert torch.equal(
            stack.log_probs[i], predict_views(toy_model, image, [name]).log_probs[0]
        )


def test_a_sure_model_gives_finite_log_probabilities_and_zeros_where_nothing_was_seen():
    stack = predict_views(lambda x: 1e4 * (x - 0.5), torch.rand(3, 31, 40), tuple(VIEWS))
    assert stack.log_probs.isfinite().all()
    assert stack.log_probs.min() == FLOOR
    assert not stack.seen.all()
    assert (stack.probs.movedim(1, -1)[~stack.seen] == 0).all()


@pytest.mark.parametrize("views", [(), ("rot45",), ("identity", "rot45"), ("hflip", "hflip")])
def test_no_view_or_an_unknown_one_is_refused(views, toy_model):
    with pytest.raises(ValueError, match="view"):
        predict_views(toy_model, torch.rand(3, 5, 8), views)


@pytest.mark.parametrize("shape", [(5, 8), (1, 5, 8), (1, 3, 5, 8), (5, 8, 3)])
def test_an_image_of_another_shape_is_refused(shape, toy_model):
    with pytest.raises(ValueError, match="shape"):
        predict_views(toy_model, torch.zeros(shape))


def test_prediction_leaves_nothing_for_autograd(toy_model):
    stack = predict_views(toy_model, torch.rand(3, 5, 8), ("identity", "zoom0.5"))
    assert not stack.log_probs.requires_grad
    assert not stack.log_probs.is_inference(), "the learner could not train on it"


# Looks


def test_the_frame_is_what_the_model_answered_before_turning_back(toy_model):
    image = torch.rand(3, 7, 12)
    for name in D4_NAMES:
        one = look(toy_model, image, VIEWS[name])
        move, _ = MOVES[name]
        np.testing.assert_array_equal(one.frame, move(one.labels), name)


def test_a_look_has_the_labels_of_its_answer_and_counts_its_bytes(toy_model):
    image = torch.rand(3, 31, 40)
    for name, view in VIEWS.items():
        one = look(toy_model, image, view)
        stack = predict_views(toy_model, image, [name])
        assert torch.equal(one.log_probs, stack.log_probs[0]), name
        np.testing.assert_array_equal(one.labels, to_labels(stack.log_probs[0]), name)
        arrays = [one.log_probs, one.labels, one.frame, *([] if one.seen is None else [one.seen])]
        assert one.nbytes == sum(array.nbytes for array in arrays), name
