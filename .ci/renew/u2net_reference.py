"""The reference run of U²-Net-P: `python .ci/renew/u2net_reference.py u2netp.onnx`.

onnxruntime answers a drawn picture twice: with the file's weights, and with these replaced by the
rounded ones that the package carries.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT))

from tta_demo.models.onnx_wire import read_onnx  # noqa: E402 (after the path is set)
from tta_demo.models.registry import MODELS  # noqa: E402
from tta_demo.models.u2net import read_u2net  # noqa: E402
from tta_demo.training.u2net import convolutions, drawn_picture  # noqa: E402


def answer(data: bytes, image: np.ndarray) -> np.ndarray:
    """The joined answer `(H, W)` to a picture `(1, 3, H, W)` in the file's own range."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: image})[0][0, 0]


def renew_reference(source: Path) -> None:
    """Writes picture and answers beside the test."""
    network = read_u2net(MODELS["u2net-p"].weights())
    pixels = (255 * drawn_picture(64, 96)).round().byte()
    image = ((pixels.float() / 255 - network.mean) / network.std).numpy()
    model = onnx.load(source)
    for axis in (2, 3):  # the file asks for 320 x 320, but any size works
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = f"free{axis}"
    data = bytearray(model.SerializeToString())
    of_file = answer(bytes(data), image)
    for parameter, tensor in convolutions(network, read_onnx(data)):
        tensor.data[:] = parameter.detach().numpy().astype("<f4").tobytes()
    np.savez_compressed(
        ROOT / "tests" / "models" / "u2net-p.npz",
        pixels=pixels[0].numpy(), of_file=of_file, of_rounded=answer(bytes(data), image),
    )  # fmt: skip


if __name__ == "__main__":
    renew_reference(Path(*sys.argv[1:]))
