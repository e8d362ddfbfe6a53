from dataclasses import replace

import numpy as np
import pytest
import torch
from onnx_models import classifier, mixing

from tta_demo.models.domains import DOMAINS
from tta_demo.models.feed import IMAGENET
from tta_demo.models.onnx_session import MAX_BYTES
from tta_demo.models.own import FEEDS, OWN_ENDINGS, own_model
from tta_demo.models.registry import load_model
from tta_demo.models.unet import UNet
from tta_demo.pictures.palettes import Palette, numbered_palette
from tta_demo.pictures.reading import Picture
from tta_demo.tasks.segment import segment
from tta_demo.tta.plan import Plan


@pytest.fixture(params=["onnx", "pth"])
def path(request, tmp_path):
    path = tmp_path / f"mine.{request.param}"
    if request.param == "onnx":
        path.write_bytes(mixing())
    else:
        torch.save(UNet(4, 4).state_dict(), path)
    return path


def test_a_file_becomes_a_record_like_those_of_the_registry(path):
    own = own_model(path)
    record = own.record
    assert (record.task, record.name, record.label) == ("segment", "mine", path.name)
    assert record.domain in DOMAINS
    assert record.classes == ("class 0", "class 1", "class 2", "class 3")
    assert own.feed.sentence in record.summary
    assert load_model(record)(torch.rand(1, 3, 20, 30)).shape == (1, 4, 20, 30)


def test_the_record_goes_through_the_whole_of_segmentation(path):
    rgb = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    result = segment(own_model(path).record, Picture.of(rgb), Plan(("identity", "hflip", "rot90")))
    assert result.labels.shape == (20, 30)
    assert result.report()["model"]["digest"] == own_model(path).record.digest


def test_another_feed_is_another_model_with_another_digest(path):
    plain, corrected = own_model(path), own_model(path, feed=IMAGENET)
    assert plain.record.digest != corrected.record.digest
    assert plain.record.digest == own_model(path).record.digest
    image = torch.rand(1, 3, 32, 32)
    answers = [load_model(one.record)(image) for one in (plain, corrected)]
    assert not torch.allclose(*answers)


def test_an_onnx_file_can_be_corrected(tmp_path):
    path = tmp_path / "mine.onnx"
    path.write_bytes(mixing((1, 3, 32, 64)))
    own = own_model(path)
    stretched = own_model(path, facts=replace(own.facts, letterbox=False))
    assert stretched.record.digest != own.record.digest
    assert not stretched.facts.letterbox
    assert own_model(path, IMAGENET, facts=own.facts).facts.feed == IMAGENET


def test_classes_get_their_names_and_colours(path):
    palette = Palette(("a", "b", "c", "d"), ((0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 3, 3)))
    assert own_model(path, palette=palette).record.classes == ("a", "b", "c", "d")
    with pytest.raises(ValueError, match=r"3 classes, mine.* 4"):
        own_model(path, palette=numbered_palette(3))


def test_a_classifier_has_classes_and_no_palette(tmp_path):
    path = tmp_path / "mine.onnx"
    path.write_bytes(classifier(300))
    record = own_model(path).record
    assert record.task == "classify"
    assert record.palette is None
    assert record.classes[299] == "class 299"
    assert load_model(record)(torch.rand(2, 3, 64, 64)).shape == (2, 300)


@pytest.mark.parametrize("name", ["missing.onnx", "picture.png"])
def test_what_is_no_model_is_refused(tmp_path, name):
    (tmp_path / "picture.png").write_bytes(b"x")
    with pytest.raises(ValueError, match=name):
        own_model(tmp_path / name)


def test_the_ways_to_feed_are_different_and_named():
    sentences = {feed.sentence for feed in FEEDS.values()}
    assert len(sentences) == len(FEEDS) == 5


def test_numbered_classes_have_different_colours_up_to_255_and_the_first_is_black():
    palette = numbered_palette(255)
    assert palette.colors[0] == (0, 0, 0)
    assert len(set(palette.colors)) == 255
    assert numbered_palette(5).colors == palette.colors[:5]


@pytest.mark.parametrize("ending", OWN_ENDINGS)
def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path, ending):
    path = tmp_path / f"mine{ending}"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ValueError, match="150 MB are the limit"):
        own_model(path)
