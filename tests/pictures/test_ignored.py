"""Pixels that count nowhere: how masks say so, and that they change no score and no weights."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from tta_demo.insight.changes import changes
from tta_demo.learning.fit import fit
from tta_demo.pictures.masks import read_mask
from tta_demo.pictures.palettes import IGNORED, Palette, class_ids, index_png, numbered_palette
from tta_demo.pictures.reading import Picture
from tta_demo.samples.palette_file import read_palette
from tta_demo.scoring.metrics import confusion
from tta_demo.scoring.score import Score
from tta_demo.tta.predict import ViewStack

VOC = numbered_palette(3)
PLACES = np.uint8([[0, 1, 1, 2], [2, 2, 0, IGNORED], [IGNORED, 0, 1, 1]])
OPEN = PLACES == IGNORED


@pytest.fixture
def read_at(tmp_path):
    def at(image, palette=VOC):
        image.save(tmp_path / "mask.png")
        shown = Picture.of(np.zeros((*PLACES.shape, 3), np.uint8))
        return read_mask(tmp_path / "mask.png", palette, shown)

    return at


def test_greys_with_255_beside_ids_leave_pixels_open(read_at):
    labels, notes = read_at(Image.fromarray(PLACES))
    assert (labels == PLACES).all()
    assert "2 pixels" in " ".join(notes)


def test_a_palette_file_of_pascal_voc_does_so_too(read_at):
    image = Image.fromarray(PLACES)
    table = np.zeros((256, 3), np.uint8)
    table[:3], table[IGNORED] = VOC.table, (224, 224, 192)
    image.putpalette(table.tobytes())
    assert (read_at(image)[0] == PLACES).all()


def test_black_and_white_is_no_open_end(read_at):
    labels, _ = read_at(Image.fromarray(np.where(OPEN, 255, 0).astype(np.uint8)))
    assert (labels == OPEN).all()


def test_what_was_written_with_open_ends_is_read_so_again(read_at):
    written = Image.open(io.BytesIO(index_png(PLACES, VOC)))
    assert (np.asarray(written) == PLACES).all()
    assert (read_at(written)[0] == PLACES).all()


def test_colours_may_mean_one_class_or_none(read_at, tmp_path):
    told = {"soil": [0, 0, 0], "weed": [[9, 9, 200], [200, 9, 9]], "ignore": [80, 80, 80]}
    (tmp_path / "palette.json").write_text(json.dumps(told))
    palette = read_palette(tmp_path / "palette.json")
    assert palette.names == ("soil", "weed")
    colors = np.uint8([told["soil"], *told["weed"], told["ignore"]])
    labels, _ = read_at(Image.fromarray(colors[np.where(OPEN, 3, PLACES)]), palette)
    assert (labels == np.where(OPEN, IGNORED, PLACES > 0)).all()
    named = read_palette(tmp_path / "palette.json", ("weed", "soil"))
    assert dict(named.also) == {(200, 9, 9): 0, (80, 80, 80): IGNORED}


def test_a_class_of_the_model_that_is_called_ignore_is_one(tmp_path):
    (tmp_path / "palette.json").write_text(json.dumps({"ignore": [0, 0, 0], "weed": [1, 1, 1]}))
    assert read_palette(tmp_path / "palette.json", ("weed", "ignore")).also == ()


@pytest.mark.parametrize("wrong", [[[0, 7], [9, 255]], [[-1, 0]]])
def test_ids_outside_the_classes_are_named(wrong):
    with pytest.raises(ValueError, match=r"7, 9|-1"):
        class_ids(np.array(wrong), 3)


def test_scores_are_those_of_the_other_pixels_alone():
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(3), PLACES.shape).transpose(2, 0, 1).astype(np.float32)
    whole, known = Score(), Score()
    whole.add(probs, PLACES)
    known.add(probs[:, ~OPEN], PLACES[~OPEN])
    assert whole.row(VOC.names) == known.row(VOC.names)
    labels = probs.argmax(0)
    assert confusion(PLACES, labels, 3).sum() == (~OPEN).sum()
    found = changes(np.zeros_like(PLACES), labels.astype(np.uint8), PLACES)
    assert found.after == int((labels != PLACES)[~OPEN].sum())
    assert not found.codes[OPEN].any()


def test_an_id_that_is_no_class_is_no_score():
    with pytest.raises(ValueError, match="7"):
        confusion(np.uint8([[0, 7]]), np.uint8([[0, 0]]), 3)


def test_weights_are_learned_from_the_other_pixels_alone():
    logs = torch.randn(4, 3, *PLACES.shape, generator=torch.Generator().manual_seed(0))
    stack = ViewStack(tuple("abcd"), logs.log_softmax(1))
    known = ViewStack(stack.views, stack.log_probs[:, :, torch.from_numpy(~OPEN)])
    assert (fit([stack], [PLACES]).weights == fit([known], [PLACES[~OPEN]]).weights).all()


def test_a_palette_has_no_class_of_that_id():
    with pytest.raises(ValueError, match="256"):
        Palette(tuple(map(str, range(256))), tuple((0, 7, i) for i in range(256)))
