"""A visitor's own classifier, and what can be done with it; without a browser."""

import json
import threading
from dataclasses import replace

import numpy as np
import pytest
from hub_models import save
from hub_server import REVISION, instead_of_the_hub
from onnx import helper
from onnx_models import classifier, file, mixing, node
from yours_files import planted_half, said, save_checkpoint

from tta_demo.models.hub import HUB_MENU
from tta_demo.pictures.reading import Picture
from tta_demo.samples.names_file import read_names
from tta_demo.tta.crops import CROP_SETS
from tta_demo.ui.classify.actions import ACTIONS, OWN, look_with_chosen, name_truth
from tta_demo.ui.classify.case import CLASSIFIER, DEMO, ClassifyCase, ClassifyVisitor, Settings
from tta_demo.ui.classify.strip import EXAMPLES
from tta_demo.ui.yours.model import YOURS, Reading

MINE = Settings(list(CROP_SETS["mirror"]), "mean", model=YOURS)
DEMOS = replace(MINE, model=DEMO)


@pytest.fixture
def visitor(unseen):
    """One who looks at a picture with the demo's model."""
    visitor = ClassifyVisitor()
    visitor.case = ClassifyCase(picture=unseen, settings=DEMOS)
    return visitor


def bring(visitor, path, content=None):
    """Returns all that changes on the page when a visitor brings a file."""
    if content is not None:
        path.write_bytes(content)
    return list(OWN.open_file(visitor, {"path": str(path)}, MINE))


def test_a_file_looks_at_the_photograph_and_its_classes_can_be_the_truth(visitor, folder):
    before = visitor.case
    *_, shown = bring(visitor, folder / "mine.onnx", classifier())
    case = visitor.case
    assert case.picture is before.picture
    assert "5 classes" in shown["own_told"]
    assert "s a look" in shown["own_told"]
    assert "mine.onnx" in shown["note"]
    assert [name for name, _ in shown["truth"].choices] == [f"class {n}" for n in range(5)]
    assert case.classify().model.label == "mine.onnx"
    name_truth(visitor, ["class 3"])
    told = json.loads(name_truth(visitor, ["class 3"])["ranking"]["about"])
    assert told["truth"] == ["class 3"]
    list(ACTIONS.change(visitor, replace(MINE, views=["center", "darker"], fusion="gmean")))
    result = visitor.case.classify()
    assert (result.plan.views, result.plan.fusion) == (("center", "darker"), "gmean")
    assert result.model.label == "mine.onnx"


def test_the_demos_model_comes_back_with_its_truth(visitor, folder):
    list(ACTIONS.open_example(visitor, 0, DEMOS))
    truth = visitor.case.truth
    *_, shown = bring(visitor, folder / "mine.onnx", classifier())
    assert shown["truth"].value == []
    assert json.loads(shown["ranking"]["about"])["truth"] is None
    *_, shown = look_with_chosen(visitor, DEMOS)
    assert visitor.case.classify().model is CLASSIFIER
    assert shown["truth"].value == list(truth)
    assert len(shown["truth"].choices) == 1000
    *_, shown = look_with_chosen(visitor, MINE)
    assert visitor.case.own is visitor.own
    none = next(n for n, photo in enumerate(EXAMPLES) if photo.truth == ())
    *_, shown = ACTIONS.open_example(visitor, none, MINE)
    assert json.loads(shown["ranking"]["about"])["truth"] is None, "nobody knows its classes"


def test_without_a_model_the_demos_goes_on(visitor):
    before = visitor.case
    assert list(look_with_chosen(visitor, MINE)) == []
    assert replace(visitor.case, settings=before.settings) == before
    list(ACTIONS.change(visitor, MINE))
    assert visitor.case.classify().model is CLASSIFIER
    visitor.case = None
    assert list(look_with_chosen(visitor, MINE)) == []


