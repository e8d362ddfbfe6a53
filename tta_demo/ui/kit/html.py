"""Parts of the page as HTML: numbers, weight bars, tables. Every string is escaped."""

from collections.abc import Sequence
from html import escape

import numpy as np

from tta_demo.pictures.palettes import Palette
from tta_demo.scoring.metrics import f1, iou, mean_iou
from tta_demo.tasks.segment import Segmentation
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.views import VIEWS

__all__ = [
    "BARS_JS",
    "bars",
    "cards",
    "class_table",
    "legend_of",
    "numbers",
    "seen_in_training",
    "swatch",
    "weight_bars",
]

Weights = dict[str, float] | dict[str, dict[str, float]]
"""What each view counts, by view, or by view and class."""

NEUTRAL = 0.05
"""Differences within this many points count as none."""

BARS_JS = """
element.addEventListener('click', (event) => {
  const bar = event.target.closest('[data-view]');
  if (bar) trigger('select', { view: bar.dataset.view });
});
"""


def numbers(result: Segmentation, background: bool) -> str:
    """Returns the three big numbers: one look, all looks, difference."""
    looks = _looks(result)
    if result.matrices is None:
        shares = _shares(result)
        return cards(
            ("One look", f"{shares[0]:.1%}", "of the picture is marked"),
            (looks, f"{shares[1]:.1%}", "of the picture is marked"),
            ("Changed", f"{result.changed:.2%}", "of all pixels; with a mask you see scores"),
        )
    one, fused = (100 * mean_iou(matrix, background) for matrix in result.matrices)
    if np.isnan(one + fused):
        return cards(
            ("One look", "–", "nothing to score"), (looks, "–", ""), ("Difference", "–", "")
        )
    unit = "overlap (mean IoU)" if background else "overlap without background"
    points = fused - one
    tone = "" if abs(points) <= NEUTRAL else ("better" if points > 0 else "worse")
    sign = "+" if points > 0 else "−" if points < 0 else "±"
    return cards(
        ("One look", f"{one:.1f} %", unit),
        (looks, f"{fused:.1f} %", unit),
        ("Difference", f"{sign}{abs(points):.2f}", "points", tone),
    )


def cards(*cards: tuple[str, ...]) -> str:
    """Returns cards of what, value, unit and optionally a tone."""
    parts = []
    for number, (what, value, unit, *tone) in enumerate(cards):
        kind = ' class="main"' if number == 1 else ""
        parts.append(
            f'<div{kind}><div class="what">{escape(what)}</div>'
            f'<div class="value {"".join(tone)}">{escape(value)}</div>'
            f'<div class="unit">{escape(unit)}</div></div>'
        )
    return f'<div class="numbers" aria-live="polite">{"".join(parts)}</div>'


def _looks(result: Segmentation) -> str:
    if result.fusion == "none":
        return "Original only"
    return "1 look" if len(result.views) == 1 else f"{len(result.views)} looks combined"


def _shares(result: Segmentation) -> tuple[float, float]:
    return float((result.one_look > 0).mean()), float((result.labels > 0).mean())


def bars(result: Segmentation) -> str:
    """Returns one bar a view: how much each look counts. A bar is a button that names its view."""
    weights: Weights
    if result.weights is not None:
        weights, text = result.weights, "How much each look counts, learned on labelled pictures."
    elif result.fusion == "none":
        weights, text = {"identity": 1.0}, "Only the original counts."
    else:
        weights = dict.fromkeys(result.views, 1 / len(result.views))
        text = {
            "max": "In every pixel the most certain look decides; all have the same chance.",
            "median": "In every pixel the middle answer counts; all have the same chance.",
            "confidence": "The surer a look is of a pixel, the more it counts there; "
            "all start alike.",
        }.get(result.fusion, "All looks count the same.")
    hint = "Click a bar to see what that look saw."
    rows = weight_bars(weights, result.world.record.palette, "button")
    return f"<p>{escape(text)} {hint}</p>{rows}"


