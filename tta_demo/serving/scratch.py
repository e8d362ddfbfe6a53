"""One folder for all that visitors bring, which goes when the program ends."""

import atexit
import os
import shutil
import tempfile
import time
from pathlib import Path

__all__ = ["own_scratch"]

_NAME = "tta-demo-served-"
_DAY = 24 * 3600


def own_scratch() -> Path:
    """Makes a new folder the place of all temporary files, gradio's uploads too; returns it.

    It goes when the program ends; what another left behind that was killed goes after a day.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_NAME}*"):
        if time.time() - left.stat().st_mtime > _DAY:
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_NAME)).resolve()
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    os.environ["GRADIO_TEMP_DIR"] = str(folder / "uploads")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
