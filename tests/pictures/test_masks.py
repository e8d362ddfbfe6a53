import io

import cv2
import numpy as np
import pytest
from picture_files import exif, write
from PIL import Image

from tta_demo.pictures.mask_values import TOLERANCE
from tta_demo.pictures.masks import read_mask, restore
from tta_demo.pictures.palettes import Palette, index_png
from tta_demo.pictures.reading import Picture, read_picture, turn

PALETTE = Palette(
    ("ground", "cell", "rim", "wall"), ((0, 0, 0), (255, 0, 0), (0, 128, 255), (250, 240, 20))
)
PAIR = Palette(("ground", "cell"), ((40, 40, 40), (255, 0, 200)))
LABELS = np.kron(np.random.default_rng(0).integers(0, 4, (3, 5)), np.ones((8, 8), int)).astype(
    np.uint8
)  # (24, 40)
BINARY = (LABELS > 1).astype(np.uint8)


def indexed(labels, colors):
    image = Image.fromarray(labels)
    image.putpalette([channel for color in colors for channel in color])
    return image


def plain(size, stored_size=None, orientation=1):
    """A picture of which only the sizes matter."""
    rgb = np.zeros((*size, 3), np.uint8)
    return Picture(rgb, size, stored_size or size, orientation, ())


def read(path, palette=PALETTE, size=LABELS.shape):
    return read_mask(path, palette, plain(size))


@pytest.mark.parametrize(
    ("names", "colors"),
    [
        (("a",), ((0, 0, 0), (1, 1, 1))),
        (("a", "b"), ((5, 5, 5), (5, 5, 5))),
        (("a",), ((0, 0, 256),)),
        (("a",), ((0, -1, 0),)),
        (("a",), ((0, 0),)),
        ((), ()),
    ],
)
def test_a_palette_with_wrong_colours_is_refused(names, colors):
    with pytest.raises(ValueError, match="colour"):
        Palette(names, colors)


def test_colorize_gives_each_pixel_the_colour_of_its_class():
    rgb = PALETTE.colorize(LABELS)
    assert (rgb.shape, rgb.dtype) == ((24, 40, 3), np.uint8)
    for y, x in ((0, 0), (5, 30), (23, 39), (12, 17)):
        assert tuple(rgb[y, x].tolist()) == PALETTE.colors[LABELS[y, x]]


@pytest.mark.parametrize(
    "labels", [np.array([[0, 4]]), np.array([[-1]]), np.zeros(3, int), np.zeros((2, 2))]
)
def test_what_are_no_labels_is_not_shown_or_written(labels):
    for use in (PALETTE.colorize, lambda wrong: index_png(wrong, PALETTE)):
        with pytest.raises(ValueError, match="labels"):
            use(labels)


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.int64, bool])
def test_a_written_mask_holds_exact_ids_and_shows_the_colours(kind):
    labels = (BINARY if kind is bool else LABELS).astype(kind)
    image = Image.open(io.BytesIO(index_png(labels, PALETTE)))
    assert (image.format, image.mode) == ("PNG", "P")
    np.testing.assert_array_equal(np.asarray(image), labels)
    np.testing.assert_array_equal(np.asarray(image.convert("RGB")), PALETTE.colorize(labels))


def test_a_written_mask_reads_back(tmp_path):
    path = tmp_path / "mask.png"
    path.write_bytes(index_png(LABELS, PALETTE))
    labels, notes = read(path)
    np.testing.assert_array_equal(labels, LABELS)
    assert (labels.dtype, notes) == (np.uint8, ())


@pytest.mark.parametrize(
    ("suffix", "options"),
    [("png", {}), ("bmp", {}), ("tif", {}), ("gif", {}), ("webp", {"lossless": True})],
)
def test_a_coloured_mask_is_matched_exactly(tmp_path, suffix, options):
    labels, notes = read(write(tmp_path / f"m.{suffix}", PALETTE.colorize(LABELS), **options))
    np.testing.assert_array_equal(labels, LABELS)
    assert notes == ()


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [("png", "uint8"), ("png", "uint16"), ("tif", "int32"), ("tif", "float32"), ("bmp", "uint8")],
)
def test_a_grey_mask_of_ids_keeps_them(tmp_path, suffix, kind):
    labels, notes = read(write(tmp_path / f"m.{suffix}", LABELS.astype(kind)))
    np.testing.assert_array_equal(labels, LABELS)
    assert (labels.dtype, notes) == (np.uint8, ())