def test_names_are_edited_or_come_from_a_file_and_the_truth_follows(visitor, folder):
    bring(visitor, folder / "mine.onnx", classifier(3))
    name_truth(visitor, ["class 1"])
    before = visitor.case.classify()
    list(OWN.rename(visitor, "cat\n<i>dog</i> #112233\nbird", MINE))
    after = visitor.case.classify()
    assert after.model.classes == ("cat", "<i>dog</i> #112233", "bird")
    assert visitor.case.right == ("<i>dog</i> #112233",)
    assert after.looks["center"] is before.looks["center"]
    (folder / "names.json").write_text('{"a": 2, "b": 0, "c": 1}')
    list(OWN.rename_from(visitor, {"path": str(folder / "names.json")}, MINE))
    assert visitor.case.classify().model.classes == ("b", "c", "a")
    assert visitor.case.right == ("c",)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "cat\n dog \n"),
        ("b.txt", "\ufeffcat\r\ndog"),
        ("c.json", '["cat", "dog"]'),
        ("d.json", '{"1": "dog", "0": "cat"}'),
        ("e.json", '{"dog": 1, "cat": 0}'),
    ],
)
def test_files_of_names_are_read(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_names(tmp_path / name) == ("cat", "dog")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "cat"),
        ("b.txt", "cat\ncat\ndog"),
        ("c.json", "{"),
        ("d.json", '{"0": "cat", "2": "dog", "3": "bird"}'),
        ("e.json", '["cat", 3, "dog"]'),
        ("f.json", '{"cat": 0, "dog": 0, "bird": 1}'),
        ("g.json", "[" * 100_000),
        ("h.txt", "x" * 3_000_000),
    ],
)
def test_files_of_other_names_are_refused_and_change_nothing(visitor, folder, name, text):
    bring(visitor, folder / "mine.onnx", classifier(3))
    own, case = visitor.own, visitor.case
    (folder / name).write_text(text)
    updates = list(OWN.rename_from(visitor, {"path": str(folder / name)}, MINE))
    assert "role='alert'" in said(updates)
    assert len(said(updates)) < 400
    assert (visitor.own, visitor.case) == (own, case)


def test_left_and_right_change_places_in_a_mirror(visitor, folder):
    rgb = np.repeat(np.linspace(0, 255, 64).astype(np.uint8)[None, :, None], 40, 0).repeat(3, 2)
    visitor.case = replace(visitor.case, picture=Picture.of(rgb))
    bring(visitor, folder / "half.onnx", planted_half(32))
    *_, shown = OWN.rename(visitor, "brighter left\nbrighter right", MINE)
    assert shown["swap_pairs"] == "brighter left = brighter right"
    plain = visitor.case.classify().stack.probs
    np.testing.assert_allclose(plain[1], plain[0].flip(0), atol=2e-3)
    assert abs(plain[0, 0] - 0.5) > 0.01
    list(OWN.exchange(visitor, shown["swap_pairs"], MINE))
    swapped = visitor.case.classify().stack.probs
    np.testing.assert_allclose(swapped[1], plain[0], atol=2e-3)


def test_a_correction_looks_again(visitor, folder):
    bring(visitor, folder / "mine.onnx", classifier())
    name_truth(visitor, ["class 3"])
    before = visitor.case.classify()
    list(OWN.correct(visitor, replace(visitor.own.file.reading, pixels="0..255"), MINE))
    after = visitor.case.classify()
    assert after.model.digest != before.model.digest
    assert (after.one_look != before.one_look).any()
    assert visitor.case.right == ("class 3",)


BAD = {
    "cut.onnx": classifier()[:60],
    "zip.onnx": b"PK\x03\x04 and more",
    "pickle.onnx": b"\x80\x04\x95\x0f\x00\x00\x00",
    "zip.pt": b"PK\x03\x04 and more",
    "rank.onnx": mixing((1, 3, 5)),
    "maps.onnx": mixing(),
    "channels.onnx": classifier(shape=(1, 7, 8, 8)),
    "classes.onnx": classifier(3000),
    "nan.onnx": file(
        [node("Flatten", ["x"], "f"), node("MatMul", ["f", "n"])],
        (1, 3, 2, 2),
        {"n": np.full((12, 3), np.nan, np.float32)},
    ),
    "foreign.onnx": file(
        [node("Magic", ["x"], domain="my.own")],
        (1, 3, 32, 32),
        opset=[helper.make_opsetid("my.own", 1)],
    ),
    "model.py": b"import os",
}


