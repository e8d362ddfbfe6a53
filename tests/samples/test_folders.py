import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tta_demo.pictures.masks import read_mask
from tta_demo.pictures.palettes import Palette, color_png, index_png, rgb_png
from tta_demo.samples.folders import find, pair, read_pair, split_mixed
from tta_demo.samples.palette_file import read_palette

PALETTE = Palette(("ground", "cell", "rim"), ((0, 0, 0), (255, 0, 0), (0, 128, 255)))
LABELS = np.uint8([[0, 1, 2], [2, 1, 0]])
RGB = np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 9


def paths(*names):
    return [Path(name) for name in names]


def paired(pictures, masks):
    """Names of the pairs, and the lonely ones."""
    found = pair(paths(*pictures), paths(*masks))
    return [(picture.name, mask.name) for picture, mask in found.pairs.values()], list(
        found.lonely
    )


def names(split):
    return tuple([file.as_posix() for file in part] for part in split)


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def in_colours(palette):
    """Reads a mask in these colours."""
    return lambda path, picture: read_mask(path, palette, picture)


@pytest.mark.parametrize(
    "mask",
    [
        *("Field.png", "field.TIF", "field-mask.png", "field_mask.png", "field.mask.png"),
        *("field-labels.png", "field_labels.png", "field-gt.bmp", "FIELD_GT.PNG"),
    ],
)
def test_a_mask_finds_its_picture(mask):
    assert paired(["other.jpg", "field.JPG"], [mask]) == ([("field.JPG", mask)], ["other.jpg"])


@pytest.mark.parametrize("mask", ["fieldmask.png", "field-mask-2.png", "mask-field.png", "f.png"])
def test_a_mask_of_another_name_stays_lonely(mask):
    assert paired(["field.jpg"], [mask]) == ([], sorted(["field.jpg", mask]))


def test_pairs_and_lonely_files_are_in_natural_order():
    pictures = ["b10.png", "b9.png", "B1.png", "x2.png", "x10.png"]
    pairs, lonely = paired(pictures, ["b1_gt.png", "b10.png", "b9.mask.png", "x9.png"])
    assert [picture for picture, _ in pairs] == ["B1.png", "b9.png", "b10.png"]
    assert lonely == ["x2.png", "x9.png", "x10.png"]


def test_a_mask_with_the_very_name_belongs_to_that_picture():
    pairs, lonely = paired(["a.png", "a_mask.png"], ["a_mask.png"])
    assert (pairs, lonely) == ([("a_mask.png", "a_mask.png")], ["a.png"])


def test_an_umlaut_is_the_same_in_one_and_in_two_characters():
    one, two = (unicodedata.normalize(form, "Äcker 3.png") for form in ("NFC", "NFD"))
    assert one != two
    assert paired([one], [two]) == ([(one, two)], [])


def test_nothing_pairs_with_nothing():
    assert paired([], []) == ([], [])


@pytest.mark.parametrize(
    ("pictures", "masks", "told"),
    [
        (["a.png", "A.jpg"], [], ("a.png", "A.jpg")),
        (["a.png"], ["a-mask.png", "a_gt.png"], ("a-mask.png", "a_gt.png")),
        (["a.png"], ["a.png", "a-mask.png"], ("a.png", "a-mask.png")),
        (["x/one/a.png", "x/one/A.jpg", "x/two/a.png"], [], ("a.png and A.jpg",)),
    ],
)
def test_two_of_one_name_are_refused_by_name(pictures, masks, told):
    with pytest.raises(ValueError, match="remove one") as error:
        paired(pictures, masks)
    assert all(name in str(error.value) for name in told)


