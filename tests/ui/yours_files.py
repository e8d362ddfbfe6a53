"""Files of models as visitors bring them, small and answered at once."""

import io
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from onnx_models import MIX, file, mixing, node
from snippets import ROOT

from tta_demo.models.unet import UNet
from tta_demo.ui.takeaway.bundle import all_files, result_masks

RUN = "import runpy, torch; torch.set_num_threads(1); runpy.run_path('look_again.py')"


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


def planted_sides(side):
    """Returns a file that calls the left half of what it sees 1 and the right half 2."""
    planted = np.zeros((1, 3, side, side), np.float32)
    planted[0, 1, :, : side // 2] = planted[0, 2, :, side // 2 :] = 5
    nodes = [node("Mul", ["x", "nothing"], "z"), node("Add", ["z", "planted"])]
    tensors = {"nothing": np.float32([0]), "planted": planted}
    return file(nodes, (1, 3, side, side), tensors)


def planted_half(side):
    """Returns a file that scores how bright the left half and the right half are."""
    weights = np.zeros((3, side, side, 2), np.float32)
    weights[:, :, : side // 2, 0] = weights[:, :, side // 2 :, 1] = 9 / side**2
    tensors = {"w": weights.reshape(-1, 2)}
    return file(
        [node("Flatten", ["x"], "f"), node("MatMul", ["f", "w"])], (1, 3, side, side), tensors
    )


def said(updates):
    """What stands in the panel at last."""
    return [update["own_told"] for update in updates if "own_told" in update][-1]


def run_code(taken, folder, environment=(), beside=None):
    """Runs the code of a result elsewhere; its mask and scores must be those on the page."""
    folder.mkdir()
    with zipfile.ZipFile(io.BytesIO(all_files(taken))) as archive:
        archive.extractall(folder)
    assert max(map(len, taken.code.splitlines())) <= 99
    (folder / "mask.png").unlink()
    if beside is not None:
        (folder / beside.name).write_bytes(beside.read_bytes())
    here = os.environ | {"PYTHONPATH": str(ROOT)} | dict(environment)
    command = [sys.executable, "-c", RUN]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=here)
    assert done.returncode == 0, done.stderr
    assert (folder / "mask.png").read_bytes() == result_masks(taken)["mask.png"]
    one = done.stdout.split()[2]
    assert float(one) == pytest.approx(taken.report["scores"]["one_look"]["miou"], abs=1e-4)
