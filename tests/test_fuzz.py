"""Damaged files of every kind: clean refusals within bounds. `TTA_FUZZ=10000` tries more of them.

`TTA_FUZZ_SEED` begins elsewhere; what a failure left behind is found by the seed and number that
it tells.
"""

import os
import resource
import shutil
import time
from collections import deque
from itertools import islice

import pytest
from fuzz import corpus, mutants, read

from tta_demo.models import onnx_session
from tta_demo.pictures import workers

COUNT, SEED = (int(os.environ.get(f"TTA_FUZZ{key}", n)) for key, n in (("", 500), ("_SEED", 0)))
SECONDS = 5
"""Processor time that one reader may take; it takes milliseconds."""
MEGABYTES = 500
"""What all of them together may add to this process."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, value in {"_idle": deque(), "_guarded": set(), "CPU_SECONDS": 2}.items():
        monkeypatch.setattr(workers, name, value)
    monkeypatch.setattr(onnx_session, "SECONDS", SECONDS)
    workers.guard(tmp_path)
    yield tmp_path
    workers._end_all()


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.filterwarnings("ignore")  # of what is odd in these files
def test_damaged_files_are_refused_cleanly_or_read_within_bounds(folder):
    before, sound, faults = peak(), 0, []
    for number, (ending, data) in enumerate(islice(mutants(corpus(), SEED), COUNT)):
        path = folder / f"own{ending}"
        path.write_bytes(data)
        begun = time.process_time()
        for reader in read(path):
            try:
                reader()
                sound += 1
            except ValueError as error:
                if not 10 < len(str(error)) < 2000 or str(folder) in str(error):
                    faults.append((number, ending, str(error)[:200]))
            except Exception as error:
                faults.append((number, ending, repr(error)[:200]))
        if time.process_time() - begun > SECONDS:
            faults.append((number, ending, f"{time.process_time() - begun:.1f} s"))
        shutil.rmtree(folder / "into", ignore_errors=True)
    assert faults == [], faults
    assert sound > 0.02 * COUNT  # some damage does no harm: the readers were really asked
    assert peak() - before < MEGABYTES
