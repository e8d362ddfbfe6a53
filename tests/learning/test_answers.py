import numpy as np
import pytest
import torch
from planted import PLANTED, answers_of, gallery, planted

from tta_demo.learning.answers import Answers
from tta_demo.tta.predict import ViewStack, predict_views, to_tensor


def labelled(height, width, seed):
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (height, width, 3), np.uint8)
    return rgb, rng.integers(0, 3, (height, width), np.uint8)


def columns(table):
    """The columns in an order of their own, as a draw without replacement reorders them."""
    return table[:, np.lexsort(table)]


@pytest.mark.parametrize("whole", [False, True], ids=["true-class", "whole"])
def test_answers_come_from_the_pixels_that_all_views_saw(toy_model, whole):
    views = ("identity", "shift", "tilt+10", "hflip")
    pictures = [labelled(31, 40, 0), labelled(25, 22, 1)]
    looked = [
        (predict_views(toy_model, to_tensor(rgb), views), labels) for rgb, labels in pictures
    ]
    wanted = [
        stack.probs[:, labels[y, x], y, x].numpy()
        for stack, labels in looked
        for y, x in np.ndindex(labels.shape)
        if stack.seen[:, y, x].all()
    ]
    answers = Answers.of(looked, whole)
    assert 0 < answers.pixels == len(wanted) < 31 * 40 + 25 * 22
    assert answers.views == 4
    assert [p.shape[:2] for p in answers.probs] == [(4, 3 if whole else 1)] * 2
    got = columns(answers.true_class())
    np.testing.assert_allclose(got, columns(np.stack(wanted, 1)), atol=1e-6)


@pytest.mark.parametrize("whole", [False, True], ids=["true-class", "whole"])
def test_the_limit_of_pixels_holds_for_each_picture_and_the_seed_decides_which(whole):
    sizes = (150, 20)
    stacks = [ViewStack(("a", "b"), torch.randn(2, 3, n).log_softmax(1)) for n in sizes]
    labels = [np.arange(n) % 3 for n in sizes]

    def draw(seed):
        looked = zip(stacks, labels, strict=True)
        return Answers.of(looked, whole, pixels=100, seed=seed)

    one, again, other = draw(0), draw(0), draw(1)
    assert [len(part) for part in one.labels] == [100, 20]
    assert one.pixels == 120
    np.testing.assert_array_equal(one.true_class(), again.true_class())
    assert not np.array_equal(one.true_class(), other.true_class())
    everything = np.concatenate(
        [s.probs[:, y, np.arange(len(y))] for s, y in zip(stacks, labels, strict=True)], 1
    )
    drawn = {tuple(pixel) for pixel in one.true_class().T}
    assert len(drawn) == 120, "a pixel was drawn twice"
    assert drawn <= {tuple(pixel) for pixel in everything.T}


def test_answers_keep_the_labels_beside_their_pixels():
    probs, labels = planted(PLANTED, 300)
    stacks, truths = gallery(probs, labels, 2, torch.rand(4, 300) < 0.9)
    answers = Answers.of(zip(stacks, truths, strict=True), whole=True, pixels=80)
    for part, truth in zip(answers.probs, answers.labels, strict=True):
        assert len(truth) == part.shape[2] == 80
        for i, label in enumerate(truth):
            at = np.abs(probs - part[..., i, None]).sum((0, 1)).argmin()
            np.testing.assert_allclose(part[..., i], probs[..., at], rtol=1e-4)
            assert label == labels[at]


@pytest.mark.parametrize("views", [("b", "a"), ("a",)])
def test_stacks_of_other_views_are_refused_by_name(views):
    looked = [
        (ViewStack(names, torch.zeros(len(names), 2, 3)), np.zeros(3, int))
        for names in (("a", "b"), views)
    ]
    with pytest.raises(ValueError, match="a, b"):
        Answers.of(looked)


def test_some_pictures_can_be_taken():
    probs, labels = planted(PLANTED, 90)
    answers = answers_of(probs, labels, 3)
    some = answers.take([2, 0])
    assert some.pixels == 60
    np.testing.assert_array_equal(some.labels[0], labels[60:])
    np.testing.assert_array_equal(some.probs[1], answers.probs[0])
