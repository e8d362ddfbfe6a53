import re
import subprocess
import sys

import pytest
from snippets import README, ROOT, library_blocks, predict_words, promised
from texts import PARTS, RESULTS_README, generated
from typer.main import get_command

TEXT = README.read_text()


@pytest.mark.parametrize("path", PARTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_generated_parts_are_up_to_date(path):
    assert generated(path) == path.read_text(), "run python .ci/renew texts"


def test_the_readme_is_read_in_one_sitting():
    assert len(TEXT.splitlines()) <= 200


def test_the_front_matter_fits_a_space():
    import yaml
    from packaging.requirements import Requirement

    front = yaml.safe_load(TEXT.split("---")[1])
    needed = map(Requirement, (ROOT / "requirements.txt").read_text().split())
    (gradio,) = (one for one in needed if one.name == "gradio")
    assert front["sdk_version"] in gradio.specifier
    assert front["sdk"] == "gradio"
    assert (ROOT / front["app_file"]).is_file()
    assert len(front["short_description"]) <= 60


@pytest.mark.slow
@pytest.mark.parametrize("code", library_blocks())
def test_python_code_runs_and_prints_what_it_says(code):
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [line for line in promised(code) if line not in done.stdout.splitlines()] == []


@pytest.mark.slow
def test_the_predict_command_runs(tmp_path):
    command = [sys.executable, "-m", "tta_demo", *predict_words()[:-1], tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("*.json"))


def test_ci_runs_the_command_that_contributors_are_given():
    guide = (ROOT / ".github" / "CONTRIBUTING.md").read_text()
    (command,) = re.findall(r"^pip install .* && pytest$", guide, flags=re.MULTILINE)
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


@pytest.mark.parametrize("path", [README, RESULTS_README], ids=["README", "results"])
def test_every_command_that_is_shown_exists(path):
    from tta_demo.commands.app import app

    commands = re.findall(r"python -m tta_demo ([a-z ]+)", path.read_text())
    assert commands
    for line in commands:
        command = get_command(app)
        for word in line.split():
            if not hasattr(command, "commands"):
                break
            assert word in command.commands, line
            command = command.commands[word]


@pytest.mark.parametrize("path", [README, RESULTS_README], ids=["README", "results"])
def test_every_picture_and_file_that_is_named_exists(path):
    text = path.read_text()
    pictures = re.findall(r"!\[.*\]\((.*)\)", text)
    assert pictures
    named = re.findall(r"`((?:assets|\.\.|\.github)/[^` ]*)`", text)
    for name in pictures + named:
        assert list(path.parent.glob(name)) or (path.parent / name).exists(), name


def test_the_map_names_every_folder_of_the_package():
    listed = TEXT.split("## Map")[1].split("## ")[0]
    folders = {path.parent.name for path in (ROOT / "tta_demo").glob("*/__init__.py")}
    assert set(re.findall(r"`(\w+)/`", listed)) - {"tta_demo"} == folders
