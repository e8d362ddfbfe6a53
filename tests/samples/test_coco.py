import json

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from tta_demo.samples.coco import coco_pictures

NAMES = ("Weed-1", "Weed-2")
KINDS = [{"id": 7, "name": "WEED-2"}, {"id": 3, "name": " weed-1"}, {"id": 9, "name": "maize"}]
BOXES = {1: [(3, [2, 3, 10, 12]), (7, [5.5, 0, 4, 4.5])], 2: [(7, [0, 0, 40, 30])], "x": []}
FILES = {1: "b.png", 2: "a.png", "x": "sub/c.png"}


def image_of(i, **more):
    return {"id": i, "file_name": FILES[i]} | more


def box_of(bbox=(1, 1, 2, 2), kind=3, image=1, **more):
    bbox = list(bbox) if isinstance(bbox, tuple) else bbox
    return {"image_id": image, "category_id": kind, "bbox": bbox} | more


def content(**changes):
    boxes = [box_of(tuple(b), kind, i) for i, own in BOXES.items() for kind, b in own]
    return {"images": [*map(image_of, FILES)], "annotations": boxes, "categories": KINDS} | changes


def write(folder, data, name="boxes.json", size=(40, 30)):
    for file in FILES.values():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (9, 99, 199)).save(folder / file)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(data if isinstance(data, str) else json.dumps(data))
    return folder


def test_pictures_and_boxes_are_those_that_pycocotools_reads(tmp_path, capsys):
    data = content(annotations=[{"id": i, **b} for i, b in enumerate(content()["annotations"])])
    reference = COCO(write(tmp_path, data) / "boxes.json")
    found = coco_pictures(tmp_path, NAMES)
    assert list(found.pictures) == [one["file_name"] for one in reference.dataset["images"]]
    for i, picture in zip(FILES, found.pictures.values(), strict=True):
        rgb, boxes = picture.read()
        assert rgb.shape == (30, 40, 3)
        wanted = reference.imgToAnns[i]
        corner = boxes.xyxy[:, :2]
        np.testing.assert_array_equal(
            np.hstack([corner, boxes.xyxy[:, 2:] - corner]).tolist(), [b["bbox"] for b in wanted]
        )
        kinds = [reference.cats[b["category_id"]]["name"].strip() for b in wanted]
        assert [NAMES[label - 1].casefold() for label in boxes.labels] == [
            kind.casefold() for kind in kinds
        ]
        assert (boxes.scores == 1).all()
    assert found.notes == ()


@pytest.mark.parametrize(
    ("size", "box"),
    [((1200, 2400), (300, 150, 900, 450)), ((340, 17_000), (8_000, 100, 8_000, 200))],
    ids=["large", "thin, so that its sides shrink unlike"],
)
def test_a_large_picture_takes_its_boxes_with_it_to_the_working_size(tmp_path, size, box):
    left, top, width, height = box
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[top : top + height, left : left + width] = 255
    data = content(images=[image_of(1)], annotations=[box_of(box)])
    write(tmp_path, data)
    Image.fromarray(pixels).save(tmp_path / FILES[1])
    rgb, boxes = coco_pictures(tmp_path, NAMES).pictures[FILES[1]].read()
    assert rgb.size < pixels.size
    rows, columns = np.nonzero(rgb[..., 0] > 127)
    shown = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(boxes.xyxy, [shown], atol=1)


def test_a_size_that_is_not_that_of_the_upright_file_is_told(tmp_path):
    told = [image_of(1, width=40, height=30), image_of(2, width=30, height=40), image_of("x")]
    pictures = coco_pictures(write(tmp_path, content(images=told)), NAMES).pictures
    exif = Image.Exif()
    exif[0x0112] = 6  # stored on its side
    Image.new("RGB", (30, 40)).save(tmp_path / FILES[1], exif=exif)
    assert pictures[FILES[1]].read()[0].shape == (30, 40, 3)
    with pytest.raises(ValueError, match=r"a\.png is 40 x 30 when upright.*for 30 x 40"):
        pictures[FILES[2]].read()


def test_crowds_are_left_out_with_a_note_even_of_unknown_kinds(tmp_path):
    crowd = box_of({"counts": [], "size": [2, 2]}, 9, iscrowd=1)
    found = coco_pictures(write(tmp_path, content(annotations=[crowd, box_of(iscrowd=0)])), NAMES)
    assert len(found.pictures[FILES[1]].boxes) == 1
    (note,) = found.notes
    assert "1 crowds" in note


