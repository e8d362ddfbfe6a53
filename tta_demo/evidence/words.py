"""Evidence in plain words: sentences, and names of looks and plans."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tta_demo.evidence.curve import SHARE
from tta_demo.evidence.findings import Evidence
from tta_demo.evidence.options import EVEN, GREEDY, LEARNED, ONE, Option
from tta_demo.evidence.tally import Gain
from tta_demo.evidence.trust import SHARES
from tta_demo.evidence.verdict import PlanTrial
from tta_demo.models.ensemble import whose
from tta_demo.pictures.words import several, signed
from tta_demo.tta.crops import CROP_VIEWS
from tta_demo.tta.views import VIEWS

__all__ = ["UNITS", "Unit", "cost_said", "habits_said", "listed", "look_name", "nll_said"]
__all__ += ["plan_name", "points", "protocol_said", "summary", "trust_said"]
__all__ += ["verdict_said", "warnings_said"]

HANDED = 0.05
"""The share of doubtful pixels, pictures or boxes that the sentence tells of."""


@dataclass(frozen=True)
class Unit:
    """What is counted for a score.

    Attributes:
        things: what is right or wrong.
        said: the score, in exact words.
        doubts: what each kind of doubt of `Removal` is.
    """

    things: str
    said: str
    doubts: Mapping[str, str]


_DOUBTS = {
    "one look": "the doubt of one look",
    "all together": "that of all together",
    "disagreement": "how much the looks disagree",
}
UNITS = {
    "mIoU": Unit(
        "pixels",
        "mean IoU over the truth's classes, pooled over all pixels, background included",
        _DOUBTS,
    ),
    "accuracy": Unit("pictures", "share of right pictures", _DOUBTS),
    "AP": Unit(
        "boxes",
        "average precision as COCO counts it, all pictures together: the mean over IoU "
        ".50:.05:.95 and classes",
        {
            "one look": "the low score of one look",
            "all together": "that of all together",
            "disagreement": "how few looks agree",
        },
    ),
}
"""By what evidence is scored by."""


def points(gain: Gain) -> str:
    """Returns a difference of scores in points of 100, with its interval.

    Example:
        >>> points(Gain(0.004, 0.001, 0.0071)), points(Gain(0.004))
        ('+0.40 points (+0.10 to +0.71)', '+0.40 points')
    """
    return f"{signed(100 * gain.value, 2, '±')} points{_interval(gain, 100, 2)}"


def nll_said(gain: Gain) -> str:
    """Returns a difference of the NLL, with its interval."""
    return f"{signed(gain.value, 4, '±')}{_interval(gain, 1, 4)}"


def look_name(row: str) -> str:
    """Returns what a look is called, with its model's name if several look.

    Example:
        >>> look_name("hflip"), look_name("unet-weeds/rot90"), look_name("mine")
        ('Mirror', 'Turned left (unet-weeds)', 'mine')
    """
    model, view = whose(row)
    known = VIEWS.get(view) or CROP_VIEWS.get(view)
    label = known.label if known else view
    return f"{label} ({model})" if model else label


SET_WORDS = {"d4": "mirrored and turned", "flips": "mirrored", "five-crop": "five crops",
             "ten-crop": "ten crops"}  # fmt: skip
"""What is said of sets of looks."""


def plan_name(option: Option, views: int) -> str:
    """Returns what a plan is called; `views` is how many looks there are at all."""
    names = [look_name(row) for row in option.views]
    count = several(len(names), "look")
    if option.name == ONE:
        return "One look"
    if option.name == LEARNED:
        return f"{count} with learned weights"
    if option.name == GREEDY:
        return f"{count}, weighed as chosen one by one"
    if len(names) == 1:
        return f"{names[0]} alone"
    if option.name == EVEN:
        return f"All {views} looks"
    if len(names) <= 4:
        return " + ".join(names)
    if option.name.startswith("best"):
        return f"The {option.name} looks"
    return f"{count}, {SET_WORDS.get(option.name, option.name)}"


def verdict_said(evidence: Evidence) -> str:
    """Returns the verdict in a sentence or two."""
    verdict, score, total = evidence.verdict, evidence.protocol.score, len(evidence.looks)
    taken, best = evidence.recommended, evidence.plan(verdict.best)
    best_name = plan_name(best.option, total)
    if not verdict.told:
        held = several(len(evidence.protocol.held), "picture")
        return f"Too few pictures to tell: only {held} could be measured on. Stay at one look."
    if verdict.recommended == ONE:
        told = "Leave it off: no plan clearly gains over one look."
        if verdict.best == ONE:
            return f"{told} The best of all is one look."
        return (
            f"{told} The best, {best_name}: {points(best.gain)} of {score} {_at(evidence, best)}."
        )
    name = plan_name(taken.option, total)
    told = f"{name}: {points(taken.gain)} of {score} {_at(evidence, taken)}."
    if best is taken:
        return f"{told} No other plan has more."
    more = f"{best_name} has the most, {points(best.gain)} {_at(evidence, best)}"
    return f"{told} {more}, but not clearly more."


def cost_said(evidence: Evidence) -> str:
    """Returns how few looks are enough."""
    curve, total = evidence.curve, len(evidence.looks)
    if curve.enough is None or curve.best is None:
        return "However many looks are averaged, nothing is gained over one."
    names = listed(look_name(point.added) for point in curve.points[: curve.enough])
    keeps = "keep" if curve.enough > 1 else "keeps"
    told = (
        f"Of looks added one by one, {curve.enough} {keeps} {100 * SHARE:.0f} % of the gain at "
        f"{curve.enough}/{total} of the cost: {names}."
    )
    kept = "nothing is gained" if curve.kept is None else f"it is {100 * curve.kept:.0f} %"
    return f"{told} On pictures that they were not chosen on, {kept}.{_why_others(evidence)}"


def _why_others(evidence: Evidence) -> str:
    """Returns why the verdict takes another number of looks than keep most of the gain, if so."""
    taken = evidence.recommended.option
    if not evidence.verdict.told or len(taken.views) == evidence.curve.enough:
        return ""
    if taken.name == ONE:
        return " The verdict stays at one look all the same, as no gain is clear."
    return (
        f" The verdict asks for something else: the fewest looks, here {len(taken.views)}, whose "
        "gain is clear and not clearly below the best."
    )


def habits_said(evidence: Evidence) -> str:
    """Returns how the model takes each kind of change, in a sentence."""
    blind = [one.change for one in evidence.habits if one.blind and not one.disliked]
    dislikes = [one.change for one in evidence.habits if one.disliked]
    parts = [f"is nearly blind to {listed(blind)}"] if blind else []
    parts += [f"dislikes {listed(dislikes)}"] if dislikes else []
    if not parts:
        return "This model notices every change, and does clearly worse with none."
    return f"This model {'; it '.join(parts)}."


def warnings_said(evidence: Evidence) -> tuple[str, ...]:
    """Returns a warning for each look that hurts the even mean of all."""
    return tuple(
        f"{look_name(one.view)} hurts: without it, the average of all gains "
        f"{points(one.without)} of {evidence.protocol.score}{_loss(one.nll_without)}."
        for one in evidence.hurting
    )


def trust_said(evidence: Evidence) -> tuple[str, ...]:
    """Returns how far probabilities can be trusted, and what doubt is good for."""
    total, told = len(evidence.looks), []
    for one in evidence.trust:
        name = plan_name(evidence.plan(one.plan).option, total)
        told.append(
            f"{name}: probabilities are {100 * one.ece:.1f} % off on average (ECE); a temperature "
            f"of {one.after:.2f} makes it {100 * one.ece_after:.1f} %."
        )
    place, unit = SHARES.index(HANDED), UNITS[evidence.protocol.score]
    shares = listed(
        f"{100 * one.removed[place]:.0f} % by {unit.doubts[one.doubt]}" for one in evidence.removal
    )
    told.append(
        f"Hand the {100 * HANDED:.0f} % most doubtful {unit.things} to a person, and of the "
        f"errors go: {shares}.{_missed(evidence)}"
    )
    return tuple(told)


def protocol_said(evidence: Evidence) -> dict[str, str]:
    """Returns what was measured, on what, by what it is called."""
    about = evidence.protocol
    chosen, held = (several(len(x), "picture") for x in (about.calibration, about.held))
    classes = about.classes[1:] if about.score == "AP" else about.classes
    rows = {
        "Data": about.data,
        "Model": f"{about.model}, digest {about.digest}",
        "Classes": ", ".join(classes[:12]) + (", ..." if len(classes) > 12 else ""),
        "Looks": ", ".join(about.views),
        "Chosen and learned on": f"{chosen} drawn with seed {about.seed}",
        "Measured on": f"{held}, the others",
        "Pixels": f"{about.pixels:,} of each, on an even grid",
        "Score": UNITS[about.score].said,
        "Intervals": "95 %, bootstrap over pictures; each for itself",
        "Date": about.date,
    }
    if about.score != "mIoU":
        del rows["Pixels"]
    return rows


def summary(evidence: Evidence) -> tuple[str, ...]:
    """Returns all sentences, the verdict first."""
    said = (verdict_said(evidence), cost_said(evidence), habits_said(evidence))
    return (*said, *warnings_said(evidence), *trust_said(evidence))


def listed(names: Iterable[str] | Sequence[str]) -> str:
    """Returns names in one phrase.

    Example:
        >>> listed(["a"]), listed(["a", "b", "c"])
        ('a', 'a, b and c')
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _interval(gain: Gain, factor: float, digits: int) -> str:
    if gain.low is None or gain.high is None:
        return ""
    low, high = (signed(factor * end, digits, "±") for end in (gain.low, gain.high))
    return f" ({low} to {high})"


def _at(evidence: Evidence, trial: PlanTrial) -> str:
    times = trial.ms / evidence.plans[0].ms if evidence.plans[0].ms else len(trial.option.views)
    return "in the same time" if abs(times - 1) < 0.05 else f"at {times:.1f} times the time"


def _loss(gain: Gain | None) -> str:
    return "" if gain is None else f", and its loss (NLL) changes by {nll_said(gain)}"


def _missed(evidence: Evidence) -> str:
    """Returns what no handing over of boxes finds: the objects that have none."""
    lost = {one.doubt: one.missed for one in evidence.removal if one.missed is not None}
    if not lost:
        return ""
    wrong = {one.doubt: one.errors for one in evidence.removal}
    told = "; ".join(
        f"with {name}, {100 * wrong[name]:.1f} % of the boxes are wrong and "
        f"{100 * lost[name]:.0f} % of the objects are missed"
        for name in ("one look", "all together")
    )
    return f" No handing over of boxes finds what was missed: {told}."
