import re
import shlex
import subprocess
import sys

import pytest
from readme import README, ROOT, generated

TEXT = README.read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


def test_the_generated_parts_are_up_to_date():
    assert generated(TEXT) == TEXT, "run python tests/readme.py"


def test_the_front_matter_fits_a_space():
    import yaml

    front = yaml.safe_load(TEXT.split("---")[1])
    assert front["sdk"] == "gradio"
    assert (ROOT / front["app_file"]).is_file()
    assert len(front["short_description"]) <= 60


@pytest.mark.slow
@pytest.mark.parametrize("code", blocks("python"))
def test_python_code_runs(code):
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_predict_command_runs(tmp_path):
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    (command,) = [line for line in lines if line.startswith("python -m tta_demo predict")]
    words = [str(tmp_path) if word == "out" else word for word in shlex.split(command)[1:]]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("*.json"))


def test_ci_runs_the_command_that_the_readme_gives():
    (command,) = [b.strip() for b in blocks("sh") if "pytest" in b]
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_every_command_in_the_readme_exists():
    from typer.main import get_command

    from tta_demo.commands.app import app

    for line in re.findall(r"python -m tta_demo ([a-z ]+)", TEXT):
        command = get_command(app)
        for word in line.split():
            if not hasattr(command, "commands"):
                break
            assert word in command.commands, line
            command = command.commands[word]
