"""Parts of the page as HTML: numbers, bars, tables. Every string is escaped."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import isnan

import numpy as np

from tta_demo.learning.weight_file import ByName
from tta_demo.models.ensemble import Ensemble, headed
from tta_demo.models.record import ModelRecord
from tta_demo.pictures.palettes import IGNORED, Palette
from tta_demo.pictures.words import figure, signed
from tta_demo.scoring.metrics import f1, iou
from tta_demo.tasks.segment import class_shares

__all__ = [
    "cards", "class_table", "contents", "legend_of", "looks_together", "paragraphs",
    "percent", "score_cards", "swatch", "table", "tone", "track", "weight_bars",
    "weight_said",
]  # fmt: skip

NEUTRAL = 0.05
"""Differences within this many points count as none."""


def percent(share: float, digits: int = 1) -> str:
    """Returns a share 0..1 in percent, not to be broken before the sign; a dash for NaN.

    Example:
        >>> percent(0.88249).split("\N{NO-BREAK SPACE}"), percent(float("nan"))
        (['88.2', '%'], '–')
    """
    return "–" if isnan(share) else f"{figure(100 * share, digits)}\N{NO-BREAK SPACE}%"


def contents(labels: np.ndarray, names: Sequence[str]) -> str:
    """Returns what labels hold, the most of it first, four classes at most, for those who hear it.

    Example:
        >>> contents(np.array([[1, 1], [0, 1]]), ["soil", "weed"]).split("\N{NO-BREAK SPACE}")
        ['75.0', '% weed, 25.0', '% soil']
    """
    known = labels[labels != IGNORED]
    if not known.size:
        return ""
    shares = class_shares(known, names)
    most = sorted(filter(shares.get, shares), key=shares.get, reverse=True)[:4]
    return ", ".join(f"{percent(shares[one])} {one}" for one in most)


def tone(difference: float, neutral: float = NEUTRAL) -> str:
    """Returns the class of a difference: `better`, `worse`, or none for little or NaN."""
    if isnan(difference) or abs(difference) <= neutral:
        return ""
    return "better" if difference > 0 else "worse"


def looks_together(count: int) -> str:
    """Returns what the fused answer of so many looks is called."""
    return "1 look" if count == 1 else f"{count} looks combined"


def paragraphs(lines: Iterable[str]) -> str:
    """Returns sentences, one below the other; what files say in them is no markup.

    Example:
        >>> paragraphs(["a < b", "![c](d)"])
        '<p>a &lt; b</p><p>![c](d)</p>'
    """
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def cards(*cards: tuple[str, ...]) -> str:
    """Returns cards of what, value, unit and optionally a tone."""
    parts = []
    for number, (what, value, unit, *kind) in enumerate(cards):
        main = ' class="main"' if number == 1 else ""
        parts.append(
            f'<div{main}><div class="what">{escape(what)}</div>'
            f'<div class="value {"".join(kind)}">{escape(value)}</div>'
            f'<div class="unit">{escape(unit)}</div></div>'
        )
    return f'<div class="numbers" aria-live="polite">{"".join(parts)}</div>'


def score_cards(looks: str, one: float, fused: float, unit: str) -> str:
    """Returns three cards: the score of one look and of all looks in percent, the difference."""
    points = fused - one
    return cards(
        ("One look", percent(one / 100), unit),
        (looks, percent(fused / 100), unit),
        ("Difference", signed(points, 2, "±"), "points", tone(points)),
    )


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str] | str], note: str, above: str = ""
) -> str:
    """Returns a table of scores with a note below it; cells, note and the row above are HTML.

    A row that is one string is a heading over those that follow.
    """
    head = "".join(f"<th scope='col'>{escape(head)}</th>" for head in heads)
    body = "".join(
        f"<tr class='group'><th scope='rowgroup' colspan='{len(heads)}'>{row}</th></tr>"
        if isinstance(row, str)
        else f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>"
        for row in rows
    )
    return (
        f"<div class='scores' tabindex='0'><table><thead>{above}<tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table><p>{note}</p></div>"
    )


def class_table(
    matrices: Sequence[np.ndarray],
    names: Sequence[str],
    colors: Sequence[tuple[int, int, int]],
    note: str = "",
) -> str:
    """Returns F1 and IoU a class in percent, of one look and of all, and their means.

    Args:
        matrices: the confusion matrices `(C, C)` of one look and of all.
        names: of the classes.
        colors: of their swatches.
        note: HTML below the table.
    """
    columns = [100 * score(matrix) for score in (f1, iou) for matrix in matrices]
    rows = [
        (f"{swatch(color)}{escape(name)}", [column[i] for column in columns])
        for i, (name, color) in enumerate(zip(names, colors, strict=True))
    ]
    for name, first in (("Mean", 0), ("Mean without background", 1)):
        kept = [column[first:] for column in columns]
        means = [np.nan if np.isnan(k).all() else np.nanmean(k) for k in kept]
        rows.append((f"<b>{name}</b>", means))
    return table(
        ("Class", *("one look", "all looks") * 2),
        ([name, *(figure(value, 2) for value in values)] for name, values in rows),
        f"In percent. {note}",
        above="<tr><th></th><th scope='colgroup' colspan='2'>F1 (Dice)</th>"
        "<th scope='colgroup' colspan='2'>IoU</th></tr>",
    )


def weight_said(weight: float | Mapping[str, float]) -> str:
    """Returns a look's weight in percent, or those of its classes.

    Example:
        >>> weight_said(0.125), weight_said({"soil": 0.5, "weed": 0.25})
        ('12.5', '50.0 / 25.0')
    """
    each = weight.values() if isinstance(weight, Mapping) else [weight]
    return " / ".join(figure(100 * share, 1) for share in each)


def swatch(color: tuple[int, int, int]) -> str:
    """Returns a small square of a colour."""
    return f'<i class="swatch" style="background:rgb{color}"></i>'


def legend_of(palette: Palette) -> str:
    """Returns the classes with their colours."""
    return " ".join(
        f"<span>{swatch(color)}{escape(name)}</span>"
        for name, color in zip(palette.names, palette.colors, strict=True)
    )


def track(shares: Sequence[float], colors: Sequence[tuple[int, int, int]] = ()) -> str:
    """Returns bars of shares 0..1, one below the other, each in its colour if there are some."""
    styles = [f"background:rgb{color};" for color in colors] or [""] * len(shares)
    bars = "".join(
        f'<i style="{style}width:{100 * share:.1f}%"></i>'
        for style, share in zip(styles, shares, strict=True)
    )
    return f'<span class="track">{bars}</span>'


def weight_bars(weights: ByName, model: ModelRecord | Ensemble) -> str:
    """Returns a bar a view; with weights per class, one in the colour of each class.

    Of several models each has a heading, with what all its views count together.
    """
    each = {name: [*w.values()] if isinstance(w, dict) else [w] for name, w in weights.items()}
    longest = max(max(shares) for shares in each.values())
    several = any(isinstance(weight, dict) for weight in weights.values())
    colors, legend = (), ""
    if several:
        palette = model.palette.bright
        colors = palette.colors
        legend = f"<p class='classes'>For each class, in percent: {legend_of(palette)}</p>"
    rows = []
    for heading, _, views in headed(model, each):
        if heading:
            total = [sum(shares) for shares in zip(*map(each.get, views), strict=True)]
            rows.append(f'<h4 class="who">{escape(heading)}{_share(total)}</h4>')
        rows += [
            f'<div class="bar" title="{escape(view.summary)}">'
            f'<span class="name">{escape(view.label)}<small>{escape(view.name)}</small></span>'
            f"{track([share / longest for share in each[row]], colors)}{_share(each[row])}</div>"
            for row, view in views.items()
        ]
    return f'{legend}<div class="bars">{"".join(rows)}</div>'


def _share(shares: Sequence[float]) -> str:
    """Returns what something counts in percent: one number, or one for each class."""
    if len(shares) == 1:
        return f'<span class="share">{percent(shares[0])}</span>'
    said = "/".join(f"{100 * share:.0f}" for share in shares)
    return f'<span class="share several">{said}</span>'
