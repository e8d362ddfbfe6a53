"""Evidence as files to take away."""

import csv
import io
import json

import pytest

from tta_demo.evidence.figures import FIGURES
from tta_demo.evidence.files import all_files, plan_file, report_file
from tta_demo.evidence.stored import as_json, stored_evidence
from tta_demo.evidence.tables import tables
from tta_demo.tasks.plan_file import read_plan
from tta_demo.tasks.worlds import WORLDS

RECORD = WORLDS["weeds"].record


@pytest.fixture(scope="module")
def evidence():
    return stored_evidence("weeds")


@pytest.fixture(scope="module")
def files(evidence):
    return all_files(evidence, RECORD)


def test_every_figure_table_and_plan_is_among_the_files(files, evidence):
    assert {f"{name}.png" for name in FIGURES} <= set(files)
    assert {f"{name}.csv" for name in tables(evidence)} <= set(files)
    assert all(files[f"{name}.png"].startswith(b"\x89PNG") for name in FIGURES)
    assert json.loads(files["evidence.json"]) == json.loads(json.dumps(as_json(evidence)))
    assert files["report.html"] == report_file(evidence)


def test_tables_hold_the_numbers_that_were_found(files, evidence):
    rows = list(csv.DictReader(io.StringIO(files["plans.csv"].decode())))
    assert [float(row["score"]) for row in rows] == pytest.approx(
        [one.score for one in evidence.plans], abs=1e-6
    )


def test_every_plan_is_one_to_look_by(files, evidence, tmp_path):
    path = tmp_path / "plan.json"
    for one in evidence.plans:
        path.write_bytes(plan_file(evidence, one.option.name, RECORD))
        plan = read_plan(path, RECORD)
        assert plan.views == one.option.views
        assert plan.fusion == one.option.fusion
    path.write_bytes(files["plan.json"])
    assert read_plan(path, RECORD).views == evidence.recommended.option.views
