import os
import subprocess
import sys
import time
from pathlib import Path

from snippets import ROOT

CODE = """
import runpy, tempfile
print(runpy.run_path("tta_demo/serving/scratch.py")["own_scratch"](), tempfile.mkdtemp())
"""


def test_all_temporary_files_are_in_one_folder_that_goes_at_the_end(tmp_path):
    killed, running = tmp_path / "tta-demo-served-a", tmp_path / "tta-demo-served-b"
    for folder in (killed, running):
        (folder / "uploads").mkdir(parents=True)
    os.utime(killed, (time.time() - 2 * 24 * 3600,) * 2)
    here = os.environ | {"TMPDIR": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=ROOT,
        env=here,
        capture_output=True,
        text=True,
        check=True,
    )
    scratch, inner = map(Path, run.stdout.split())
    assert inner.parent == scratch
    assert scratch.parent == tmp_path
    assert list(tmp_path.iterdir()) == [running]
