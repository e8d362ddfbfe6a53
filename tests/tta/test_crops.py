import numpy as np
import pytest
import torch
from PIL import Image

from tta_demo.tta.crops import CROP, CROP_SETS, CROP_VIEWS, MAX_SIDE, cut
from tta_demo.tta.views import VIEW_SETS, VIEWS

# Odd, square, portrait, tiny, exactly as large as a side or a crop, and as thin as is allowed.
SIZES = [(333, 500), (500, 333), (301, 301), (7, 5), (1, 1), (1, 25), (256, 341), (224, 224)]

every = pytest.mark.parametrize("view", CROP_VIEWS.values(), ids=lambda v: v.name)
sizes = pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
PLACED = [v for v in CROP_VIEWS.values() if v.view is VIEWS["identity"]]
placed = pytest.mark.parametrize("view", PLACED, ids=lambda v: v.name)


def picture(size, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


def resized(rgb, side):
    """Returns the picture with a short side of `side`, as an array (h, w, 3)."""
    height, width = rgb.shape[:2]
    if height < width:
        shape = int(side * width / height), side
    else:
        shape = side, int(side * height / width)
    return np.asarray(Image.fromarray(rgb).resize(shape, Image.Resampling.BILINEAR))


def by_hand(rgb, name):
    """Returns a crop (224, 224, 3) uint8, cut by explicit slices."""
    side = int(name.removeprefix("side-")) if name.startswith("side-") else 256
    pixels = resized(rgb, side)
    height, width = pixels.shape[:2]
    top, left = round((height - 224) / 2), round((width - 224) / 2)
    rows = {"t": slice(0, 224), "b": slice(height - 224, height)}
    columns = {"l": slice(0, 224), "r": slice(width - 224, width)}
    if "-left" in name or "-right" in name:
        vertical, horizontal = name.split("-")
        return pixels[rows[vertical[0]], columns[horizontal[0]]]
    return pixels[top : top + 224, left : left + 224]


@sizes
def test_a_crop_equals_one_that_pillow_resized_to_one_level_of_few_pixels(size):
    rgb, names = picture(size), [view.name for view in PLACED]
    for name, crop in zip(names, cut(rgb, names), strict=True):
        wanted = torch.from_numpy(by_hand(rgb, name).copy()).permute(2, 0, 1)
        assert crop.dtype == torch.float32
        levels = (255 * crop).round()
        torch.testing.assert_close(crop, levels / 255)
        apart = (levels - wanted).abs()
        assert apart.max() <= 1, name
        assert (apart > 0).float().mean() < 0.05, name


@sizes
def test_every_crop_of_every_picture_is_a_square_of_values_in_0_to_1(size):
    crops = cut(picture(size), [*CROP_VIEWS])
    assert crops.shape == (len(CROP_VIEWS), 3, CROP, CROP)
    assert crops.min() >= 0
    assert crops.max() <= 1 + 1e-6


def test_the_corners_of_the_picture_are_the_corners_of_the_five_crops():
    rgb = picture((256, 400))
    crops = dict(zip(CROP_SETS["five-crop"], cut(rgb, CROP_SETS["five-crop"]), strict=True))
    outermost = {"top-left": (0, 0), "top-right": (0, -1), "bottom-left": (-1, 0)}
    for name, (row, column) in (outermost | {"bottom-right": (-1, -1)}).items():
        np.testing.assert_allclose(255 * crops[name][:, row, column], rgb[row, column], rtol=1e-6)


@sizes
def test_the_ten_crops_are_the_five_and_their_mirror_images(size):
    rgb = picture(size)
    ten, five = cut(rgb, CROP_SETS["ten-crop"]), cut(rgb, CROP_SETS["five-crop"])
    assert torch.equal(ten, torch.cat([five, five.flip(-1)]))


def test_the_d4_crops_are_the_eight_symmetries_of_the_middle():
    rgb = picture((300, 400))
    middle = cut(rgb, ["center"])
    crops = cut(rgb, CROP_SETS["d4"])
    moved = [np.rot90(m, k, (-2, -1)) for m in (middle, middle.flip(-1)) for k in range(4)]
    places = [[np.array_equal(crop, one[0]) for one in moved].index(True) for crop in crops]
    assert sorted(places) == list(range(8))
    assert [CROP_VIEWS[n].view.name for n in CROP_SETS["d4"]] == list(VIEW_SETS["d4"])


@pytest.mark.parametrize("name", ["tilt-10", "tilt+10", "darker", "brighter", "contrast+"])
def test_a_changed_crop_is_the_middle_changed_by_the_view_of_that_name(name):
    rgb = picture((300, 400))
    assert torch.equal(cut(rgb, [name]), VIEWS[name].augment(cut(rgb, ["center"])))


def test_a_tilt_leaves_no_black_corners():
    rgb = np.full((250, 300, 3), 200, np.uint8)
    torch.testing.assert_close(cut(rgb, ["tilt+10"]), torch.full((1, 3, CROP, CROP), 200 / 255))


@pytest.mark.parametrize("size", [(480, 640), (641, 480), (100, 130)], ids=str)
@placed
def test_the_frame_tells_where_a_mark_in_the_crop_is_in_the_picture(view, size):
    left, top, right, bottom = view.frame(size)
    assert right - left == pytest.approx(bottom - top, rel=0.01)  # the long side is rounded down
    x, y = int(left + 0.7 * (right - left)), int(top + 0.3 * (bottom - top))
    rgb = np.zeros((*size, 3), np.uint8)
    rgb[y - 2 : y + 3, x - 2 : x + 3] = 255  # its centre is half a pixel right and down of x, y
    found = torch.nonzero(cut(rgb, [view.name])[0, 0] > 0.5).float().mean(0) + 0.5
    back_y = top + float(found[0]) / CROP * (bottom - top)
    back_x = left + float(found[1]) / CROP * (right - left)
    pixel = max(1, min(size) / view.side)
    assert back_x == pytest.approx(x + 0.5, abs=0.6 * pixel)
    assert back_y == pytest.approx(y + 0.5, abs=0.6 * pixel)


@sizes
def test_a_frame_stays_inside_the_picture(size):
    for view in CROP_VIEWS.values():
        left, top, right, bottom = view.frame(size)
        assert 0 <= left < right <= size[1] + 1e-9, view.name
        assert 0 <= top < bottom <= size[0] + 1e-9, view.name


def test_the_frames_of_the_corner_crops_touch_the_corners():
    assert CROP_VIEWS["top-left"].frame((100, 130))[:2] == (0, 0)
    assert CROP_VIEWS["bottom-right"].frame((100, 130))[2:] == pytest.approx((130, 100))


def test_a_picture_is_resized_once_for_each_side(monkeypatch):
    sides, resize = [], torch.nn.functional.interpolate

    def counting(image, size, **options):
        sides.append(min(size))
        return resize(image, size, **options)

    monkeypatch.setattr(torch.nn.functional, "interpolate", counting)
    cut(picture((300, 400)), CROP_SETS["all"])
    assert sorted(sides) == [224, 256, 288, 320]


def test_a_crop_does_not_depend_on_the_others_or_on_their_order():
    rgb, names = picture((300, 400)), CROP_SETS["all"]
    crops = cut(rgb, names)
    assert torch.equal(cut(rgb, names[::-1]), crops.flip(0))
    for name, crop in zip(names, crops, strict=True):
        assert torch.equal(cut(rgb, [name])[0], crop), name


@pytest.mark.parametrize("size", [(10, 10 * MAX_SIDE // 256), (10 * MAX_SIDE // 256, 10)], ids=str)
def test_a_picture_as_long_as_allowed_is_cut_and_a_longer_one_refused(size):
    assert cut(picture(size), ["center", "bottom-right"]).shape[0] == 2
    longer = tuple(n + (n > 10) for n in size)
    with pytest.raises(ValueError, match="too long and thin"):
        cut(picture(longer), ["center"])
    with pytest.raises(ValueError, match="too long and thin"):
        CROP_VIEWS["center"].frame(longer)


@pytest.mark.parametrize("size", [(1, 5000), (5000, 1)], ids=str)
def test_a_line_of_pixels_is_refused_before_it_fills_the_memory(size, monkeypatch):
    monkeypatch.setattr(
        torch.nn.functional, "interpolate", lambda *_, **__: pytest.fail("it was resized")
    )
    with pytest.raises(ValueError, match="1280000"):
        cut(picture(size), ["side-224", "center"][::-1])


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([], "no view"),
        (["centre"], "centre"),
        (["center", "top", "hflip"], "top, hflip"),
        (["center", "top-left", "center"], "views center"),
    ],
)
def test_unknown_repeated_or_no_crops_are_refused_by_name(names, told):
    with pytest.raises(ValueError, match=told):
        cut(picture((30, 40)), names)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((30, 40), np.uint8),
        np.zeros((3, 30, 40), np.uint8),
        np.zeros((30, 40, 3), np.float32),
        np.zeros((0, 40, 3), np.uint8),
    ],
    ids=lambda p: f"{p.shape}-{p.dtype}",
)
def test_other_pixels_are_refused(pixels):
    with pytest.raises(ValueError, match="shape"):
        cut(pixels, ["center"])


@every
def test_a_crop_is_found_under_its_own_name(view):
    assert CROP_VIEWS[view.name] is view


@pytest.mark.parametrize("name", CROP_SETS)
def test_the_crops_of_a_set_start_with_the_middle_and_all_differ(name):
    assert CROP_SETS[name][0] == "center"
    crops = cut(picture((300, 400)), CROP_SETS[name])
    assert len(torch.unique(crops.flatten(1), dim=0)) == len(CROP_SETS[name])
