"""Parts of the Learn tab as HTML: progress, loss curve, scores. Every string is escaped."""

from collections.abc import Mapping, Sequence
from html import escape
from math import isinf

from tta_demo.learning.fit import Fit
from tta_demo.pictures.words import figure, several, signed
from tta_demo.scoring.interval import LEAST, Difference
from tta_demo.tasks.gallery import PIXELS, Verdict
from tta_demo.tasks.worlds import MEASURED
from tta_demo.ui.kit.html import table, tone, track
from tta_demo.ui.kit.stored import results, sources, telling

__all__ = [
    "PLANS", "calibration_lesson", "curve", "fit_facts", "left", "losses",
    "score_table", "sentence", "status", "stored_table",
]  # fmt: skip

ROWS = (
    ("miou", "mIoU (%)", 100, 1),
    ("miou_without_background", "mIoU without background (%)", 100, 1),
    ("f1", "F1 (%)", 100, 1),
    ("accuracy", "Pixels right (%)", 100, 1),
    ("nll", "Loss (NLL)", 1, -1),
    ("ece", "Calibration error (ECE)", 1, -1),
)
"""Key, words, factor, and whether more is better (1) or worse (-1)."""

PLANS = {"none": "One look", "mean": "All looks, even", "learned": "All looks, learned"}
"""What is compared, as `tta_demo.tasks.gallery.scored` names it, in words."""

WHERE = {
    "so far": "the {} seen so far, the very ones it learns from",
    "learned on": "the {} it learned from",
    "checked": "the {} checked so far, which it did not learn from",
    "held out": "{} that it did not learn from",
}
"""Which pictures a loss is of."""

WIDTH, HEIGHT, LEFT, BASE = 420, 150, 56, 24
"""Of the loss curve, in its own units: outer size, left edge and base of the plot."""


def status(text: str, share: float | None = None) -> str:
    """Returns a sentence on what is going on, with a bar if its share 0..1 is known."""
    bar = ""
    if share is not None:
        bar = f'<progress max="1" value="{share:.3f}" aria-label="Progress"></progress>'
    return f'<div class="status" role="status"><p>{escape(text)}</p>{bar}</div>'


def left(seconds: float) -> str:
    """Returns how long something still takes.

    Example:
        >>> left(0.2), left(200.0)
        ('About 1 s left.', 'About 3 min left.')
    """
    if seconds < 100:
        return f"About {max(1, round(seconds))} s left."
    return f"About {round(seconds / 60)} min left."


def losses(each: Mapping[str, float], pictures: int, where: str) -> str:
    """Returns the losses (NLL) of the three of `PLANS` as bars.

    Args:
        each: the loss by a key of `PLANS`.
        pictures: how many they are of.
        where: a key of `WHERE`.
    """
    most = max(each.values())
    rows = "".join(
        f'<div class="bar {name}"><span class="name">{escape(words)}</span>'
        f'{track([each[name] / most])}<span class="share">{each[name]:.4f}</span></div>'
        for name, words in PLANS.items()
    )
    told = f"Loss on {WHERE[where].format(several(pictures, 'picture'))}; less is better:"
    return f'<p>{escape(told)}</p><div class="bars">{rows}</div>'


def curve(history: Sequence[float]) -> str:
    """Returns the loss (NLL) after each step as a line; lower is better."""
    losses = [-value for value in history]
    low, high = min(losses), max(losses)
    span = max(high - low, 1e-9)
    across = (WIDTH - LEFT - 12) / max(len(losses) - 1, 1)
    points = [
        (LEFT + i * across, 12 + (HEIGHT - BASE - 20) * (high - loss) / span)
        for i, loss in enumerate(losses)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = ""
    if len(points) <= 30:
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in points)
    steps = several(len(losses) - 1, "step")
    return (
        f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Loss from {losses[0]:.5f} to {losses[-1]:.5f} in {steps}">'
        f'<line x1="{LEFT}" y1="{HEIGHT - BASE}" x2="{WIDTH - 12}" y2="{HEIGHT - BASE}"/>'
        f'<text x="{LEFT - 6}" y="16" text-anchor="end">{high:.4f}</text>'
        f'<text x="{LEFT - 6}" y="{HEIGHT - BASE - 4}" text-anchor="end">{low:.4f}</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 6}">loss as it learns, even first</text>'
        f'<text x="{WIDTH - 12}" y="{HEIGHT - 6}" text-anchor="end">{steps}</text>'
        f'<polyline points="{line}"/>{dots}</svg>'
    )


