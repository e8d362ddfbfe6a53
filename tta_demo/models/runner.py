"""A network made ready to answer: for any picture size, in the fastest fitting arithmetic."""

import threading

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Runner", "device_named", "filled", "pick_device", "pick_dtype"]


class Runner:
    """Calls a network on pictures of any size; safe to share between threads.

    One forward pass at a time: on a CPU a second one would only slow both down.

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
        self._lock = threading.Lock()

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Returns logits `(B, C, H, W)` or `(B, C)` float32 of pictures `(B, 3, H, W)`, 0..1."""
        height, width = images.shape[-2:]
        x = images
        if height % self.stride or width % self.stride:
            x = F.pad(x, (0, -width % self.stride, 0, -height % self.stride), "replicate")
        x = x.to(self.device, self.dtype, memory_format=torch.channels_last)
        with self._lock:
            logits = self.network(x)
        return (logits[..., :height, :width] if logits.ndim == 4 else logits).float()


def filled(network: nn.Module, tensors: dict[str, Tensor]) -> nn.Module:
    """Returns a network with stored weights in float32, ready for inference.

    Args:
        network: of the right shape.
        tensors: by name; batch norm's step counters may be missing, inference does not need them.
    """
    counters = {k: v for k, v in network.state_dict().items() if k.endswith("batches_tracked")}
    network.load_state_dict({k: v.float() for k, v in tensors.items()} | counters)
    return network.eval()


def pick_device() -> str:
    """Returns the fastest device that is there: `cuda`, `mps` or `cpu`."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def device_named(name: str) -> str:
    """Returns a device that is there; `auto` stands for the fastest one.

    Raises:
        ValueError: it is not there.
    """
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
