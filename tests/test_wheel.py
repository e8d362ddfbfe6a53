import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from PIL import Image
from snippets import ROOT, library_blocks, predict_words, promised

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def ranges(lines):
    """Returns what each package's version may be."""
    found = [Requirement(line) for line in lines]
    assert len({one.name for one in found}) == len(found)
    return {one.name: one.specifier for one in found}


def test_one_line_for_the_page_installs_what_it_and_the_package_ask_for():
    extras = PROJECT["optional-dependencies"]
    asked = [PROJECT["dependencies"], extras["page"], extras["hub"]]
    listed = (ROOT / "requirements.txt").read_text().splitlines()
    assert ranges(listed) == ranges(line for part in asked for line in part)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    build = ["pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-w", out]
    subprocess.run([sys.executable, "-m", *build, ROOT], check=True)
    (path,) = out.glob("tta_demo-*.whl")
    return path


class Environment:
    """A new environment in a folder: the packages of this one, and the wheel in place of ours."""

    def __init__(self, folder, wheel):
        self.programs, self.empty = folder / "environment" / "bin", folder / "empty"
        self.empty.mkdir()
        venv.create(folder / "environment", symlinks=True)
        install = ["install", "-q", "--no-deps", "--no-index", "--ignore-installed", wheel]
        python = self.programs / "python"
        subprocess.run([sys.executable, "-m", "pip", "--python", python, *install], check=True)
        (site,) = folder.glob("environment/lib/python*/site-packages")
        (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def run(self, program, *arguments):
        """Returns what a program prints, run in an empty folder."""
        alone = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        done = subprocess.run(
            [self.programs / program, *arguments],
            cwd=self.empty, env=alone, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("elsewhere"), wheel)


@pytest.fixture
def example(environment):
    """The README's picture, at the place where its code looks for it."""
    name = "assets/examples/nuclei-1.png"
    copy = environment.empty / name
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes((ROOT / name).read_bytes())
    return copy


together = pytest.mark.xdist_group("wheel")  # one environment for all


@together
def test_the_wheel_carries_the_package_with_its_assets_and_no_picture_of_the_readme(wheel):
    carried = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("tta_demo/")}
    sources = [path for path in (ROOT / "tta_demo").rglob("*") if path.is_file()]
    wanted = {path.relative_to(ROOT).as_posix() for path in sources if path.suffix != ".pyc"}
    assets = {
        f"tta_demo/{path.relative_to(ROOT).as_posix()}"
        for path in (ROOT / "assets").rglob("*")
        if path.is_file() and (path.parent.name != "results" or path.suffix == ".json")
    }
    shown = {name for name in assets if re.fullmatch(r"tta_demo/assets/[^/]*\.(png|webp)", name)}
    assert len(shown) >= 2
    assert carried == wanted | (assets - shown)


@pytest.mark.slow
@together
def test_the_installed_package_is_the_one_that_is_imported(environment):
    shown = environment.run("python", "-c", "import tta_demo; print(tta_demo.__file__)")
    assert Path(shown.strip()).is_relative_to(environment.programs.parent)


@pytest.mark.slow
@together
@pytest.mark.parametrize("code", library_blocks())
def test_the_code_of_the_readme_runs_where_the_wheel_is_installed(environment, example, code):
    printed = environment.run("python", "-c", code).splitlines()
    assert printed
    assert [line for line in promised(code) if line not in printed] == []


@pytest.mark.slow
@together
def test_the_command_predicts_where_the_wheel_is_installed(environment, example):
    environment.run("tta-demo", *predict_words())
    out = environment.empty / "out"
    with Image.open(example) as picture, Image.open(out / "nuclei-1-mask.png") as mask:
        assert mask.size == picture.size
        assert len(np.unique(mask)) == 3
    assert len(json.loads((out / "nuclei-1.json").read_text())["weights"]) == 8
