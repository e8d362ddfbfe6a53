import numpy as np
import pytest
from PIL import Image

from tta_demo.pictures.assets import ASSETS
from tta_demo.pictures.palettes import COCO
from tta_demo.samples.things import photo_of_thing

EXAMPLES = ASSETS / "examples"


def marked(name):
    """Left, top, right and bottom of what the mask marks."""
    mask = np.asarray(Image.open(EXAMPLES / f"{name}-mask.png")) > 0
    rows, columns = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


@pytest.mark.parametrize(
    ("name", "thing"), [("chelsea", "cat"), ("coffee", "cup"), ("astronaut", "person")]
)
def test_the_true_box_is_within_what_the_mask_marks(name, thing):
    picture, truth = photo_of_thing(EXAMPLES / f"{name}.jpg")
    assert [COCO.names[label] for label in truth.labels] == [thing]
    left, top, right, bottom = truth.xyxy[0]
    around = marked(name)
    assert around[0] <= left < right <= around[2] <= picture.rgb.shape[1]
    assert around[1] <= top < bottom <= around[3] <= picture.rgb.shape[0]
    if thing == "cat":
        assert truth.xyxy[0].tolist() == list(around)
    assert thing in picture.notes[-1]


def test_a_rocket_is_none_of_cocos_things():
    picture, truth = photo_of_thing(EXAMPLES / "rocket.jpg")
    assert truth is None
    assert "no truth" in picture.notes[-1]


def test_cocos_80_things_have_colours_that_can_be_told_apart():
    assert len(COCO.names) == 81
    colors = COCO.table.astype(int)
    apart = np.abs(colors[:, None] - colors).max(2)
    assert apart[~np.eye(81, dtype=bool)].min() >= 32
