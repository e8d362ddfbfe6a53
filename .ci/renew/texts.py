"""The generated parts of the READMEs: tables from the registries and from stored results.

Each part stands between `<!-- NAME -->` and `<!-- /NAME -->`; a test says when one is out of date.
"""

import re
from pathlib import Path

from learning_texts import compared, harm, learning, methods
from markdown_parts import RESULTS, ROOT, interval, stored, table
from sure_text import sure
from waits_text import engines, waits

from tta_demo.models.domains import DOMAINS
from tta_demo.tasks.worlds import MEASURED, WORLDS
from tta_demo.tta.crops import CROP_SETS
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.views import VIEW_SETS, VIEWS

README, RESULTS_README = ROOT / "README.md", RESULTS / "README.md"


def views() -> str:
    """The sets of views, those of whole photographs included."""
    rows = [[f"`{name}`", len(views), ", ".join(views)] for name, views in VIEW_SETS.items()]
    listed = {view for views in VIEW_SETS.values() for view in views}
    rows.append(["in no set", "", ", ".join(name for name in VIEWS if name not in listed)])
    crops = ", ".join(f"`{name}` ({len(views)})" for name, views in CROP_SETS.items())
    return (
        f"{table(['set', 'views', 'names'], rows)}\n\nOf whole photographs, for classification: "
        f"{crops}."
    )


def view_table() -> str:
    """Every view, whether training showed it to the models, and what it suits."""
    seen = [world.record.augmentation for world in WORLDS.values()]
    told = {True: "yes", False: "no", None: "unknown"}
    rows = [
        [f"`{n}`", v.label, v.summary, *(told[s and s.covers(v)] for s in seen)]
        for n, v in VIEWS.items()
    ]
    head = ["view", "on the page", "what it does", *(f"{key} training saw it" for key in WORLDS)]
    domains = "; ".join(f"{d.label} ({d.summary}): {', '.join(d.views)}" for d in DOMAINS.values())
    return f"{table(head, rows)}\n\nWhat suits whom. {domains}."


def fusions() -> str:
    """Every way to combine the answers."""
    rows = [[f"`{n}`", f.label, f.summary, f.source] for n, f in FUSIONS.items()]
    return table(["fusion", "on the page", "what it does", "source"], rows)


def results() -> str:
    """The scores of the worlds, with and without TTA."""
    columns = ("miou", "miou_without_background", "f1", "nll", "ece")
    rows, sources = [], []
    for world in MEASURED:
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
        f"{table(head, rows)}\n\nWith 95 % intervals over pictures (bootstrap-t). "
        f"{'; '.join(sources)}."
    )


def detection() -> str:
    """The detector's scores, with and without TTA."""
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


def gains() -> str:
    """In a sentence for each, what looking again and learned weights are worth."""
    told = []
    for world in MEASURED:
        none, mean, learned = (
            f"{stored(world)['scores'][plan]['miou']:.4f}"
            for plan in ("none", "d4, mean", "d4, learned")
        )
        gain = interval(stored(world)["learned_minus_mean"]["d4"]["miou"], 100, 2)
        told.append(
            f"- {world}: mIoU {none} with one look, {mean} with the eight of D4 averaged, "
            f"{learned} with learned weights: {gain} points over the average."
        )
    rows = stored("detection")["rows"]
    one, fused = rows["no TTA"], rows["D4, WBF"]
    gain = interval(fused["minus_no_tta"], 100, 1)
    told.append(
        f"- boxes of weeds: AP {100 * one['ap']:.1f} with one look, {100 * fused['ap']:.1f} with "
        f"the boxes of D4 fused: {gain} points."
    )
    return "\n".join(told)


def ensembles() -> str:
    """The scores of models of weeds alone and together, by what they have seen."""
    result, rows = stored("ensembles"), []
    words = {"none": "one look", "d4": "D4", "all": "all 15"}
    for row in result["rows"]:
        if row["views"] == "all" and len(row["team"]) == 2:
            continue  # eight views of each tell the same
        gained = (
            interval(row["minus"][other]["miou"], 100, 2) if other in row["minus"] else ""
            for other in ("one_look", "even_mean", "alone")
        )
        rows.append(
            [
                " + ".join(row["team"]), f"{words[row['views']]}, {row['fusion']}", row["looks"],
                *(f"{row[key]:.4f}" for key in ("miou", "miou_without_background", "nll", "ece")),
                *gained,
            ]
        )  # fmt: skip
    head = ["models", "of each, fusion", "looks", "mIoU", "without background", "NLL", "ECE",
            "mIoU, points over one look", "over the mean", "over the first alone"]  # fmt: skip
    models = ", ".join(
        f"{who} `{one['name']}` (`{one['digest']}`)" for who, one in result["models"].items()
    )
    learned = result["calibration"]
    return (
        f"{table(head, rows)}\n\n`{result['command']}`: {result['pictures']} test fields from "
        f"{result['first']} on, weights learned on {learned['pictures']} calibration fields from "
        f"{learned['first']} on, {result['date']}, {result['machine']}; {models}. Points with "
        "95 % intervals over pictures (bootstrap): over one look of the first model named, over "
        "the even mean of the same looks, and over the first model alone with the same views and "
        "fusion."
    )


