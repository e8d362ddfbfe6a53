"""Which way the arrows point: folders know those below them, no import goes in a circle."""

import ast
import graphlib
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "tta_demo"

# The floors of the house, from the ground up: a folder knows nothing of those after it.
FLOORS = (
    "tta",
    "pictures",
    "samples",
    "models",
    "scoring",
    "insight",
    "learning",
    "training",
    "tasks",
    "evaluation",
    "evidence",
    "commands",
    "ui",
    "serving",
)
APART = {("ui", "commands"), ("serving", "commands")}
"""Folders that never meet, whatever their order."""


parsed = cache(ast.parse)


@cache
def imported(source):
    """Returns the full names of all modules that a source imports, anywhere in it."""
    names = set()
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            # `from a import b` may name the module a.b
            names |= {f"{node.module or ''}.{alias.name}" for alias in node.names}
    return names


def imports_gradio(source):
    return any(name.split(".")[0].startswith("gradio") for name in imported(source))


def floor_of(module):
    """Returns the floor of a module `models.unet`; None for the package's own two files."""
    folder = module.split(".")[0]
    return FLOORS.index(folder) if folder in FLOORS else None


def wrong_imports(module, source):
    """Returns what a module `models.unet` imports from a floor above its own, or apart from it."""
    inside = {n.removeprefix("tta_demo.") for n in imported(source) if n.startswith("tta_demo.")}
    own = floor_of(module)
    return {
        name
        for name in inside
        if (place := floor_of(name)) is not None
        and (place > own or (module.split(".")[0], name.split(".")[0]) in APART)
    }


def circle(graph):
    """Returns modules that import each other in a circle, if there are any."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return None


def exported(source):
    """Returns the names in `__all__`, and those that the module defines or imports; or None."""
    listed, defined = None, set()
    for node in parsed(source).body:
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
    body = parsed(source).body
    return all(isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant) for n in body)


def module_name(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = sorted(PACKAGE.rglob("*.py"))
HOUSED = [path for path in FILES if path.parent != PACKAGE]


def test_only_the_page_and_its_server_know_gradio():
    knowing = {p.relative_to(ROOT).as_posix() for p in FILES if imports_gradio(p.read_text())}
    assert knowing, "the checker found not even the page"
    known = ("tta_demo/ui/", "tta_demo/serving/")
    assert {path for path in knowing if not path.startswith(known)} == set()


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


def test_no_module_imports_one_from_a_floor_above():
    modules = {module_name(path): path for path in HOUSED}
    assert [module for module in modules if floor_of(module) is None] == [], "name it in FLOORS"
    found = {module: wrong_imports(module, path.read_text()) for module, path in modules.items()}
    assert {module: wrong for module, wrong in found.items() if wrong} == {}


def test_every_floor_exists():
    assert {floor for floor in FLOORS if not (PACKAGE / floor).is_dir()} == set()


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("tta.views", "from tta_demo.tta.fusion import fuse", set()),
        ("tta.views", "from tta_demo.tasks.segment import segment", {"tasks.segment.segment"}),
        ("tta.views", "import torch.models", set()),
        ("models.unet", "def f():\n    import tta_demo.training.unet", {"training.unet"}),
        ("models.unet", "from tta_demo import training", {"training"}),
        ("training.unet", "from tta_demo.models import unet", set()),
        ("commands.app", "from tta_demo import ui", {"ui"}),
        ("ui.page", "from tta_demo.commands import app", {"commands.app"}),
    ],
)
def test_the_checker_notices_an_import_from_above_or_apart(module, source, wrong):
    assert wrong_imports(module, source) == wrong


def test_no_import_goes_in_a_circle():
    names = {module_name(path) for path in HOUSED}
    graph = {}
    for path in HOUSED:
        if path.name == "__init__.py":  # a folder's own list of names is no module of its own
            continue
        inside = {n.removeprefix("tta_demo.") for n in imported(path.read_text())}
        # the longest part of `tta.fusion.fuse` that is a module
        found = (next((p for p in (n, n.rpartition(".")[0]) if p in names), None) for n in inside)
        graph[module_name(path)] = {name for name in found if name}
    assert circle(graph) is None


def test_the_checker_notices_a_circle():
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) is None
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == {"a", "b", "c"}


def foreign(source):
    """Returns the top-level packages that a source imports from outside this one."""
    tops = {name.split(".")[0] for name in imported(source)}
    return tops - {"tta_demo"} - set(sys.stdlib_module_names)


def test_the_core_needs_torch_and_numpy_alone():
    sources = [path.read_text() for path in (PACKAGE / "tta").glob("*.py")]
    assert set().union(*map(foreign, sources)) == {"torch", "numpy"}


def test_the_checker_notices_a_package_from_outside():
    assert foreign("import os\nfrom PIL import Image\nfrom torch import nn") == {"PIL", "torch"}


def test_the_core_is_read_in_an_hour():
    lines = sum(len(p.read_text().splitlines()) for p in (PACKAGE / "tta").glob("*.py"))
    assert 500 < lines <= 1400


def test_a_module_exports_names_that_it_has():
    for path in FILES:
        source = path.read_text()
        if path.name == "__main__.py" or only_a_docstring(source):
            continue
        listed, defined = exported(source)
        assert listed is not None, f"{path} has no __all__"
        assert set(listed) - defined == set(), path
        assert len(set(listed)) == len(listed), path


def test_the_checker_notices_a_name_that_is_not_there():
    listed, defined = exported("__all__ = ['there', 'gone']\nthere: int = 3\nfrom a import b as c")
    assert set(listed) - defined == {"gone"}
    assert "c" in defined
    assert exported("x = 3")[0] is None
