"""The figure of each kind of evidence; every number in them stands in the table below."""

from tta_demo.evidence.findings import Evidence
from tta_demo.evidence.trust import SHARES
from tta_demo.evidence.words import look_name, plan_name
from tta_demo.ui.evidence.charts import Line, Mark, Row, chart, legend, whiskers

__all__ = ["cost", "fusions", "looks", "plans", "removal", "sets", "trust"]

DOUBTS = {
    "one look": "doubt of one look",
    "all together": "doubt of all together",
    "disagreement": "how much the looks disagree",
}
BOX_DOUBTS = {
    "one look": "low score of one look",
    "all together": "low score of all together",
    "disagreement": "how few looks agree",
}
RARE = 0.001
"""Fewer of all answers than this say nothing about how often such answers are right."""


def cost(evidence: Evidence) -> str:
    """Returns score and loss against the number of looks, with whole plans marked."""
    total, points = len(evidence.looks), evidence.curve.points
    plans = [one for one in evidence.plans if not one.option.name.startswith("best")]
    charts = []
    kinds = [(f"Score ({evidence.protocol.score}), %: higher is better", "score", 100)]
    if points[0].nll is not None:
        kinds.append(("Loss (NLL): lower is better", "nll", 1))
    for title, key, factor in kinds:
        line = Line("", [(p.looks, factor * getattr(p, key)) for p in points], "s0")
        marks = [
            Mark(letter, plan_name(one.option, total), len(one.option.views),
                 factor * getattr(one, key))
            for letter, one in zip("ABCDEFGH", plans, strict=False)
        ]  # fmt: skip
        charts.append(chart(title, "looks", [line], marks))
    grown = Line("looks added one by one, the most helpful first", (), "s0")
    return f"<div class='charts'>{''.join(charts)}</div>{legend([grown], marks)}"


def plans(evidence: Evidence) -> str:
    """Returns what every plan gains over one look."""
    total, best = len(evidence.looks), evidence.verdict.recommended
    rows = [
        Row(plan_name(one.option, total), one.gain,
            "recommended" if one.option.name == best else "")
        for one in evidence.plans
    ]  # fmt: skip
    return whiskers(rows, f"Points of {evidence.protocol.score} over one look")


def looks(evidence: Evidence) -> str:
    """Returns what each look is worth alone, and what the others are without it."""
    hurts = ["hurts" if one.hurts else "" for one in evidence.looks]
    names = [look_name(one.view) for one in evidence.looks]
    pairs = (
        ("This look alone, against the picture as it is", [one.gain for one in evidence.looks]),
        (
            "The average of all without it: to the right, it is better so",
            [one.without for one in evidence.looks],
        ),
    )
    drawn = (
        whiskers([Row(*row, good=False) for row in zip(names, gains, hurts, strict=True)], unit)
        for unit, gains in pairs
    )
    return f"<div class='pair'>{''.join(drawn)}</div>"


def fusions(evidence: Evidence) -> str:
    """Returns what each fusion of all looks gains over their even mean."""
    rows = [Row(one.label, one.gain) for one in evidence.fusions]
    return whiskers(rows, f"Points of {evidence.protocol.score} over the plain average")


def trust(evidence: Evidence) -> str:
    """Returns how often answers are right, against how sure they are."""
    lines, lowest = [], 100.0
    for i, one in enumerate(evidence.trust):
        least = RARE * sum(count for count, *_ in one.bins)
        bins = [(100 * sure, 100 * right) for count, sure, right in one.bins if count > least]
        lines.append(Line(_planned(evidence, one.plan), bins, f"s{i % 4}"))
        lowest = min(lowest, bins[0][0])
    even = [(lowest, lowest), (100, 100)]
    lines.insert(0, Line("as sure as right", even, "by-chance", dots=False))
    drawn = chart("How often it is right, %", "how sure it says it is, %", lines)
    return f"<div class='charts'>{drawn}</div>{legend(lines)}"


def removal(evidence: Evidence) -> str:
    """Returns the share of the errors that is found, against the share that is handed over."""
    shares = [100 * share for share in SHARES]
    names = BOX_DOUBTS if evidence.protocol.score == "AP" else DOUBTS
    lines = [Line("by chance", [(0, 0), (50, 50)], "by-chance", dots=False)]
    for i, one in enumerate(evidence.removal):
        points = list(zip(shares, [100 * x for x in one.removed], strict=True))
        lines.append(Line(names[one.doubt], points, f"s{i}", dots=False))
    drawn = chart("Errors that are gone, %", "handed to a person, %", lines)
    return f"<div class='charts'>{drawn}</div>{legend(lines)}"


def sets(evidence: Evidence) -> str:
    """Returns how often sets of classes have the truth, and how large they are."""
    names = list(dict.fromkeys(one.plan for one in evidence.sets))
    promised = sorted({100 * one.promise for one in evidence.sets})
    kept = [Line("as promised", [(x, x) for x in promised], "by-chance", dots=False)]
    sizes = []
    for i, name in enumerate(names):
        rows = [one for one in evidence.sets if one.plan == name]
        told, kind = _planned(evidence, name), f"s{i % 4}"
        kept.append(Line(told, [(100 * one.promise, 100 * one.coverage) for one in rows], kind))
        sizes.append(Line(told, [(100 * one.promise, one.size) for one in rows], kind))
    drawn = chart("The truth is in the set, %", "promised, %", kept)
    drawn += chart("Classes in a set", "promised, %", sizes)
    return f"<div class='charts'>{drawn}</div>{legend(kept)}"


def _planned(evidence: Evidence, name: str) -> str:
    return plan_name(evidence.plan(name).option, len(evidence.looks))
