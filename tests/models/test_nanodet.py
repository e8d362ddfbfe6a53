from math import exp

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image

from tta_demo.models.nanodet import BINS, SIDE, NanoDet, decode, load_nanodet
from tta_demo.models.registry import MODELS, load_model
from tta_demo.pictures.assets import ASSETS
from tta_demo.pictures.reading import read_picture
from tta_demo.tta.box_views import predict_boxes
from tta_demo.tta.boxes import iou
from tta_demo.tta.predict import to_tensor
from tta_demo.tta.views import VIEW_SETS, VIEWS

RECORD = MODELS["nanodet-g"]
FILE = RECORD.weights()


@pytest.fixture(scope="module")
def detector():
    torch.set_num_threads(1)
    return load_nanodet(FILE)


def photo(name):
    return read_picture(ASSETS / "examples" / f"{name}.jpg").rgb


def named(boxes, name):
    return boxes.take(boxes.labels == RECORD.classes.index(name))


# An independent, slow way: Pillow instead of torch, and every cell by itself


def slow_answers(rgb):
    """What onnxruntime says of a picture at `SIDE`, and the size of the picture in it."""
    height, width = rgb.shape[:2]
    scale = SIDE / max(height, width)
    w, h = round(scale * width), round(scale * height)
    channels = [Image.fromarray(rgb[..., c].astype(np.float32)) for c in (2, 1, 0)]
    small = np.stack(
        [np.asarray(one.resize((w, h), Image.Resampling.BILINEAR)) for one in channels]
    )
    shown = np.pad(small, ((0, 0), (0, -h % 32), (0, -w % 32)), "edge")
    mean, std = np.array([[103.53, 116.28, 123.675], [57.375, 57.12, 58.395]])[..., None, None]
    values = ((shown - mean) / std).astype(np.float32)[None]
    session = onnxruntime.InferenceSession(FILE, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(None, {"picture": values}), strict=True)), (h, w)


