from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import torch
import ttach
from torch import nn

from tta_demo.models.runner import Runner
from tta_demo.models.unet import UNet
from tta_demo.tta.fusion import fuse
from tta_demo.tta.predict import FLOOR, LookCache, predict_views, to_labels, to_tensor
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


class Counting:
    """A model that counts its forward passes."""

    def __init__(self, model):
        self.model, self.passes = model, 0

    def __call__(self, images):
        self.passes += 1
        return self.model(images)


def one_hot(index, count):
    return torch.eye(count)[index]


def answer(model, image):
    """Probabilities `(C, H, W)` of one plain forward pass."""
    with torch.no_grad():
        return model(image[None]).softmax(1)[0]


def picture(height=9, width=14, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def random_unet():
    network = UNet(3, width=4).eval()
    with torch.no_grad():
        network.outputs.weight.mul_(30)  # else all probabilities are near a third
    return network


# One-hot weights


@pytest.mark.parametrize("name", D4_NAMES)
def test_all_weight_on_one_symmetry_gives_its_answer_turned_back(name, toy_model):
    image = torch.rand(3, 7, 12)
    stack = predict_views(toy_model, image, D4_NAMES)
    fused = fuse(stack, "learned", one_hot(D4_NAMES.index(name), 8)).numpy()
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
    fused = fuse(stack, "learned", one_hot(names.index(name), len(names)))
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
def test_fusing_d4_evenly_is_equivariant_through_the_padding_of_a_real_network(symmetry):
    runner = Runner(random_unet(), UNet.STRIDE)
    image = torch.rand(3, 21, 35)
    moved = fused_evenly(runner, symmetry(image))
    torch.testing.assert_close(moved, symmetry(fused_evenly(runner, image)), atol=1e-5, rtol=0)


def test_one_look_of_the_same_models_is_not_equivariant(toy_model):
    image = torch.rand(3, 21, 35)
    for model in (toy_model, Runner(random_unet(), UNet.STRIDE)):
        for symmetry in D4[1:]:
            gap = answer(model, symmetry(image)) - symmetry(answer(model, image))
            assert gap.abs().max() > 1e-2, symmetry.name


def test_fusing_d4_evenly_agrees_with_ttach():
    network = random_unet()
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


@pytest.mark.parametrize("views", [(), ("rot45",), ("identity", "rot45")])
def test_no_view_or_an_unknown_one_is_refused(views, toy_model):
    with pytest.raises(ValueError, match="view"):
        predict_views(toy_model, torch.rand(3, 5, 8), views)
    with pytest.raises(ValueError, match="view"):
        LookCache().looks(toy_model, "toy", picture(), views)


@pytest.mark.parametrize("shape", [(5, 8), (1, 5, 8), (1, 3, 5, 8), (5, 8, 3)])
def test_an_image_of_another_shape_is_refused(shape, toy_model):
    with pytest.raises(ValueError, match="shape"):
        predict_views(toy_model, torch.zeros(shape))


def test_prediction_leaves_nothing_for_autograd(toy_model):
    stack = predict_views(toy_model, torch.rand(3, 5, 8), ("identity", "zoom0.5"))
    assert not stack.log_probs.requires_grad
    assert not stack.log_probs.is_inference(), "the learner could not train on it"


# The cache


@pytest.fixture
def counting(toy_model):
    return Counting(toy_model)


def test_the_same_views_again_cost_no_pass(counting):
    cache = LookCache()
    first = cache.looks(counting, "toy", picture(), D4_NAMES)
    assert counting.passes == 8
    again = cache.looks(counting, "toy", picture().copy(), D4_NAMES)
    assert counting.passes == 8
    for name in D4_NAMES:
        assert torch.equal(first[name].log_probs, again[name].log_probs), name


def test_one_more_view_costs_one_pass(counting):
    cache = LookCache()
    cache.looks(counting, "toy", picture(), ("identity", "hflip"))
    looks = cache.looks(counting, "toy", picture(), ("identity", "noise", "hflip"))
    assert counting.passes == 3
    assert list(looks) == ["identity", "noise", "hflip"]


def test_another_picture_or_another_model_costs_all_passes(counting):
    cache = LookCache()
    rgb = picture()
    cache.looks(counting, "toy", rgb, D4_NAMES)
    changed = rgb.copy()
    changed[0, 0, 0] ^= 1
    cache.looks(counting, "toy", changed, D4_NAMES)
    assert counting.passes == 16
    cache.looks(counting, "other", rgb, D4_NAMES)
    assert counting.passes == 24
    cache.looks(counting, "toy", rgb.reshape(14, 9, 3), D4_NAMES)  # the same bytes
    assert counting.passes == 32


def test_the_cache_keeps_its_byte_limit_and_drops_what_was_used_longest_ago(counting):
    size = LookCache()
    size.looks(counting, "toy", picture(), ("identity",))
    cache = LookCache(limit=3 * size.nbytes)
    for name in ("identity", "hflip", "vflip"):
        cache.looks(counting, "toy", picture(), (name,))
    cache.looks(counting, "toy", picture(), ("identity",))  # now hflip is the oldest
    cache.looks(counting, "toy", picture(), ("rot90",))
    assert cache.nbytes == cache.limit
    passes = counting.passes
    cache.looks(counting, "toy", picture(), ("identity", "vflip", "rot90"))
    assert counting.passes == passes
    cache.looks(counting, "toy", picture(), ("hflip",))
    assert counting.passes == passes + 1


def test_looks_larger_than_the_cache_are_given_but_not_kept(counting):
    cache = LookCache(limit=10)
    looks = cache.looks(counting, "toy", picture(), ("identity", "shift"))
    assert set(looks) == {"identity", "shift"}
    assert cache.nbytes <= 10


def test_the_number_of_bytes_is_that_of_the_arrays(toy_model):
    cache = LookCache()
    cache.looks(toy_model, "toy", picture(31, 40), ("identity", "tilt+10", "zoom0.5"))
    pixels = 31 * 40
    # Half precision, labels; the mask of the tilt; the labels that the model gave each view.
    wanted = 3 * (2 * 3 * pixels + pixels) + pixels + (2 * pixels + 16 * 20)
    assert cache.nbytes == wanted


def test_cached_looks_equal_fresh_ones_within_half_precision(toy_model):
    rgb = picture(31, 40)
    cached = LookCache().looks(toy_model, "toy", rgb, tuple(VIEWS))
    fresh = predict_views(toy_model, to_tensor(rgb), tuple(VIEWS))
    for i, (name, one) in enumerate(cached.items()):
        probs = one.log_probs.float().exp()
        if one.seen is not None:
            probs = probs * one.seen
        torch.testing.assert_close(probs, fresh.probs[i], atol=1e-3, rtol=0, msg=name)
        # The labels come from full precision.
        seen = fresh.seen[i].numpy()
        np.testing.assert_array_equal(one.labels[seen], to_labels(fresh.probs[i])[seen], name)


def test_the_frame_is_what_the_model_answered_before_turning_back(toy_model):
    rgb = picture(7, 12)
    looks = LookCache().looks(toy_model, "toy", rgb, D4_NAMES)
    for name, one in looks.items():
        move, _ = MOVES[name]
        np.testing.assert_array_equal(one.frame, move(one.labels), name)


def test_threads_that_share_a_cache_get_the_same_looks(toy_model):
    cache = LookCache()
    runner = Runner(toy_model, stride=4)
    rgbs = [picture(seed=i) for i in range(3)]

    def stacked(rgb):
        looks = cache.looks(runner, "toy", rgb, D4_NAMES)
        return torch.stack([one.log_probs for one in looks.values()])

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(stacked, rgbs * 6))
    for i, result in enumerate(results):
        wanted = predict_views(runner, to_tensor(rgbs[i % 3]), D4_NAMES).log_probs.half()
        assert torch.equal(result, wanted), i


