"""Masks of nuclei as people have them: real files of each kind, read as the world reads them."""

import cv2
import numpy as np
import pytest
from picture_files import write
from PIL import Image

from tta_demo.pictures.instances import are_instances
from tta_demo.pictures.palettes import NUCLEI
from tta_demo.pictures.reading import Picture
from tta_demo.samples.nuclei import instances_to_labels
from tta_demo.tasks.worlds import WORLDS

WORLD = WORLDS["nuclei"]
SIZE = 120, 160


def nuclei(*places, radius=11):
    """Instances `(H, W)` uint16: discs at (x, y), numbered from 1; the later one is in front."""
    ids = np.zeros(SIZE, np.uint16)
    for number, place in enumerate(places, start=1):
        cv2.circle(ids, place, radius, number, -1)
    return ids


MANY = nuclei((20, 20), (39, 20), (80, 60), (100, 62), (140, 100), (40, 90), (150, 10))
APART = nuclei((20, 20), (80, 60), (140, 100))  # no two touch
APART_LABELS = instances_to_labels(APART)


def read(path, world=WORLD, size=SIZE):
    picture = Picture(np.zeros((*size, 3), np.uint8), size, size, 1, ())
    return world.read_truth(path, picture)


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [("png", "uint16"), ("png", "uint8"), ("tif", "uint16"), ("tif", "int32"), ("tif", "float32")],
)
def test_numbered_nuclei_keep_a_border_where_they_touch(tmp_path, suffix, kind):
    labels, notes = read(write(tmp_path / f"m.{suffix}", MANY.astype(kind)))
    np.testing.assert_array_equal(labels, instances_to_labels(MANY))
    assert (labels[20, 28:31] == 2).all(), "no border between nuclei that touch"
    assert "7" in notes[0]


@pytest.mark.parametrize("first", [1, 2, 300, 40_000])
def test_any_numbers_will_do(tmp_path, first):
    ids = np.where(MANY, MANY + np.uint16(first - 1), 0).astype(np.uint16)
    labels, _ = read(write(tmp_path / "m.png", ids))
    np.testing.assert_array_equal(labels, instances_to_labels(MANY))


def test_numbers_in_an_index_file_of_other_colours_count(tmp_path):
    image = Image.fromarray(MANY.astype(np.uint8))
    image.putpalette(np.random.default_rng(0).integers(1, 256, 768).tolist())
    labels, _ = read(write(tmp_path / "m.png", image))
    np.testing.assert_array_equal(labels, instances_to_labels(MANY))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("second", [(39, 20), (90, 80)], ids=["touching", "apart"])
def test_two_numbered_nuclei_are_told_from_nucleus_and_border_by_their_shape(
    tmp_path, kind, second
):
    ids = nuclei((20, 20), second).astype(kind)
    expected = instances_to_labels(ids.astype(np.uint16))
    labels, notes = read(write(tmp_path / "ids.png", ids))
    np.testing.assert_array_equal(labels, expected)
    assert "2" in notes[0]
    again, notes = read(write(tmp_path / "classes.png", expected.astype(kind)))
    np.testing.assert_array_equal(again, expected)
    assert notes == ()


def test_numbered_nuclei_of_a_large_picture_get_their_border_at_the_working_size(tmp_path):
    large = np.kron(MANY, np.ones((4, 4), np.uint16))
    labels, _ = read(write(tmp_path / "m.png", large))
    np.testing.assert_array_equal(labels, instances_to_labels(MANY))


def test_smoothed_masks_number_nothing(tmp_path):
    smoothed = cv2.GaussianBlur((APART > 0).astype(np.uint8) * 255, (7, 7), 0)
    with pytest.raises(ValueError, match="no class"):
        read(write(tmp_path / "m.png", smoothed))
    noise = np.random.default_rng(0).integers(0, 256, SIZE)
    assert not are_instances(noise, 3)


def test_fields_of_weeds_do_not_guess_the_class_of_numbered_plants(tmp_path):
    with pytest.raises(ValueError, match="instance ids"):
        read(write(tmp_path / "m.png", MANY), WORLDS["weeds"])


