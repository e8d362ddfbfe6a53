"""What a visitor's own model is, and what can be done with it; without a browser."""

import json
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from gradio.utils import get_upload_folder
from onnx import helper
from onnx_models import classifier, file, mixing, node
from yours_files import planted_sides, run_code, said, save_checkpoint, save_onnx

from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.own import FEEDS
from tta_demo.models.registry import MODELS
from tta_demo.pictures.palettes import Palette, numbered_palette
from tta_demo.pictures.reading import Picture
from tta_demo.tasks.cache import KEPT
from tta_demo.tta.views import VIEW_SETS
from tta_demo.ui.learn.actions import use
from tta_demo.ui.learn.lesson import LearnVisitor
from tta_demo.ui.segment.actions import open_first, restore
from tta_demo.ui.segment.case import SegmentCase, SegmentVisitor, Settings, example_case, tick
from tta_demo.ui.segment.share import shared
from tta_demo.ui.takeaway.document import document
from tta_demo.ui.takeaway.facts import Takeaway
from tta_demo.ui.yours.actions import OWN
from tta_demo.ui.yours.classes import pairs_of, palette_of, text_of
from tta_demo.ui.yours.model import YOURS, Reading

SETTINGS = Settings("weeds", "mean", True, tick(VIEW_SETS["flips"]), models=["unet-weeds"])
HOSTILE = '"><script>alert(1)</script>${1}{{2}}'


@pytest.fixture
def visitor(unseen):
    """One who looks at a picture with the demo's model."""
    visitor = SegmentVisitor()
    visitor.case = SegmentCase(name="mine", picture=unseen, settings=SETTINGS)
    return visitor


def bring(visitor, path):
    """Returns all that changes on the page when a visitor brings a file."""
    return list(OWN.open_file(visitor, {"path": str(path)}, SETTINGS))


@pytest.mark.parametrize(("save", "name"), [(save_checkpoint, "a.pth"), (save_onnx, "b.onnx")])
def test_a_model_looks_at_the_picture_on_stage_and_says_what_it_is(visitor, folder, save, name):
    before = visitor.case
    updates = bring(visitor, save(folder / name))
    case = visitor.case
    assert case.picture is before.picture
    assert case.world.record.label == name
    assert case.settings.world == YOURS
    assert f"{len(case.world.record.classes)} classes" in said(updates)
    assert "s a look" in said(updates)
    assert case.segment().labels.any()


def test_a_correction_looks_again_and_leaves_the_truth(visitor, folder):
    bring(visitor, save_checkpoint(folder / "a.pth"))
    truth = np.ones((40, 64), np.uint8)
    visitor.case = replace(visitor.case, truth=truth, own_mask=True)
    before = visitor.case.segment()
    list(OWN.correct(visitor, Reading("ImageNet", "RGB"), visitor.case.settings))
    after = visitor.case.segment()
    assert visitor.case.truth is truth
    assert after.model.digest != before.model.digest
    assert visitor.own.file.model.feed == FEEDS["imagenet"]
    assert not torch.allclose(after.probs, before.probs)


@pytest.mark.parametrize("feed", FEEDS)
def test_the_controls_say_every_usual_way_to_feed(visitor, folder, feed):
    bring(visitor, save_checkpoint(folder / "a.pth"))
    file = visitor.own.file
    shown = replace(file, model=replace(file.model, feed=FEEDS[feed])).reading
    assert file.corrected(shown).model.feed == FEEDS[feed]


def test_a_fixed_size_is_letterboxed_or_stretched(visitor, folder):
    bring(visitor, save_onnx(folder / "a.onnx", (1, 3, 32, 32)))
    reading = visitor.own.file.reading
    assert reading.fit == "letterbox"
    boxed = visitor.case.segment().probs
    list(OWN.correct(visitor, replace(reading, fit="stretch"), visitor.case.settings))
    assert "stretched" in visitor.own.record.reading
    assert not torch.allclose(boxed, visitor.case.segment().probs)


