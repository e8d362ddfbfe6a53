"""A picture that says in its pixels what its labels are."""

import cv2
import numpy as np

from tta_demo.models.record import Augmentation
from tta_demo.samples.labelled import LabelledPicture

PLAIN = Augmentation(gain=(1, 1), gamma=(1, 1), tint=0, noise=0)


def coded_picture(height=90, width=120, seed=0):
    """Smooth blobs of three classes; the green channel is 100 times the label."""
    noise = np.random.default_rng(seed).normal(size=(height, width))
    smooth = cv2.GaussianBlur(noise, (0, 0), 7)
    labels = np.digitize(smooth, np.quantile(smooth, [0.4, 0.7])).astype(np.uint8)
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 1] = 100 * labels
    return LabelledPicture("coded", rgb, labels)
