"""A network made ready to answer: for any picture size, in the fastest fitting arithmetic."""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from tta_demo.models.turns import PASSES

__all__ = [
    "Runner", "TwoClasses", "device_named", "pick_device", "pick_dtype", "read_network",
]  # fmt: skip

SMALL = 640 * 640
"""Pixels; of a picture that has more, a pass takes seconds."""
AT_ONCE = 2
"""Passes over small pictures that may run together on a CPU: much of one keeps a single core busy.
On two cores two are done sooner together than one after the other, and four no sooner."""


class Runner:
    """Calls a network on pictures of any size; safe to share between threads.

    Passes over large pictures run one at a time, as they need much memory, and small pictures do
    not wait for them.

    Args:
        network: from `(B, 3, H, W)` to logits `(B, C, H, W)` or `(B, C)`.
        stride: what H and W must be multiples of; pictures are continued to them, and logits cut.
        device: `cuda`, `mps` or `cpu`.
        dtype: what to compute in.
    """

    def __init__(
        self,
        network: nn.Module,
        stride: int,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.network = network.eval().to(device, dtype, memory_format=torch.channels_last)
        self.stride = stride
        self.device = device
        self.dtype = dtype

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Returns logits `(B, C, H, W)` or `(B, C)` float32 of pictures `(B, 3, H, W)`, 0..1.

        Raises:
            MemoryError: there is not enough for these pictures; torch has no type of its own.
        """
        height, width = images.shape[-2:]
        x = F.pad(images, (0, -width % self.stride, 0, -height % self.stride), "replicate")
        x = x.to(self.device, self.dtype, memory_format=torch.channels_last)
        large = height * width > SMALL
        at_once = AT_ONCE if self.device == "cpu" and not large else 1
        try:
            with PASSES.turn((self, large), at_once):
                logits = self.network(x)
        except RuntimeError as error:
            if "memory" in str(error):
                raise MemoryError(f"{width} x {height} pixels are too many here") from error
            raise
        return (logits[..., :height, :width] if logits.ndim == 4 else logits).float()


class TwoClasses(nn.Module):
    """Makes logits of background and subject `(B, 2, H, W)` out of one, `(B, 1, H, W)`."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits whose softmax is the sigmoid of the network's."""
        logits = self.network(x)
        return torch.cat([torch.zeros_like(logits), logits], 1)


def read_network(path: Path, shaped: Callable[[dict[str, Tensor]], nn.Module]) -> nn.Module:
    """Returns the network of a safetensors file in float32, ready for inference.

    `shaped` makes one of the right shape for the tensors by name. Batch norm's step counters may
    be missing, inference does not need them.
    """
    tensors = load_file(path)
    network = shaped(tensors)
    counters = {k: v for k, v in network.state_dict().items() if k.endswith("batches_tracked")}
    network.load_state_dict({k: v.float() for k, v in tensors.items()} | counters)
    return network.eval()


def pick_device() -> str:
    """Returns the fastest device that is there: `cuda`, `mps` or `cpu`."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def device_named(name: str) -> str:
    """Returns a device, `auto` for the fastest one; a `ValueError` if it is not there."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": pick_device() == "mps"}
    device = pick_device() if name == "auto" else name
    if not there.get(device):
        raise ValueError(f"device {name!r} is not there: choose auto or {pick_device()}")
    return device


def pick_dtype(device: str) -> torch.dtype:
    """Returns bfloat16 on a CPU that has instructions for it, float32 elsewhere."""
    # A private probe, the only one from torch 2.8 on; without it the exact path is taken.
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", bool)
    fast = device == "cpu" and probe()
    return torch.bfloat16 if fast else torch.float32