def test_ids_written_as_equal_channels_keep_their_meaning(tmp_path):
    path = tmp_path / "m.png"
    cv2.imwrite(str(path), np.dstack([LABELS] * 3))
    np.testing.assert_array_equal(read(path)[0], LABELS)


def test_a_one_bit_mask_is_classes_zero_and_one(tmp_path):
    path = write(tmp_path / "m.png", Image.fromarray(BINARY * 255).convert("1"))
    for palette in (PAIR, PALETTE):
        np.testing.assert_array_equal(read(path, palette)[0], BINARY)


@pytest.mark.parametrize("suffix", ["png", "gif", "bmp", "tif"])
def test_a_palette_file_counts_by_colour_when_the_colours_are_known(tmp_path, suffix):
    order = np.array([2, 0, 3, 1])  # index i of the file has the colour of class order[i]
    image = indexed(np.argsort(order).astype(np.uint8)[LABELS], [PALETTE.colors[i] for i in order])
    labels, notes = read(write(tmp_path / f"m.{suffix}", image))
    np.testing.assert_array_equal(labels, LABELS)
    assert notes == ()


def test_a_palette_file_in_other_colours_counts_by_index(tmp_path):
    path = write(
        tmp_path / "m.png", indexed(LABELS, [(9, 99, 9), (1, 2, 3), (77, 0, 0), (5, 5, 90)])
    )
    labels, notes = read(path)
    np.testing.assert_array_equal(labels, LABELS)
    assert len(notes) == 1


def test_a_black_and_white_palette_file_counts_as_it_looks(tmp_path):
    path = write(tmp_path / "m.png", indexed(1 - BINARY, [(255, 255, 255), (0, 0, 0)]))
    np.testing.assert_array_equal(read(path, PAIR)[0], BINARY)


@pytest.mark.parametrize("scale", [255, 128, 65535])
def test_two_levels_are_the_two_classes(tmp_path, scale):
    kind = np.uint16 if scale > 255 else np.uint8
    labels, _ = read(write(tmp_path / "m.png", BINARY.astype(kind) * kind(scale)), PAIR)
    np.testing.assert_array_equal(labels, BINARY)


@pytest.mark.parametrize("pixels", [BINARY * 255, np.full_like(BINARY, 255)])
def test_white_is_class_one_of_many_with_a_note(tmp_path, pixels):
    labels, notes = read(write(tmp_path / "m.png", pixels))
    np.testing.assert_array_equal(labels, pixels // 255)
    assert "255" in notes[0]
    assert "cell" in notes[0]


def test_a_mask_saved_as_jpeg_is_matched_within_the_tolerance(tmp_path):
    path = write(tmp_path / "m.jpg", PALETTE.colorize(LABELS), quality=95, subsampling=0)
    stored = np.asarray(Image.open(path))
    changed = (stored != PALETTE.colorize(LABELS)).any(-1).sum()
    labels, notes = read(path)
    assert changed > 0
    np.testing.assert_array_equal(labels, LABELS)
    assert str(changed) in notes[0]


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_black_and_white_jpeg_is_two_classes(tmp_path, mode):
    disk = cv2.circle(np.zeros((24, 40), np.uint8), (17, 11), 8, 255, -1)
    path = write(tmp_path / "m.jpg", Image.fromarray(disk).convert(mode), quality=98)
    assert len(np.unique(np.asarray(Image.open(path)))) > 2
    for palette in (PAIR, PALETTE):
        np.testing.assert_array_equal(read(path, palette)[0], disk // 255)


def test_the_tolerance_is_exact_at_its_border(tmp_path):
    rgb = PALETTE.colorize(LABELS)
    rgb[0, 0] = (255 - TOLERANCE, TOLERANCE, 0)
    expected = LABELS.copy()
    expected[0, 0] = 1
    np.testing.assert_array_equal(read(write(tmp_path / "m.png", rgb))[0], expected)
    rgb[0, 0] = (255 - TOLERANCE - 1, 0, 0)
    with pytest.raises(ValueError, match=rf"\({255 - TOLERANCE - 1}, 0, 0\) in 1 "):
        read(write(tmp_path / "m.png", rgb))


def test_a_colour_between_two_near_classes_is_not_guessed(tmp_path):
    near = Palette(("a", "b"), ((100, 0, 0), (120, 0, 0)))
    rgb = near.colorize(BINARY)
    rgb[3, 3] = (110, 0, 0)
    with pytest.raises(ValueError, match=r"\(110, 0, 0\)"):
        read(write(tmp_path / "m.png", rgb), near)


def test_smoothed_edges_do_not_pass(tmp_path):
    rgb = cv2.GaussianBlur(PALETTE.colorize(LABELS), (5, 5), 0)
    with pytest.raises(ValueError, match="no class"):
        read(write(tmp_path / "m.png", rgb))
    with pytest.raises(ValueError, match="no class"):
        read(write(tmp_path / "g.png", cv2.GaussianBlur(BINARY * 255, (5, 5), 0)))


def test_unknown_colours_are_told_with_their_counts_most_frequent_first(tmp_path):
    rgb = PALETTE.colorize(LABELS)
    rgb[0, :7], rgb[1, :12] = (1, 200, 3), (90, 90, 190)
    with pytest.raises(ValueError, match=r"\(90, 90, 190\) in 12 .*\(1, 200, 3\) in 7 ") as error:
        read(write(tmp_path / "m.png", rgb))
    for told in ("m.png", *PALETTE.names, *map(str, PALETTE.colors)):
        assert told in str(error.value)
    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "int32", "float32", "equal channels", "ramp"])
