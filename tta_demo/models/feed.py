"""Feeds: how pictures are brought to what somebody's model was trained on."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["IMAGENET", "PLAIN", "Fed", "Feed"]


@dataclass(frozen=True)
class Feed:
    """Values of pictures as a model wants them: scaled, less the mean, over the deviation.

    Attributes:
        highest: what white is, 1 or 255.
        mean: of red, green and blue, in the scale of `highest`.
        std: the same, what the rest is divided by.
        order: `RGB`, or `BGR` as OpenCV reads files.

    Raises:
        ValueError: another scale or order, not three numbers, or a deviation that is not above 0.

    Example:
        >>> red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1)
        >>> Feed(highest=255, order="BGR")(red).flatten().tolist()
        [0.0, 0.0, 255.0]
        >>> Feed().sentence, Feed(255, mean=(127, 127, 127), order="BGR").sentence
        ('RGB, 0..1', 'BGR, 0..255, less 127 127 127')
    """

    highest: float = 1.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    order: str = "RGB"

    def __post_init__(self) -> None:
        if self.highest not in (1, 255):
            raise ValueError(f"highest is {self.highest!r}: white is 1 or 255")
        if self.order not in ("RGB", "BGR"):
            raise ValueError(f"order is {self.order!r}: give RGB or BGR")
        if len(self.mean) != 3 or len(self.std) != 3 or not all(x > 0 for x in self.std):
            raise ValueError(f"mean {self.mean}, std {self.std}: give three numbers each, std > 0")

    def __call__(self, images: Tensor) -> Tensor:
        """Returns values `(B, 3, H, W)` for pictures `(B, 3, H, W)`, RGB in 0..1."""
        mean, std = (torch.tensor(x).view(3, 1, 1).to(images) for x in (self.mean, self.std))
        values = (images * self.highest - mean) / std
        return values.flip(1) if self.order == "BGR" else values

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        said = f"{self.order}, 0..{self.highest:g}"
        if any(self.mean):
            said += f", less {' '.join(f'{x:g}' for x in self.mean)}"
        if self.std != (1, 1, 1):
            said += f", over {' '.join(f'{x:g}' for x in self.std)}"
        return said


class Fed(nn.Module):
    """Feeds a network as its training did."""

    def __init__(self, network: nn.Module, feed: Feed) -> None:
        super().__init__()
        self.network, self.feed = network, feed

    def forward(self, x: Tensor) -> Tensor:
        """Returns the network's answer to pictures `(B, 3, H, W)`, RGB in 0..1."""
        return self.network(self.feed(x))


PLAIN = Feed()
"""Red, green and blue in 0..1."""

IMAGENET = Feed(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
"""As most networks that were first trained on ImageNet want it."""
