import json

import pytest


@pytest.mark.slow
def test_the_benchmark_saves_its_table(tmp_path):
    from typer.testing import CliRunner

    from tta_demo.commands.app import app

    options = ["--pictures", "2", "--calibration", "1", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, ["benchmark", "detect", *options])
    assert done.exit_code == 0, done.output
    result = json.loads((tmp_path / "detection.json").read_text())
    rows = result["rows"]
    assert [row["views"] for row in rows.values()] == [1, 2, 2, 8, 8, 8, 15, 8]
    assert all(0 < row["ap"] < row["ap50"] <= 1 for row in rows.values())
    none, learned, even = rows["no TTA"], rows["D4, WBF, learned"], rows["D4, WBF"]
    assert even["minus_no_tta"]["value"] == pytest.approx(even["ap"] - none["ap"], abs=2e-6)
    gained = result["learned_minus_even"]["value"]
    assert gained == pytest.approx(learned["ap"] - even["ap"], abs=2e-6)
    assert sum(result["learned"]["weights"].values()) == pytest.approx(1, abs=1e-5)
    assert result["learned"]["history"] == sorted(result["learned"]["history"])
    assert none["ms"] < even["ms"]
