"""The advice from the command line, and the plan that follows from it."""

import json

import numpy as np
import pytest
from PIL import Image
from test_cli import run

from tta_demo.evidence.figures import FIGURES
from tta_demo.evidence.stored import read_evidence
from tta_demo.pictures.reading import read_picture
from tta_demo.tasks.plan_file import read_plan
from tta_demo.tasks.segment import segment
from tta_demo.tasks.worlds import WORLDS

WEEDS = WORLDS["weeds"]


once = pytest.mark.xdist_group("advise")  # what both look at is made in one process


@pytest.fixture(scope="module")
def advised(tmp_path_factory):
    out = tmp_path_factory.mktemp("advice")
    options = ("--world", "weeds", "--count", 20, "--views", "hflip,noise", "--out", out)
    told, waited = run("advise", *options)
    again, then = run("advise", *options)
    assert again == told
    assert "picture" in waited
    assert "picture" not in then  # no look is run again, so nothing is to be waited for
    return out, told


@once
def test_advise_writes_report_figures_tables_and_plans(advised):
    out, told = advised
    evidence = read_evidence(out / "evidence.json")
    assert evidence.protocol.views == ("identity", "hflip", "noise")
    assert evidence.protocol.digest == WEEDS.record.digest
    assert "advise --world weeds --count 20" in evidence.protocol.command
    for name in FIGURES:
        assert Image.open(out / f"{name}.png").size[0] > 300
        assert len((out / f"{name}.csv").read_text().splitlines()) > 1
    assert "<table>" in (out / "report.html").read_text()
    assert {one.stem.replace("-", " ") for one in (out / "plans").iterdir()} == {
        one.option.name for one in evidence.plans
    }
    assert "Noise" in told


@once
def test_predict_looks_by_a_plan_that_was_advised(advised, tmp_path):
    path = advised[0] / "plans" / "learned.json"
    picture = WEEDS.examples[0]
    run("predict", picture, "--world", "weeds", "--plan", path, "--out", tmp_path)
    mask = Image.open(tmp_path / f"{picture.stem}-mask.png")
    plan = read_plan(path, WEEDS.record)
    expected = segment(WEEDS.record, read_picture(picture), plan)
    np.testing.assert_array_equal(np.asarray(mask), expected.labels)
    assert json.loads((tmp_path / f"{picture.stem}.json").read_text())["fusion"] == "learned"


def test_photographs_with_one_class_each_are_weighed_too(tmp_path):
    rng = np.random.default_rng(0)
    for place in range(6):
        folder = tmp_path / "photos" / ("tench", "goldfish")[place % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)).save(
            folder / f"{place}.png"
        )
    options = ("--task", "classify", "--data", tmp_path / "photos", "--views", "mirror")
    told, _ = run("advise", *options, "--out", tmp_path / "out")
    evidence = read_evidence(tmp_path / "out" / "evidence.json")
    assert evidence.protocol.score == "accuracy"
    assert evidence.protocol.views == ("center", "center-mirror")
    assert "accuracy" in (tmp_path / "out" / "report.html").read_text()
    assert told


def test_boxes_are_weighed_too(tmp_path):
    options = ("--task", "detect", "--count", 8, "--views", "hflip", "--out", tmp_path)
    told, _ = run("advise", *options)
    evidence = read_evidence(tmp_path / "evidence.json")
    assert (evidence.protocol.score, evidence.protocol.model) == ("AP", "weed-detector")
    assert {one.stem for one in tmp_path.glob("*.png")} < set(FIGURES)
    assert "AP" in (tmp_path / "report.html").read_text()
    assert "missed" in told


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--task", "classify"], "--data"),
        (["--task", "dance"], "dance"),
        (["--task", "detect", "--model", "nanodet-g"], "--data"),
        (["--task", "detect", "--views", "tilt+10"], "tilt"),
        (["--world", "photos"], "--data"),
        (["--world", "weeds", "--count", 3, "--views", "hflip"], "at least 4"),
        (["--world", "weeds", "--views", "sideways"], "sideways"),
    ],
)
def test_what_cannot_be_weighed_is_one_sentence(tmp_path, arguments, named):
    _, err = run("advise", *arguments, "--out", tmp_path / "out", code=2)
    assert named in err.strip().splitlines()[-1]
