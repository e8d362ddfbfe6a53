from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from onnx_models import mixing
from torch import nn

from tta_demo.models.foreign import as_model
from tta_demo.models.onnx_file import OnnxModel, find_out
from tta_demo.models.onnx_session import OnnxSession
from tta_demo.models.sized import Sized
from tta_demo.models.tiling import Blend, answer_tiles, cut, tiles_for
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.predict import predict_views, to_tensor
from tta_demo.tta.views import VIEW_SETS, VIEWS

D4 = VIEW_SETS["d4"]
ZOOMS = tuple(name for name, view in VIEWS.items() if view.zoom != 1)
SIZES = [(40, 200), (64, 64), (65, 129), (101, 150), (640, 33), (1, 999)]


@pytest.fixture
def network(seed):
    """Halves and doubles; sees at most 6 pixels far; no symmetry."""
    layers = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(8, 3, 2, stride=2),
    ).eval()
    with torch.no_grad():
        for weights in layers.parameters():
            weights.mul_(3)
    return as_model(layers, stride=2)


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def whole(model, rgb, plan):
    return plan.fuse(predict_views(model, to_tensor(rgb), plan.views))


def blended(model, rgb, plan, tiles):
    """The whole answer in full precision, which `answer_tiles` has not, block by block."""
    blend, answer = Blend(), torch.full((3, *rgb.shape[:2]), torch.nan)
    for tile in tiles:
        assert answer[:, *tile.ready].isnan().all(), "settled twice"
        answer[:, *tile.ready] = blend.add(tile, whole(model, tile.of(rgb), plan))
    return answer


# Where tiles lie


@pytest.mark.parametrize("size", SIZES)
def test_what_tiles_count_is_1_in_every_pixel(size):
    tiles = cut(size, (64, 48), 0.25, unit=8)
    total = np.zeros(size)
    for tile in tiles:
        assert tile.size <= (64, 48)
        assert min(tile.rows.shares.min(), tile.columns.shares.min()) >= 0
        shares = tile.rows.shares[:, None] * tile.columns.shares
        tile.of(total)[:] += shares.numpy()
    np.testing.assert_allclose(total, 1, atol=1e-6)


@pytest.mark.parametrize("size", SIZES)
def test_tiles_lie_on_the_grid_from_both_ends(size):
    for tile in cut(size, (64, 64), 0.25, unit=8):
        for span, total in zip((tile.rows, tile.columns), size, strict=True):
            assert span.start % 8 == 0
            assert (total - span.stop) % 8 == 0


def test_neighbours_give_way_to_each_other_and_drop_a_quarter_of_the_overlap():
    one, two, *_ = (tile.columns for tile in cut((50, 500), (64, 64), 0.5, unit=1))
    shared = one.stop - two.start
    assert shared >= 32
    np.testing.assert_allclose(one.shares[-shared:] + two.shares[:shared], 1, atol=1e-6)
    assert (two.shares[:8] == 0).all()
    assert (two.shares[:shared].diff() >= 0).all()
    assert two.shares[8:shared].diff().max() < 0.1


@pytest.mark.parametrize(("overlap", "unit"), [(0, 1), (0.6, 1), (0.125, 16), (0.5, 32)])
def test_tiles_that_do_not_overlap_as_they_must_are_refused(overlap, unit):
    with pytest.raises(ValueError, match="tiles of 64 pixels"):
        cut((200, 200), (64, 64), overlap, unit)


# The answer is that of the whole picture


@pytest.mark.parametrize("size", [(96, 160), (101, 163)])
def test_tiles_answer_as_the_whole_picture_in_every_symmetry(network, size):
    rgb, plan = noise(*size), Plan(D4)
    found = blended(network, rgb, plan, cut(size, (64, 64), 0.5, unit=8))
    torch.testing.assert_close(found, whole(network, rgb, plan), atol=1e-5, rtol=0)


def test_tiles_answer_as_the_whole_picture_in_every_zoom_and_light(network):
    rgb, views = noise(96, 160), (*ZOOMS, "darker", "gamma+")
    tiles = cut((96, 160), (96, 96), 0.5, unit=8)
    for name in views:
        found = blended(network, rgb, Plan((name,)), tiles)
        told = whole(network, rgb, Plan((name,)))
        torch.testing.assert_close(found, told, atol=3e-5, rtol=0, msg=name)


def test_tiles_off_the_grid_answer_otherwise(network):
    rgb = noise(101, 163)
    found = blended(network, rgb, Plan(("hflip",)), cut((101, 163), (63, 63), 0.5, unit=3))
    assert (found - whole(network, rgb, Plan(("hflip",)))).abs().max() > 0.01


