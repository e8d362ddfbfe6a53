import json

from test_cli import run

from tta_demo.tasks.plan_file import read_plan, read_sure
from tta_demo.tasks.worlds import WORLDS

WEEDS = WORLDS["weeds"]


def test_predict_stops_by_the_plan_that_sure_wrote(tmp_path):
    path, out = tmp_path / "plan.json", tmp_path / "out"
    options = ("--world", "weeds", "--count", 8, "--views", "hflip", "--loss", 5, "--out", path)
    told, _ = run("sure", *options)
    assert "of 2 looks on average" in told
    plan = read_plan(path, WEEDS.record)
    assert plan.views[0] == "identity"
    assert read_sure(path) > 0
    facts = json.loads(path.read_text())
    assert facts["calibration"] == {"pictures": 8, "first": "weeds-3000000"}
    path.write_text(json.dumps(facts | {"sure_below": 1}))  # whatever the picture
    picture = WEEDS.examples[0]
    told, _ = run("predict", picture, "--world", "weeds", "--plan", path, "--out", out)
    assert "1 of 2 looks were enough" in told
    assert json.loads((out / f"{picture.stem}.json").read_text())["views"] == ["identity"]
