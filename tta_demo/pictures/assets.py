"""Where the files that come with the package are, and whether they are whole."""

import json
from pathlib import Path

from PIL import Image
from safetensors import SafetensorError, safe_open

__all__ = ["ASSETS", "fault_of"]

_PACKAGE = Path(__file__).parents[1]

ASSETS = next(
    (folder for folder in (_PACKAGE / "assets", _PACKAGE.parent / "assets") if folder.is_dir()),
    _PACKAGE / "assets",
)
"""Inside the package once it is installed; beside it in a checkout."""


def fault_of(path: Path) -> str | None:
    """Returns what is wrong with a file, in a few words; None if it is there and can be read.

    Pictures and tables of weights are opened, but not decoded or loaded: that takes too long.

    Example:
        >>> fault_of(ASSETS / "preview.jpg"), fault_of(Path("gone.json"))
        (None, 'gone.json is missing')
    """
    if not path.is_file():
        return f"{path.name} is missing"
    try:
        _open(path)
    except (OSError, ValueError, SyntaxError, SafetensorError):  # Pillow's word for a bad PNG
        return f"{path.name} cannot be read"
    return None


def _open(path: Path) -> None:
    if path.suffix == ".json":
        json.loads(path.read_text("utf-8"))
    elif path.suffix == ".safetensors":
        with safe_open(path, "pt"):
            pass
    elif path.suffix in (".png", ".jpg"):
        with Image.open(path) as picture:
            picture.verify()
    elif not path.stat().st_size:
        raise ValueError("empty")
