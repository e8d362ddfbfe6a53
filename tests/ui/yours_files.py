"""Files of models as visitors bring them, small and answered at once."""

import torch
from onnx_models import MIX, mixing

from tta_demo.models.unet import UNet


def save_checkpoint(path, classes=5):
    """Writes a checkpoint whose answers are far from even."""
    torch.manual_seed(7)
    network = UNet(classes, 4)
    with torch.no_grad():
        network.outputs.weight.mul_(30)
        network.outputs.bias.zero_()
    torch.save(network.state_dict(), path)
    return path


def save_onnx(path, shape=(1, 3, "h", "w")):
    """Writes an ONNX file of four classes that go by colour."""
    path.write_bytes(mixing(shape, 9 * MIX))
    return path
