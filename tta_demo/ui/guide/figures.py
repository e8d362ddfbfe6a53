"""Figures of the guide, from the registries and from stored results; all text is escaped."""

from collections.abc import Iterable
from html import escape

from tta_demo.models.domains import DOMAINS
from tta_demo.pictures.words import several, signed
from tta_demo.tasks.worlds import MEASURED
from tta_demo.tta.views import VIEW_SETS, VIEWS
from tta_demo.ui.guide.dial import css_of
from tta_demo.ui.kit.html import tone
from tta_demo.ui.kit.stored import results, sources, telling

__all__ = ["costs", "domains", "false_gain", "lesson", "times"]

_GROUPS = {
    1: "the trivial group",
    2: "one mirror, the group D1",
    4: "half turn and two mirrors, D2",
    8: "the square's group, D4",
}
"""What the symmetry groups are called, by size."""
_FLOWS = {
    "Train time": ("many pictures", "turned, recoloured", "training", "a new model"),
    "Test time": ("one picture", "turned, recoloured", "the same model", "turned back and joined"),
}


@telling
def times() -> str:
    """Returns both kinds of augmentation, and what looking again adds with and without the one."""
    flows = "".join(
        f"<div><b>{name}</b><ol>{_items(escape(part) for part in parts)}</ol></div>"
        for name, parts in _FLOWS.items()
    )
    facts = _items(
        f"<span>{escape(world.label)}</span>"
        f"<span>{'turned' if world.record.augmentation.d4 else 'never turned'} in training</span>"
        f"{_points(_gain(name), 'points from eight looks')}"
        for name, world in MEASURED.items()
    )
    note = f"Overlap (mean IoU), eight looks averaged less one look. {_source(*MEASURED)}"
    return f"<div class='flows'>{flows}</div><ul class='facts'>{facts}</ul>{_small(note)}"


def domains() -> str:
    """Returns the kinds of pictures with their symmetry groups."""
    cards = []
    for domain in DOMAINS.values():
        symmetries = list(dict.fromkeys(VIEWS[name].symmetry for name in domain.views))
        glyphs = "".join(f'<i style="transform:{css_of(s)}">R</i>' for s in symmetries)
        size = len(symmetries)
        cards.append(
            f"<b>{escape(domain.label)}</b>"
            f"<span class='glyphs' aria-hidden='true'>{glyphs}</span>"
            f"<span class='size'>{several(len(domain.views), 'look')}: "
            f"{escape(_GROUPS[size])}</span>"
            f"<span class='small'>{escape(domain.summary)}</span>"
        )
    return f"<ul class='domains'>{_items(cards)}</ul>"


@telling
def costs() -> str:
    """Returns what more looks cost and bring, as bars of time."""
    scores = results("weeds")["scores"]
    plans = [plan for plan in scores if plan == "none" or plan.endswith(", mean")]
    longest = max(scores[plan]["ms"] for plan in plans)
    rows = _items(
        f"<span>{several(len(VIEW_SETS[plan.split(',')[0]]), 'look')}</span>"
        f"{_rail(scores[plan]['ms'] / longest)}<span>{scores[plan]['ms']:.0f} ms</span>"
        f"{'<span>–</span>' if plan == 'none' else _points(_gain('weeds', plan), 'points')}"
        for plan in plans
    )
    boxes = results("detection")["rows"]["D4, WBF"]["minus_no_tta"]["value"]
    note = (
        "Weeds, looks averaged: time a picture, and mean IoU over one look. Boxes around the same "
        f"weeds gain {signed(100 * boxes, 1)} points of AP from eight looks. {_source('weeds')}"
    )
    return f"<ul class='costs'>{rows}</ul>{_small(note)}"


@telling
def false_gain() -> str:
    """Returns one detector with and without TTA, as a paper might compare two methods."""
    result = results("detection")
    one, eight = result["rows"]["no TTA"], result["rows"]["D4, WBF"]
    gain = {name: 100 * value for name, value in eight["minus_no_tta"].items()}
    bars = _items(
        f"<span>{escape(name)}</span>{_rail(row['ap'])}<span>{100 * row['ap']:.1f}</span>"
        for name, row in (("“Theirs”: one look", one), ("“Ours”: eight looks", eight))
    )
    claim = (
        f"It is the <b>same detector</b> twice: {signed(gain['value'], 1)} points of AP "
        f"({signed(gain['low'], 1)} to {signed(gain['high'], 1)}), and nothing was learned."
    )
    note = f"AP in percent, 95 % interval. {_source('detection')}"
    return f"<ul class='costs paper'>{bars}</ul><p class='claim'>{claim}</p>{_small(note)}"


@telling
def lesson() -> str:
    """Returns what becomes of a gain whose two ends are means over different classes."""
    scores = results("weeds")["scores"]
    none, learned = scores["none"], scores["d4, learned"]
    fair = 100 * (learned["miou_without_background"] - none["miou_without_background"])
    unfair = 100 * (learned["miou"] - none["miou_without_background"])
    return f"{signed(fair, 2)} points look like {signed(unfair, 2)}"


def _gain(world: str, plan: str = "d4, mean") -> float:
    """Returns points of mean IoU over one look."""
    scores = results(world)["scores"]
    return 100 * (scores[plan]["miou"] - scores["none"]["miou"])


def _source(*names: str) -> str:
    """Returns where stored results come from."""
    return f"Stored results, {sources(*names)}."


def _points(points: float, unit: str) -> str:
    return f"<b class='{tone(points)}'>{signed(points, 2, '±')} {escape(unit)}</b>"


def _rail(share: float) -> str:
    return f"<span class='rail'><i style='width:{100 * share:.1f}%'></i></span>"


def _items(items: Iterable[str]) -> str:
    return "".join(f"<li>{item}</li>" for item in items)


def _small(note: str) -> str:
    return f"<p class='small'>{escape(note)}</p>"
