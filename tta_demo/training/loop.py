"""What every training does: AdamW, one cosine cycle, averaged weights, float16 on the disk.

Sources: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019 (AdamW, cosine);
Izmailov et al., "Averaging Weights Leads to Wider Optima", 2018 (here as a running exponential
average).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel

from tta_demo.models.record import Augmentation
from tta_demo.models.runner import pick_dtype

__all__ = ["Descent", "Recipe", "autocast"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model is trained; everything that the result depends on beside the pictures.

    Attributes:
        augmentation: what training shows beside the pictures themselves.
        data: what it learns from, and what is special about that; for the model card.
        loss: what is minimised; for the model card.
        best: what was highest in the history when the weights were kept; else the last are.
        average: how much of the averaged weights each step keeps.
    """

    augmentation: Augmentation
    data: str
    loss: str
    best: str = ""
    width: int = 16
    batch: int = 12
    learning_rate: float = 2e-3
    weight_decay: float
    average: float = 0.998
    seed: int = 0


class Descent:
    """Steps down the loss of a network, in place, and keeps a running average of its weights.

    In the part `warmup` of all steps the learning rate rises.
    """

    def __init__(self, network: nn.Module, recipe: Recipe, steps: int, warmup: float) -> None:
        average, rate = running_average(recipe.average), recipe.learning_rate
        self._average = AveragedModel(network, avg_fn=average, use_buffers=True)
        self._network = network
        self._optimizer = AdamW(network.parameters(), rate, weight_decay=recipe.weight_decay)
        self._schedule = OneCycleLR(
            self._optimizer, rate, steps, pct_start=warmup, cycle_momentum=False
        )

    def step(self, loss: Tensor) -> float:
        """Takes a step, and returns the loss that it started from."""
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        self._schedule.step()
        self._average.update_parameters(self._network)
        return loss.item()

    @property
    def averaged(self) -> nn.Module:
        """The network with averaged weights."""
        return self._average.module

    def save(self, out: Path) -> None:
        """Writes the averaged weights as float16 safetensors."""
        out.parent.mkdir(parents=True, exist_ok=True)
        tensors = self.averaged.state_dict().items()
        # batch norm's step counters are not stored: inference does not need them
        kept = {k: v for k, v in tensors if not k.endswith("batches_tracked")}
        save_file({k: v.half().contiguous() for k, v in kept.items()}, out)


def running_average(decay: float) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Returns an exponential average that forgets fast at first: the start weights are noise."""

    def average(kept: Tensor, new: Tensor, count: Tensor) -> Tensor:
        if not kept.is_floating_point():
            return new  # batch norm's step counters
        now = min(decay, (1 + int(count)) / (10 + int(count)))
        return kept.lerp(new, 1 - now)

    return average


def autocast() -> torch.autocast:
    """Returns bfloat16 arithmetic where the CPU has instructions for it."""
    return torch.autocast("cpu", torch.bfloat16, enabled=pick_dtype("cpu") == torch.bfloat16)