def slow_boxes(rgb):
    """Returns (score, label, box) of every cell and class, then without the lesser ones."""
    answers, (h, w) = slow_answers(rgb)
    found = []
    for stride in (8, 16, 32):
        across = -(-w // 32) * 32 // stride
        for n, scores in enumerate(answers[f"scores{stride}"][0].tolist()):
            x, y = (n % across + 0.5) * stride, (n // across + 0.5) * stride
            if x >= w or y >= h or max(scores) < 0.05:
                continue
            sides = []
            for k in range(4):
                heights = answers[f"distances{stride}"][0, n, BINS * k : BINS * (k + 1)].tolist()
                shares = [exp(one) for one in heights]
                sides.append(stride * sum(i * one for i, one in enumerate(shares)) / sum(shares))
            box = [x - sides[0], y - sides[1], x + sides[2], y + sides[3]]
            found += [(score, c + 1, box) for c, score in enumerate(scores) if score >= 0.05]
    kept = []
    for score, label, box in sorted(found, key=lambda one: -one[0]):
        rivals = [other for _, c, other in kept if c == label]
        if all(overlap(box, other) <= 0.5 for other in rivals):
            kept.append((score, label, box))
    across, down = rgb.shape[1] / w, rgb.shape[0] / h
    return [
        (score, label, [n * (across, down)[i % 2] for i, n in enumerate(box)])
        for score, label, box in kept
    ]


def overlap(a, b):
    wide = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    high = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (a, b)]
    return wide * high / (sum(areas) - wide * high)


@pytest.mark.parametrize("name", ["chelsea", "rocket"])
def test_the_boxes_are_those_of_a_slow_way_cell_by_cell(detector, name):
    rgb = photo(name)
    (found,) = detector(to_tensor(rgb)[None])
    slow = slow_boxes(rgb)
    assert len(found) > 20
    scores, labels, corners = map(list, zip(*slow[: len(found)], strict=True))
    height, width = rgb.shape[:2]
    np.testing.assert_allclose(found.scores, scores, atol=2e-4)
    np.testing.assert_array_equal(found.labels, labels)
    inside = np.clip(corners, 0, [width, height, width, height])
    np.testing.assert_allclose(found.xyxy, inside, atol=0.05)


def test_a_box_lies_around_the_middle_of_its_cell_and_cells_outside_have_no_say():
    scores, distances = np.full((1, 4, 1), 0.9), np.zeros((1, 4, 4, BINS))
    for side, cells in enumerate((0, 2, 1, 0)):
        distances[:, :, side, cells] = 99
    answers = [distances.reshape(1, 4, -1), scores]
    found = decode(answers, (64, 64), (64, 64))
    middles = [[x, y, x, y] for y in (16, 48) for x in (16, 48)]
    np.testing.assert_allclose(found.xyxy, np.add(middles, [0, -64, 32, 0]))
    left = decode(answers, (64, 64), (64, 40))
    np.testing.assert_allclose(left.xyxy, found.xyxy[[0, 2]])
    assert decode([distances.reshape(1, 4, -1), 0 * scores], (64, 64), (64, 64)).xyxy.size == 0


# On pictures


@pytest.mark.parametrize(
    ("name", "thing", "score", "around"),
    [("chelsea", "cat", 0.5, [0, 0, 401, 300]), ("astronaut", "person", 0.7, [18, 16, 364, 512])],
)
def test_it_finds_what_is_plainly_there(detector, name, thing, score, around):
    found = named(detector(to_tensor(photo(name))[None])[0], thing)
    assert found.scores[0] > score
    assert iou(found.xyxy[:1], np.array([around]))[0, 0] > 0.85


def test_a_closer_look_finds_the_cup_that_one_look_takes_for_cup_and_saucer(detector):
    looks = predict_boxes(detector, to_tensor(photo("coffee")), ("identity", "zoom1.25"))
    cup = np.array([[147, 15, 349, 264]])
    one, closer = (named(look.boxes, "cup").xyxy[:1] for look in looks.values())
    assert iou(one, cup)[0, 0] < 0.5 < 0.8 < iou(closer, cup)[0, 0]


MOVES = [name for name in VIEWS if name in VIEW_SETS["d4"] or name[:4] in ("zoom", "shif")]


@pytest.mark.parametrize("view", MOVES)
def test_every_view_finds_the_cat_where_it_is(detector, view):
    image = to_tensor(photo("chelsea"))
    found = named(predict_boxes(detector, image, (view,))[view].boxes, "cat")
    assert found.scores[0] > 0.25
    assert iou(found.xyxy[:1], np.array([[0, 0, 401, 300]]))[0, 0] > 0.6


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (50, 31), (700, 300)], ids=str)
def test_pictures_of_any_size_are_answered_within_them(detector, size):
    (found,) = detector(torch.rand(1, 3, *size))
    assert (found.xyxy >= 0).all()
    assert (found.xyxy.max(0, initial=0) <= [size[1], size[0]] * 2).all()
    assert len(found) <= 100


def test_a_look_that_zooms_is_larger_or_smaller_in_front_of_the_network():
    shown = []

    class Session:
        def run_all(self, values):
            shown.append(values.shape[2:])
            cells = values.shape[2] * values.shape[3] // 1024
            return [np.zeros((1, cells, n), np.float32) for n in (80, 4 * BINS)]

    image = torch.rand(3, 150, 300)
    predict_boxes(NanoDet(Session()), image, ("identity", "rot90", "zoom0.5", "zoom1.5"))
    assert shown == [(224, 416), (416, 224), (128, 224), (320, 640)]


# The file


def test_the_file_is_small_and_its_card_names_the_makers_the_licence_and_the_digest():
    assert FILE.stat().st_size < 8_000_000
    card = FILE.with_suffix(".md").read_text()
    assert "RangiLyu" in card
    assert "Apache" in card
    assert RECORD.digest in card
    licence = FILE.with_name("LICENSE-nanodet.txt").read_text()
    assert "Apache License" in licence
    assert "MIT License" in licence


def test_it_is_loaded_by_name_and_knows_cocos_80_classes():
    assert isinstance(load_model("nanodet-g"), NanoDet)
    assert len(RECORD.classes) == 81
    told = {1: "person", 16: "cat", 42: "cup", 61: "dining table", 80: "toothbrush"}
    assert {label: RECORD.classes[label] for label in told} == told
