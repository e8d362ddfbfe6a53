from hashlib import sha256
from pathlib import Path

import pytest
from snippets import ROOT

LISTED = Path(__file__).with_name("assets.sha256")
KEPT = (
    "plans/*.json",
    "results/*.json",
    "weights/*.json",
    "weights/*.safetensors",
    "weights/*.onnx",
    "examples/*",
)
RENEW = f"(cd assets && sha256sum {' '.join(KEPT)}) > tests/assets.sha256"


def digests(folder):
    """Returns the digests of what must not change by accident."""
    paths = sorted(path for pattern in KEPT for path in folder.glob(pattern))
    return {p.relative_to(folder).as_posix(): sha256(p.read_bytes()).hexdigest() for p in paths}


def test_results_weights_and_examples_are_what_they_were():
    lines = [line.split("  ", 1) for line in LISTED.read_text().splitlines()]
    assert digests(ROOT / "assets") == {name: digest for digest, name in lines}, (
        f"if you mean to change them: {RENEW}"
    )


@pytest.mark.parametrize("name", ["weights/a.json", "examples/a.png", "results/a.json"])
def test_one_changed_byte_is_noticed(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir()
    path.write_bytes(b"what it was")
    before = digests(tmp_path)
    path.write_bytes(b"what it wos")
    assert digests(tmp_path).keys() == before.keys() == {name}
    assert digests(tmp_path) != before
