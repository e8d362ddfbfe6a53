"""What goes wrong inside the page or was wrong when it started: it says so, and goes on."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from gradio import processing_utils
from raw_requests import Somebody

import tta_demo
from tta_demo.models.registry import load_model
from tta_demo.models.runner import Runner
from tta_demo.pictures.assets import ASSETS, fault_of
from tta_demo.ui.kit.failing import FULL

SHORT = "[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory"


def unlucky(*_):
    raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")


def out_of_memory(*_):
    raise RuntimeError(SHORT)


def nan(network, images, logits):
    return logits * torch.nan


@pytest.mark.parametrize("fault", [unlucky, out_of_memory, nan], ids=lambda f: f.__name__)
def test_a_pass_that_fails_is_told_and_the_next_visitor_is_served(demo, fault):
    amount = 0.1 + [unlucky, out_of_memory, nan].index(fault) / 10
    new = {"world": "nuclei", "models": [], "damage-noise": amount}  # not in the cache
    broken = load_model("unet-nuclei").network.register_forward_hook(fault)
    try:
        somebody = Somebody(demo)
        assert not somebody.asks("open_example", examples=1, **new)["success"]
    finally:
        broken.remove()
    for one in (somebody, Somebody(demo)):
        answer = one.asks("open_example", examples=1, **new)
        assert answer["success"], answer


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_picture_that_finds_no_room_is_told_and_not_printed(demo, monkeypatch, capfd):
    new = {"world": "weeds", "models": [], "damage-noise": 0.2}
    monkeypatch.setattr(processing_utils, "save_img_array_to_cache", full)
    answer = Somebody(demo).asks("new_field", **new)
    assert answer["output"]["error"] == FULL
    assert "Traceback" not in capfd.readouterr().err


def test_values_that_no_control_sends_are_not_printed(demo, capfd):
    answer = Somebody(demo).asks("open_picture", picture="a secret")
    assert not answer["success"]
    assert "secret" not in capfd.readouterr().err + answer["output"]["error"]


def test_where_memory_is_short_that_is_what_is_raised():
    class Greedy(torch.nn.Module):
        def forward(self, x):
            raise RuntimeError(SHORT)

    with pytest.raises(MemoryError, match="8 x 5"):
        Runner(Greedy(), 1)(torch.rand(1, 3, 5, 8))


@pytest.fixture
def tree(tmp_path):
    """The package as it is, with assets that can be broken."""
    (tmp_path / "tta_demo").symlink_to(Path(tta_demo.__file__).parent)
    for folder in ("weights", "results", "examples", "plans"):
        (tmp_path / "assets" / folder).mkdir(parents=True)
    for path in ASSETS.rglob("*"):
        if path.is_file():
            (tmp_path / "assets" / path.relative_to(ASSETS)).symlink_to(path)
    return tmp_path


PAGE = """
import json
from tta_demo.ui.page import build_page
from tta_demo.tasks.worlds import WORLDS
told = [str(block.value) for block in build_page().blocks.values() if hasattr(block, "value")]
print(json.dumps([*WORLDS]), *told)
"""


def started(tree):
    """What a page has in it that is built there, and which worlds."""
    how = {"cwd": tree, "capture_output": True, "text": True, "timeout": 200}
    done = subprocess.run([sys.executable, "-c", PAGE], env=os.environ, check=False, **how)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_starts_without_what_is_broken_and_says_what_is(tree):
    lost = ("weights/nuclei.safetensors", "results/weeds.json", "results/examples-weeds.json")
    broken = ("weights/nanodet-g.onnx", "results/ensembles.json", "results/photos.json")
    for name in (*lost, *broken):
        (tree / "assets" / name).unlink()
    for name in broken:
        (tree / "assets" / name).write_bytes(b"")
    page = started(tree)
    for told in (
        '["weeds", "photos"]',
        "Cell nuclei is not here: nuclei.safetensors is missing.",
        "Everyday objects (boxes) is not here: nanodet-g.onnx cannot be read.",
        "weeds.json is missing or broken",
        "photos.json is missing or broken",
    ):
        assert told in page, told


@pytest.mark.parametrize(
    ("left", "others"), [("nuclei", "weeds u2net-p"), ("photos", "weeds nuclei")]
)
def test_one_world_is_enough_for_a_page(tree, left, others):
    for name in others.split():
        (tree / "assets" / "weights" / f"{name}.safetensors").unlink()
    page = started(tree)
    assert f'["{left}"]' in page
    for name in others.split():
        assert f"{name}.safetensors is missing" in page


@pytest.mark.parametrize("name", ["weeds.safetensors", "weeds-d4.json", "nuclei-1.png"])
def test_a_file_that_was_cut_off_is_noticed(tmp_path, name):
    (whole,) = ASSETS.rglob(name)
    assert fault_of(whole) is None
    cut = tmp_path / name
    cut.write_bytes(whole.read_bytes()[:-100])
    assert fault_of(cut) == f"{name} cannot be read"
