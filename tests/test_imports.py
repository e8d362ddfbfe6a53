import json
import subprocess
import sys

import pytest
from snippets import ROOT

import tta_demo

NAMES = {
    "DOMAINS", "FUSIONS", "MODELS", "VIEWS", "VIEW_SETS",
    "Boxes", "Fit", "LearnableTTA", "ViewStack", "WeightFile",
    "detect", "fit", "fuse", "fuse_boxes", "load_model", "predict_crops", "predict_views",
    "read_picture", "to_tensor",
}  # fmt: skip
HEAVY = ("tta_demo.training", "tta_demo.samples.weeds", "tta_demo.ui", "matplotlib", "gradio")
HEAVY += ("onnxruntime",)


@pytest.fixture(scope="module")
def loaded():
    """The modules that a fresh process has after importing the library."""
    code = "import json, sys, tta_demo; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("heavy", HEAVY)
def test_importing_the_library_loads_nothing_heavy(loaded, heavy):
    assert "tta_demo.tta.fusion" in loaded
    assert [name for name in loaded if name == heavy or name.startswith(f"{heavy}.")] == []


@pytest.mark.slow
def test_the_page_is_built_without_what_only_peoples_own_models_need():
    code = "import sys, tta_demo.ui.page as p; p.build_page(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    modules = set(done.stdout.decode().split())
    assert "gradio" in modules
    assert modules & {"onnxruntime", "transformers"} == set()


def test_every_name_that_people_use_comes_from_the_package():
    assert NAMES - set(tta_demo.__all__) == set()
    assert {name for name in tta_demo.__all__ if not hasattr(tta_demo, name)} == set()
