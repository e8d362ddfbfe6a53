from dataclasses import replace

import cv2
import numpy as np
import pytest
from coded import PLAIN, coded_picture

from tta_demo.models.record import Augmentation
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.training.augment import crop


@pytest.mark.parametrize("size", [32, 64, 100], ids="crop-{}".format)
@pytest.mark.parametrize("d4", [True, False])
def test_a_crop_moves_pixels_and_labels_alike(d4, size):
    rng, picture = np.random.default_rng(0), coded_picture()
    crops = [crop(replace(PLAIN, d4=d4), picture, size, rng) for _ in range(20)]
    square = np.ones((5, 5), np.uint8)
    compared = 0
    for x, y in crops:
        assert x.shape == (size, size, 3)
        assert y.shape == (size, size)
        inside = cv2.erode(y, square) == cv2.dilate(y, square)
        wanted = 100 / 255 * y
        np.testing.assert_allclose(x[..., 1][inside], wanted[inside], atol=0.01)
        compared += inside.mean()
    assert compared > 0.3 * len(crops)


def test_crops_of_a_picture_differ_and_the_generator_decides_how():
    picture = coded_picture()
    crops = [crop(Augmentation(), picture, 32, np.random.default_rng(i))[0] for i in (0, 0, 1)]
    np.testing.assert_array_equal(crops[0], crops[1])
    assert not np.array_equal(crops[0], crops[2])


def test_all_eight_symmetries_are_drawn():
    still = replace(PLAIN, zoom=(1, 1))
    rgb = np.arange(0, 108, 3, np.uint8).reshape(6, 6, 1).repeat(3, 2)
    picture = LabelledPicture("square", rgb, np.zeros((6, 6), np.uint8))
    rng = np.random.default_rng(0)
    assert len({crop(still, picture, 6, rng)[0].tobytes() for _ in range(100)}) == 8


def test_pixels_of_a_crop_stay_between_0_and_1():
    wild = Augmentation(gain=(3, 5), noise=0.5)
    rng = np.random.default_rng(0)
    for _ in range(5):
        x, _ = crop(wild, coded_picture(), 32, rng)
        assert x.dtype == np.float32
        assert x.min() >= 0
        assert x.max() <= 1


def test_a_picture_smaller_than_the_crop_is_continued():
    x, y = crop(PLAIN, coded_picture(5, 9), 32, np.random.default_rng(0))
    assert x.shape == (32, 32, 3)
    assert y.shape == (32, 32)
