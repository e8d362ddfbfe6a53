"""The advice from the command line, and the plan that follows from it."""

import json

import numpy as np
import pytest
from PIL import Image
from test_cli import run

from tta_demo.evidence.figures import FIGURES
from tta_demo.evidence.stored import read_evidence
from tta_demo.models.registry import MODELS
from tta_demo.pictures.reading import read_picture
from tta_demo.tasks.detect import detect
from tta_demo.tasks.plan_file import read_plan
from tta_demo.tasks.segment import segment
from tta_demo.tasks.worlds import WORLDS

WEEDS = WORLDS["weeds"]
DETECTOR = MODELS["weed-detector"]

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
    plan = tmp_path / "out" / "plans" / "learned.json"
    told, _ = run("classify", tmp_path / "photos" / "tench" / "0.png", "--plan", plan)
    assert f"of {len(evidence.plan('learned').option.views)} looks agree" in told


@pytest.fixture(scope="module")
def boxes_advised(tmp_path_factory):
    out = tmp_path_factory.mktemp("boxes")
    options = ("--task", "detect", "--count", 8, "--views", "hflip,zoom1.25", "--out", out)
    return out, run("advise", *options)[0]


@once
def test_boxes_are_weighed_too(boxes_advised):
    out, told = boxes_advised
    evidence = read_evidence(out / "evidence.json")
    assert (evidence.protocol.score, evidence.protocol.model) == ("AP", "weed-detector")
    assert {one.stem for one in out.glob("*.png")} < set(FIGURES)
    assert "AP" in (out / "report.html").read_text()
    assert "missed" in told


@once
@pytest.mark.parametrize("name", ["plan", "plans/best-single", "plans/learned"])
def test_detect_looks_by_a_plan_that_was_advised(boxes_advised, tmp_path, name):
    path, picture = boxes_advised[0] / f"{name}.json", WEEDS.examples[0]
    run("detect", picture, "--plan", path, "--out", tmp_path)
    report = json.loads((tmp_path / f"{picture.stem}.json").read_text())
    wanted = json.loads(path.read_text())
    assert (report["views"], report["fusion"]) == (wanted["views"], wanted["fusion"])
    expected = detect(DETECTOR, read_picture(picture), read_plan(path, DETECTOR))
    assert report["boxes"] == expected.findings()["boxes"]
    assert report["weights"] == pytest.approx(wanted["weights"])
    again = tmp_path / "again"
    run("detect", picture, "--plan", tmp_path / f"{picture.stem}.json", "--out", again)
    assert json.loads((again / f"{picture.stem}.json").read_text())["boxes"] == report["boxes"]


@once
@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["predict", "--world", "weeds", "--out", "{out}", "--plan", "{boxes}"], "another task"),
        (["detect", "--out", "{out}", "--plan", "{pixels}"], "another task"),
        (["classify", "--plan", "{pixels}"], "another task"),
        (["predict", "--world", "weeds", "--out", "{out}", "--plan", "{pixels}", "--views", "d4"],
         "--views d4"),
        (["detect", "--out", "{out}", "--plan", "{boxes}", "--fusion", "nms"], "--fusion nms"),
        (["classify", "--plan", "{pixels}", "--views", "mirror"], "--views mirror"),
    ],
)  # fmt: skip
def test_a_plan_that_does_not_fit_is_refused_in_one_sentence(
    advised, boxes_advised, tmp_path, command, said
):
    both = {name: out / "plans" / "all.json" for name, out in
            (("pixels", advised[0]), ("boxes", boxes_advised[0]))}  # fmt: skip
    verb, *options = (word.format(out=tmp_path / "out", **both) for word in command)
    _, err = run(verb, WEEDS.examples[0], *options, code=2)
    assert said in err
    assert len(err.strip().splitlines()) == 1, err
    assert not (tmp_path / "out").exists()


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