@pytest.mark.parametrize("name", [*BAD, "unet.pth"])
def test_what_is_refused_is_told_in_a_sentence_and_changes_nothing(visitor, folder, name):
    bring(visitor, folder / "good.onnx", classifier())
    own, case = visitor.own, visitor.case
    if name in BAD:
        (folder / name).write_bytes(BAD[name])
    else:
        save_checkpoint(folder / name)
    updates = bring(visitor, folder / name)
    assert "role='alert'" in said(updates)
    assert (visitor.own, visitor.case) == (own, case)
    assert not any("ranking" in update or "box" in update for update in updates)


def test_a_file_over_the_limit_is_refused(visitor, folder):
    with (folder / "large.onnx").open("wb") as large:
        large.truncate(150_000_001)
    assert "150 MB" in said(bring(visitor, folder / "large.onnx"))


def test_names_of_files_are_text(visitor, folder):
    updates = bring(visitor, folder / "<i>&.onnx", classifier())
    for update in updates:
        for part in ("own_told", "note"):
            assert "<i>&" not in update.get(part, "")


def slow():
    """A file that takes minutes."""
    shapes = {"i": (32, 3, 1, 1), "w": (32, 32, 9, 9)}
    weights = {name: np.full(shape, 1e-4, np.float32) for name, shape in shapes.items()}
    nodes = [node("Conv", ["x", "i"], "h0")]
    nodes += [node("Conv", [f"h{i}", "w"], f"h{i + 1}", pads=[4] * 4) for i in range(60)]
    nodes += [node("GlobalAveragePool", ["h60"], "p"), node("Flatten", ["p"])]
    return file(nodes, (1, 3, 1024, 1024), weights)


@pytest.mark.slow
def test_a_slow_model_is_stopped_while_it_is_tried(visitor, folder):
    (folder / "slow.onnx").write_bytes(slow())
    before, updates = visitor.case, []
    worker = threading.Thread(target=lambda: updates.extend(bring(visitor, folder / "slow.onnx")))
    worker.start()
    while visitor.session is None or visitor.session._options is None:
        assert worker.is_alive()
        worker.join(0.05)
    OWN.stop(visitor)
    worker.join(30)
    assert not worker.is_alive()
    assert "stopped" in said(updates)
    assert visitor.case is before


def test_a_classifier_of_the_hub_comes_by_its_name(visitor, tmp_path, monkeypatch):
    (name,) = HUB_MENU["classify"]
    save(tmp_path / "resnet", "resnet")
    save(tmp_path / "segformer", "segformer")
    models = {name: tmp_path / "resnet", "me/maps": tmp_path / "segformer"}
    with instead_of_the_hub(monkeypatch, models, tmp_path / "cache"):
        updates = list(OWN.load(visitor, name, MINE))
        own = visitor.own
        assert "made to segment" in said(list(OWN.load(visitor, "me/maps", MINE)))
    assert REVISION[:12] in said(updates)
    assert visitor.own is own
    assert visitor.case.classify().model.classes == ("sky", "sea", "sand", "sea 3")
    assert "role='alert'" in said(list(OWN.correct(visitor, Reading("0..1", "RGB"), MINE)))


def test_its_file_goes_with_the_visitor(visitor, folder):
    bring(visitor, folder / "mine.onnx", classifier())
    kept = visitor.own.file.path
    (folder / "mine.onnx").unlink()
    list(OWN.rename(visitor, "a\nb\nc\nd\ne", MINE))
    assert kept.is_file()
    visitor.own = visitor.case = None
    assert not kept.exists()