def test_a_network_that_sees_far_differs_near_borders_of_tiles_alone(network):
    """An overlap of 8 drops 2 pixels, but the network sees up to 6."""
    rgb, plan = noise(64, 200), Plan(("identity",))
    tiles = cut((64, 200), (64, 64), 0.125, unit=8)
    differs = (blended(network, rgb, plan, tiles) - whole(network, rgb, plan)).abs().amax((0, 1))
    assert differs.max() > 1e-3
    shared = np.zeros(200, bool)
    for one, two in pairwise(tiles):
        shared[two.columns.start : one.columns.stop] = True
    assert differs[~shared].max() < 1e-5


def test_a_picture_smaller_than_a_tile_is_one_tile(network):
    rgb, plan = noise(31, 45), Plan(D4)
    tiles = tiles_for(network, (31, 45), [plan], 3)
    assert len(tiles) == 1
    torch.testing.assert_close(blended(network, rgb, plan, tiles), whole(network, rgb, plan))


def test_one_pass_answers_several_plans_within_half_precision(network):
    rgb, plans = noise(101, 150), [ONE_LOOK, Plan(D4, "gmean"), Plan(("rot90", "vflip"), "vote")]
    seen = torch.full((3, 3, 101, 150), torch.nan)
    for tile, block in answer_tiles(network, rgb, plans, cut((101, 150), (64, 64), 0.5, 16)):
        seen[:, :, *tile.ready] = block
    for found, plan in zip(seen, plans, strict=True):
        agree = (found - whole(network, rgb, plan)).abs().amax(0) < 2e-3
        assert agree.float().mean() > 0.99, plan  # a vote may turn by a hair


# Memory


def test_no_more_is_kept_than_the_edges_of_one_row_of_tiles():
    for height in (200, 800):
        blend, most = Blend(), 0
        tiles = cut((height, 500), (64, 64), 0.25, unit=8)
        for tile in tiles:
            blend.add(tile, torch.ones(2, *tile.size))
            most = max(most, blend.held)
        tall = max(tile.rows.stop - tile.rows.settled for tile in tiles)
        wide = max(tile.columns.stop - tile.columns.settled for tile in tiles)
        assert tall < 32
        assert most <= 2 * (tall * 500 + wide * 64)
        assert blend.held == 0


def test_many_classes_are_looked_at_in_smaller_tiles_or_refused(network):
    few, many = (tiles_for(network, (4000, 6000), [ONE_LOOK, Plan(D4)], n) for n in (3, 150))
    assert 512 < max(few[0].size) <= 1024
    assert max(many[0].size) <= 256
    with pytest.raises(ValueError, match="choose fewer looks"):
        tiles_for(network, (4000, 400_000), [ONE_LOOK, Plan(D4)], 250)


def test_the_usual_looks_fit_with_many_classes_and_a_fixed_size():
    model = SimpleNamespace(own_size=(512, 512))
    assert tiles_for(model, (4000, 6000), [ONE_LOOK, Plan(D4)], 150)
    with pytest.raises(ValueError, match="choose fewer looks"):
        tiles_for(model, (4000, 6000), [ONE_LOOK, Plan((*D4, "zoom1.5"))], 150)


# Models and views


def onnx(size):
    session = OnnxSession(mixing((1, 3, *size)))
    return OnnxModel(session, find_out(session))


def test_a_model_of_fixed_size_gets_tiles_of_it_and_reduces_nothing(tmp_path):
    rgb, model = noise(70, 190), onnx((32, 64))
    tiles = tiles_for(model, (70, 190), [ONE_LOOK], 4)
    assert {tile.size for tile in tiles} == {(32, 64)}
    found = torch.zeros(4, 70, 190)
    for tile, (block,) in answer_tiles(model, rgb, [ONE_LOOK], tiles):
        found[:, *tile.ready] = block
    pixels = whole(onnx(("h", "w")), rgb, ONE_LOOK)
    torch.testing.assert_close(found, pixels, atol=2e-3, rtol=0)


def test_models_of_different_sizes_and_models_that_reduce_are_refused(network):
    with pytest.raises(ValueError, match="64 x 32 and 48 x 48"):
        tiles_for({"a": onnx((32, 64)), "b": onnx((48, 48))}, (90, 90), [ONE_LOOK], 4)
    with pytest.raises(ValueError, match="Leave the full size out"):
        tiles_for(Sized(network, 320), (90, 90), [ONE_LOOK], 3)


@pytest.mark.parametrize("name", ["tilt+10", "shift", "contrast-"])
def test_views_that_depend_on_the_whole_picture_are_refused(network, name):
    with pytest.raises(ValueError, match=name.replace("+", r"\+")):
        tiles_for(network, (90, 90), [Plan(("identity", name))], 3)
