from hashlib import blake2b
from itertools import combinations

import numpy as np
import pytest

from tta_demo.pictures.palettes import WEEDS
from tta_demo.samples.weeds import (
    FAMILIAR_SUN_BELOW,
    SEEDS,
    field,
    labelled,
    sample,
    stream,
    sun_of,
)
from tta_demo.samples.weeds.camera import noise_level


@pytest.fixture(scope="module")
def twenty():
    return [field(seed) for seed in SEEDS["val"][:20]]


def sharpness(rgb):
    return float(np.abs(np.diff(rgb.astype(float).mean(2), axis=1)).mean())


def test_same_seed_same_bytes():
    one, two = field(5, (96, 120)), field(5, (96, 120))
    assert one.rgb.tobytes() == two.rgb.tobytes()
    assert one.labels.tobytes() == two.labels.tobytes()
    assert one.plants == two.plants


def test_labels_of_a_seed_never_change():
    labels = field(4_000_000, difficulty=0.5).labels
    digest = blake2b(labels.tobytes(), digest_size=8).hexdigest()
    assert digest == "d1fe3ae7abaffdf1"


def test_another_seed_is_another_field():
    one, two = field(5, (96, 120)), field(6, (96, 120))
    assert (one.labels != two.labels).any()
    assert (one.rgb != two.rgb).any()


@pytest.mark.parametrize("size", [(64, 64), (64, 1024), (301, 223)])
@pytest.mark.parametrize("difficulty", [0.0, 1.0])
def test_any_size_and_difficulty(size, difficulty):
    made = field(7, size, difficulty)
    assert made.rgb.shape == (*size, 3)
    assert made.rgb.dtype == np.uint8
    assert made.labels.shape == size
    assert made.labels.dtype == np.uint8
    assert set(np.unique(made.labels)) <= {0, 1, 2}
    assert made.rgb.std() > 5


@pytest.mark.parametrize("size", [(63, 64), (64, 1025), (100.5, 64), (64,), (64, 64, 3)])
def test_bad_sizes_are_refused_by_name(size):
    with pytest.raises(ValueError, match="size must be") as refusal:
        field(1, size)
    assert str(size) in str(refusal.value)


@pytest.mark.parametrize("difficulty", [-0.01, 1.01, float("nan")])
def test_bad_difficulties_are_refused(difficulty):
    with pytest.raises(ValueError, match=f"0..1, not {difficulty}"):
        field(1, difficulty=difficulty)


@pytest.mark.parametrize("elevation", [0.0, -1.0, 2.0])
def test_a_sun_below_the_ground_is_refused(elevation):
    with pytest.raises(ValueError, match=f"not {elevation}"):
        field(1, sun=(4.0, elevation))


def test_negative_seeds_are_refused():
    with pytest.raises(ValueError, match="not -3"):
        field(-3)


def test_plants_account_for_every_labelled_pixel(twenty):
    for made in twenty:
        for label in (1, 2):
            seen = sum(plant.visible for plant in made.plants if plant.label == label)
            assert seen == np.count_nonzero(made.labels == label)


def test_boxes_are_tight():
    # a box's outermost rows and columns each hold a pixel of the plant's class
    for made in (field(seed, (128, 96)) for seed in range(5)):
        for plant in made.plants:
            left, top, right, bottom = map(int, plant.box)
            assert 0 <= left < right <= 96
            assert 0 <= top < bottom <= 128
            inside = made.labels[top:bottom, left:right] == plant.label
            assert plant.visible <= inside.sum()
            for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1]):
                assert edge.any()


def test_every_labelled_pixel_lies_in_a_box_of_its_class(twenty):
    for made in twenty[:5]:
        covered = np.zeros((3, *made.labels.shape), bool)
        for plant in made.plants:
            left, top, right, bottom = map(int, plant.box)
            covered[plant.label, top:bottom, left:right] = True
        for label in (1, 2):
            assert covered[label][made.labels == label].all()


def test_most_fields_show_both_classes_in_comparable_shares(twenty):
    shares = np.array([[(made.labels == label).mean() for label in (1, 2)] for made in twenty])
    assert (shares > 0.01).all(1).sum() >= 17
    assert 0.08 < shares.sum(1).mean() < 0.30
    assert 0.5 < shares[:, 0].mean() / shares[:, 1].mean() < 2


def test_plants_are_greener_than_the_ground(twenty):
    for made in twenty[:5]:
        red, green, blue = np.moveaxis(made.rgb.astype(float), 2, 0)
        excess = 2 * green - red - blue
        assert excess[made.labels > 0].mean() > excess[made.labels == 0].mean() + 10


def test_seed_ranges_share_no_seed():
    assert set(SEEDS) == {"train", "val", "calibration", "test"}
    for one, two in combinations(SEEDS.values(), 2):
        assert one.stop <= two.start or two.stop <= one.start


def test_familiar_sun_stands_in_its_quarter():
    for seed in SEEDS["train"][:300]:
        azimuth, elevation = sun_of(seed, FAMILIAR_SUN_BELOW)
        assert np.pi <= azimuth <= 1.5 * np.pi
        assert np.radians(35) <= elevation <= np.radians(65)


def test_hardest_fields_sometimes_have_an_unusual_sun():
    azimuths = np.array([sun_of(seed, 1.0)[0] for seed in SEEDS["test"][:200]])
    unusual = (azimuths < np.pi) | (azimuths > 1.5 * np.pi)
    assert 0.2 < unusual.mean() < 0.8


def test_shadows_follow_the_sun():
    one, two = (field(3, (128, 128), 0.0, (side, 0.7)) for side in (0.0, np.pi))
    assert one.labels.tobytes() == two.labels.tobytes()
    # just left and right of every plant: lit from the right, the left side is darker
    plant = one.labels > 0
    left = np.roll(plant, -3, 1) & ~plant
    right = np.roll(plant, 3, 1) & ~plant
    tilt = [made.rgb[left].mean() - made.rgb[right].mean() for made in (one, two)]
    assert tilt[0] < tilt[1]


def test_harder_is_noisier_and_softer():
    levels = [noise_level(difficulty) for difficulty in np.linspace(0, 1, 11)]
    assert np.all(np.diff(levels) > 0)
    easy = [sharpness(field(seed, (128, 128), 0.0).rgb) for seed in range(6)]
    hard = [sharpness(field(seed, (128, 128), 1.0).rgb) for seed in range(6)]
    assert np.mean(hard) < np.mean(easy)


def test_palette_names_every_class():
    assert WEEDS.colors == ((0, 0, 0), (128, 0, 0), (0, 128, 0))


def test_every_training_field_has_the_sun_in_its_quarter():
    for seed in SEEDS["train"][:200]:
        azimuth, _ = sun_of(seed, 0)
        assert np.pi <= azimuth <= 1.5 * np.pi
    made = next(labelled("train"))
    seed = SEEDS["train"][0]
    usual = sample(seed, stream(seed, 6).random(), sun_of(seed, 0))
    np.testing.assert_array_equal(made.rgb, usual.rgb)