BAD = {
    "cut.onnx": mixing()[:60],
    "zip.onnx": b"PK\x03\x04 and more",
    "pickle.pth": b"\x80\x04\x95\x0f\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94.",
    "zip.pt": b"PK\x03\x04 and more",
    "rank.onnx": mixing((1, 3, 5)),
    "channels.onnx": mixing((1, 7, 8, 8)),
    "classes.onnx": mixing(mix=np.ones((3000, 3), np.float32)),
    "nan.onnx": mixing(mix=np.full((4, 3), np.nan, np.float32)),
    "foreign.onnx": file(
        [node("Magic", ["x"], domain="my.own")],
        (1, 3, "h", "w"),
        opset=[helper.make_opsetid("my.own", 1)],
    ),
    "whole.onnx": classifier(),
    "model.py": b"import os",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused_is_told_in_a_sentence_and_changes_nothing(visitor, folder, name):
    bring(visitor, save_onnx(folder / "good.onnx"))
    own, case = visitor.own, visitor.case
    (folder / name).write_bytes(BAD[name])
    updates = bring(visitor, folder / name)
    assert "role='alert'" in said(updates)
    assert (visitor.own, visitor.case) == (own, case)
    assert not any("stage" in update or "box" in update for update in updates)


def test_names_are_text(visitor, folder):
    updates = bring(visitor, save_checkpoint(folder / f"{HOSTILE[:8]}.pth", 3))
    names = f"{HOSTILE}\nb #010203\nc"
    updates += list(OWN.rename(visitor, names, visitor.case.settings))
    palette = visitor.case.world.record.palette
    assert palette.names == (HOSTILE, "b", "c")
    assert palette.colors == ((0, 0, 0), (1, 2, 3), (0, 128, 0))
    for update in updates:
        for part in ("own_told", "note", "numbers", "table", "looks"):
            assert "<script" not in update.get(part, "")


@pytest.mark.parametrize("text", ["a\nb", "a\nb\nb", "a\n\nb", "a\nb\n" + 61 * "c", "a\nb\nc\x07"])
def test_names_that_make_no_palette_are_refused(text):
    with pytest.raises(ValueError, match=r"classes|name"):
        palette_of(text, numbered_palette(3))


def test_classes_as_text_come_back():
    palette = numbered_palette(255)
    record = replace(MODELS["unet-weeds"], palette=palette)
    assert palette_of(text_of(record), palette) == palette


def test_many_classes_shrink_the_picture_until_the_looks_fit_into_the_cache(visitor, folder):
    bring(visitor, save_checkpoint(folder / "a.pth", 200))
    rgb = np.zeros((600, 900, 3), np.uint8)
    fitted = visitor.own.fitted(Picture.of(rgb))
    height, width = fitted.rgb.shape[:2]
    assert 0.9 * KEPT.limit < 15 * 2 * 200 * height * width <= KEPT.limit
    assert fitted.size == (600, 900)
    assert visitor.own.fitted(fitted) is fitted


def test_weights_for_a_model_stay_with_it(visitor, folder):
    bring(visitor, save_onnx(folder / "a.onnx"))
    record = visitor.own.record
    weights = {"identity": 0.25, "hflip": 0.75}
    learner = LearnVisitor()
    learner.file = WeightFile("elsewhere", record.name, record.digest, weights)
    use(learner, visitor)
    assert visitor.case.settings.fusion == "learned"
    assert visitor.case.segment().weights == weights
    bring(visitor, save_checkpoint(folder / "b.pth"))
    assert visitor.files == {}
    assert visitor.case.settings.fusion == "mean"


def test_no_link_carries_a_model_even_to_an_example(visitor, folder):
    visitor.case = example_case(SETTINGS, 0)
    assert shared(visitor.case)["query"]
    bring(visitor, save_onnx(folder / "a.onnx"))
    assert shared(visitor.case)["query"] == ""


def test_its_file_goes_with_the_visitor(visitor, folder):
    upload = save_onnx(folder / "a.onnx")
    bring(visitor, upload)
    kept = visitor.own.file.path
    upload.unlink()
    assert kept.is_file()
    assert not kept.is_relative_to(get_upload_folder())
    list(OWN.correct(visitor, Reading("0..255", "BGR"), visitor.case.settings))
    visitor.own = visitor.case = None
    assert not kept.exists()


def test_a_world_of_ones_own_waits_for_its_model(visitor):
    before = visitor.case
    list(open_first(visitor, replace(SETTINGS, world=YOURS)))
    assert visitor.case is before
    with pytest.raises(ValueError, match="upload"):
        visitor.place(YOURS)


def slow():
    """A file that takes minutes for a large picture, and no time for a small one."""
    shapes = {"i": (32, 3, 1, 1), "w": (32, 32, 9, 9), "o": (2, 32, 1, 1)}
    weights = {name: np.full(shape, 1e-4, np.float32) for name, shape in shapes.items()}
    nodes = [node("Conv", ["x", "i"], "h0")]
    nodes += [node("Conv", [f"h{i}", "w"], f"h{i + 1}", pads=[4] * 4) for i in range(60)]
    return file([*nodes, node("Conv", ["h60", "o"])], (1, 3, 1024, 1024), weights)


@pytest.mark.slow
def test_a_slow_model_is_stopped_while_it_is_tried(visitor, folder):
    (folder / "slow.onnx").write_bytes(slow())
    updates = []
    worker = threading.Thread(target=lambda: updates.extend(bring(visitor, folder / "slow.onnx")))
    before = visitor.case
    worker.start()
    while visitor.session is None or visitor.session._options is None:
        assert worker.is_alive()
        worker.join(0.05)
    OWN.stop(visitor)
    worker.join(30)
    assert not worker.is_alive()
    assert "stopped" in said(updates)
    assert visitor.case is before
    assert restore(visitor)["settings"].views == before.settings.views


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["checkpoint", "onnx"])
def test_the_code_repeats_the_mask_with_the_file_beside_it(visitor, folder, tmp_path, kind):
    if kind == "onnx":
        bring(visitor, save_onnx(folder / "mine.onnx", (1, 3, 48, 48)))
        reading = Reading("ImageNet", "BGR", fit="stretch")
        list(OWN.correct(visitor, reading, visitor.case.settings))
    else:
        bring(visitor, save_checkpoint(folder / "it's.pth", 4))
    names = "\n".join([HOSTILE, "Gr\u00fcn \U0001f600", "'c'", 'd" #102030'])
    list(OWN.rename(visitor, names, visitor.case.settings))
    truth = np.arange(40 * 64, dtype=np.uint8).reshape(40, 64) % 4
    case = replace(visitor.case, truth=truth, own_mask=True)
    taken = Takeaway(case, case.segment())
    run_code(taken, tmp_path / "away", beside=visitor.own.file.path)


