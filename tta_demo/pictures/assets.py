"""Where the files that come with the package are."""

from pathlib import Path

__all__ = ["ASSETS"]

_PACKAGE = Path(__file__).parents[1]

ASSETS = next(
    (folder for folder in (_PACKAGE / "assets", _PACKAGE.parent / "assets") if folder.is_dir()),
    _PACKAGE / "assets",
)
"""Inside the package once it is installed; beside it in a checkout."""