# The runner


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (5, 3), (16, 16), (17, 31), (33, 48)], ids=str)
def test_the_runner_answers_any_size_in_that_size(size):
    network = random_unet()
    logits = Runner(network, UNet.STRIDE)(torch.rand(2, 3, *size))
    assert logits.shape == (2, 3, *size)
    assert logits.isfinite().all()


def test_the_runner_changes_nothing_where_the_size_fits():
    network = random_unet()
    images = torch.rand(1, 3, 32, 48)
    with torch.no_grad():
        wanted = network(images)
    torch.testing.assert_close(Runner(network, UNet.STRIDE)(images), wanted, atol=1e-4, rtol=1e-4)


def test_padding_does_not_reach_what_a_pixel_cannot_see(toy_model):
    images = torch.rand(1, 3, 9, 14)
    with torch.no_grad():
        wanted = toy_model(images)
    got = Runner(toy_model, stride=16)(images)
    torch.testing.assert_close(got[..., :-1, :-1], wanted[..., :-1, :-1], atol=1e-5, rtol=1e-5)


def test_the_runner_puts_the_network_into_inference_mode():
    network = random_unet().train()
    images = torch.rand(1, 3, 16, 16)
    runner = Runner(network, UNet.STRIDE)
    assert torch.equal(runner(images), runner(images))
    assert not runner(images).requires_grad
    assert not network.training


def test_threads_that_share_a_runner_get_the_same_answers():
    runner = Runner(random_unet(), UNet.STRIDE)
    images = [torch.rand(1, 3, 17 + i, 40 - i) for i in range(6)]
    alone = [runner(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(runner, images * 3))
    for i, logits in enumerate(together):
        torch.testing.assert_close(logits, alone[i % 6], atol=1e-5, rtol=1e-5)
