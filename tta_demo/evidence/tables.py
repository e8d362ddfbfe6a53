"""Evidence as tables: numbers for a file, and the same in words for a report."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tta_demo.evidence.findings import Evidence
from tta_demo.evidence.tally import Gain
from tta_demo.evidence.trust import SHARES
from tta_demo.evidence.words import look_name, nll_said, plan_name, points

__all__ = ["Cell", "Column", "Table", "tables"]

Cell = str | float | int | bool | Gain | None


@dataclass(frozen=True)
class Column:
    """A column: its name in words and in a file, and how its numbers are said.

    Attributes:
        head: in words.
        key: in a file.
        kind: `text`, `count`, `percent` (of a share 0..1), `points` and `nll` (gains), `number`
            (4 digits), `ms` or `yes`.
    """

    head: str
    key: str
    kind: str


@dataclass(frozen=True)
class Table:
    """One kind of evidence.

    Attributes:
        title: in words.
        note: what must be known to read it.
        columns: in order.
        rows: a cell for each column.
        every: which of the rows are said in words: each so-and-so-manieth.
    """

    title: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    every: int = 1

    def said(self) -> list[list[str]]:
        """Returns the rows in words."""
        kinds = [column.kind for column in self.columns]
        rows = self.rows[:: self.every]
        return [[_said(*pair) for pair in zip(kinds, row, strict=True)] for row in rows]

    def raw(self) -> tuple[list[str], list[list[str]]]:
        """Returns head and rows for a CSV file; a gain takes three columns."""
        head = []
        for column in self.columns:
            gain = column.kind in ("points", "nll")
            ends = ("", "_low", "_high") if gain else ("",)
            head += [f"{column.key}{end}" for end in ends]
        return head, [[text for cell in row for text in _written(cell)] for row in self.rows]


def tables(evidence: Evidence) -> dict[str, Table]:
    """Returns every table that has rows by its name, which is also that of its figure.

    Columns without any value, the likelihood of boxes for instance, are left out.
    """
    every = {
        "plans": _plans(evidence),
        "cost": _cost(evidence),
        "looks": _looks(evidence),
        "fusions": _fusions(evidence),
        "trust": _trust(evidence),
        "reliability": _reliability(evidence),
        "removal": _removal(evidence),
        "sets": _sets(evidence),
    }
    return {name: _filled(table) for name, table in every.items() if table.rows}


def _filled(table: Table) -> Table:
    told = [i for i, cells in enumerate(zip(*table.rows, strict=True)) if set(cells) != {None}]
    rows = tuple(tuple(row[i] for i in told) for row in table.rows)
    return replace(table, columns=tuple(table.columns[i] for i in told), rows=rows)


def _score(evidence: Evidence) -> Column:
    return Column(f"{evidence.protocol.score}, %", "score", "percent")


NLL = Column("NLL", "nll", "number")
MS = Column("ms", "ms", "ms")


def _plans(evidence: Evidence) -> Table:
    total = len(evidence.looks)
    columns = (
        Column("plan", "plan", "text"), Column("looks", "looks", "count"), _score(evidence),
        Column("points over one look", "gain", "points"), NLL,
        Column("NLL over one look", "nll_gain", "nll"),
        Column("points over the best", "behind", "points"), MS,
        Column("recommended", "recommended", "yes"),
    )  # fmt: skip
    rows = tuple(
        (plan_name(one.option, total), len(one.option.views), one.score, one.gain, one.nll,
         one.nll_gain, one.behind, one.ms, one is evidence.recommended)
        for one in evidence.plans
    )  # fmt: skip
    note = "With one look, that is without TTA, in the first row."
    if evidence.protocol.score != "AP":
        note += " Less is better for the NLL."
    return Table("Plans", note, columns, rows)


def _cost(evidence: Evidence) -> Table:
    columns = (
        Column("looks", "looks", "count"), Column("added", "added", "text"), _score(evidence),
        Column("points over one look", "gain", "points"), NLL,
        Column("NLL over one look", "nll_gain", "nll"), MS,
        Column(f"{evidence.protocol.score} where chosen, %", "seen_score", "percent"),
    )  # fmt: skip
    rows = tuple(
        (one.looks, look_name(one.added), one.score, one.gain, one.nll, one.nll_gain, one.ms,
         one.seen_score)
        for one in evidence.curve.points
    )  # fmt: skip
    by = "AP" if evidence.protocol.score == "AP" else "calibrated likelihood"
    note = (
        f"Looks averaged, each added because it helps the {by} of the pictures to choose on most; "
        "one look is the picture as it is."
    )
    return Table("Accuracy against cost", note, columns, rows)


def _looks(evidence: Evidence) -> Table:
    columns = (
        Column("look", "look", "text"), _score(evidence),
        Column("alone, points over the original", "gain", "points"), NLL,
        Column("gap, %", "gap", "percent"), Column("weight, %", "weight", "percent"),
        Column("without it, points", "without", "points"),
        Column("without it, NLL", "nll_without", "nll"), MS, Column("hurts", "hurts", "yes"),
    )  # fmt: skip
    rows = tuple(
        (look_name(one.view), one.score, one.gain, one.nll, one.gap, one.weight, one.without,
         one.nll_without, one.ms, one.hurts)
        for one in evidence.looks
    )  # fmt: skip
    far = "mean total variation"
    if evidence.protocol.score == "AP":
        far = "share of the scores whose box has no partner at IoU .5"
    note = (
        "The gap is how far the answer, turned back, is from that to the picture as it is "
        f"({far}). Without it: what the even mean of all looks gains by leaving it out. "
        "Weights say how much each look counts, not how much to trust it."
    )
    return Table("Every look on trial", note, columns, rows)


def _fusions(evidence: Evidence) -> Table:
    columns = (
        Column("fusion", "fusion", "text"), _score(evidence),
        Column("points over the mean", "gain", "points"), NLL,
        Column("NLL over it", "nll_gain", "nll"),
    )  # fmt: skip
    rows = tuple(
        (one.summary, one.score, one.gain, one.nll, one.nll_gain) for one in evidence.fusions
    )
    return Table(
        "Fusions on trial",
        "All looks, fused in every way, beside "
        f"{'the average box' if evidence.protocol.score == 'AP' else 'their mean probabilities'}.",
        columns,
        rows,
    )


def _trust(evidence: Evidence) -> Table:
    total = len(evidence.looks)
    columns = [Column("plan", "plan", "text"), Column("ECE, %", "ece", "percent"), NLL]
    for of, when in (("each look", "before"), ("the fused answer", "after")):
        columns += [
            Column(f"temperature of {of}", f"temperature_{when}", "number"),
            Column("ECE with it, %", f"ece_{when}", "percent"),
            Column("NLL with it", f"nll_{when}", "number"),
        ]
    rows = tuple(
        (plan_name(evidence.plan(one.plan).option, total), one.ece, one.nll, one.before,
         one.ece_before, one.nll_before, one.after, one.ece_after, one.nll_after)
        for one in evidence.trust
    )  # fmt: skip
    note = (
        "ECE: how far probabilities are off on average. A temperature above 1 makes answers less "
        "certain; it is fitted on the pictures to choose on."
    )
    return Table("Trust", note, tuple(columns), rows)


def _reliability(evidence: Evidence) -> Table:
    columns = (
        Column("plan", "plan", "text"), Column("bin", "bin", "count"),
        Column("number", "number", "count"), Column("confidence, %", "confidence", "percent"),
        Column("right, %", "right", "percent"),
    )  # fmt: skip
    rows = tuple(
        (plan_name(evidence.plan(one.plan).option, len(evidence.looks)), place, int(count), sure,
         right)
        for one in evidence.trust
        for place, (count, sure, right) in enumerate(one.bins)
        if count
    )  # fmt: skip
    note = "How often answers of equal confidence are right, in bins of confidence."
    return Table("Reliability", note, columns, rows)


def _removal(evidence: Evidence) -> Table:
    doubts = [(one.doubt, one.doubt.replace(" ", "_")) for one in evidence.removal]
    columns = (Column("handed over, %", "share", "percent"), *(
        Column(f"errors gone, % ({name})", key, "percent") for name, key in doubts
    ))  # fmt: skip
    rows = tuple(zip(SHARES, *(one.removed for one in evidence.removal), strict=True))
    note = (
        "Which share of the errors is among the most doubtful: by the doubt of one look, of all "
        "together (learned weights), and by how much these looks disagree."
    )
    if evidence.protocol.score == "AP":
        note = (
            "Which share of the wrong boxes (no true one of the class at IoU .5) is among the "
            "most doubtful: by a low score of one look, of all together (learned weights), and by "
            "how few of these looks agree. Boxes count from the score on that serves best (F1) "
            "where it was chosen. Missed objects are not among the boxes."
        )
    return Table("Errors that doubt finds", note, columns, rows, every=5)


def _sets(evidence: Evidence) -> Table:
    columns = (
        Column("plan", "plan", "text"), Column("promised, %", "promise", "percent"),
        Column("truth inside, %", "coverage", "percent"),
        Column("classes in a set", "size", "number"),
        Column("enough pictures", "possible", "yes"),
    )  # fmt: skip
    rows = tuple(
        (plan_name(evidence.plan(one.plan).option, len(evidence.looks)), one.promise, one.coverage,
         one.size, one.possible)
        for one in evidence.sets
    )  # fmt: skip
    note = (
        "Sets that have the truth as often as promised, in the mean over pictures; made on four "
        "fifths of the measured pictures, measured on the last. Few pictures give large sets."
    )
    return Table("Sets of classes", note, columns, rows)


def _said(kind: str, cell: Cell) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, Gain):
        if cell == Gain(0, 0, 0):
            return "–"  # what the others are compared with
        return points(cell).replace(" points", "") if kind == "points" else nll_said(cell)
    if kind == "yes":
        return "yes" if cell else ""
    if isinstance(cell, str):
        return cell
    return {
        "count": f"{cell:,}",
        "percent": f"{100 * cell:.2f}",
        "number": f"{cell:.4f}",
        "ms": f"{cell:.0f}",
    }[kind]


def _written(cell: Cell) -> Iterator[str]:
    parts: Sequence[Cell] = (cell.value, cell.low, cell.high) if isinstance(cell, Gain) else [cell]
    for part in parts:
        whole = isinstance(part, str | bool | int)
        yield "" if part is None else str(part) if whole else f"{part:.6f}"