def test_a_palette_of_another_size_is_refused(visitor, folder):
    bring(visitor, save_onnx(folder / "a.onnx"))
    with pytest.raises(ValueError, match="4 classes: 2 names"):
        visitor.own.called(Palette(("a", "b"), ((0, 0, 0), (1, 1, 1))))


SIDES = "background\nleft_lung\nright_lung"


def sides(visitor, folder):
    """Brings a model that calls the left half of whatever it sees left, with fitting names."""
    (folder / "sides.onnx").write_bytes(planted_sides(32))
    bring(visitor, folder / "sides.onnx")
    return list(OWN.rename(visitor, SIDES, visitor.case.settings))


def test_a_pair_of_sides_is_offered_and_exchanged_in_mirrored_looks(visitor, folder):
    *_, offered = sides(visitor, folder)
    assert offered["swap_pairs"] == "left_lung = right_lung"
    assert offered["own_swap"].open
    before = visitor.case.segment()
    one, mirrored = (before.looks[name].labels for name in ("identity", "hflip"))
    assert set(np.unique(one)) == {1, 2}
    np.testing.assert_array_equal(mirrored, 3 - one)
    *_, shown = OWN.exchange(visitor, offered["swap_pairs"], visitor.case.settings)
    after = visitor.case.segment()
    np.testing.assert_array_equal(after.looks["identity"].labels, one)
    np.testing.assert_array_equal(after.looks["hflip"].labels, one)
    np.testing.assert_array_equal(after.labels, one)
    assert not shown["own_swap"].open
    list(OWN.exchange(visitor, "\n", visitor.case.settings))
    assert (visitor.case.segment().looks["hflip"].labels == mirrored).all()