def weight_bars(weights: Weights, palette: Palette, element: str = "div") -> str:
    """Returns a bar a view; with weights per class, one in the colour of each class.

    Args:
        weights: by view, or by view and class.
        palette: the classes.
        element: `button` for bars that can be clicked, else `div`.
    """
    kind = ' type="button"' if element == "button" else ""
    longest = max(max(_each(weight)) for weight in weights.values())
    rows = []
    for name, weight in weights.items():
        view, shares = VIEWS[name], _each(weight)
        colors = [f"background:rgb{color};" for color in palette.colors]
        tracks = "".join(
            f'<i style="{color}width:{100 * share / longest:.1f}%"></i>'
            for share, color in zip(shares, colors if len(shares) > 1 else [""], strict=True)
        )
        said = "/".join(f"{100 * share:.0f}" for share in shares)
        rows.append(
            f'<{element}{kind} class="bar" data-view="{escape(name)}" '
            f'title="{escape(view.summary)}">'
            f'<span class="name">{escape(view.label)}<small>{escape(name)}</small></span>'
            f'<span class="track">{tracks}</span>'
            f'<span class="share{" several" if len(shares) > 1 else ""}">'
            f"{said if len(shares) > 1 else f'{shares[0]:.1%}'}</span>"
            f"</{element}>"
        )
    legend = ""
    if any(isinstance(weight, dict) for weight in weights.values()):
        legend = f"<p class='classes'>For each class, in percent: {legend_of(palette)}</p>"
    return f'{legend}<div class="bars">{"".join(rows)}</div>'


def _each(weight: float | dict[str, float]) -> list[float]:
    return list(weight.values()) if isinstance(weight, dict) else [weight]


def legend_of(palette: Palette) -> str:
    """Returns the classes with their colours."""
    return " ".join(
        f"<span>{swatch(color)}{escape(name)}</span>"
        for name, color in zip(palette.names, palette.colors, strict=True)
    )


def class_table(result: Segmentation) -> str:
    """Returns F1 and IoU a class, with one look and with all; a sentence without truth."""
    if result.matrices is None:
        return "<p>Add a mask to see how right the answers are, class by class.</p>"
    palette = result.world.record.palette
    columns = [score(matrix) for score in (f1, iou) for matrix in result.matrices]
    rows = [
        _row(f"{swatch(color)}{escape(name)}", [column[i] for column in columns])
        for i, (name, color) in enumerate(zip(palette.names, palette.colors, strict=True))
    ]
    rows.append(_row("<b>Mean</b>", [np.nanmean(column) for column in columns]))
    rows.append(
        _row(
            "<b>Mean without background</b>",
            [np.nanmean(c[1:]) if not np.isnan(c[1:]).all() else np.nan for c in columns],
        )
    )
    ways = "".join(f"<th scope='col'>{way}</th>" for way in ("one look", "combined") * 2)
    return (
        "<div class='scores' tabindex='0'><table><thead><tr><th></th>"
        "<th scope='colgroup' colspan='2'>F1</th><th scope='colgroup' colspan='2'>IoU</th></tr>"
        f"<tr><th scope='col'>Class</th>{ways}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        f"<p>In percent. Combined: {escape(_looks(result))}, "
        f"{escape(FUSIONS[result.fusion].summary)}.</p></div>"
    )


def _row(name: str, values: Sequence[float]) -> str:
    cells = "".join(f"<td>{'–' if np.isnan(v) else f'{100 * v:.2f}'}</td>" for v in values)
    return f"<tr><td>{name}</td>{cells}</tr>"


def swatch(color: tuple[int, int, int]) -> str:
    """Returns a small square of a colour."""
    return f'<i class="swatch" style="background:rgb{color}"></i>'


def seen_in_training(result: Segmentation, name: str) -> str:
    """Returns `yes` or `no`: whether training showed the model such views."""
    return "yes" if result.world.record.augmentation.covers(VIEWS[name]) else "no"
