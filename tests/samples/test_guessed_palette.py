import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tta_demo.commands.app import app
from tta_demo.pictures.masks import read_mask
from tta_demo.pictures.palettes import IGNORED, index_png, numbered_palette
from tta_demo.pictures.reading import Picture
from tta_demo.samples.guessed_palette import guess_palette
from tta_demo.samples.palette_file import read_palette

LABELS = np.uint8([[0, 1, 1, 3], [3, 3, 0, 1]])
COLORS = np.uint8([[9, 9, 9], [200, 0, 0], [1, 1, 1], [0, 0, 250]])


def saved(path, array):
    Image.fromarray(array).save(path)
    return path


def test_ids_are_classes_up_to_the_highest_and_255_is_none(tmp_path):
    one = saved(tmp_path / "a.png", LABELS)
    two = saved(tmp_path / "b.png", np.where(LABELS == 1, IGNORED, LABELS).astype(np.uint8))
    palette, pixels = guess_palette([one, two])
    assert palette == numbered_palette(4)
    assert list(pixels.values()) == [4, 3, 0, 6]


def test_black_and_white_are_two_classes(tmp_path):
    path = saved(tmp_path / "a.png", np.where(LABELS > 0, 255, 0).astype(np.uint8))
    palette, pixels = guess_palette([path])
    assert palette.colors == ((0, 0, 0), (255, 255, 255))
    assert list(pixels.values()) == [2, 6]


def test_colours_are_classes_and_read_the_masks_again(tmp_path):
    path = saved(tmp_path / "a.png", COLORS[LABELS])
    palette, pixels = guess_palette([path])
    assert palette.colors == ((9, 9, 9), (200, 0, 0), (0, 0, 250))
    assert list(pixels.values()) == [2, 3, 3]
    shown = Picture.of(np.zeros((*LABELS.shape, 3), np.uint8))
    assert (read_mask(path, palette, shown)[0] == np.array([0, 1, 9, 2])[LABELS]).all()


def test_the_colours_of_a_palette_file_come_in_its_own_order(tmp_path):
    (tmp_path / "a.png").write_bytes(index_png(LABELS, numbered_palette(4)))
    colors = numbered_palette(4).colors
    assert guess_palette([tmp_path / "a.png"])[0].colors == (colors[0], colors[1], colors[3])


def test_photographs_are_no_masks(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    with pytest.raises(ValueError, match="255 at most"):
        guess_palette([saved(tmp_path / "a.png", noise)])
    with pytest.raises(ValueError, match="no mask"):
        guess_palette([])


def test_the_command_writes_a_file_that_the_others_read(tmp_path):
    for folder in ("images", "masks"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    saved(tmp_path / "data/images/1.png", np.zeros((2, 4, 3), np.uint8))
    saved(tmp_path / "data/masks/1.png", COLORS[LABELS])
    given = ["palette", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "palette.json")]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 0, done.output
    assert "class 1: (200, 0, 0), 37.5% of the pixels" in done.output
    assert read_palette(tmp_path / "palette.json").colors == ((9, 9, 9), (200, 0, 0), (0, 0, 250))
    assert isinstance(CliRunner().invoke(app, given).exception, ValueError), "nothing is lost"


CITY = [
    {"name": "unlabeled", "id": 0, "trainId": 255, "color": [0, 0, 0]},
    {"name": "road", "id": 7, "trainId": 0, "color": [128, 64, 128]},
    {"name": "car", "id": 26, "trainId": 1, "color": [0, 0, 142]},
    {"name": "truck", "id": 27, "trainId": 1, "color": [0, 0, 70]},
    {"name": "plate", "id": -1, "trainId": -1, "color": [0, 0, 143]},
]


@pytest.mark.parametrize("whole", [CITY, {"categories": CITY}], ids=["list", "in an object"])
def test_files_like_those_of_cityscapes_are_palettes(tmp_path, whole):
    (tmp_path / "p.json").write_text(json.dumps(whole))
    palette = read_palette(tmp_path / "p.json")
    assert palette.names == ("road", "car")
    assert palette.colors == ((128, 64, 128), (0, 0, 142))
    assert set(palette.also) == {
        ((0, 0, 70), 1), ((0, 0, 0), IGNORED), ((0, 0, 143), IGNORED),
    }  # fmt: skip


def test_files_like_those_of_coco_are_palettes_with_colours_of_their_own_if_need_be(tmp_path):
    told = {"images": [], "categories": [{"id": 2, "name": "b"}, {"id": 1, "name": "a"}]}
    (tmp_path / "p.json").write_text(json.dumps(told))
    palette = read_palette(tmp_path / "p.json")
    assert palette.names == ("a", "b")
    assert palette.colors == numbered_palette(2).colors


@pytest.mark.parametrize("wrong", [[1, "x"], [{"id": 1}], [{"name": "a", "id": "x"}]])
def test_lists_that_are_no_categories_are_refused(tmp_path, wrong):
    (tmp_path / "p.json").write_text(json.dumps(wrong))
    with pytest.raises(ValueError, match=r"p\.json"):
        read_palette(tmp_path / "p.json")