def test_pictures_of_one_name_find_the_mask_in_a_folder_like_theirs(tmp_path):
    towns = ("aachen", "ulm")
    for town in towns:
        touch(tmp_path, f"images/train/{town}/1.png", f"masks/train/{town}/1_gt.png")
        touch(tmp_path, f"{town}/tiles/images/2.png", f"{town}/tiles/masks/2.png")
    touch(tmp_path, "images/train/ulm/3.png", "masks/3.png")
    found = find(tmp_path).pairs
    assert list(found) == [
        *("3", "aachen/tiles/2", "train/aachen/1", "train/ulm/1", "ulm/tiles/2")
    ]
    assert found["train/ulm/1"][1] == tmp_path / "masks/train/ulm/1_gt.png"
    assert found["aachen/tiles/2"][1] == tmp_path / "aachen/tiles/masks/2.png"


@pytest.mark.parametrize("files", [("1.bmp", "1.png"), ("1.png", "1-mask.png")])
def test_a_folder_of_pictures_beside_their_masks_is_understood(tmp_path, files):
    touch(tmp_path, *files)
    assert find(tmp_path).pairs == {"1": tuple(tmp_path / name for name in files)}


def test_what_is_no_picture_is_lonely_and_in_nobodys_way():
    pairs, lonely = paired(["a.png", "a.txt"], ["a.json", "a.png", "a.npy"])
    assert (pairs, lonely) == ([("a.png", "a.png")], ["a.json", "a.npy", "a.txt"])


def test_masks_of_one_name_without_a_picture_are_only_lonely():
    assert paired([], ["a-mask.png", "a_mask.png"]) == ([], ["a-mask.png", "a_mask.png"])


def test_a_bag_is_split_by_its_folders():
    pictures = ["set/Images/a.png", "set/Images/deep/b.png"]
    masks = ["set/SegmentationClass/a.png", "set/SegmentationClass/b.png"]
    others = ["set/overlays/a.png", "set/readme.txt"]
    found = names(split_mixed(paths(*masks, *others, *pictures)))
    assert found == ([*pictures, "set/readme.txt"], masks)  # to be told as lonely


def test_the_nearest_folder_counts():
    pictures, masks = ["masks/images/a.png"], ["masks/labels/a.png", "gt/a.png"]
    assert names(split_mixed(paths(*pictures, *masks))) == (pictures, masks)


def test_a_folder_around_all_files_says_nothing():
    pictures, masks = ["/up/images/a.png"], ["/up/images/a-mask.png"]
    assert names(split_mixed(paths(*masks, *pictures))) == (pictures, masks)
    pictures, masks = ["/gt/photos/a.png"], ["/gt/truth/a.png"]
    assert names(split_mixed(paths(*masks, *pictures))) == (pictures, masks)


def test_a_bag_without_such_folders_is_split_by_name():
    pictures, masks = ["x/a.png", "y/b.JPG"], ["x/a_GT.png", "y/b.mask.png"]
    assert names(split_mixed(paths(*masks, *pictures))) == (pictures, masks)


def test_instances_are_masks_where_there_are_no_others():
    pictures, instances, masks = ["images/a.png"], ["instances/a.png"], ["masks/a.png"]
    assert names(split_mixed(paths(*pictures, *instances))) == (pictures, instances)
    found = names(split_mixed(paths(*pictures, *instances, *masks)))
    assert found == (pictures, masks)


def test_a_bag_without_masks_is_all_pictures():
    files = paths("a.png", "b.png")
    pictures, masks = split_mixed(files)
    assert (pictures, masks) == (files, [])
    assert pair(pictures, masks).lonely == ("a.png", "b.png")


def test_a_bag_loses_what_the_system_put_in():
    clutter = [
        "__MACOSX/images/._a.png",
        "images/.DS_Store",
        "images/Thumbs.db",
        ".git/masks/a.png",
    ]
    kept = ["images/a.png"], ["masks/a.png"]
    assert names(split_mixed(paths(*clutter, *kept[0], *kept[1]))) == kept
    assert split_mixed([]) == ([], [])


def test_a_bag_in_a_hidden_place_is_kept():
    assert names(split_mixed(paths("/home/.cache/a.png"))) == (["/home/.cache/a.png"], [])


