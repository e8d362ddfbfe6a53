"""Charts as HTML and SVG, in the colours of the page; every string is escaped."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import asinh, floor, log10

from tta_demo.evidence.tally import Gain
from tta_demo.pictures.words import signed

__all__ = ["Line", "Mark", "Row", "chart", "legend", "whiskers"]

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BASE = 360, 230, 46, 10, 12, 40
"""Of a chart, in its own units: outer size and what surrounds the plot."""
LINEAR = 0.2
"""Points; around 0 the scale of differences is even, far from it squeezed."""
TICKS = (0.1, 0.3, 1, 3, 10, 30, 100)
"""Points that are written under differences, on both sides of 0, where there is room."""
ROOM = 15
"""That each of them takes, in percent of the scale."""


@dataclass(frozen=True)
class Row:
    """A difference with its interval, by its name.

    Attributes:
        name: in plain words.
        gain: a share of 1.
        mark: a word on why it stands out; nothing for the others.
        good: whether it stands out for the better.
    """

    name: str
    gain: Gain
    mark: str = ""
    good: bool = True


@dataclass(frozen=True)
class Line:
    """A line of a chart.

    Attributes:
        name: for the legend.
        points: x and y.
        kind: `s0` to `s3`, or `by-chance`: its colour and dashes.
        dots: whether its points are marked.
    """

    name: str
    points: Sequence[tuple[float, float]]
    kind: str
    dots: bool = True


@dataclass(frozen=True)
class Mark:
    """A point of a chart with a letter in it, and its name for the legend."""

    letter: str
    name: str
    x: float
    y: float


def whiskers(rows: Sequence[Row], unit: str) -> str:
    """Returns differences in points as dots with their intervals, one below the other."""
    ends = [100 * x for row in rows for x in (row.gain.value, row.gain.low, row.gain.high) if x]
    low, high = _squeezed(min([*ends, -LINEAR])), _squeezed(max([*ends, LINEAR]))
    pad = 0.04 * (high - low)

    def place(points: float) -> float:
        return 100 * (_squeezed(points) - low + pad) / (high - low + 2 * pad)

    zero = f"<i class='zero' style='left:{place(0):.2f}%'></i>"
    items = "".join(
        f"<li{_kind(row)}><span class='name'>{escape(row.name)}{_word(row)}</span>"
        f"<span class='scale' aria-hidden='true'>{zero}{_interval(row.gain, place)}</span>"
        f"<span class='value'>{_said(row.gain)}</span></li>"
        for row in rows
    )
    ticks = "".join(
        f"<span style='left:{left:.2f}%'>{signed(tick, int(0 < abs(tick) < 1))}</span>"
        for tick, left in _apart(place)
    )
    axis = f"<div class='axis' aria-hidden='true'><span class='scale'>{ticks}</span></div>"
    return f"<div class='whiskers'><p class='unit'>{escape(unit)}</p><ul>{items}</ul>{axis}</div>"


def _squeezed(points: float) -> float:
    return asinh(points / LINEAR)


def _apart(place: Callable[[float], float]) -> Iterator[tuple[float, float]]:
    """Yields points to write under a scale, and their places, none too close to another."""
    yield 0, place(0)
    for sign in (-1, 1):
        last = place(0)
        for tick in TICKS:
            left = place(sign * tick)
            if abs(left - last) >= ROOM and 0 <= left <= 100:
                yield sign * tick, left
                last = left


def _kind(row: Row) -> str:
    return f" class='{'good' if row.good else 'bad'}'" if row.mark else ""


def _word(row: Row) -> str:
    return f" <b class='chip'>{escape(row.mark)}</b>" if row.mark else ""


def _interval(gain: Gain, place: Callable[[float], float]) -> str:
    dot = f"<i class='dot' style='left:{place(100 * gain.value):.2f}%'></i>"
    if gain.low is None or gain.high is None:
        return dot
    start, end = place(100 * gain.low), place(100 * gain.high)
    return f"<i class='range' style='left:{start:.2f}%;width:{end - start:.2f}%'></i>{dot}"


def _said(gain: Gain) -> str:
    value = f"<b>{signed(100 * gain.value, 2, '±')}</b>"
    if gain.low is None or gain.high is None:
        return value
    ends = " to ".join(signed(100 * end, 2, "±") for end in (gain.low, gain.high))
    return f"{value} <small>{ends}</small>"


def chart(title: str, across: str, lines: Sequence[Line], marks: Sequence[Mark] = ()) -> str:
    """Returns lines over an even scale, with a title that says what goes up.

    Args:
        title: what goes up.
        across: what goes to the right.
        lines: drawn in this order.
        marks: single points, drawn above.
    """
    points = [point for line in lines for point in line.points] + [(m.x, m.y) for m in marks]
    (x0, x1), (y0, y1) = (_range([point[i] for point in points]) for i in (0, 1))

    def at(x: float, y: float) -> tuple[float, float]:
        right = LEFT + (WIDTH - LEFT - RIGHT) * (x - x0) / (x1 - x0)
        return right, HEIGHT - BASE - (HEIGHT - BASE - TOP) * (y - y0) / (y1 - y0)

    grid = "".join(
        f"<line x1='{LEFT}' x2='{WIDTH - RIGHT}' y1='{at(x0, y)[1]:.1f}' y2='{at(x0, y)[1]:.1f}'/>"
        f"<text x='{LEFT - 6}' y='{at(x0, y)[1] + 4:.1f}' text-anchor='end'>{said}</text>"
        for y, said in _ticks(y0, y1)
    ) + "".join(
        f"<text x='{at(x, y0)[0]:.1f}' y='{HEIGHT - BASE + 16}' text-anchor='middle'>{said}</text>"
        for x, said in _ticks(x0, x1)
    )
    drawn = "".join(_line(line, [at(*point) for point in line.points]) for line in lines)
    drawn += "".join(_mark(mark, *at(mark.x, mark.y)) for mark in marks)
    label = f"{title}. {across} goes to the right. The numbers are in the table below."
    return (
        f"<figure class='chart'><figcaption>{escape(title)}</figcaption>"
        f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img' aria-label='{escape(label)}'>"
        f"{grid}{drawn}"
        f"<text x='{(LEFT + WIDTH - RIGHT) / 2}' y='{HEIGHT - 6}' text-anchor='middle'>"
        f"{escape(across)}</text></svg></figure>"
    )


def legend(lines: Iterable[Line], marks: Iterable[Mark] = ()) -> str:
    """Returns what lines and marks mean."""
    items = "".join(
        f"<li><svg viewBox='0 0 28 10' aria-hidden='true'><polyline class='{line.kind}' "
        f"points='0,5 28,5'/></svg>{escape(line.name)}</li>"
        for line in lines
    ) + "".join(
        f"<li><b class='letter'>{escape(mark.letter)}</b>{escape(mark.name)}</li>"
        for mark in marks
    )
    return f"<ul class='legend'>{items}</ul>"


def _line(line: Line, places: Sequence[tuple[float, float]]) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = places if line.dots else ()
    circles = "".join(
        f"<circle class='{line.kind}' cx='{x:.1f}' cy='{y:.1f}' r='3'/>" for x, y in dots
    )
    return f"<polyline class='{line.kind}' points='{path}'/>{circles}"


def _mark(mark: Mark, x: float, y: float) -> str:
    return (
        f"<g class='mark'><circle cx='{x:.1f}' cy='{y:.1f}' r='8'/>"
        f"<text x='{x:.1f}' y='{y + 4:.1f}' text-anchor='middle'>{escape(mark.letter)}</text></g>"
    )


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    pad = 0.06 * (high - low) or 0.5
    return low - pad, high + pad


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Returns a few round numbers in a range, and how they are written."""
    rough = (high - low) / 6
    power = 10.0 ** floor(log10(rough))
    step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= rough)
    digits = max(0, -floor(log10(step)))
    first = floor(low / step) + 1
    values = (step * n for n in range(first, floor(high / step) + 1))
    return [(value, f"{value:.{digits}f}") for value in values]
