"""The eight symmetries of the square (the dihedral group D4), as data.

Eight and not more: a product of mirrors and quarter turns repeats itself and wastes passes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["D4", "FLIPS", "IDENTITY", "Symmetry"]

_NAMES = {
    (0, False): "identity",
    (0, True): "hflip",
    (2, True): "vflip",
    (2, False): "rot180",
    (1, False): "rot90",
    (3, False): "rot270",
    (1, True): "transpose",
    (3, True): "antitranspose",
}


@dataclass(frozen=True)
class Symmetry:
    """Mirrors left-right if `flip`, then turns counter-clockwise by `turns` quarter turns.

    Attributes:
        turns: 0 to 3.
        flip: whether to mirror first.

    Example:
        >>> quarter, mirror = Symmetry(1, False), Symmetry(0, True)
        >>> (quarter @ mirror).name, quarter.inverse.name
        ('transpose', 'rot270')
    """

    turns: int
    flip: bool

    def __post_init__(self) -> None:
        if self.turns not in range(4):
            raise ValueError(f"turns is {self.turns!r}: give 0, 1, 2 or 3")

    def __call__(self, x: Tensor) -> Tensor:
        """Returns `x` `(..., H, W)` moved; H and W change places for odd `turns`."""
        mirrored = x.flip(-1) if self.flip else x
        return torch.rot90(mirrored, self.turns, (-2, -1)) if self.turns else mirrored

    def __matmul__(self, first: "Symmetry") -> "Symmetry":
        """Returns the symmetry that applies `first`, then `self`."""
        turns = -first.turns if self.flip else first.turns  # a mirror reverses the sense of turns
        return Symmetry((self.turns + turns) % 4, self.flip != first.flip)

    @property
    def inverse(self) -> "Symmetry":
        """The symmetry that undoes this one."""
        return self if self.flip else Symmetry(-self.turns % 4, False)

    @property
    def name(self) -> str:
        """The field's name, `rot90` or `transpose`."""
        return _NAMES[self.turns, self.flip]


D4: tuple[Symmetry, ...] = tuple(Symmetry(*key) for key in _NAMES)
FLIPS: tuple[Symmetry, ...] = D4[:4]
IDENTITY = D4[0]
