from dataclasses import replace

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from tta_demo.models.centernet import CenterNet, Detector, decode, read_centernet, targets
from tta_demo.samples import weeds
from tta_demo.samples.weeds import LEAST, plant_boxes
from tta_demo.training.centernet import RECIPE, detection_loss, train
from tta_demo.tta.boxes import Boxes, iou
from tta_demo.tta.views import VIEW_SETS, VIEWS

TRUTH = Boxes([[3, 5, 40, 29], [50, 20, 66, 60], [10, 9, 30, 31]], [1, 1, 1], [1, 2, 2])
SIZE = (70, 83)  # neither a multiple of the stride nor square


def perfect(truth, size):
    heat, shapes, _ = targets(truth, size, 2)
    return torch.cat([torch.logit(heat, eps=1e-6), shapes])[None]


def test_following_the_loss_lowers_it():
    model = CenterNet(2, width=4)
    images = torch.rand(1, 3, *SIZE)
    images = F.pad(images, (0, 13, 0, 10))
    wanted = [part[None] for part in targets(TRUTH, SIZE, 2)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(8):
        loss = detection_loss(model(images), *wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[1] < losses[0]
    assert losses[-1] < 0.7 * losses[0], losses


def test_perfect_maps_cost_almost_nothing_and_silent_or_moved_ones_cost_more():
    wanted = [part[None] for part in targets(TRUTH, SIZE, 2)]
    maps = perfect(TRUTH, SIZE)
    silent, moved, wide = maps.clone(), maps.clone(), maps.clone()
    silent[:, :2] = -9
    moved[:, :2] = maps[:, :2].roll(3, -1)
    wide[:, 2] += 0.5
    base = detection_loss(maps, *wanted)
    # what the blobs' flanks cost, even where they are as wanted, is less than one missed centre
    assert base < 1
    for worse in (silent, moved, wide):
        assert detection_loss(worse, *wanted) > base + 0.4


def test_a_field_without_plants_costs_what_is_wrongly_found():
    wanted = [part[None] for part in targets(Boxes.empty(), SIZE, 2)]
    quiet = torch.full((1, 6, 20, 24), -9.0)
    assert detection_loss(quiet, *wanted) < 1e-3
    assert detection_loss(quiet + 9, *wanted) > 1


def test_training_showed_neither_mirrored_nor_turned_fields():
    assert not any(RECIPE.augmentation.covers(VIEWS[name]) for name in VIEW_SETS["d4"][1:])


TINY = replace(RECIPE, epochs=2, fields=3, validation=1, width=4, batch=2)


def trained(recipe, path):
    return train(recipe=recipe, out=path, progress=lambda seeds, **_: seeds), load_file(path)


def test_training_writes_a_file_that_can_be_read_and_used_and_repeats_itself(tmp_path):
    history, tensors = trained(TINY, tmp_path / "new" / "weights.safetensors")
    torch.rand(3)  # whatever else draws numbers
    _, again = trained(TINY, tmp_path / "again.safetensors")
    model = read_centernet(tmp_path / "new" / "weights.safetensors")
    assert not model.training
    for name, value in tensors.items():
        assert torch.equal(model.state_dict()[name], value.float()), name
        assert torch.equal(again[name], value), name
    assert [row["epoch"] for row in history] == [1, 2]
    for row in history:
        assert row["loss"] > 0, row
        assert 0 <= row["ap"] <= row["ap50"] <= 1, row
    assert isinstance(Detector(model)(torch.rand(1, 3, 20, 30))[0], Boxes)


def test_a_detector_that_knows_a_picture_finds_its_rectangle():
    """The way there and back: targets, loss, network, decoding."""
    image = 0.2 * torch.rand(1, 3, 64, 64)
    image[..., 20:44, 12:30] = 1
    truth = Boxes([[12, 20, 30, 44]], [1], [2])
    wanted = [part[None] for part in targets(truth, (64, 64), 2)]
    model = CenterNet(2, width=4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(60):
        loss = detection_loss(model(image), *wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        best = decode(model(image), (64, 64))[0].take([0])
    assert best.labels == 2
    assert iou(best.xyxy, truth.xyxy) > 0.8


def test_plants_that_hardly_show_do_not_count():
    plants = [weeds.Plant((0, 0, 9, 9), 1, LEAST), weeds.Plant((0, 0, 9, 9), 2, LEAST - 1)]
    assert plant_boxes(plants).labels.tolist() == [1]
    assert len(plant_boxes([])) == 0
