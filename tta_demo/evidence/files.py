"""Evidence as files: figures, tables, a report, plans to look by."""

import csv
import io
import json
from typing import Any

from tta_demo.evidence.document import document
from tta_demo.evidence.figures import FIGURES, drawn
from tta_demo.evidence.findings import Evidence
from tta_demo.evidence.stored import as_json
from tta_demo.evidence.tables import Table, tables
from tta_demo.evidence.words import plan_name
from tta_demo.models.ensemble import Ensemble
from tta_demo.models.record import ModelRecord
from tta_demo.tasks.plan_file import plan_facts

__all__ = ["all_files", "plan_file", "report_file"]


def report_file(evidence: Evidence) -> bytes:
    """Returns the report, HTML."""
    return document(evidence, _pngs(evidence)).encode()


def plan_file(evidence: Evidence, name: str, model: ModelRecord | Ensemble) -> bytes:
    """Returns one plan on trial, JSON, for the option `--plan`.

    Args:
        evidence: what the plan was tried in.
        name: of the plan.
        model: that it is for.
    """
    option = evidence.plan(name).option
    said = plan_name(option, len(evidence.looks))
    return _json(plan_facts(option.plan, model, name=said, date=evidence.protocol.date))


def all_files(evidence: Evidence, model: ModelRecord | Ensemble) -> dict[str, bytes]:
    """Returns all there is, by name: report, figures (PNG), tables (CSV), plans, evidence (JSON).

    `plan.json` is the recommended plan.
    """
    pictures = _pngs(evidence)
    return {
        "report.html": document(evidence, pictures).encode(),
        "evidence.json": _json(as_json(evidence)),
        "plan.json": plan_file(evidence, evidence.verdict.recommended, model),
        **{f"{name}.png": png for name, png in pictures.items()},
        **{f"{name}.csv": _csv(table) for name, table in tables(evidence).items()},
        **{
            f"plans/{one.option.name.replace(' ', '-')}.json": plan_file(
                evidence, one.option.name, model
            )
            for one in evidence.plans
        },
    }


def _pngs(evidence: Evidence) -> dict[str, bytes]:
    pictures = {}
    for name in [one for one in FIGURES if one in tables(evidence)]:
        file = io.BytesIO()
        drawn(evidence, name).savefig(file, format="png", dpi=120)
        pictures[name] = file.getvalue()
    return pictures


def _csv(table: Table) -> bytes:
    head, rows = table.raw()
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([head, *rows])
    return text.getvalue().encode()


def _json(value: dict[str, Any]) -> bytes:
    return f"{json.dumps(value, indent=1)}\n".encode()
