"""Evidence on the page: the verdict, and every kind of evidence as figure, words and table."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from tta_demo.evidence.findings import Evidence
from tta_demo.evidence.options import ONE, Option
from tta_demo.evidence.tables import Table, tables
from tta_demo.evidence.verdict import PlanTrial
from tta_demo.evidence.words import (
    cost_said,
    habits_said,
    look_name,
    plan_name,
    protocol_said,
    trust_said,
    verdict_said,
    warnings_said,
)
from tta_demo.pictures.words import several, signed
from tta_demo.ui.evidence import drawings
from tta_demo.ui.evidence.places import BoxWorld
from tta_demo.ui.evidence.trial import Finding
from tta_demo.ui.kit.html import cards, table, tone
from tta_demo.ui.kit.screen import Updates

__all__ = ["NOTHING", "offer", "report"]

NOTHING: Updates = {
    "verdict": "<div class='answer'><p class='headline'>Not tried yet</p><p>Nothing is stored "
    "about this model. Bring pictures whose right answer is known (picture and mask), press "
    "<b>Start</b>, and the verdict stands here.</p></div>",
    "rest": "",
    "take": gr.Column(visible=False),
    "other": gr.Button(visible=False),
}
"""Where nothing is known about a world."""

SCORES = {"mIoU": "overlap with the truth (mIoU)", "AP": "average precision (AP)"}
"""Scores in plain words, where they need any."""
NAMED = 4
"""So many looks of a plan are in its name."""


@dataclass(frozen=True)
class Section:
    """One kind of evidence.

    Attributes:
        title: a question, in plain words.
        meaning: what must be known to read it.
        figure: draws it, HTML.
        tables: names of its tables.
        said: what follows from it, in sentences.
    """

    title: str
    meaning: str
    figure: Callable[[Evidence], str]
    tables: tuple[str, ...]
    said: Callable[[Evidence], Sequence[str]] = lambda _: ()


def report(finding: Finding) -> Updates:
    """Returns the verdict with the cost, and all other evidence, as two parts of the screen."""
    evidence = finding.evidence
    return {
        "verdict": _together(_verdict(finding), _section(evidence, COST)),
        "rest": _together(*_sections(evidence), _protocol(finding)),
    }


def _together(*parts: str) -> str:
    return f"<div class='evidence'>{''.join(parts)}</div>"


def offer(finding: Finding) -> Updates:
    """Returns the plans to take, the recommended one first in line."""
    evidence = finding.evidence
    total, best = len(evidence.looks), evidence.verdict.recommended
    boxes = isinstance(finding.world, BoxWorld)
    ordered = sorted(evidence.plans, key=lambda one: one.option.name != best)
    choices = [(_offered(one, total, one.option.name == best), one.option.name) for one in ordered]
    return {
        "take": gr.Column(visible=True),
        "option": gr.Dropdown(choices=choices, value=best),
        "use": gr.Button(visible=not boxes),
        "use_boxes": gr.Button(visible=boxes and finding.world.can_be_seen),
    }


def _offered(one: PlanTrial, total: int, best: bool) -> str:
    name = plan_name(one.option, total)
    if one.option.name != ONE:
        name += f": {signed(100 * one.gain.value, 2, '±')} points"
    return f"Recommended: {name}" if best else name


def _verdict(finding: Finding) -> str:
    evidence = finding.evidence
    about, taken = evidence.protocol, evidence.recommended
    times = taken.ms / evidence.plans[0].ms if evidence.plans[0].ms else len(taken.option.views)
    points = 100 * taken.gain.value
    score = SCORES.get(about.score, about.score)
    told = cards(
        ("Looks", f"{len(taken.option.views)}", f"of {len(evidence.looks)} that were tried"),
        ("Gain", signed(points, 2, "±"), f"points of {score}", tone(points)),
        ("Time", f"{times:.1f} ×", "that of one look"),
    )
    where = "Stored result" if finding.stored else "Your trial"
    notes = "".join(f"<p class='small'>{escape(note)}</p>" for note in finding.notes)
    stale = finding.stored and about.digest != finding.world.record.digest
    warn = "<p class='small'>Measured with another version of this model.</p>" if stale else ""
    return (
        f"<div class='answer' role='status'><p class='small'>{where}: {escape(about.data)}. "
        f"Measured on {several(len(about.held), 'picture')} that nothing was chosen on, "
        f"{about.date}.</p><p class='headline'>{escape(_headline(evidence))}</p>"
        f"<p>{escape(verdict_said(evidence))}</p>{told}{_named(taken.option)}"
        "<p class='small'>A point is a hundredth of the score. In brackets is where the gain lies "
        "with 95 % certainty: if 0 lies between, it may be chance.</p>"
        f"{warn}{notes}</div>"
    )


def _named(option: Option) -> str:
    """Returns which looks a plan has, and how much each counts; nothing where its name says so."""
    names = [look_name(row) for row in option.views]
    if option.weights is not None:
        pairs = zip(names, option.weights, strict=True)
        names = [f"{name} ({100 * weight:.0f} %)" for name, weight in pairs]
    elif len(names) <= NAMED:
        return ""
    return f"<p>Looks: {escape(', '.join(names))}.</p>"


def _headline(evidence: Evidence) -> str:
    verdict = evidence.verdict
    if not verdict.told:
        return "Too few pictures to tell"
    if verdict.recommended == ONE:
        return "Leave it off: one look is enough"
    name = plan_name(evidence.recommended.option, len(evidence.looks))
    return f"Yes, look again: {f'the {name[4:]}' if name.startswith('The ') else name}"


def _sections(evidence: Evidence) -> Iterator[str]:
    """Yields the kinds of evidence that there are."""
    there = tables(evidence)
    return (_section(evidence, one) for one in SECTIONS if one.tables[0] in there)


def _section(evidence: Evidence, one: Section) -> str:
    said = "".join(f"<p>{escape(text)}</p>" for text in one.said(evidence))
    every = tables(evidence)
    numbers = "".join(_numbers(every[name]) for name in one.tables)
    return (
        f"<section id='about-{one.tables[0]}'><h3>{escape(one.title)}</h3>"
        f"<p class='meaning'>{escape(one.meaning)}</p>"
        f"{one.figure(evidence)}<div class='said'>{said}</div>{numbers}</section>"
    )


def _numbers(one: Table) -> str:
    heads = [column.head for column in one.columns]
    rows = ([escape(cell) for cell in row] for row in one.said())
    return (
        f"<details><summary>The numbers: {escape(one.title.lower())}</summary>"
        f"{table(heads, rows, escape(one.note))}</details>"
    )


def _protocol(finding: Finding) -> str:
    rows = protocol_said(finding.evidence)
    terms = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(told)}</dd>" for name, told in rows.items()
    )
    told = f"<summary>How it was measured</summary><dl>{terms}</dl>"
    return f"<section id='about-method'><details>{told}</details></section>"


COST = Section(
    "What does each look more buy?",
    "Looks are added one by one, the most helpful first. Each costs the time of one answer.",
    drawings.cost,
    ("cost",),
    lambda evidence: [cost_said(evidence)],
)
SECTIONS = (
    Section(
        "Which ways to look were tried?",
        "The dot is the gain, the bar where it lies with 95 % certainty. A bar that reaches over "
        "the upright line may be chance. Far from that line the scale is squeezed.",
        drawings.plans,
        ("plans",),
    ),
    Section(
        "How should the answers be combined?",
        "All looks, combined in every way (fusion): 0 is the plain average of what they "
        "found, probabilities or boxes.",
        drawings.fusions,
        ("fusions",),
    ),
    Section(
        "Which looks help, which hurt?",
        "A look is the picture mirrored, turned, zoomed or recoloured. Alone, most are worse than "
        "the picture as it is; together with others they may still help.",
        drawings.looks,
        ("looks",),
        lambda evidence: [habits_said(evidence), *warnings_said(evidence)],
    ),
    Section(
        "Can you believe it when it says it is sure?",
        "Where it says 90 %, it should be right 90 times of 100: on the dashed line. Below it, "
        "the model is too sure of itself. A temperature is one number that corrects this.",
        drawings.trust,
        ("trust", "reliability"),
        lambda evidence: trust_said(evidence)[:-1],
    ),
    Section(
        "Which errors does doubt find?",
        "Hand what it doubts most to a person: how many of the errors are among it?",
        drawings.removal,
        ("removal",),
        lambda evidence: trust_said(evidence)[-1:],
    ),
    Section(
        "What if it may name several classes?",
        "Instead of one class it names a few, so that the truth is among them as often as "
        "promised (conformal prediction). Fewer classes at the same promise are better.",
        drawings.sets,
        ("sets",),
    ),
)
"""The kinds of evidence, in the order in which they are shown."""
