"""Writes the generated parts of the README: `python tests/readme.py`.

Each part stands between `<!-- NAME -->` and `<!-- /NAME -->`; a test says when one is out of date.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tta_demo.learning.fit_methods import METHODS  # noqa: E402 (the path comes first)
from tta_demo.tasks.worlds import WORLDS  # noqa: E402 (the path comes first)
from tta_demo.tta.crops import CROP_SETS, CROP_VIEWS  # noqa: E402 (the path comes first)
from tta_demo.tta.fusion import FUSIONS  # noqa: E402 (the path comes first)
from tta_demo.models.domains import DOMAINS, VIEW_SETS, VIEWS  # noqa: E402 (the path comes first)

README = ROOT / "README.md"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def views():
    names = list(VIEWS)
    seen = {key: [world.record.augmentation.covers(VIEWS[n]) for n in names]
            for key, world in WORLDS.items()}  # fmt: skip
    rows = [
        [f"`{name}`", view.label, view.summary, *("yes" if s[i] else "no" for s in seen.values())]
        for i, (name, view) in enumerate(VIEWS.items())
    ]
    sets = "; ".join(f"`{name}` ({len(views)})" for name, views in VIEW_SETS.items())
    domains = "; ".join(f"{d.label} ({d.summary}): {', '.join(d.views)}" for d in DOMAINS.values())
    head = ["view", "on the page", "what it does", *(f"{key} training saw it" for key in seen)]
    return f"{table(head, rows)}\n\nSets: {sets}. Domains: {domains}."


def fusions():
    rows = [[f"`{n}`", f.label, f.summary, f.source] for n, f in FUSIONS.items()]
    return table(["fusion", "on the page", "what it does", "source"], rows)


def results():
    columns = ("miou", "miou_without_background", "f1", "nll", "ece")
    rows, sources = [], []
    for world in WORLDS:
        result = stored(world)
        for plan, score in result["scores"].items():
            found = result["learned_minus_mean"].get(plan.removesuffix(", learned"))
            gained = (
                [interval(found["miou"], 100, 2), interval(found["nll"])] if found else ["", ""]
            )
            cells = (f"{score[c]:.4f}" for c in columns)
            rows.append([world, plan, *cells, f"{score['ms']:.0f}", *gained])
        sources.append(
            f"{world}: `{result['command']}`, {result['pictures']} test pictures from "
            f"{result['first']} on, {result['date']}, {result['machine']}, model "
            f"`{result['digest']}`"
        )
    head = ["world", "views, fusion", "mIoU", "without background", "F1", "NLL", "ECE", "ms",
            "mIoU, points over the mean", "NLL over the mean"]  # fmt: skip
    return (
        f"{table(head, rows)}\n\nWith 95 % intervals over pictures (bootstrap). "
        f"{'; '.join(sources)}."
    )


def stored(name):
    return json.loads((ROOT / "assets" / "results" / f"{name}.json").read_text())


def interval(found, factor=1, digits=4):
    value, low, high = (factor * found[key] for key in ("value", "low", "high"))
    return f"{value:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"


def methods():
    rows = [[f"`{n}`", m.summary, m.source] for n, m in METHODS.items()]
    return table(["method", "what it means", "source"], rows)


def detection():
    result = stored("detection")
    rows = [
        [
            name, row["views"], *(f"{100 * row[key]:.1f}" for key in ("ap", "ap50", "recall")),
            f"{row['ms']:.0f}", interval(row["minus_no_tta"], 100, 1) if row["views"] > 1 else "",
        ]
        for name, row in result["rows"].items()
    ]  # fmt: skip
    head = ["way", "views", "AP", "AP@.5", "recall", "ms", "AP, points over no TTA"]
    return (
        f"{table(head, rows)}\n\n`{result['command']}`: {result['pictures']} test fields from "
        f"{result['first']} on, {result['date']}, {result['machine']}, model "
        f"`{result['digest']}`; AP and recall in percent, means of overlaps .5 to .95, as COCO "
        "counts; 95 % intervals over pictures. The learned weights are the best found on "
        f"{result['learned']['pictures']} calibration fields by AP."
    )


def crops():
    rows = [
        [f"`{name}`", len(names), ", ".join(CROP_VIEWS[n].label for n in names)]
        for name, names in CROP_SETS.items()
    ]
    return table(["set", "looks", "what they see"], rows)


def learning():
    folder = ROOT / "assets" / "results"
    runs = [stored(f"learn-{v}") for v in VIEW_SETS if (folder / f"learn-{v}.json").is_file()]
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
        f"`{first['digest']}`; the weights are in `assets/results/learn-*.json`."
    )


def lesson():
    scores = stored("weeds")["scores"]
    none, learned = scores["none"], scores["d4, learned"]
    fair = 100 * (learned["miou_without_background"] - none["miou_without_background"])
    unfair = 100 * (learned["miou"] - none["miou_without_background"])
    return (
        f"On weeds, one look has mIoU {none['miou_without_background']:.4f} over the weeds alone; "
        f"learned D4 has {learned['miou_without_background']:.4f}, or {learned['miou']:.4f} with "
        f"the background counted in. Leave the background out of the first number and in the "
        f"last, and {fair:+.2f} points look like {unfair:+.2f}."
    )


PARTS = {
    "methods": methods, "crops": crops, "detection": detection, "learning": learning,
    "lesson": lesson,
    "views": views, "fusions": fusions, "results": results,
}  # fmt: skip


def generated(text: str) -> str:
    for name, write in PARTS.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        text, found = re.subn(
            pattern, lambda m, w=write: f"{m[1]}{w()}\n{m[2]}", text, flags=re.DOTALL
        )
        assert found == 1, f"the README must have one part {name}"
    return text


if __name__ == "__main__":
    README.write_text(generated(README.read_text()))