def damage() -> str:
    """What looking again is worth to damaged photographs."""
    result = stored("damage")
    overlap, gains = result["overlap"], result["gains"]
    rows = []
    for plan in ("one look", "mirror, mean", "half size alone", "smaller two, mean",
                 "natural, mean", "natural, median", "light, mean", "natural, learned",
                 "light, learned"):  # fmt: skip
        cells = (
            f"{overlap['truth'][name][plan]:.3f} / {overlap['own_answer'][name][plan]:.3f}"
            for name in (*result["damages"], "damaged")
        )
        rows.append([plan, *cells])
    told = [
        f"{first}, {name}: {interval(gains['truth'][name][first], 1, 3)} against the truth, "
        f"{interval(gains['own_answer'][name][first], 1, 3)} against its own answer"
        for name in ("noise", "damaged")
        for first in gains["truth"][name]
    ]
    known, own = (len(result["pictures"][kind]) for kind in ("truth", "own_answer"))
    head = ["views, fusion", *result["damages"], "all damaged"]
    return (
        f"{table(head, rows)}\n\nOverlap (IoU) of the subject, mean over pictures. Before the "
        f"slash: {known} examples against masks drawn by hand; after it: {own} other photographs "
        f"against the model's own answer, by one look, to the undamaged picture, which is no "
        f"truth (weights learned on the {own - 1} others). Differences with 95 % intervals over "
        f"pictures: {'; '.join(told)}. `{result['command']}`, {result['date']}, "
        f"{result['machine']}, model `{result['digest']}`; the amounts and all plans are in "
        "`damage.json`."
    )


def lesson() -> str:
    """What becomes of a gain that is counted in two ways."""
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


def sizing() -> str:
    """What a picture costs, and what a million need."""
    result = stored("sizing")
    rows = [
        [
            f"`{row['model']}`", f"{row['side']} x {row['side']}", row["looks"],
            f"{row['seconds']:.3f}", f"{row['an_hour']:,}", f"{row['million_core_hours']:,.0f}",
            f"{row['million_hours']:,.1f}",
        ]
        for row in result["rows"]
    ]  # fmt: skip
    head = ["model", "pixels", "looks", "seconds of one core", "an hour and core",
            "a million: hours of one core", f"of {result['cores']} cores"]  # fmt: skip
    run = result["run"]
    return (
        f"{table(head, rows)}\n\nFrom pixels to the fused answer, in processor time, so that "
        f"other load hardly counts. Spread by Ray over {run['cores']} cores, each was at work "
        f"{run['busy']:.0%} of the time, and a weed field with D4 cost {run['on_ray']:.3f} s of "
        f"it instead of {run['here']:.3f} s ({run['fields']} fields). `{result['command']}`, "
        f"{result['date']}, {result['machine']}; models "
        f"{', '.join(f'`{name}` (`{digest}`)' for name, digest in result['digests'].items())}."
    )


PARTS = {
    README: (views, fusions, gains),
    RESULTS_README: (
        results,
        methods,
        compared,
        harm,
        damage,
        ensembles,
        view_table,
        lesson,
        learning,
        sure,
        detection,
        waits,
        engines,
        sizing,
    ),
}


def generated(path: Path) -> str:
    """Returns a README's text with its parts as they should be."""
    text = path.read_text()
    for part in PARTS[path]:
        name = part.__name__
        text, found = re.subn(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
            lambda m, part=part: f"{m[1]}{part()}\n{m[2]}",
            text,
            flags=re.DOTALL,
        )
        assert found == 1, f"{path} must have one part {name}"
    return text


def renew_texts() -> None:
    """Writes the generated parts into the READMEs."""
    for path in PARTS:
        path.write_text(generated(path))
