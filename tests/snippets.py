"""The code in the README, as a reader would copy it."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), flags=re.DOTALL)


def promised(code):
    """Returns what the comments beside `print` say that it prints."""
    return re.findall(r"^print\(.*\)  # (.*)$", code, flags=re.MULTILINE)


def predict_words():
    """Returns the arguments of the README's predict command, with `--out out` at their end."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    (command,) = [line for line in lines if line.startswith("python -m tta_demo predict")]
    words = shlex.split(command)[3:]
    assert words[-2:] == ["--out", "out"]
    return words