@pytest.mark.parametrize("name", ["boxes.json", "annotations/instances.json"])
def test_the_json_is_found_where_there_is_one(tmp_path, name):
    folder = write(tmp_path, content(), name)
    assert coco_pictures(folder, NAMES).annotations == folder / name
    (folder / "other.json").write_text("{}")
    with pytest.raises(ValueError, match=r"one JSON.*other\.json"):
        coco_pictures(folder, NAMES)


def test_files_are_found_below_the_folder_by_the_end_of_their_name(tmp_path):
    for i, wanted in enumerate(("c.png", "sub/c.png", "sub\\c.png", "far/away/c.png")):
        folder = write(tmp_path / str(i), content(images=[{"id": 1, "file_name": wanted}],
                                                  annotations=[]))  # fmt: skip
        assert coco_pictures(folder, NAMES).pictures[wanted].path == folder / "sub" / "c.png"
    (folder / "c.png").write_bytes((folder / "a.png").read_bytes())
    (folder / "boxes.json").write_text(json.dumps(content(images=[{"id": 1, "file_name": "c.png"}],
                                                          annotations=[])))  # fmt: skip
    assert coco_pictures(folder, NAMES).pictures["c.png"].path == folder / "c.png"


def test_no_file_outside_of_the_folder_is_read_and_a_missing_one_is_told(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "secret.png")
    images = [{"id": 1, "file_name": "../secret.png"}]
    folder = write(tmp_path / "data", content(images=images, annotations=[]))
    picture = coco_pictures(folder, NAMES).pictures["../secret.png"]
    with pytest.raises(ValueError, match=r"secret\.png cannot be opened"):
        picture.read()


def test_a_name_that_fits_two_files_is_refused(tmp_path):
    folder = write(tmp_path, content(images=[{"id": 1, "file_name": "d.png"}], annotations=[]))
    for place in ("x", "y"):
        (folder / place).mkdir()
        Image.new("RGB", (4, 4)).save(folder / place / "d.png")
    with pytest.raises(ValueError, match=r"'d\.png' could be x/d\.png or y/d\.png"):
        coco_pictures(folder, NAMES)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"annotations": [box_of(kind=9)]}, "categories 'maize' are unknown.*Weed-1, Weed-2"),
        ({"annotations": [box_of(kind=4)]}, "categories '?4'? are unknown"),
        ({"annotations": [box_of(kind=[3])]}, "category_id"),
        ({"annotations": [box_of((1, 1, -2, 2))]}, "bbox.*-2"),
        ({"annotations": [box_of((1, 1, 2))]}, "bbox"),
        ({"annotations": [box_of((1, 1, 2, float("nan")))]}, "bbox"),
        ({"annotations": [box_of((1, 1, 2, 10**400))]}, "bbox"),
        ({"annotations": [box_of(("1", 1, 2, 2))]}, "bbox"),
        ({"annotations": [box_of("1, 1, 2, 2")]}, "bbox"),
        ({"annotations": [box_of(image=5)]}, "lists no pictures 5"),
        ({"annotations": {}}, "annotations"),
        ({"annotations": [3]}, "annotations"),
        ({"images": []}, "pictures"),
        ({"images": [{"id": 1}], "annotations": []}, "file_name"),
        ({"images": [image_of(1, width="40", height=30)]}, "height|width"),
        ({"images": [image_of(1), {"id": 1, "file_name": "e.png"}]}, "share"),
        ({"images": [image_of(1), image_of(1, id=2)]}, "share"),
        ({"categories": None}, "categories"),
        ({"categories": [{"id": 3}]}, "name"),
    ],
)
def test_annotations_that_make_no_sense_are_refused_with_the_file(tmp_path, changes, told):
    with pytest.raises(ValueError, match=rf"^boxes\.json is no COCO file.*({told})"):
        coco_pictures(write(tmp_path, content(**changes)), NAMES)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "null", "[" * 100_000, "\udcff"])
def test_a_file_that_is_no_such_json_is_refused_by_name(tmp_path, text):
    write(tmp_path, "")
    (tmp_path / "boxes.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=r"^boxes\.json is no COCO file"):
        coco_pictures(tmp_path, NAMES)


def test_a_folder_or_json_that_is_missing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nowhere is no folder"):
        coco_pictures(tmp_path / "nowhere", NAMES)
    with pytest.raises(ValueError, match=r"one JSON file.*none"):
        coco_pictures(tmp_path, NAMES)