def fit_facts(fit: Fit) -> str:
    """Returns how the weights were found, in a sentence."""
    if isinf(fit.prior):
        return (
            f"<p>{several(fit.pixels, 'pixel')} do not show that some looks deserve more than "
            "others: all count the same.</p>"
        )
    steps, pixels = several(len(fit.history) - 1, "step"), several(fit.pixels, "pixel")
    parts = [f"{steps} on {pixels}"]
    if fit.gap is not None:
        parts.append(f"proved: no weights have a loss lower by more than {max(fit.gap, 1e-9):.0e}")
    if fit.prior:
        parts.append(f"the pull towards even counted as much as {fit.prior:g} of the pictures")
    return f"<p>{escape('; '.join(parts))}.</p>"


def sentence(verdict: Verdict) -> str:
    """Returns whether learning helped on pictures that it did not see, in plain words."""
    overlap, loss = verdict.gain["miou"], verdict.gain["nll"]
    verb = _word(overlap, "helped", "hurt", "made no clear difference")
    fit = _word(loss, "worse", "better", "no clear change")
    points, low, high = (signed(100 * x, 2) for x in (overlap.value, overlap.low, overlap.high))
    if verdict.pictures < LEAST:
        verb, more = "was" if verdict.pictures == 1 else "were", LEAST - verdict.pictures
        return (
            f"<p class='verdict'>{several(verdict.pictures, 'picture')} {verb} kept for checking. "
            f"There learned weights gave {points} points of overlap (mIoU) over even ones: too "
            f"few pictures to tell whether learning helps. {more} more "
            f"{'is' if more == 1 else 'are'} needed.</p>"
        )
    return (
        f"<p class='verdict'>On {verdict.pictures} pictures that were not used for learning, "
        f"learning <b>{verb}</b>: {points} points of overlap (mIoU) over the even mean (95 % "
        f"interval {low} to {high}). Loss {verdict.mean['nll']:.4f} → "
        f"{verdict.learned['nll']:.4f}: {fit}.</p>"
    )


def _word(gain: Difference, above: str, below: str, unclear: str) -> str:
    return unclear if not gain.clear else above if gain.value > 0 else below


def calibration_lesson(held_out: Verdict | None, calibration: Verdict) -> str:
    """Returns what the scores on the learning pictures themselves teach."""
    own = calibration.gain["nll"].value
    text = "The weights were chosen on these very pictures, so these scores flatter them."
    if held_out is not None:
        text += (
            f" Loss against the even mean: {signed(own, 4)} here, "
            f"{signed(held_out.gain['nll'].value, 4)} on the other pictures. Where the gain is "
            "larger here, the weights fit these pictures rather than the world: overfitting."
        )
    return f"<p>{escape(text)}</p>"


def score_table(verdict: Verdict) -> str:
    """Returns the scores of no TTA, even mean and learned weights, with intervals."""
    rows = []
    for key, words, factor, sign in ROWS:
        digits = 2 if factor == 100 else 4
        scores = (verdict.none, verdict.mean, verdict.learned)
        cells = [figure(factor * score[key], digits) for score in scores]
        rows.append([escape(words), *cells, _change(verdict.gain[key], factor, sign, digits)])
    return table(
        ("Score", "One look", "Even mean", "Learned", "Learned − mean (95 %)"),
        rows,
        f"{several(verdict.pictures, 'picture')}, {PIXELS:,} pixels of each, drawn at random.",
    )


def _change(gain: Difference, factor: float, sign: int, digits: int) -> str:
    """Returns the difference with its interval, coloured if it is clear."""
    value, low, high = (signed(factor * x, digits) for x in (gain.value, gain.low, gain.high))
    text = f"{value} ({low} to {high})" if gain.known else value
    return f'<span class="{tone(sign * gain.value, 0)}">{text}</span>' if gain.clear else text


@telling
def stored_table() -> str:
    """Returns the stored results of every world over its whole test set."""
    rows = []
    for name, world in MEASURED.items():
        for plan, score in results(name)["scores"].items():
            overlaps = (figure(100 * score[key], 2) for key in ("miou", "miou_without_background"))
            losses = (figure(score[key], 4) for key in ("nll", "ece"))
            rows.append([f"{escape(world.label)}: {escape(plan)}", *overlaps, *losses])
    return table(
        ("World: looks, fusion", "mIoU (%)", "without background (%)", "Loss (NLL)",
         "Calibration error"),
        rows,
        f"{escape(sources(*MEASURED))}. The commands: assets/results/README.md.",
    )  # fmt: skip
