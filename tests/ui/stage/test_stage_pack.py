import base64
import io
import json
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from stage_scenes import D4, field_scene, scene_of

from tta_demo.pictures.palettes import IGNORED, display_colors
from tta_demo.tta.predict import Look
from tta_demo.tta.views import VIEWS
from tta_demo.ui.stage import StagePicture, pack, painted


def opened(value):
    about = json.loads(value["about"])
    return about, np.frombuffer(zlib.decompress(base64.b64decode(value["data"])), np.uint8)


def test_the_planes_come_back_as_they_went_in():
    views = ("identity", "rot90", "zoom0.5", "shift")
    scene, _ = scene_of(views, size=(30, 44))
    about, data = opened(pack(scene))
    size, count = 30 * 44, len(views)
    first = data[:size]
    planes = data[: 2 * count * size].reshape(2 * count, 30, 44) ^ first.reshape(30, 44)
    planes[0] ^= first.reshape(30, 44)
    for plane, look in zip(planes, scene.looks.values(), strict=False):
        assert (plane == look.labels).all()
    assert (planes[count:] == scene.together).all()
    rest = data[2 * count * size :]
    assert (rest[:size] ^ first == scene.truth.ravel()).all()
    assert (rest[size : 2 * size].reshape(30, 44) == scene.looks["shift"].seen.numpy()).all()
    zoomed = rest[2 * size :][: 15 * 22].reshape(15, 22)
    assert (zoomed == scene.looks["zoom0.5"].frame).all()
    assert about["looks"][2]["answered"] == [15, 22]
    probs = rest[2 * size + 15 * 22 :].reshape(count, 2, 30, 44) / 255
    for plane, look in zip(probs, scene.looks.values(), strict=True):
        assert np.abs(plane - look.log_probs.exp().numpy()[1:]).max() <= 0.502 / 255


def test_an_answer_that_was_turned_and_zoomed_is_sent_upright(monkeypatch):
    class Both:
        symmetry = VIEWS["transpose"].symmetry
        zoom = 0.5

        def __getattr__(self, name):
            return getattr(VIEWS["transpose"], name)

    upright = np.arange(12, dtype=np.uint8).reshape(3, 4)
    labels = np.zeros((6, 8), np.uint8)
    frame = np.ascontiguousarray(upright.T)  # what `transpose` makes of it
    rgb = np.zeros((6, 8, 3), np.uint8)
    monkeypatch.setitem(VIEWS, "both", Both())
    look = Look(torch.zeros(12, 6, 8), None, labels, frame)
    scene = StagePicture(
        "", rgb, {"both": look}, labels[None], list("abcdefghijkl"), display_colors(12)
    )
    _, data = opened(pack(scene))
    assert (data[96:108].reshape(3, 4) == upright).all()


def test_counts_are_those_of_the_full_size_though_a_smaller_one_is_sent():
    scene, _ = scene_of(("identity", "hflip", "rot180"), size=(300, 1100))
    about, _ = opened(pack(scene))
    assert (about["height"], about["width"], about["pixels"]) == (140, 512, 330_000)
    one, last, truth = scene.first, scene.together[-1], scene.truth
    assert about["alone"] == [int((look.labels != truth).sum()) for look in scene.looks.values()]
    wrong, was = last != truth, one != truth
    assert about["steps"]["wrong"][-1] == int(wrong.sum())
    assert about["steps"]["fixed"][-1] == int((was & ~wrong).sum())
    assert about["steps"]["broken"][-1] == int((~was & wrong).sum())
    assert about["steps"]["changed"][-1] == int((one != last).sum())
    labels = np.stack([look.labels for look in scene.looks.values()])
    assert about["steps"]["split"][-1] == int((labels != labels[0]).any(0).sum())