def test_pairs_are_found_in_a_folder(tmp_path):
    touch(tmp_path, "images/b2.png", "images/B10.JPG", "images/.DS_Store", "images/heic.heic")
    touch(tmp_path, "Labels/b10_labels.png", "Labels/b2.png", "Labels/classes.txt")
    touch(tmp_path, "Labels/Thumbs.db", "__MACOSX/images/b2.png", "notes.txt", "preview/b2.png")
    found = find(tmp_path)
    assert list(found.pairs.items()) == [
        ("b2", (tmp_path / "images/b2.png", tmp_path / "Labels/b2.png")),
        ("B10", (tmp_path / "images/B10.JPG", tmp_path / "Labels/b10_labels.png")),
    ]
    assert found.lonely == ("classes.txt", "heic.heic")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (["a.png", "b.png"], "no masks"),
        (["a.png", "a.bmp", "a.tif"], "no masks"),
        (["images/a.png", "overlays/a.png"], "no masks"),
        (["masks/a.png"], "no pictures"),
        ([], "no pictures"),
    ],
)
def test_a_folder_without_pairs_is_told_what_was_looked_for(tmp_path, files, told):
    touch(tmp_path, *files)
    with pytest.raises(ValueError, match=f"{told}.*images.*masks"):
        find(tmp_path)


def test_a_pair_is_read_with_its_truth_completed(tmp_path):
    picture, mask = tmp_path / "field.7.png", tmp_path / "m.png"
    picture.write_bytes(rgb_png(RGB))
    mask.write_bytes(index_png(LABELS, PALETTE))

    def turned(path, shown):
        labels, notes = in_colours(PALETTE)(path, shown)
        return 2 - labels, (*notes, "note")

    read = read_pair(picture, mask, turned)
    assert (read.name, read.labels.dtype, read.notes) == ("field.7", np.uint8, ("note",))
    np.testing.assert_array_equal(read.rgb, RGB)
    np.testing.assert_array_equal(read.labels, 2 - LABELS)


def test_a_large_pair_is_read_at_the_working_size(tmp_path):
    large = np.kron(LABELS, np.ones((700, 700), np.uint8))
    Image.fromarray(large).save(tmp_path / "m.png")
    Image.fromarray(PALETTE.colorize(large)).save(tmp_path / "a.png")
    read = read_pair(tmp_path / "a.png", tmp_path / "m.png", in_colours(PALETTE))
    assert read.labels.shape == read.rgb.shape[:2] < large.shape
    assert (PALETTE.colorize(read.labels) == read.rgb).mean() > 0.99  # all but the borders


@pytest.mark.parametrize("broken", ["a.png", "m.png"])
def test_a_broken_file_of_a_pair_is_named(tmp_path, broken):
    for name in ("a.png", "m.png"):
        (tmp_path / name).write_bytes(index_png(LABELS, PALETTE))
    (tmp_path / broken).write_text("no picture")
    with pytest.raises(ValueError, match=broken):
        read_pair(tmp_path / "a.png", tmp_path / "m.png", in_colours(PALETTE))


def test_a_mask_in_foreign_colours_is_read_by_its_palette_file(tmp_path):
    colors = {"rim": [9, 99, 9], "ground": [1, 2, 200], "cell": [250, 250, 0]}
    path = tmp_path / "colours.json"
    path.write_text(json.dumps(colors))
    palette = read_palette(path, PALETTE.names)
    assert palette == Palette(PALETTE.names, ((1, 2, 200), (250, 250, 0), (9, 99, 9)))
    (tmp_path / "a.png").write_bytes(rgb_png(RGB))
    (tmp_path / "m.png").write_bytes(color_png(LABELS, palette))
    read = read_pair(tmp_path / "a.png", tmp_path / "m.png", in_colours(palette))
    np.testing.assert_array_equal(read.labels, LABELS)
    with pytest.raises(ValueError, match="no class"):
        read_pair(tmp_path / "a.png", tmp_path / "m.png", in_colours(PALETTE))
