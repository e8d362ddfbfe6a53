"""The stage's scripts in node: their own tests, and what they combine against the library."""

import base64
import json
import os
import re
import shutil
import subprocess
from math import log
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import torch
from stage_scenes import D4, field_scene, fused, scene_of, stack_of

from tta_demo.tta.fusion import fuse
from tta_demo.tta.predict import ViewStack, to_labels, to_tensor
from tta_demo.tta.views import VIEWS
from tta_demo.ui.stage import component, pack

HERE = Path(__file__).parent
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(
    not NODE and not os.environ.get("CI"), reason="there is no node; in CI its absence fails"
)


def node(*arguments, given=None):
    done = subprocess.run(
        [NODE, *arguments], input=given, capture_output=True, text=True, cwd=HERE, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def combined(scene, on=None, forget=False):
    """Returns what the browser makes of a scene with these looks on."""
    on = list(scene.flags) if on is None else on
    told = json.loads(
        node("labels.mjs", given=json.dumps({"value": pack(scene), "on": on, "forget": forget}))
    )
    shape = scene.rgb.shape[:2]
    for key in ("labels", "again"):
        told[key] = np.frombuffer(base64.b64decode(told[key]), np.uint8).reshape(shape)
    told["doubts"] = {
        key: np.frombuffer(base64.b64decode(code), np.float32).reshape(shape)
        for key, code in told["doubts"].items()
    }
    return told


def unlike(a, b):
    return float((a != b).mean())


def test_the_scripts_own_tests_pass():
    node("--test", *sorted(str(path) for path in HERE.glob("*.test.mjs")))


def weights_of(views, classes=None, zero=False):
    generator = torch.Generator().manual_seed(3)
    shape = (len(views),) if classes is None else (len(views), classes)
    weights = torch.rand(shape, generator=generator) ** 3 + 0.01
    if zero:
        weights[2] = 0
    return weights / weights.sum(0)


SOME = [True, False, True, True, False, True, True, True]
MOVED = (*D4[:4], "tilt+10", "shift", "tilt-10", "zoom0.75")


@pytest.mark.parametrize("views", [D4, MOVED], ids=["d4", "unseen pixels"])
@pytest.mark.parametrize(
    ("fusion", "weights"),
    [
        ("mean", None),
        ("vote", None),
        ("learned", weights_of(D4)),
        ("learned", weights_of(D4, zero=True)),
        ("learned", weights_of(D4, 3)),
    ],
    ids=["mean", "vote", "weights", "a weight of 0", "weights per class"],
)
def test_looks_taken_out_in_the_browser_give_the_librarys_labels(views, fusion, weights):
    scene, stack = scene_of(views, fusion, weights, size=(120, 160))
    ours = fused(stack, fusion, weights, SOME)
    assert unlike(ours, scene.together[-1]) > 0.004  # it makes a difference at all
    assert unlike(combined(scene, SOME)["labels"], ours) <= 0.001


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fusion", "weights"), [("mean", None), ("vote", None), ("learned", weights_of(D4))]
)
def test_probabilities_in_bytes_are_enough_on_a_real_field(fusion, weights):
    scene, stack = field_scene("d4", fusion, weights)
    ours = fused(stack, fusion, weights, SOME)
    assert unlike(combined(scene, SOME)["labels"], ours) <= 0.001


@pytest.mark.parametrize("fusion", ["mean", "vote"])
def test_all_looks_combined_again_are_the_servers_own(fusion):
    scene, _ = scene_of(fusion=fusion, size=(120, 160))
    told = combined(scene)
    assert (told["labels"] == scene.together[-1]).all()
    assert unlike(told["again"], scene.together[-1]) <= 0.001


def test_counts_after_a_look_was_taken_out_are_those_of_its_labels():
    scene, _ = scene_of(size=(120, 160))
    told = combined(scene, SOME)
    one, last, truth = scene.first, told["labels"], scene.truth
    assert told["counts"]["wrong"][-1] == int((last != truth).sum())
    assert told["counts"]["fixed"][-1] == int(((one != truth) & (last == truth)).sum())
    assert told["counts"]["broken"][-1] == int(((one == truth) & (last != truth)).sum())
    labels = np.stack([x.labels for x, on in zip(scene.looks.values(), SOME, strict=True) if on])
    assert told["counts"]["split"][-1] == int((labels != labels[0]).any(0).sum())


@pytest.mark.parametrize("views", [D4, ("identity", "shift")])
def test_answers_that_are_not_turned_back_lie_as_the_model_gave_them(views):
    scene, _ = scene_of(views, size=(80, 80))
    _, stack = stack_of(scene.rgb, views, 3)
    image = to_tensor(scene.rgb)[None]
    frames, seen = [], []
    for look, name in zip(stack.log_probs.exp(), stack.views, strict=True):
        view = VIEWS[name]
        there = view.augment(image)
        assert there.shape == image.shape
        moved = view.symmetry(look)
        down, right = view.offset(80, 80)
        moved = torch.nn.functional.pad(moved, (right, 0, down, 0))[..., :80, :80]
        ones = view.seen((80, 80))
        ones = torch.ones(80, 80) if ones is None else ones.float()
        ones = torch.nn.functional.pad(ones, (right, 0, down, 0))[:80, :80]
        frames.append(moved)
        seen.append(ones > 0)
    logs = torch.stack(frames).clamp_min(1e-9).log()
    ours = to_labels(fuse(ViewStack(stack.views, logs, torch.stack(seen)), "mean"))
    assert unlike(combined(scene, forget=True)["labels"], ours) <= 0.001


@pytest.mark.parametrize("views", [D4, MOVED], ids=["d4", "unseen pixels"])
def test_doubt_is_the_entropy_of_the_mean_and_the_mean_of_entropies(views):
    scene, stack = scene_of(views, size=(60, 60))
    told = combined(scene)["doubts"]

    def entropy(p):
        return -(p * p.clamp_min(1e-12).log()).sum(-3) / log(3)

    seen = torch.ones(len(views), 60, 60) if stack.seen is None else stack.seen.float()
    probs = stack.log_probs.exp() * seen[:, None]
    shared = (entropy(probs) * seen).sum(0) / seen.sum(0)
    whole = entropy(probs.sum(0) / seen.sum(0))
    assert np.abs(told["all"] - whole.numpy()).max() < 0.02
    assert np.abs(told["shared"] - shared.numpy()).max() < 0.02
    assert np.abs(told["split"] - (whole - shared).numpy()).max() < 0.03


@pytest.mark.parametrize("kind", component.KINDS)
def test_the_joined_script_is_one_function_body_without_module_words(kind):
    script = component.script(kind)
    assert not re.search(r"^(import|export)\b", script, re.M)
    node("-e", "new Function('element', 'trigger', 'props', 'watch', process.argv[1])", script)
    names = re.findall(r"^(?:async )?(?:function|const|let) (\w+)", script, re.M)
    assert len(names) == len(set(names)), sorted(n for n in names if names.count(n) > 1)


@pytest.mark.parametrize("kind", component.KINDS)
def test_nothing_in_skeleton_or_style_is_evaluated(kind):
    with gr.Blocks():
        made = component.stage(None, "stage", kind)
    text = made.html_template + made.css_template
    assert text.count('class="scrub"') == 1
    assert not re.search(r"\\|`|\$\{|\{\{|@keyframes", text)