def test_pairs_follow_other_names_and_another_reading(visitor, folder):
    sides(visitor, folder)
    list(OWN.exchange(visitor, "right_lung = left_lung", visitor.case.settings))
    list(OWN.rename(visitor, "none\nL\nR", visitor.case.settings))
    list(OWN.correct(visitor, Reading("0..255", "BGR"), visitor.case.settings))
    assert visitor.own.record.swap == (("R", "L"),)
    result = visitor.case.segment()
    assert (result.looks["hflip"].labels == result.looks["identity"].labels).all()


def test_pairs_come_with_a_palette(visitor, folder):
    sides(visitor, folder)
    colors = {"none": [0, 0, 0], "left": [9, 0, 0], "right": [0, 9, 0]}
    path = folder / "palette.json"
    path.write_text(json.dumps({"classes": colors, "swap": [["left", "right"]]}))
    list(OWN.rename_from(visitor, {"path": str(path)}, visitor.case.settings))
    assert visitor.own.record.palette.colors[2] == (0, 9, 0)
    assert visitor.own.record.swap == (("left", "right"),)
    path.write_text(json.dumps(dict(zip("abc", colors.values(), strict=True))))
    list(OWN.rename_from(visitor, {"path": str(path)}, visitor.case.settings))
    assert visitor.own.record.swap == (("b", "c"),)


@pytest.mark.parametrize(
    "text", ["left_lung", "left_lung = heart", "left_lung = left_lung", "a = b = c", "=", "<i>=x"]
)
def test_pairs_that_make_no_sense_are_refused_and_change_nothing(visitor, folder, text):
    sides(visitor, folder)
    own, case = visitor.own, visitor.case
    updates = list(OWN.exchange(visitor, text, case.settings))
    assert "role='alert'" in said(updates)
    assert "<i>" not in said(updates)
    assert (visitor.own, visitor.case) == (own, case)


def test_a_name_with_an_equals_sign_can_stand_in_a_pair():
    classes = ["L=1", "R=1", "L", "1 = R"]
    assert pairs_of("L=1 = R=1\n\n", classes) == (("L=1", "R=1"),)
    assert pairs_of("L = 1 = R", classes) == (("L", "1 = R"),)


def test_long_lines_are_refused_at_once():
    begun = time.perf_counter()
    with pytest.raises(ValueError, match="100000 letters: write one pair"):
        pairs_of("=" * 100_000, ("a", "b"))
    with pytest.raises(ValueError, match="no name of 1 to 60 letters"):
        palette_of(f"a{' ' * 100_000}b\nc", numbered_palette(2))
    assert time.perf_counter() - begun < 2


def test_weights_for_other_pairs_go(visitor, folder):
    sides(visitor, folder)
    record = visitor.own.record
    visitor.files[record.digest] = WeightFile("x", record.name, record.digest, {"hflip": 1.0})
    list(OWN.exchange(visitor, "left_lung = right_lung", visitor.case.settings))
    assert visitor.files == {}


@pytest.mark.slow
def test_the_code_and_the_report_carry_the_pairs(visitor, folder, tmp_path):
    sides(visitor, folder)
    list(OWN.exchange(visitor, "left_lung = right_lung", visitor.case.settings))
    truth = np.ones((40, 64), np.uint8)
    case = replace(visitor.case, truth=truth, own_mask=True)
    taken = Takeaway(case, case.segment())
    assert taken.report["model"]["swap"] == [["left_lung", "right_lung"]]
    assert "left_lung and right_lung" in document(taken)
    run_code(taken, tmp_path / "away", beside=visitor.own.file.path)
