import numpy as np
import pytest
import torch
from looked import made, stacks_of

from tta_demo.evidence.stacks import Kept, Stacks, kept_crops, kept_looks, thinned
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.tta.predict import predict_views, to_tensor


@pytest.mark.parametrize("size", [(37, 21), (1, 400), (5, 3), (64, 64)])
@pytest.mark.parametrize("most", [1, 7, 50, 10_000])
def test_what_is_kept_lies_on_a_grid_with_its_truth(size, most):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, size).astype(np.uint8)
    # the answers spell each pixel's place, so that a pixel keeps its own truth
    place = torch.arange(labels.size).reshape(size) / labels.size
    logs = torch.stack([place, -place, 0 * place]).repeat(2, 1, 1, 1)
    kept = thinned("a", logs, labels, (0.1, 0.2), most)
    assert 0 < len(kept.truth) <= most
    places = np.rint(kept.log_probs[0, 0].astype(float) * labels.size).astype(int)
    for at, truth in zip(places, kept.truth, strict=True):
        near = labels.ravel()[max(0, at - 1) : at + 2]  # float16 holds three digits
        assert truth in near
    assert kept.seconds.tolist() == [0.1, 0.2]


def test_a_picture_of_few_pixels_is_kept_whole_and_many_classes_leave_fewer():
    labels = np.zeros((20, 30), np.uint8)
    few = thinned("a", torch.zeros(1, 3, 20, 30), labels, (0,))
    assert few.log_probs.shape == (1, 3, 600)
    many = torch.zeros(1, 200, 200, 200)
    assert thinned("a", many, np.zeros((200, 200), np.uint8), (0,)).log_probs.size <= 2**20


def test_pixels_that_a_look_did_not_see_or_that_count_nowhere_are_left_out(toy_model):
    rng, views = np.random.default_rng(0), ("identity", "shift", "tilt-10")
    rgb, labels = rng.integers(0, 256, (40, 60, 3), np.uint8), rng.integers(0, 3, (40, 60))
    labels = labels.astype(np.uint8)
    labels[5:9] = 255
    stack = predict_views(toy_model, to_tensor(rgb), views)
    counts = stack.seen.all(0).numpy() & (labels != 255)
    assert 0 < counts.sum() < (labels != 255).sum()
    kept = kept_looks(toy_model, LabelledPicture("a", rgb, labels), views)
    np.testing.assert_array_equal(kept.truth, labels[counts])
    np.testing.assert_array_equal(kept.log_probs, stack.log_probs.half().numpy()[..., counts])
    nothing = LabelledPicture("a", rgb, np.full_like(labels, 255))
    with pytest.raises(ValueError, match="no pixel"):
        kept_looks(toy_model, nothing, views)


def test_looks_of_a_large_picture_lie_on_the_grid_of_all_of_them(toy_model):
    rng = np.random.default_rng(0)
    rgb, labels = rng.integers(0, 256, (120, 170, 3), np.uint8), rng.integers(0, 3, (120, 170))
    kept = kept_looks(toy_model, LabelledPicture("a", rgb, labels), ("identity", "rot90"))
    logs = predict_views(toy_model, to_tensor(rgb), ("identity", "rot90")).log_probs
    wanted = thinned("a", logs, labels, (0, 0))
    np.testing.assert_array_equal(kept.log_probs, wanted.log_probs)
    np.testing.assert_array_equal(kept.truth, wanted.truth)


def test_a_stop_is_asked_for_before_each_look(toy_model):
    picture = LabelledPicture("a", np.zeros((5, 6, 3), np.uint8), np.zeros((5, 6), np.uint8))
    answers = iter([False, False, True])
    rows = ("identity", "hflip", "vflip", "rot180")
    assert kept_looks(toy_model, picture, rows, lambda: next(answers)) is None
    assert next(answers, None) is None


@pytest.mark.parametrize("labels", [np.zeros((5, 4), np.uint8), np.full((4, 6), 3, np.uint8)])
def test_a_truth_that_does_not_fit_is_refused(labels):
    with pytest.raises(ValueError, match=r"sizes differ|class ids"):
        thinned("a", torch.zeros(1, 3, 4, 6), labels, (0,))


def test_looks_at_a_picture_are_those_of_the_library(toy_model):
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)
    picture = LabelledPicture("a", rgb, rng.integers(0, 3, (9, 12)).astype(np.uint8))
    kept = kept_looks(toy_model, picture, ("identity", "rot90"))
    expected = predict_views(toy_model, to_tensor(rgb), ("identity", "rot90")).log_probs
    np.testing.assert_array_equal(kept.log_probs, expected.half().reshape(2, 3, -1).numpy())
    np.testing.assert_array_equal(kept.truth, picture.labels.ravel())
    assert (kept.seconds > 0).all()


def test_crops_of_a_photograph_have_one_truth():
    rgb = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    kept = kept_crops(lambda x: x.mean((2, 3)), "a", rgb, 2, ("center", "center-mirror"))
    assert kept.log_probs.shape == (2, 3, 1)
    assert Stacks(("center", "center-mirror"), ("a", "b", "c"), (kept,)).whole


def test_a_split_has_every_picture_once_and_follows_its_seed():
    stacks = made({"identity": 1, "hflip": 1}, pictures=11, pixels=2)
    parts = stacks.split(0.3, seed=4)
    names = [{one.name for one in part.pictures} for part in parts]
    assert [len(part) for part in names] == [3, 8]
    assert names[0] | names[1] == {f"p{i}" for i in range(11)}
    again = stacks.split(0.3, seed=4)[0]
    assert {one.name for one in again.pictures} == names[0]
    others = {frozenset(p.name for p in stacks.split(0.3, seed=s)[0].pictures) for s in range(9)}
    assert len(others) > 1
    with pytest.raises(ValueError, match="at least 2"):
        stacks.take([0]).split()


def test_pictures_that_do_not_fit_the_names_are_refused():
    one = made({"identity": 1, "hflip": 1}, pictures=1).pictures[0]
    with pytest.raises(ValueError, match="V, C must be"):
        Stacks(("identity",), ("a", "b", "c"), (one,))
    with pytest.raises(ValueError, match="no picture"):
        Stacks(("identity",), ("a", "b", "c"), ())
    short = Kept("a", one.log_probs, one.truth[1:], one.seconds)
    with pytest.raises(ValueError, match="the same"):
        Stacks(("identity", "hflip"), ("a", "b", "c"), (short,))


def test_milliseconds_are_those_of_the_usual_picture():
    logits, truth = [np.zeros((1, 2, 3))] * 3, [np.zeros(3, int)] * 3
    slow = stacks_of(logits[:1], truth[:1], ("identity",), np.array([9.0])).pictures
    usual = stacks_of(logits[:2], truth[:2], ("identity",), np.array([0.02])).pictures
    assert Stacks(("identity",), ("ground", "leaf"), slow + usual).ms.tolist() == [20.0]
