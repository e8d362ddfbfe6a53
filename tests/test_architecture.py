import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "tta_demo"

# Arrows point up this list only: a module knows nothing of those below it. A folder stands for
# all of its modules.
LAYERS = (
    "symmetry",
    "boxes",
    "box_fusion",
    "palettes",
    "pictures",
    "masks",
    "draw",
    "metrics",
    "metrics_boxes",
    "samples",
    "views",
    "detection",
    "predict",
    "fusion",
    "solver",
    "learnable",
    "answers",
    "methods",
    "learned",
    "weight_file",
    "evaluate",
    "models.unet",
    "models.runner",
    "models.detector",
    "models.train",
    "models.train_detector",
    "models.registry",
    "models.detectors",
    "learned_boxes",
    "models.card",
    "models.detector_card",
    "models.efficientnet",
    "crops",
    "classification",
    "worlds",
    "segmentation",
    "study",
    "benchmark",
    "benchmark_learn",
    "journal",
    "photos",
    "benchmark_imagenet",
    "benchmark_detect",
    "options",
    "batch",
    "batch_boxes",
    "sources",
    "commands",
    "looking",
    "cli",
    "__main__",
    "ui",
)


def imported(source):
    """Returns the full names of all modules that a source imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            # `from a import b` may name the module a.b
            names |= {f"{node.module or ''}.{alias.name}" for alias in node.names}
    return names


def imports_gradio(source):
    return any(name.split(".")[0].startswith("gradio") for name in imported(source))


def layer_of(module):
    """Returns the place in `LAYERS` of a module or of a name in one, `fusion.fuse`; or None."""
    for place, layer in enumerate(LAYERS):
        if module == layer or module.startswith(f"{layer}."):
            return place
    return None


def later_imports(module, source):
    """Returns what a module `models.unet` imports from below its own layer."""
    inside = {n.removeprefix("tta_demo.") for n in imported(source) if n.startswith("tta_demo.")}
    places = {name: layer_of(name) for name in inside}
    return {n for n, place in places.items() if place is not None and place > layer_of(module)}


def exported(source):
    """Returns the names in `__all__`, and those that the module defines or imports; or None."""
    listed, defined = None, set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            defined.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            defined |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
            defined |= names
            if "__all__" in names:
                listed = ast.literal_eval(node.value)
    return listed, defined


def only_a_docstring(source):
    body = ast.parse(source).body
    return all(isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant) for n in body)


def module_name(path):
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


FILES = sorted(PACKAGE.rglob("*.py"))
PLAIN = [path for path in FILES if path.name != "__init__.py"]


def test_only_the_page_knows_gradio():
    knowing = {p.relative_to(ROOT).as_posix() for p in FILES if imports_gradio(p.read_text())}
    assert knowing, "the checker found not even the page"
    assert {path for path in knowing if not path.startswith("tta_demo/ui/")} == set()


@pytest.mark.parametrize(
    "source",
    [
        "import gradio",
        "import os, gradio as gr",
        "from gradio import Blocks",
        "from gradio.utils import get_upload_folder",
        "import gradio_client",
        "def f():\n    if True:\n        import gradio",
    ],
)
def test_the_checker_notices_gradio(source):
    assert imports_gradio(source)


@pytest.mark.parametrize("source", ["import os", "from tta_demo.ui import page", "x = 'gradio'"])
def test_the_checker_notices_gradio_only_where_it_is_imported(source):
    assert not imports_gradio(source)


@pytest.mark.parametrize("path", PLAIN, ids=module_name)
def test_no_module_imports_one_below_it(path):
    module = module_name(path)
    assert layer_of(module) is not None, f"give {module} a place in LAYERS"
    assert later_imports(module, path.read_text()) == set()


def test_every_layer_exists():
    names = {module_name(path) for path in PLAIN}
    gone = {layer for layer in LAYERS if layer not in names and not (PACKAGE / layer).is_dir()}
    assert gone == set()


@pytest.mark.parametrize(
    ("module", "source", "later"),
    [
        ("views", "from tta_demo.fusion import fuse", {"fusion.fuse"}),
        ("fusion", "from tta_demo.views import VIEWS", set()),
        ("fusion", "import torch.fusion", set()),
        ("predict", "def f():\n    import tta_demo.models.unet", {"models.unet"}),
        ("models.unet", "from tta_demo.models import card", {"models.card"}),
        ("models.card", "from tta_demo.models import unet", set()),
        ("cli", "from tta_demo import ui", {"ui"}),
    ],
)
def test_the_checker_notices_an_import_from_below(module, source, later):
    assert later_imports(module, source) == later


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_a_module_exports_names_that_it_has(path):
    source = path.read_text()
    if path.name == "__main__.py" or only_a_docstring(source):
        return
    listed, defined = exported(source)
    assert listed is not None, "no __all__"
    assert set(listed) - defined == set()
    assert len(set(listed)) == len(listed)


def test_the_checker_notices_a_name_that_is_not_there():
    listed, defined = exported("__all__ = ['there', 'gone']\nthere: int = 3\nfrom a import b as c")
    assert set(listed) - defined == {"gone"}
    assert "c" in defined
    assert exported("x = 3")[0] is None
