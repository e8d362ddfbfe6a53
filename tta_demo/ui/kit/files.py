"""Files: what visitors upload and download, and what lies beside the page's modules."""

from pathlib import Path
from typing import Any

from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder, is_in_or_equal

__all__ = ["beside", "saved", "uploaded"]


def uploaded(upload: dict[str, Any] | None) -> Path:
    """Returns where an uploaded file is.

    Raises:
        ValueError: there is none, or a made-up request names any other path.
    """
    path = upload.get("path") if isinstance(upload, dict) else None
    if not isinstance(path, str) or not is_in_or_equal(path, get_upload_folder()):
        raise ValueError("No file arrived: choose it again.")
    return Path(path)


def saved(content: bytes, name: str) -> str:
    """Returns the path of a new file to download, in the cache that the server empties."""
    return save_bytes_to_cache(content, name, get_upload_folder())


def beside(module: str, name: str) -> str:
    """Returns the text of a script or style sheet that lies beside a module's `__file__`."""
    return Path(module).with_name(name).read_text()