TWO = {
    "black and white": (0, 255),
    "0 and 1": (0, 1),
    "0 and 2": (0, 2),
    "1 and 2": (1, 2),
    "any greys": (90, 200),
    "16 bit": (0, 1000),
    "white in 16 bit": (0, 65535),
    "colours": ((20, 30, 90), (230, 200, 40)),
    "class colours": (NUCLEI.colors[0], NUCLEI.colors[1]),
}


@pytest.mark.parametrize("name", TWO)
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_of_two_values_the_darker_is_background(tmp_path, name, suffix):
    dark, bright = TWO[name]
    kind = np.uint16 if np.max(bright) > 255 else np.uint8
    path = write(tmp_path / f"m.{suffix}", np.array([dark, bright], kind)[(APART > 0).astype(int)])
    np.testing.assert_array_equal(read(path)[0], APART_LABELS)
    if name in ("any greys", "16 bit", "colours"):
        assert all(str(value) in read(path)[1][0] for value in (dark, bright))


@pytest.mark.parametrize("quality", [90, 75])
@pytest.mark.parametrize("name", ["black and white", "any greys", "colours", "class colours"])
def test_a_jpeg_of_two_colours_is_read_without_a_wrong_pixel(tmp_path, name, quality):
    rgb = np.array(TWO[name], np.uint8)[(APART > 0).astype(int)]
    path = write(tmp_path / "m.jpg", rgb, quality=quality)
    assert len(np.unique(np.asarray(Image.open(path)).reshape(APART.size, -1), axis=0)) > 20
    labels, notes = read(path)
    np.testing.assert_array_equal(labels, APART_LABELS)
    assert "compression" in " ".join(notes)


def test_a_jpeg_in_class_colours_keeps_its_border(tmp_path):
    labels, _ = read(write(tmp_path / "m.jpg", NUCLEI.colorize(APART_LABELS), quality=90))
    np.testing.assert_array_equal(labels, APART_LABELS)


def test_a_palette_file_in_class_colours_is_exact(tmp_path):
    image = Image.fromarray(APART_LABELS)
    image.putpalette(NUCLEI.table.tobytes())
    labels, notes = read(write(tmp_path / "m.png", image))
    np.testing.assert_array_equal(labels, APART_LABELS)
    assert notes == ()


@pytest.mark.parametrize("middle", [127, 128])
@pytest.mark.parametrize("world", ["weeds", "nuclei"])
def test_0_128_and_255_are_the_three_classes(tmp_path, world, middle):
    path = write(tmp_path / "m.png", np.uint8([0, middle, 255])[APART_LABELS])
    labels, notes = read(path, WORLDS[world])
    np.testing.assert_array_equal(labels, APART_LABELS)
    assert all(name in notes[0] for name in WORLDS[world].record.classes)


def test_0_128_and_255_survive_a_jpeg(tmp_path):
    blocks = np.kron(np.random.default_rng(0).integers(0, 3, (6, 8)), np.ones((20, 20), int))
    path = write(tmp_path / "m.jpg", np.uint8([0, 128, 255])[blocks], quality=90)
    np.testing.assert_array_equal(read(path, WORLDS["weeds"])[0], blocks)


def test_a_photo_saved_as_jpeg_is_no_mask(tmp_path):
    rng = np.random.default_rng(1)
    soft = cv2.GaussianBlur(rng.integers(0, 256, (*SIZE, 3)).astype(np.float32), (0, 0), 6)
    soft = cv2.normalize(soft, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    for pixels in (soft, soft[..., 0]):
        with pytest.raises(ValueError, match="PNG"):
            read(write(tmp_path / "m.jpg", pixels, quality=90))


def test_a_jpeg_with_a_third_colour_is_refused(tmp_path):
    rgb = NUCLEI.colorize(APART_LABELS)
    rgb[60:100, 20:60] = (90, 60, 250)
    with pytest.raises(ValueError, match="PNG"):
        read(write(tmp_path / "m.jpg", rgb, quality=90))
