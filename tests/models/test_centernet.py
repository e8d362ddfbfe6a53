import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tta_demo.models.centernet import CenterNet, Detector, decode, targets
from tta_demo.samples import weeds
from tta_demo.samples.weeds import plant_boxes
from tta_demo.tta.boxes import Boxes

TRUTH = Boxes([[3, 5, 40, 29], [50, 20, 66, 60], [10, 9, 30, 31]], [1, 1, 1], [1, 2, 2])
SIZE = (70, 83)  # neither a multiple of the stride nor square


def perfect(truth, size, classes=2):
    heat, shapes, _ = targets(truth, size, classes)
    return torch.cat([torch.logit(heat, eps=1e-6), shapes])[None]


def found_in_perfect_maps(truth, size):
    return decode(perfect(truth, size), size, threshold=0.99)[0]


def by_place(boxes):
    """Corners and labels in an order of their own."""
    rows = np.column_stack([boxes.labels, boxes.xyxy])
    return rows[np.lexsort(rows.T[::-1])]


# Targets and decoding


def test_perfect_maps_are_decoded_to_the_true_boxes():
    found = found_in_perfect_maps(TRUTH, SIZE)
    np.testing.assert_allclose(by_place(found), by_place(TRUTH), atol=1e-3)


@pytest.mark.parametrize("seed", [0, 1])
def test_perfect_maps_of_a_field_are_decoded_to_its_plants(seed):
    truth = plant_boxes(weeds.field(seed, (128, 192)).plants)
    assert len(truth) > 3
    found = found_in_perfect_maps(truth, (128, 192))
    np.testing.assert_allclose(by_place(found), by_place(truth), atol=1e-3)


def test_heat_is_1_at_centres_only_and_falls_off():
    heat, _, share = targets(TRUTH, SIZE, 2)
    assert heat.shape == (2, 20, 24)  # 80 x 96, the next multiples of 16, in cells of 4
    assert (heat == 1).nonzero().tolist() == [[0, 4, 5], [1, 5, 5], [1, 10, 14]]
    assert (heat[1, 10, 14:20].diff() < 0).all()
    assert heat[1, 8, 14] > heat[1, 10, 16], "a tall box has a tall blob"
    assert 0 < (share > 0).float().mean() < 0.1


def test_no_box_gives_empty_targets():
    for part in targets(Boxes.empty(), SIZE, 2):
        assert not part.any()


def test_decoding_keeps_the_best_peaks_above_the_threshold_inside_the_picture():
    maps = torch.zeros(1, 6, 20, 24)
    maps[:, :2] = -9
    peaks = [(0, 3, 4, 2.0), (0, 3, 5, 1.9), (1, 10, 10, 0.5), (0, 15, 3, -1.0), (1, 19, 2, 3.0)]
    for label, row, column, logit in peaks:
        maps[0, label, row, column] = logit
    found = decode(maps, SIZE, threshold=0.3)[0]
    # (3, 5) is no peak, (15, 3) too low, and (19, 2) lies in the padding
    assert found.labels.tolist() == [1, 2]
    np.testing.assert_allclose(found.scores, torch.tensor([2.0, 0.5]).sigmoid(), rtol=1e-6)
    np.testing.assert_allclose(found.xyxy, [[16, 12, 20, 16], [40, 40, 44, 44]])
    assert decode(maps, SIZE, limit=2)[0].labels.tolist() == [1]


def test_wild_maps_give_boxes_in_the_picture():
    maps = 1000 * torch.randn(2, 6, 20, 24)
    for found in decode(maps, SIZE):
        assert 0 < len(found) <= 100
        assert found.xyxy.min() >= 0
        assert (found.xyxy.max(0) <= [83, 70, 83, 70]).all()


# The network and its wrapper


def test_the_network_is_small_enough_to_ship():
    with torch.device("meta"):
        assert sum(p.numel() for p in CenterNet(2).parameters()) <= 1_200_000


@torch.no_grad()
def test_the_answer_depends_on_what_is_60_pixels_away():
    model, images = CenterNet(2, width=4).eval(), torch.rand(1, 3, 128, 128)
    changed = images.clone()
    changed[..., 80:, 80:] = 5
    assert (model(images) - model(changed))[..., :3, :3].abs().max() > 0


def test_every_parameter_gets_a_gradient():
    model = CenterNet(2, width=4)
    model(torch.rand(2, 3, 32, 48)).square().mean().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("size", [(61, 90), (16, 32), (1, 1), (7, 40)], ids=str)
def test_pictures_of_any_size_are_mirrored_to_the_stride(size):
    shown = []

    class Recorder(nn.Module):
        def forward(self, x):
            shown.append(x)
            return torch.zeros(len(x), 6, x.shape[-2] // 4, x.shape[-1] // 4)

    images = torch.rand(2, 3, *size)
    found = Detector(Recorder())(images)
    assert len(found) == 2
    assert (found[0].xyxy.max(0) <= [size[1], size[0]] * 2).all()
    height, width = shown[0].shape[-2:]
    assert height % 16 == width % 16 == 0
    assert max(height - size[0], width - size[1]) < 16
    assert torch.equal(shown[0][..., : size[0], : size[1]], images)
    if size == (61, 90):
        torch.testing.assert_close(shown[0], F.pad(images, (0, 6, 0, 3), "reflect"))
