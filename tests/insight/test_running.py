"""Planted mistakes are noticed, and nothing is said of models that are as they should be."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.append(str(Path(__file__).parents[1] / "tasks"))
from own_models import own_record

from tta_demo.insight.running import alike, unturned, unturned_boxes
from tta_demo.models.registry import MODELS, load_model
from tta_demo.pictures.reading import Picture, read_picture
from tta_demo.tasks.classify import classify
from tta_demo.tasks.detect import detect
from tta_demo.tasks.segment import segment
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.crops import CROP_SETS
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.predict import look, to_tensor
from tta_demo.tta.views import VIEW_SETS, VIEWS

D4 = Plan(VIEW_SETS["d4"])
FLIPS = Plan(VIEW_SETS["flips"])


@pytest.fixture
def picture():
    rgb = np.random.default_rng(0).integers(0, 60, (40, 52, 3), np.uint8)
    rgb[3:20, 5:30, 0] = 220
    rgb[25:35, 30:50, 1] = 220
    return Picture.of(rgb)


def remembering(model):
    """What a cache around a model does whose key is not what the model was shown."""
    kept = []

    def ask(images):
        kept.append(model(images))
        return kept[0] if kept[0].shape == kept[-1].shape else kept[-1]

    return ask


def looks_of(model, picture, plan=D4):
    image = to_tensor(picture.rgb)
    return {name: look(model, image, VIEWS[name]) for name in plan.views}


def labels_of(looks):
    return {name: one.labels for name, one in looks.items()}


def notes_of(folder, model, picture, plan, run=segment):
    return run(own_record(folder, run.__name__, model), picture, plan).notes


def test_a_model_that_always_says_the_same_is_told(picture, tmp_path):
    def constant(images):
        return torch.tensor([1.0, 0, 2]).view(1, 3, 1, 1).expand(len(images), 3, *images.shape[2:])

    every = Plan(tuple(VIEWS))
    assert alike(looks_of(constant, picture, every))
    assert len(notes_of(tmp_path, constant, picture, every)) == 1
    assert notes_of(tmp_path, constant, picture, ONE_LOOK) == ()


def test_a_model_that_does_not_notice_a_change_is_told(picture, tmp_path):
    def pixel_by_pixel(images):
        return 9 * images

    assert len(notes_of(tmp_path, pixel_by_pixel, picture, D4)) == 1
    assert notes_of(tmp_path, pixel_by_pixel, picture, Plan(("hflip", "darker"))) == ()


def test_answers_that_were_already_turned_back_are_told(picture, tmp_path, toy_model):
    mistaken = remembering(toy_model)
    looks = looks_of(mistaken, picture, FLIPS)
    assert set(unturned(labels_of(looks))) == {"hflip", "vflip", "rot180"}
    assert not alike(looks)
    assert len(notes_of(tmp_path, remembering(toy_model), picture, FLIPS)) == 1


@pytest.mark.parametrize("name", VIEW_SETS["d4"][1:])
def test_answers_that_nobody_turned_back_are_found_whatever_the_turn(name, picture):
    square = Picture.of(picture.rgb[:, :40])
    looks = looks_of(lambda images: 9 * images, square)
    labels = labels_of(looks) | {name: looks[name].frame}
    assert unturned(labels) == (name,)


def test_one_model_of_each_kind_that_is_as_it_should_be_says_nothing(
    picture, tmp_path, toy_model, random_unet
):
    assert notes_of(tmp_path, toy_model, picture, Plan(tuple(VIEWS))) == ()
    wide = Picture.of(np.tile(picture.rgb, (2, 2, 1))[:64, :96])
    assert notes_of(tmp_path, random_unet, wide, D4) == ()


def test_classes_of_a_body_that_is_symmetric_are_told(picture, tmp_path):
    """A mirrored body has its left where its right was, and nobody said that they change."""

    def sided(images):
        bright = images.mean(1) > 0.2
        right = torch.linspace(-1, 1, images.shape[-1]).expand(bright.shape)
        return 9 * torch.stack([~bright, bright & (right < 0), bright & (right >= 0)], 1).float()

    body = np.zeros((40, 52, 3), np.uint8)
    body[8:33, 4:20] = body[8:33, 32:48] = 200
    assert len(notes_of(tmp_path, sided, Picture.of(body), Plan(("identity", "hflip")))) == 1


def boxes_at(found):
    return lambda images: [Boxes(np.array(found(images[0])), [0.9, 0.8], [1, 2])]


def test_boxes_that_were_already_turned_back_and_boxes_that_never_move_are_told(picture, tmp_path):
    fixed = boxes_at(lambda image: [[5.0, 3, 30, 20], [30, 25, 50, 35]])
    plan = Plan(VIEW_SETS["flips"], "wbf")
    assert len(notes_of(tmp_path, fixed, picture, plan, detect)) == 1
    middle = boxes_at(lambda image: [[20.0, 10, 32, 30], [21, 11, 31, 29]])
    assert len(notes_of(tmp_path, middle, picture, plan, detect)) == 1


def test_crops_that_all_get_one_answer_are_told(picture, tmp_path):
    crops = Plan(CROP_SETS["ten-crop"])
    constant = notes_of(tmp_path, lambda x: torch.ones(len(x), 3), picture, crops, classify)
    assert len(constant) == 1
    assert notes_of(tmp_path, lambda x: 9 * x.std((2, 3)), picture, crops, classify) == ()


# No false alarm


@pytest.mark.parametrize("name", WORLDS)
def test_nothing_is_said_of_an_example(name):
    world = WORLDS[name]
    picture = read_picture(world.examples[-1])
    looks = looks_of(load_model(world.model), picture, Plan(("identity", "hflip")))
    assert not alike(looks)
    assert unturned(labels_of(looks)) == ()


def test_nothing_is_said_of_the_boxes_of_an_example():
    picture = read_picture(WORLDS["weeds"].examples[-1])
    found = detect(MODELS["weed-detector"], picture, Plan(VIEW_SETS["flips"], "wbf"))
    assert found.notes == picture.notes
    assert unturned_boxes(found.looks) == ()