def test_an_unknown_id_is_told_with_its_count(tmp_path, kind):
    wrong = LABELS.copy()
    wrong[0, :6] = 9
    if kind == "equal channels":
        path = write(tmp_path / "m.png", np.dstack([wrong] * 3))
    elif kind == "ramp":
        path = write(tmp_path / "m.png", indexed(wrong, [(i, i, i) for i in range(256)]))
    else:
        suffix = "png" if kind.startswith("u") else "tif"
        path = write(tmp_path / f"m.{suffix}", wrong.astype(kind))
    with pytest.raises(ValueError, match=r"9(\.0)? in 6 "):
        read(path)


def test_fractions_and_negative_values_are_no_ids(tmp_path):
    for value in (1.5, -1.0, np.nan):
        wrong = LABELS.astype(np.float32)
        wrong[0, 0] = value
        with pytest.raises(ValueError, match=f"{value} in 1 "):
            read(write(tmp_path / "m.tif", wrong))


def test_transparent_pixels_are_class_zero_with_a_note(tmp_path):
    alpha = np.full(LABELS.shape, 255, np.uint8)
    alpha[:5] = 0
    rgba = np.dstack([PALETTE.colorize(LABELS), alpha])
    rgba[:5, :, :3] = 123  # hidden colours are no errors
    labels, notes = read(write(tmp_path / "m.png", rgba))
    assert (labels[:5] == 0).all()
    np.testing.assert_array_equal(labels[5:], LABELS[5:])
    assert str(5 * 40) in notes[0]


@pytest.mark.parametrize("alpha", [128, 255])
def test_visible_alpha_is_ignored(tmp_path, alpha):
    grey = Image.merge("LA", (Image.fromarray(LABELS), Image.new("L", (40, 24), alpha)))
    colour = Image.fromarray(PALETTE.colorize(LABELS)).convert("RGBA")
    colour.putalpha(alpha)
    for image in (grey, colour):
        labels, notes = read(write(tmp_path / "m.png", image))
        np.testing.assert_array_equal(labels, LABELS)
        assert notes == ()


def test_a_transparent_index_is_class_zero(tmp_path):
    path = write(tmp_path / "m.png", indexed(LABELS, PALETTE.colors), transparency=3)
    labels, notes = read(path)
    np.testing.assert_array_equal(labels, np.where(LABELS == 3, 0, LABELS))
    assert len(notes) == 1


def test_a_wholly_transparent_mask_is_class_zero(tmp_path):
    labels, _ = read(write(tmp_path / "m.png", np.zeros((*LABELS.shape, 4), np.uint8)))
    assert (labels.shape, labels.any()) == (LABELS.shape, False)