def test_pixels_that_a_look_did_not_see_neither_err_nor_disagree():
    scene, _ = scene_of(("shift", "identity", "tilt+10"), size=(40, 50))
    about, _ = opened(pack(scene))
    votes = [
        np.where(look.seen.numpy() if look.seen is not None else True, look.labels, 255)
        for look in scene.looks.values()
    ]
    split = 0
    for y in range(40):
        for x in range(50):
            split += len({int(v[y, x]) for v in votes} - {255}) > 1
    assert about["steps"]["split"][-1] == split
    seen = scene.looks["shift"].seen.numpy()
    assert about["alone"][0] == int((scene.first != scene.truth)[seen].sum())


def test_many_classes_send_labels_and_how_sure_they_are():
    scene, _ = scene_of(classes=7, size=(20, 24))
    about, data = opened(pack(scene))
    assert about["answers"] == "sure"
    assert about["redo"] == "ask"
    sure = data[-len(D4) * 480 :].reshape(len(D4), 20, 24) / 255
    for plane, look in zip(sure, scene.looks.values(), strict=True):
        assert np.abs(plane - look.log_probs.exp().numpy().max(0)).max() <= 0.502 / 255


@pytest.mark.parametrize(
    ("fusion", "pool", "redo"),
    [("mean", "linear", "mean"), ("vote", "linear", "vote"), ("median", "linear", "ask")],
)
def test_the_browser_is_told_what_it_may_combine(fusion, pool, redo):
    scene, _ = scene_of(fusion=fusion, size=(16, 16), pool=pool)
    assert opened(pack(scene))[0]["redo"] == redo


def test_a_picture_goes_as_webp_at_most_512_pixels_long():
    value = pack(scene_of(("identity",), size=(600, 100))[0])
    head, code = value["picture"].split(",")
    assert head == "data:image/webp;base64"
    assert Image.open(io.BytesIO(base64.b64decode(code))).size == (85, 512)


def test_one_fused_answer_for_each_look_that_is_on():
    scene, _ = scene_of(("identity", "hflip"), size=(8, 8))
    with pytest.raises(ValueError, match="1 looks are on and 2 fused"):
        pack(StagePicture(**{**vars(scene), "on": [True, False]}))


def payload(plane):
    data = base64.b64encode(zlib.compress(plane.tobytes())).decode()
    return {"width": plane.shape[1], "height": plane.shape[0], "data": data}


def test_where_nobody_knows_the_truth_nothing_is_wrong():
    scene, _ = scene_of(("identity", "hflip"), size=(30, 40))
    about, _ = opened(pack(replace(scene, truth=np.full_like(scene.truth, IGNORED))))
    assert about["alone"] == [0, 0]
    assert all(about["steps"][key] == [0, 0] for key in ("wrong", "fixed", "broken"))
    assert about["steps"]["changed"][-1] > 0


def test_a_painting_comes_back_at_the_pictures_full_size():
    plane = np.arange(256 * 512).reshape(256, 512).astype(np.uint8) % 3
    full = painted(payload(plane), (512, 1024), 3)
    assert full.shape == (512, 1024)
    assert (full == np.kron(plane, np.ones((2, 2), np.uint8))).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"width": 4, "height": 3, "data": "no base64!"},
        {"width": 4, "height": 3, "data": base64.b64encode(b"no stream").decode()},
        {"width": 4, "height": 3, "data": 7},
        {"width": "x", "height": None, "data": ""},
        payload(np.zeros((4, 3), np.uint8)),
        payload(np.zeros((3, 4_000_000), np.uint8)) | {"width": 4},
        payload(np.full((3, 4), 3, np.uint8)),
    ],
)
def test_a_painting_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match="paint"):
        painted(wrong, (3, 4), 3)


@pytest.mark.slow
@pytest.mark.parametrize(("views", "limit"), [("d4", 350), ("all", 700)])
def test_a_field_of_weeds_fits_its_promised_size(views, limit):
    assert len(json.dumps(pack(field_scene(views)[0]))) <= limit * 1024
