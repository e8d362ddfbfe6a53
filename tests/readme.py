"""Writes the generated parts of the README: `python tests/readme.py`.

Each part stands between `<!-- NAME -->` and `<!-- /NAME -->`; a test says when one is out of date.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tta_demo.fusion import FUSIONS  # noqa: E402 (the path comes first)
from tta_demo.views import DOMAINS, VIEW_SETS, VIEWS  # noqa: E402
from tta_demo.worlds import WORLDS  # noqa: E402

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
        result = json.loads((ROOT / "assets" / "results" / f"{world}.json").read_text())
        rows += [
            [world, plan, *(f"{score[c]:.4f}" for c in columns), f"{score['ms']:.0f}"]
            for plan, score in result["scores"].items()
        ]
        sources.append(
            f"{world}: `{result['command']}`, {result['pictures']} test pictures from "
            f"{result['first']} on, {result['date']}, {result['machine']}, model "
            f"`{result['digest']}`"
        )
    head = ["world", "views, fusion", "mIoU", "without background", "F1", "NLL", "ECE", "ms"]
    return f"{table(head, rows)}\n\n{'; '.join(sources)}."


PARTS = {"views": views, "fusions": fusions, "results": results}


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
