"""The generated part on stopping when sure."""

from typing import Any

from markdown_parts import interval, stored, table


def sure() -> str:
    """How many looks are taken if looking stops when sure, and at what loss."""
    result = stored("sure")
    rows = [
        [
            row["set"], row["unit"], row["views"], f"{row['looks']:.2f}", f"{row['passes']:.2f}",
            f"{row['saved_percent']:.0f} %", points(row, "sure"), f"{row['fixed']:g}",
            points(row, "fixed"), points(row, "one"),
        ]
        for row in result["rows"]
    ]  # fmt: skip
    head = ["pictures", "stops for a", "looks in all", "taken", "cost, passes", "looks saved",
            "points over all looks", "always as many", "points", "one look, points"]  # fmt: skip
    told = [
        f"{one['world']}: {one['looks']:.2f} of {one['views']} looks, {one['ms']:.0f} ms instead "
        f"of {one['all_ms']:.0f} a picture, {interval(one['sure_over_all'], 100, 2)} points, on "
        f"{one['pictures']} test pictures from {one['first']} on"
        for one in result["shipped"]
    ]
    models = ", ".join(f"`{name}` (`{digest}`)" for name, digest in result["models"].items())
    return (
        f"{table(head, rows)}\n\n`{result['command']}`, {result['date']}, {result['machine']}; "
        f"seed of the parts {result['seed']}; {models}; pixels: {result['pixels']}. Allowed: "
        f"{100 * result['loss']:g} points. Points of mIoU, of pictures classified right or of AP, "
        "with 95 % intervals over pictures (bootstrap-t). The plans that come along "
        f"(`../plans/`), really run: {'; '.join(told)}."
    )


def points(row: dict[str, Any], way: str) -> str:
    """By how much a way to stop exceeds all looks, with its interval."""
    return interval(row[f"{way}_over_all"], 100, 2)
