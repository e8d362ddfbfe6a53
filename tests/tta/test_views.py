from itertools import combinations

import cv2
import numpy as np
import pytest
import torch

from tta_demo.models.domains import DOMAINS
from tta_demo.tta.symmetry import D4
from tta_demo.tta.views import VIEW_SETS, VIEWS, View, refuse_unknown

SIZES = [(1, 1), (1, 7), (7, 1), (3, 2), (5, 8), (13, 21), (61, 30)]
COLOR = {"darker", "brighter", "noise", "contrast+", "contrast-", "gamma+", "gamma-"}
EXACT = [v for v in VIEWS.values() if v.zoom == 1 and v.tilt == 0 and v.name not in COLOR]
TILTS = [VIEWS["tilt+10"], VIEWS["tilt-10"]]

every = pytest.mark.parametrize("view", VIEWS.values(), ids=lambda v: v.name)
exact = pytest.mark.parametrize("view", EXACT, ids=lambda v: v.name)
tilts = pytest.mark.parametrize("view", TILTS, ids=lambda v: v.name)
sizes = pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")


def arange_image(height, width):
    count = 3 * height * width
    return (torch.arange(count, dtype=torch.float32) / count).view(1, 3, height, width)


def smooth_image(height, width):
    noise = np.random.default_rng(0).random((height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 4, borderType=cv2.BORDER_REFLECT)
    smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    return torch.from_numpy(smooth).permute(2, 0, 1)[None]


def distributions(height, width, classes=4):
    return (3 * torch.randn(2, classes, height, width)).softmax(1)


def answers_for(view, size):
    """Random distributions of the size that the view shows the model."""
    return distributions(*view.augment(arange_image(*size)).shape[-2:])


def seen_or_all(view, size):
    seen = view.seen(size)
    return torch.ones(size, dtype=torch.bool) if seen is None else seen


def outside(view, size):
    """How many pixels each pixel's centre lands beyond the outermost centres, `(H, W)`."""
    height, width = size
    y, x = np.mgrid[:height, :width] - np.array([height - 1, width - 1]).reshape(2, 1, 1) / 2
    angle = np.radians(view.tilt)
    turned_x = np.cos(angle) * x + np.sin(angle) * y  # counter-clockwise, y points down
    turned_y = np.cos(angle) * y - np.sin(angle) * x
    beyond = np.maximum(abs(turned_x) - (width - 1) / 2, abs(turned_y) - (height - 1) / 2)
    return torch.from_numpy(beyond)


@sizes
@exact
def test_going_there_and_back_changes_nothing_that_was_seen(view, size):
    image = arange_image(*size)
    back = view.deaugment_map(view.augment(image), size)
    seen = seen_or_all(view, size)
    assert torch.equal(back[..., seen], image[..., seen]), back
    assert seen.any()


def test_all_symmetries_and_the_shift_are_exact():
    assert {v.name for v in EXACT} == {*VIEW_SETS["d4"], "shift"}


@every
def test_every_view_restores_every_size(view):
    for height in range(1, 12):
        for width in (*range(1, 12), 33):
            answer = view.augment(torch.zeros(1, 3, height, width))
            back = view.deaugment_map(answer, (height, width))
            assert back.shape == (1, 3, height, width)
            assert seen_or_all(view, (height, width)).shape == (height, width)


@every
def test_pixel_values_stay_between_0_and_1(view):
    shown = view.augment(torch.rand(1, 3, 31, 40).round())
    assert shown.min() >= 0
    assert shown.max() <= 1 + 1e-6


@sizes
@every
def test_a_distribution_stays_one_wherever_the_view_saw(view, size):
    back = view.deaugment_map(answers_for(view, size), size)
    assert back.min() >= 0
    total = back.sum(1)[:, seen_or_all(view, size)]
    torch.testing.assert_close(total, torch.ones_like(total), atol=1.1e-3, rtol=0)


@every
def test_going_back_is_linear(view):
    size = 13, 21
    a, b = answers_for(view, size), answers_for(view, size)
    back = view.deaugment_map(2 * a - b, size)
    wanted = 2 * view.deaugment_map(a, size) - view.deaugment_map(b, size)
    torch.testing.assert_close(back, wanted, atol=1e-5, rtol=0)


@sizes
def test_the_shift_does_not_see_the_last_rows_and_columns(size):
    height, width = size
    view = VIEWS["shift"]
    wanted = torch.zeros(size, dtype=torch.bool)
    wanted[: height - round(0.05 * height), : width - round(0.05 * width)] = True
    assert torch.equal(seen_or_all(view, size), wanted)
    back = view.deaugment_map(distributions(*size), size)
    assert (back[..., ~wanted] == 0).all()


def test_the_shift_moves_right_and_down():
    image = arange_image(41, 60)
    shown = VIEWS["shift"].augment(image)
    assert torch.equal(shown[..., 2:, 3:], image[..., :-2, :-3])


@pytest.mark.parametrize("size", [(41, 30), (30, 41), (64, 64)], ids=str)
@tilts
def test_a_tilt_sees_what_it_turns_into_the_frame_and_gives_0_elsewhere(view, size):
    beyond, seen = outside(view, size), view.seen(size)
    assert seen[beyond <= -0.01].all()
    assert not seen[beyond >= 0.5].any()
    back = view.deaugment_map(distributions(*size), size)
    assert (beyond > 1.01).any()
    assert (back[..., beyond > 1.01] == 0).all()


@pytest.mark.parametrize("size", [(61, 61), (47, 90), (90, 47)], ids=str)
@tilts
def test_a_tilt_turns_as_far_and_in_the_direction_that_opencv_does(view, size):
    height, width = size
    image = smooth_image(*size)
    centre = (width - 1) / 2, (height - 1) / 2
    degrees = {"tilt+10": 10, "tilt-10": -10}[view.name]  # counter-clockwise in OpenCV
    wanted = cv2.warpAffine(
        image[0].permute(1, 2, 0).numpy(),
        cv2.getRotationMatrix2D(centre, degrees, 1),
        (width, height),
        borderMode=cv2.BORDER_REFLECT,
    )
    shown = view.augment(image)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(shown, wanted, atol=0.02)


@tilts
def test_a_tilt_and_the_opposite_tilt_cancel_inside(view):
    image = smooth_image(61, 90)
    other = TILTS[1 - TILTS.index(view)]
    seen = view.seen((61, 90))
    again = other.augment(view.augment(image))
    assert seen.float().mean() > 0.8
    torch.testing.assert_close(again[..., seen], image[..., seen], atol=0.03, rtol=0)


@tilts
def test_the_answer_to_a_tilted_picture_comes_back_in_place(view):
    image = smooth_image(61, 90)
    seen = view.seen((61, 90))
    back = view.deaugment_map(view.augment(image), (61, 90))
    torch.testing.assert_close(back[..., seen], image[..., seen], atol=0.03, rtol=0)


@pytest.mark.parametrize("zoom", [1, 0.75, 1.5], ids="zoom-{}".format)
@pytest.mark.parametrize("symmetry", D4, ids=lambda s: s.name)
def test_a_view_that_moves_in_every_way_at_once_is_undone_too(symmetry, zoom):
    view = View("x", "", "", "", symmetry=symmetry, zoom=zoom, tilt=4, shift=0.1)
    image, size = smooth_image(61, 90), (61, 90)
    back = view.deaugment_map(view.augment(image), size)
    seen = view.seen(size)
    assert 0.6 < seen.float().mean() < 1
    torch.testing.assert_close(back[..., seen], image[..., seen], atol=0.06, rtol=0)


ZOOMS = {"zoom0.5": 0.5, "zoom0.75": 0.75, "zoom1.25": 1.25, "zoom1.5": 1.5}


@sizes
@pytest.mark.parametrize(("name", "factor"), ZOOMS.items(), ids=str)
def test_a_zoom_scales_both_sides_and_keeps_constants(name, factor, size):
    constant = torch.tensor([0.2, 0.5, 0.7]).view(1, 3, 1, 1).expand(1, 3, *size)
    shown = VIEWS[name].augment(constant)
    assert shown.shape[-2:] == tuple(max(1, round(factor * n)) for n in size)
    torch.testing.assert_close(shown, constant[..., :1, :1].expand_as(shown))
    torch.testing.assert_close(VIEWS[name].deaugment_map(shown, size), constant)


@pytest.mark.parametrize("name", ZOOMS)
def test_a_zoom_keeps_every_value_at_its_share_of_the_width(name):
    ramp = ((torch.arange(40) + 0.5) / 40).expand(1, 3, 24, 40)
    shown = VIEWS[name].augment(ramp)
    width = shown.shape[-1]
    wanted = ((torch.arange(width) + 0.5) / width).expand_as(shown)
    inside = np.s_[..., 3:-3]
    torch.testing.assert_close(shown[inside], wanted[inside], atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", ZOOMS)
def test_a_zoom_leaves_things_where_they_are(name):
    image = smooth_image(61, 90)
    back = VIEWS[name].deaugment_map(VIEWS[name].augment(image), (61, 90))
    torch.testing.assert_close(back, image, atol=0.05, rtol=0)


def whole_mean(x):
    return x.mean((1, 2, 3), keepdims=True)


FORMULAS = {
    "darker": lambda x: 0.6 * x,
    "brighter": lambda x: np.clip(1.4 * x, 0, 1),
    "contrast+": lambda x: np.clip(whole_mean(x) + 1.4 * (x - whole_mean(x)), 0, 1),
    "contrast-": lambda x: np.clip(whole_mean(x) + 0.6 * (x - whole_mean(x)), 0, 1),
    "gamma+": lambda x: x**1.4,
    "gamma-": lambda x: x**0.7,
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_colour_view_follows_its_formula_for_each_picture_of_a_batch(name):
    batch = torch.rand(2, 3, 9, 14) * torch.tensor([1.0, 0.4]).view(2, 1, 1, 1)
    shown = VIEWS[name].augment(batch).numpy()
    np.testing.assert_allclose(shown, FORMULAS[name](batch.double().numpy()), atol=1e-6)


@pytest.mark.parametrize("name", sorted(COLOR))
def test_the_answer_to_a_colour_view_needs_no_way_back(name):
    maps = distributions(5, 8)
    assert torch.equal(VIEWS[name].deaugment_map(maps, (5, 8)), maps)
    assert VIEWS[name].seen((5, 8)) is None


def test_the_noise_is_the_same_each_time_and_for_each_picture():
    batch = torch.full((2, 3, 50, 60), 0.5)
    first = VIEWS["noise"].augment(batch)
    torch.rand(7)  # whatever else draws numbers
    assert torch.equal(VIEWS["noise"].augment(batch), first)
    assert torch.equal(first[0], first[1])


def test_the_noise_has_mean_0_and_standard_deviation_a_tenth():
    noise = VIEWS["noise"].augment(torch.full((1, 3, 50, 60), 0.5)) - 0.5
    assert abs(float(noise.mean())) < 0.1 * 4 / noise.numel() ** 0.5
    assert float(noise.std()) == pytest.approx(0.1, rel=0.04)


def test_noise_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    VIEWS["noise"].augment(torch.zeros(1, 3, 4, 4))
    assert torch.equal(torch.rand(3), wanted)


@pytest.mark.parametrize(("name", "count"), [("none", 1), ("flips", 4), ("d4", 8), ("all", 15)])
def test_the_views_of_a_set_all_look_different_even_on_a_square(name, count):
    image = torch.rand(1, 3, 20, 20)
    shown = {view: VIEWS[view].augment(image) for view in VIEW_SETS[name]}
    assert len(shown) == len(VIEW_SETS[name]) == count
    for a, b in combinations(shown, 2):
        assert not torch.equal(shown[a], shown[b]), f"{a} is {b}"


def test_a_set_starts_with_the_smaller_one():
    none, flips, d4, everything = (VIEW_SETS[name] for name in ("none", "flips", "d4", "all"))
    assert flips[:1] == none
    assert d4[:4] == flips
    assert everything[:8] == d4


def test_the_eight_augmentations_of_d4_are_all_different_on_a_non_square_picture():
    image = arange_image(3, 5)
    shown = [VIEWS[name].augment(image).tolist() for name in VIEW_SETS["d4"]]
    assert all(shown.count(one) == 1 for one in shown)


@every
def test_a_view_is_found_under_its_own_name(view):
    assert VIEWS[view.name] is view


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=lambda d: d.label)
def test_a_domain_offers_known_views_and_the_original(domain):
    assert set(domain.views) <= set(VIEWS)
    assert "identity" in domain.views


@pytest.mark.parametrize("names", [[], ["rot45"], ["identity", "rot45"], ["hflip", "hflip"]])
def test_unknown_repeated_or_no_views_are_refused(names):
    refuse_unknown(list(VIEWS))
    with pytest.raises(ValueError, match="view"):
        refuse_unknown(names)
