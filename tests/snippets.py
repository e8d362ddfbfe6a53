"""The code in the README, as a reader would copy it."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), flags=re.DOTALL)


PAGE = "http://127.0.0.1:7860"
"""Where the README's clients look for the page."""


def library_blocks():
    """Returns the Python that runs without a page."""
    return [block for block in blocks("python") if PAGE not in block]


def client_blocks():
    """Returns the Python that asks a page."""
    return [block for block in blocks("python") if PAGE in block]


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
