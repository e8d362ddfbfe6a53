"""The parts about learning the weights: the methods, what they gain, whether they do harm."""

from markdown_parts import RESULTS, interval, stored, table

from tta_demo.learning.fit_methods import METHODS
from tta_demo.tta.views import VIEW_SETS


def methods() -> str:
    """Every way to find the weights."""
    rows = [[f"`{n}`", m.summary, m.source] for n, m in METHODS.items()]
    return table(["method", "what it means", "source"], rows)


def learning() -> str:
    """How long learning takes, and what it finds."""
    runs = [stored(f"learn-{v}") for v in VIEW_SETS if (RESULTS / f"learn-{v}.json").is_file()]
    rows = [
        [
            f"`{run['command']}`", f"{run['passes_seconds']:.1f} s",
            f"{run['exact_fit_seconds']:.1f} s", f"{run['tutorial_seconds']:.0f} s",
            f"{run['times_faster']:.1f} x",
            " / ".join(f"{run['nll'][name]:.4f}" for name in ("even", "exact", "tutorial")),
        ]
        for run in runs
    ]  # fmt: skip
    head = ["command", "views, once", "exact fit", "tutorial's loop", "ratio",
            "held-out NLL: even / exact / tutorial"]  # fmt: skip
    first = runs[0]
    return (
        f"{table(head, rows)}\n\n{first['pictures']} weed fields to learn on, "
        f"{first['held_out']} test fields to check on, {first['date']}, {first['machine']}, model "
        f"`{first['digest']}`; the weights are in `learn-*.json`."
    )


def harm() -> str:
    """Whether learning did harm, over many random splits."""
    result = stored("harm")
    rows = [
        [
            row["set"], row["views"], row["learned_on"],
            *(f"{row[way]['miou_points']:+.3f} ({row[way]['miou_points_worst']:+.2f})"
              for way in ("chosen", "one", "exact")),
            *(f"{row[way]['nll_better_percent']:.0f} / {row[way]['nll_worse_percent']:.0f}"
              for way in ("chosen", "one", "exact")),
        ]
        for row in result["rows"]
    ]  # fmt: skip
    head = ["pictures", "views", "learned on"]
    head += ["mIoU, points over even (worst split): prior chosen", "of one picture", "none"]
    head += ["splits with a better / worse NLL, %: chosen", "one", "none"]
    models = ", ".join(f"`{name}` (`{digest}`)" for name, digest in result["models"].items())
    return (
        f"{table(head, rows)}\n\n`{result['command']}`, {result['date']}, {result['machine']}; "
        f"seeds of the splits {result['seeds']}; {models}; pixels: {result['pixels']}. The priors "
        "that were chosen are in `harm.json`."
    )


def compared() -> str:
    """What every method comes to, on pictures that it did not learn on."""
    result, sets = stored("methods"), {}
    for row in result["rows"]:
        sets.setdefault((row["set"], row["views"]), {})[row["way"]] = row
    rows = []
    for told, ways in sets.items():
        even = ways.pop("even")
        rows.append([*told, "mIoU, points over even", f"{even['miou']:.4f}"])
        rows[-1] += [interval(one["miou_over_even"], 100, 2) for one in ways.values()]
        rows.append([*told, "NLL over even", f"{even['nll']:.4f}"])
        rows[-1] += [interval(one["nll_over_even"]) for one in ways.values()]
        times = [f"{one['seconds']:.1f}" if one["seconds"] else "" for one in ways.values()]
        rows.append([*told, "seconds to learn", "", *times])
    models = ", ".join(f"`{name}` (`{digest}`)" for name, digest in result["models"].items())
    return (
        f"{table(['pictures', 'views', '', 'even', *ways], rows)}\n\n`{result['command']}`, "
        f"{result['date']}, {result['machine']}; seed of the halves {result['seed']}; {models}; "
        f"pixels: {result['pixels']}. In the column of even its own scores; intervals are 95 % "
        "over pictures (bootstrap-t); seconds are the processor's for one half, after the looks. "
        "Priors and weights are in `methods.json`."
    )
