from itertools import combinations

import numpy as np
import pytest

from tta_demo.pictures.draw import boxes_drawn, overlay
from tta_demo.pictures.palettes import COCO, NUCLEI, SUBJECT, WEEDS, display_colors
from tta_demo.tta.boxes import Boxes

# What is left of linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
SIGHT = {
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def lab(color, sight):
    """CIE L*a*b* of an sRGB colour as somebody sees it."""
    c = np.array(color) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(sight) @ linear, 0, 1)
    x, y, z = np.cbrt(np.array(XYZ) @ seen / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def nearest(colors, sight):
    seen = [lab(color, sight) for color in colors]
    return min(np.linalg.norm(a - b) for a, b in combinations(seen, 2))


@pytest.mark.parametrize("sight", SIGHT.values(), ids=SIGHT)
def test_colour_blind_people_tell_the_first_classes_apart(sight):
    assert nearest(display_colors(7), sight) > 20


def test_red_and_green_of_one_lightness_would_fail():
    assert nearest([(200, 60, 40), (120, 120, 40)], SIGHT["deuteranopia"]) < 20


@pytest.mark.parametrize("palette", [WEEDS, NUCLEI, SUBJECT, COCO], ids=lambda p: p.names[1])
def test_what_is_drawn_on_a_picture_is_in_these_colours(palette):
    labels = np.zeros((9, 9), int)
    labels[2:7, 2:7] = 1
    color = np.array(display_colors(2)[1])
    black = np.zeros((9, 9, 3), np.uint8)
    assert (overlay(black, labels, palette)[2, 2] == color).all()
    box = Boxes(np.array([[1.0, 1, 8, 8]]), np.array([0.9]), np.array([1]))
    assert (boxes_drawn(black, box, palette) == color).all(-1).any()
