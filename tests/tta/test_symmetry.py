from itertools import product

import numpy as np
import pytest
import torch

from tta_demo.tta.symmetry import D4, FLIPS, IDENTITY, Symmetry

ARANGE = torch.arange(15).view(3, 5)

NUMPY = {
    "identity": np.copy,
    "hflip": np.fliplr,
    "vflip": np.flipud,
    "rot180": lambda a: np.rot90(a, 2),
    "rot90": np.rot90,
    "rot270": lambda a: np.rot90(a, -1),
    "transpose": np.transpose,
    "antitranspose": lambda a: np.rot90(a, 2).T,
}

each = pytest.mark.parametrize("symmetry", D4, ids=lambda s: s.name)


def as_lists(symmetries):
    return [s(ARANGE).tolist() for s in symmetries]


@each
def test_the_name_says_what_numpy_does(symmetry):
    expected = NUMPY[symmetry.name](ARANGE.numpy())
    np.testing.assert_array_equal(symmetry(ARANGE).numpy(), expected)


def test_the_eight_are_all_different_on_a_non_square_picture():
    results = as_lists(D4)
    assert len(results) == 8
    assert all(results.count(result) == 1 for result in results), results


def test_a_product_of_two_is_one_of_the_eight():
    for a, b in product(D4, D4):
        assert a @ b in D4, f"{a.name} after {b.name} is {a @ b}"


def test_a_product_applies_the_right_hand_one_first():
    for a, b in product(D4, D4):
        assert torch.equal((a @ b)(ARANGE), a(b(ARANGE))), f"{a.name} after {b.name}"


def test_brackets_do_not_matter():
    for a, b, c in product(D4, D4, D4):
        wanted = a(b(c(ARANGE)))
        for s in ((a @ b) @ c, a @ (b @ c)):
            assert torch.equal(s(ARANGE), wanted), f"{a.name}, {b.name}, {c.name}: {s.name}"


@each
def test_the_identity_is_neutral(symmetry):
    assert symmetry @ IDENTITY == IDENTITY @ symmetry == symmetry
    assert torch.equal(IDENTITY(ARANGE), ARANGE)


@each
def test_the_inverse_undoes_on_both_sides(symmetry):
    assert torch.equal(symmetry.inverse(symmetry(ARANGE)), ARANGE), symmetry.inverse
    assert torch.equal(symmetry(symmetry.inverse(ARANGE)), ARANGE), symmetry.inverse
    assert symmetry @ symmetry.inverse == symmetry.inverse @ symmetry == IDENTITY


@each
def test_only_the_last_two_axes_move(symmetry):
    batch = torch.arange(90).view(2, 3, 3, 5)
    for i, j in product(range(2), range(3)):
        assert torch.equal(symmetry(batch)[i, j], symmetry(batch[i, j])), (i, j)


def test_the_flips_are_the_four_that_keep_the_frame():
    assert set(FLIPS) == {s for s in D4 if s(ARANGE).shape == ARANGE.shape}


@pytest.mark.parametrize("turns", [-1, 4, 1.5])
def test_turns_beyond_a_full_turn_are_refused(turns):
    with pytest.raises(ValueError, match=str(turns)):
        Symmetry(turns, False)
