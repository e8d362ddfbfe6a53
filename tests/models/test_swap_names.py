from dataclasses import replace

import numpy as np
import pytest
import torch

from tta_demo.models.registry import MODELS, load_model
from tta_demo.models.swap import WithSwap, likely_pairs, pair_ids
from tta_demo.tta.predict import predict_views

WEEDS = MODELS["unet-weeds"]


@pytest.mark.parametrize(
    ("classes", "pairs"),
    [
        (["bg", "left_lung", "right_lung"], [("left_lung", "right_lung")]),
        (["Right Kidney", "Left Kidney"], [("Right Kidney", "Left Kidney")]),
        (["eye-L", "eye-R", "L", "r"], [("eye-L", "eye-R"), ("L", "r")]),
        (["lung.left.upper", "lung.right.upper"], [("lung.left.upper", "lung.right.upper")]),
        (["lung_left", "left_lung", "right"], []),
        (["leftover", "rightover", "bright", "lemon", "remon"], []),
        (["background", "Weed-1", "Weed-2"], []),
        ([], []),
    ],
    ids=str,
)
def test_pairs_are_proposed_where_names_differ_in_nothing_but_the_side(classes, pairs):
    assert likely_pairs(classes) == tuple(pairs)


@pytest.mark.parametrize("record", MODELS.values(), ids=MODELS.keys())
def test_no_pair_is_proposed_for_the_models_that_are_shipped(record):
    assert likely_pairs(record.classes) == ()


@pytest.mark.parametrize(
    "pairs", [(("a", "z"),), (("a", "b"), ("b", "c")), (("a", "a"),), (("", "b"),)], ids=str
)
def test_unknown_classes_and_one_class_in_two_pairs_are_refused(pairs):
    with pytest.raises(ValueError, match="swap"):
        pair_ids(pairs, ["a", "b", "c"])


def test_another_swap_is_another_model_however_it_is_written():
    one, other, same = (
        replace(WEEDS, swap=swap)
        for swap in ((("Weed-1", "Weed-2"),), (("background", "Weed-2"),), (("Weed-2", "Weed-1"),))
    )
    assert len({one.digest, other.digest, WEEDS.digest}) == 3
    assert one.digest == same.digest
    with pytest.raises(ValueError, match="Weed-9"):
        replace(WEEDS, swap=(("Weed-1", "Weed-9"),))


def test_a_record_with_a_swap_loads_a_model_that_exchanges_its_classes():
    image = torch.rand(3, 21, 35)
    plain = predict_views(load_model(WEEDS), image, ["identity", "hflip"]).probs
    record = replace(WEEDS, swap=(("Weed-1", "Weed-2"),))
    swapped = predict_views(load_model(record), image, ["identity", "hflip"]).probs
    assert torch.equal(swapped[0], plain[0])
    assert torch.equal(swapped[1], plain[1, [0, 2, 1]])


def test_a_model_with_a_swap_is_still_made_for_a_pictures_size():
    class Sized:
        def for_picture(self, size):
            return lambda images: torch.zeros(1, 2, *images.shape[2:]) + size[0]

    model = WithSwap(Sized(), [(0, 1)])
    assert np.unique(model.for_picture((5, 8))(torch.zeros(1, 3, 2, 2))) == [5]
