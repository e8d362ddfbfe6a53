import numpy as np
import pytest

from tta_demo.pictures.damage import AMOUNTS, Damage, damage
from tta_demo.pictures.reading import read_picture
from tta_demo.tasks.worlds import WORLDS

PHOTO = read_picture(WORLDS["photos"].examples[0]).rgb
each = pytest.mark.parametrize("name", AMOUNTS)


def away(**amounts):
    """Returns how far a damaged photograph is from the whole one, root of the mean square."""
    change = damage(PHOTO, Damage(**amounts)).astype(float) - PHOTO
    return float(np.sqrt((change**2).mean()))


def test_there_are_five_kinds():
    assert set(AMOUNTS) == {"noise", "darkness", "blur", "jpeg", "low_contrast"}


def test_no_damage_changes_nothing_and_gives_a_copy():
    got = damage(PHOTO, Damage(seed=5))
    np.testing.assert_array_equal(got, PHOTO)
    assert not np.shares_memory(got, PHOTO)


@each
def test_more_damage_is_further_from_the_picture(name):
    steps = [away(**{name: amount}) for amount in (0, 0.1, 0.25, 0.5, 0.75, 1)]
    assert steps == sorted(steps)
    assert steps[1] > 0.5
    assert steps[-1] > 1.5 * steps[1]


@each
def test_the_same_damage_is_the_same_at_every_time_and_the_picture_stays(name):
    before = PHOTO.copy()
    how = Damage(**{name: 0.4})
    got = damage(PHOTO, how)
    np.testing.assert_array_equal(got, damage(PHOTO, how))
    np.testing.assert_array_equal(PHOTO, before)
    assert (got.dtype, got.shape) == (PHOTO.dtype, PHOTO.shape)
    assert got.flags["C_CONTIGUOUS"]


def test_another_seed_is_other_noise_of_the_same_strength():
    first, second = (away(noise=0.1, seed=seed) for seed in (0, 1))
    assert first == pytest.approx(second, rel=0.02)
    assert not np.array_equal(damage(PHOTO, Damage(0.1)), damage(PHOTO, Damage(0.1, seed=1)))


def test_each_damage_does_what_it_is_called():
    grey = np.full((40, 60, 3), 120, np.uint8)
    noisy = damage(grey, Damage(noise=0.1)).astype(float)
    assert noisy.std() == pytest.approx(25.5, rel=0.05)
    assert damage(PHOTO, Damage(darkness=0.5)).mean() < 0.6 * PHOTO.mean()
    flat = damage(PHOTO, Damage(low_contrast=0.5))
    assert flat.std() < 0.6 * PHOTO.std()
    assert flat.mean() == pytest.approx(PHOTO.mean(), abs=1)
    steps = [np.abs(np.diff(one.astype(float), axis=1)).mean() for one in (
        PHOTO, damage(PHOTO, Damage(blur=0.2)), damage(PHOTO, Damage(blur=1)))]  # fmt: skip
    assert steps[0] > 1.5 * steps[1] > 2 * steps[2]
    np.testing.assert_array_equal(damage(grey, Damage(blur=1, low_contrast=1)), grey)


def test_nothing_is_left_of_red_where_there_was_none():
    blue = np.zeros((32, 32, 3), np.uint8)
    blue[..., 2] = 200
    got = damage(blue, Damage(jpeg=0.5, darkness=0.2))
    assert got[..., 0].max() < 30  # channels keep their places through the file
    assert got[..., 2].min() > 100


@pytest.mark.parametrize("amount", [-0.1, 1.1, float("nan")])
@each
def test_an_amount_outside_is_refused_with_its_name(name, amount):
    with pytest.raises(ValueError, match=name):
        Damage(**{name: amount})
