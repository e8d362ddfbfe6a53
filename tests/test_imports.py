import json
import subprocess
import sys

import pytest
from snippets import ROOT

import tta_demo

NAMES = {
    "DOMAINS", "FUSIONS", "MODELS", "VIEWS", "VIEW_SETS",
    "Boxes", "Fit", "LearnableTTA", "ViewStack", "WeightFile",
    "as_model", "detect", "fit", "fuse", "fuse_boxes", "load_model", "predict_crops",
    "predict_views",
    "read_picture", "to_tensor",
}  # fmt: skip
HEAVY = ("tta_demo.training", "tta_demo.samples.weeds", "tta_demo.ui", "matplotlib", "gradio")
HEAVY += ("onnxruntime", "transformers", "huggingface_hub")


def loaded_by(*modules):
    """Returns the modules that a fresh process has after importing these."""
    code = f"import json, sys, {', '.join(modules)}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def loaded():
    return loaded_by("tta_demo")


@pytest.mark.parametrize("heavy", HEAVY)
def test_importing_the_library_loads_nothing_heavy(loaded, heavy):
    assert "tta_demo.tta.fusion" in loaded
    assert [name for name in loaded if name == heavy or name.startswith(f"{heavy}.")] == []


def test_page_and_commands_start_without_what_only_some_models_need():
    loaded = loaded_by("tta_demo.ui.page", "tta_demo.commands.app", "tta_demo.serving")
    assert "gradio" in loaded
    assert {"onnxruntime", "transformers", "ray"} & set(loaded) == set()


def test_every_name_that_people_use_comes_from_the_package():
    assert NAMES - set(tta_demo.__all__) == set()
    assert {name for name in tta_demo.__all__ if not hasattr(tta_demo, name)} == set()
