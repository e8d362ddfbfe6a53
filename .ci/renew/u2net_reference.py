"""The reference run of U²-Net-P: `python .ci/renew u2net_reference u2netp.onnx`.

onnxruntime answers a drawn picture twice: with the file's weights, and with these replaced by the
rounded ones that the package carries.
"""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from tta_demo.models.feed import IMAGENET
from tta_demo.models.onnx_wire import read_onnx
from tta_demo.models.registry import MODELS
from tta_demo.models.u2net import read_u2net
from tta_demo.training.u2net import convolutions, drawn_picture

REFERENCE = Path(__file__).parents[2] / "tests" / "models" / "u2net-p.npz"


def answer(data: bytes, image: np.ndarray) -> np.ndarray:
    """The joined answer `(H, W)` to a picture `(1, 3, H, W)` in the file's own range."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: image})[0][0, 0]


def renew_reference(source: Path) -> None:
    """Writes picture and answers beside the test."""
    network = read_u2net(MODELS["u2net-p"].weights())
    pixels = (255 * drawn_picture(64, 96)).round().byte()
    image = IMAGENET(pixels.float() / 255).numpy()
    model = onnx.load(source)
    for axis in (2, 3):  # the file asks for 320 x 320, but any size works
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = f"free{axis}"
    data = bytearray(model.SerializeToString())
    of_file = answer(bytes(data), image)
    for parameter, tensor in convolutions(network, read_onnx(data)):
        tensor.data[:] = parameter.detach().numpy().astype("<f4").tobytes()
    np.savez_compressed(
        REFERENCE,
        pixels=pixels[0].numpy(), of_file=of_file, of_rounded=answer(bytes(data), image),
    )  # fmt: skip
