import os
import re
import subprocess
import sys

import pytest
from gradio_client import Client, handle_file
from snippets import ROOT


@pytest.fixture
def space(tmp_path):
    """The address of the page, started as a hosted Space starts it; nothing else is set."""
    surroundings = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "SYSTEM": "spaces",
        "SPACE_ID": "me/look-again",
        "GRADIO_CACHE_EXAMPLES": "true",
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_TEMP_DIR": str(tmp_path / "gradio"),
        "PYTHONUNBUFFERED": "1",
    }
    app = [sys.executable, "app.py"]
    pipe = subprocess.PIPE
    with subprocess.Popen(app, cwd=ROOT, env=surroundings, stdout=pipe, text=True) as run:
        try:
            lines = iter(run.stdout.readline, "")
            yield next(found[0] for line in lines if (found := re.search(r"http://\S+", line)))
        finally:
            run.terminate()


@pytest.mark.slow
def test_a_space_starts_and_answers(space):
    client = Client(space, verbose=False)
    picture = handle_file(ROOT / "assets" / "examples" / "nuclei-1.png")
    report, *_ = client.predict(picture, "nuclei", "flips", api_name="/segment")
    assert report["views"] == ["identity", "hflip", "vflip", "rot180"]
    assert sum(report["pixels"].values()) == pytest.approx(1)