@pytest.mark.parametrize("suffix", ["gif", "png"])
def test_the_first_frame_of_an_animated_mask_counts(tmp_path, suffix):
    first, second = indexed(LABELS, PALETTE.colors), indexed(3 - LABELS, PALETTE.colors)
    path = tmp_path / f"m.{suffix}"
    first.save(path, save_all=True, append_images=[second])
    labels, notes = read(path)
    np.testing.assert_array_equal(labels, LABELS)
    assert "first" in notes[0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_mask_is_turned_along_with_its_photo(tmp_path, orientation):
    stored = PALETTE.colorize(LABELS)
    photo = read_picture(write(tmp_path / "a.jpg", stored, exif=exif(orientation), quality=95))
    tagged = write(tmp_path / "tagged.png", stored, exif=exif(orientation))
    upright = write(tmp_path / "upright.png", turn(stored, orientation))
    raw = write(tmp_path / "raw.png", stored)
    expected = turn(LABELS, orientation)
    np.testing.assert_array_equal(read_mask(tagged, PALETTE, photo)[0], expected)
    np.testing.assert_array_equal(read_mask(upright, PALETTE, photo)[0], expected)
    labels, notes = read_mask(raw, PALETTE, photo)
    if orientation >= 5:  # only then does the size tell that the mask was not turned
        np.testing.assert_array_equal(labels, expected)
    else:
        np.testing.assert_array_equal(labels, LABELS)
    assert len(notes) == (orientation != 1)


def test_a_mask_with_its_own_orientation_is_turned_by_it(tmp_path):
    path = write(tmp_path / "m.tif", LABELS, exif=exif(8))
    np.testing.assert_array_equal(read(path, size=(40, 24))[0], turn(LABELS, 8))


def test_a_reduced_unturned_mask_is_turned_and_resized(tmp_path):
    photo = plain((80, 48), (48, 80), 6)
    labels, notes = read_mask(write(tmp_path / "m.png", LABELS), PALETTE, photo)
    np.testing.assert_array_equal(labels, np.kron(turn(LABELS, 6), np.ones((2, 2), int)))
    assert len(notes) == 2


def test_a_mask_of_the_same_aspect_is_resized_with_a_note(tmp_path):
    labels, notes = read(write(tmp_path / "m.png", LABELS), size=(72, 120))
    np.testing.assert_array_equal(labels, np.kron(LABELS, np.ones((3, 3), int)))
    assert "40 x 24" in notes[0]
    assert "120 x 72" in notes[0]


@pytest.mark.parametrize("size", [(40, 24), (24, 41), (25, 40)])
def test_a_mask_of_another_shape_is_refused_with_both_sizes(tmp_path, size):
    with pytest.raises(ValueError, match="40 x 24") as error:
        read(write(tmp_path / "m.png", LABELS), size=size)
    assert f"{size[1]} x {size[0]}" in str(error.value)


def nearest(labels, size):
    """Pixel centres of the new grid looked up in the old one."""
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(int)
        for new, old in zip(size, labels.shape, strict=True)
    )
    return labels[rows][:, columns]


def test_a_mask_follows_a_reduced_picture_and_is_restored_to_full_size(tmp_path):
    blocks = np.random.default_rng(1).integers(0, 4, (30, 40)).astype(np.uint8)
    full = np.kron(blocks, np.ones((100, 100), np.uint8))
    photo = read_picture(write(tmp_path / "a.png", PALETTE.colorize(full)))
    labels, _ = read_mask(write(tmp_path / "m.png", full), PALETTE, photo)
    assert labels.shape == photo.rgb.shape[:2] == (887, 1182)
    assert (labels == nearest(full, (887, 1182))).mean() > 0.999  # ties may go either way
    back = restore(labels, photo.size)
    assert (back.shape, back.dtype) == ((3000, 4000), np.uint8)
    assert (back == full).mean() > 0.97


@pytest.mark.parametrize("size", [(24, 40), (7, 11), (50, 90), (1, 1)])
def test_restoring_looks_up_the_nearest_pixel(size):
    np.testing.assert_array_equal(restore(LABELS.astype(np.int64), size), nearest(LABELS, size))


def test_restoring_refuses_what_would_not_fit_a_byte():
    with pytest.raises(ValueError, match="300"):
        restore(np.array([[0, 300]]), (2, 4))


def test_a_damaged_mask_is_refused(tmp_path):
    path = write(tmp_path / "m.png", PALETTE.colorize(LABELS))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match="cut off"):
        read(path)


def test_a_photo_is_no_mask(tmp_path):
    noise = np.random.default_rng(2).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match="photo"):
        read(write(tmp_path / "m.png", noise), size=(400, 400))
