"""The picture on screen as Python code that repeats it."""

import re
from json import dumps
from textwrap import fill

from tta_demo.models.ensemble import rows_of
from tta_demo.pictures.assets import ASSETS
from tta_demo.tasks.segment import Segmentation
from tta_demo.tta.fusion import FUSIONS, Weights
from tta_demo.tta.views import VIEW_SETS
from tta_demo.ui.kit.html import looks_together
from tta_demo.ui.segment.case import SegmentCase
from tta_demo.ui.takeaway.origin import example_of, own_truth
from tta_demo.ui.takeaway.own_code import code_of

__all__ = ["PICTURE", "TRUTH", "snippet"]

PICTURE, TRUTH = "picture.png", "truth.png"
"""What the code reads where a visitor's own picture or mask cannot be had again otherwise."""

HOMES = {
    "replace": "dataclasses",
    "Path": "pathlib",
    "VIEW_SETS": "tta_demo",
    "Plan": "tta_demo",
    "Weights": "tta_demo",
    "read_picture": "tta_demo",
    "segment": "tta_demo",
    "Feed": "tta_demo.models.feed",
    "hub_model": "tta_demo.models.hub",
    "OnnxFacts": "tta_demo.models.onnx_file",
    "own_model": "tta_demo.models.own",
    "ASSETS": "tta_demo.pictures.assets",
    "read_mask": "tta_demo.pictures.masks",
    "restore": "tta_demo.pictures.masks",
    "Palette": "tta_demo.pictures.palettes",
    "index_png": "tta_demo.pictures.palettes",
    "Picture": "tta_demo.pictures.reading",
    "Damage": "tta_demo.pictures.damage",
    "damage": "tta_demo.pictures.damage",
    "mean_iou": "tta_demo.scoring.metrics",
    "WORLDS": "tta_demo.tasks.worlds",
    "own_world": "tta_demo.tasks.worlds",
}
"""Where the names are imported from that the code may use."""


def snippet(case: SegmentCase, result: Segmentation) -> str:
    """Returns a script that writes the mask on screen, to the last bit, and prints its score.

    It runs with this package. Next to it lie `PICTURE` for an uploaded picture, at the size that
    the model saw, `TRUTH` for an uploaded or painted mask, and the visitor's own model under its
    name. Of names of files and classes, only those of this model are in it, as quoted text.
    """
    record, fusion = result.model, FUSIONS[result.plan.fusion]
    name = record.name if case.own is None else "of your own"
    head = (
        f"# {looks_together(len(result.plan.views))}: {fusion.summary}.\n"
        f"# Runs with this package; model {name}, digest {record.digest}.\n"
    )
    code = (
        _picture(case)
        + _truth(case)
        + _damage(case)
        + "\n"
        + _plan(case, result)
        + "\n"
        + _answer(result)
    )
    if result.truth is not None:
        code += _score(case)
    return f"{head}{_imports(code)}\n{code}"


def _imports(code: str) -> str:
    """Returns the imports that code needs: of others, then of this package."""
    words = set(re.findall(r"\w+", code))
    used: dict[str, list[str]] = {}
    for name, home in HOMES.items():
        if name in words:
            used.setdefault(home, []).append(name)
    lines = [f"from {home} import {', '.join(names)}\n" for home, names in used.items()]
    others = [line for line in lines if not line.startswith("from tta_demo")]
    return "".join([*others, "\n", *lines[len(others) :]])


def _picture(case: SegmentCase) -> str:
    world = _world(case)
    example = example_of(case)
    if example is not None:
        path = " / ".join(f'"{part}"' for part in example.relative_to(ASSETS).parts)
        return f"{world}example = ASSETS / {path}\npicture = read_picture(example)\n"
    if case.seed is not None:
        made = f"world.generate({case.seed}, {case.difficulty!r})  # seed and difficulty"
        return f"{world}field = {made}\npicture = Picture.of(field.rgb)\n"
    return f'{world}picture = read_picture("{PICTURE}")  # out of the zip of all files\n'


def _world(case: SegmentCase) -> str:
    if case.own is None:
        by = f".by({dumps(case.models)})" if case.models else ""
        return f"world = WORLDS[{dumps(case.settings.world)}]{by}\n"
    return f"{code_of(case.own)}world = own_world(record)\n"


def _truth(case: SegmentCase) -> str:
    if case.truth is None:
        return ""
    if own_truth(case):
        read = f'read_mask("{TRUTH}", world.record.palette, picture)'
        return f"truth, _ = {read}  # out of the zip of all files\n"
    if example_of(case) is not None:
        return "truth, _ = world.read_truth(world.mask_of(example), picture)\n"
    return "truth = field.labels\n"


def _damage(case: SegmentCase) -> str:
    """Returns how the picture is damaged; before that, what the model says of it as it is."""
    if not case.damage.amounts:
        return ""
    own = "# no truth: its own answer, by one look, to the undamaged picture\n"
    own += "truth = segment(world.record, picture).labels\n"
    amounts = case.damage.amounts | {"seed": case.damage.seed}
    how = "".join(f"    {name}={amount!r},\n" for name, amount in amounts.items())
    damaged = "picture = replace(picture, rgb=damage(picture.rgb, how))\n"
    return (own if case.itself else "") + f"how = Damage(\n{how})\n{damaged}"


def _plan(case: SegmentCase, result: Segmentation) -> str:
    plan = result.plan
    views, fusion = f"views = {_views(result)}\n", dumps(plan.fusion)
    if plan.weights is None:
        return f"{views}plan = Plan(views, {fusion})\n"
    if case.file is None:
        own = "  # the weights that come with the package"
        return f"{views}plan, _ = world.plan(views, {fusion}){own}\n"
    made = f"Weights(numbers, {dumps(plan.weights.pool)})"
    numbers = f"numbers = {_numbers(plan.weights)}\n"
    return f"{views}{numbers}plan = Plan(views, {fusion}, {made})\n"


def _views(result: Segmentation) -> str:
    views = result.plan.views
    for name, some in VIEW_SETS.items():
        if rows_of(result.model, some) == views:
            chosen = f"VIEW_SETS[{dumps(name)}]"
            return chosen if some == views else f"world.record.rows({chosen})"
    indent = "    "
    names = fill(
        " ".join(f"{dumps(name)}," for name in views),
        95,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
    return f"(\n{names}\n)"


def _numbers(weights: Weights) -> str:
    """Returns the weights, a view a line, with as many digits as tell float32 numbers apart."""
    lines = []
    for row in weights.values.tolist():
        each = [f"{value:.9g}" for value in (row if isinstance(row, list) else [row])]
        told = ", ".join(each)
        lines.append(f"    [{told}],\n" if isinstance(row, list) else f"    {told},\n")
    return f"[\n{''.join(lines)}]"


def _answer(result: Segmentation) -> str:
    truth = "" if result.truth is None else ", truth"
    height, width = result.picture.size
    return (
        f"result = segment(world.record, picture, plan{truth})\n"
        f"labels = restore(result.labels, ({height}, {width}))  # class ids, the picture's size\n"
        'Path("mask.png").write_bytes(index_png(labels, world.record.palette))\n'
    )


def _score(case: SegmentCase) -> str:
    score = f"mean_iou(matrix, background={case.settings.background})"
    against = ", against its own answer" if case.itself else ""
    return (
        f"one, fused = ({score} for matrix in result.matrices)\n"
        f'print(f"mean IoU {{one:.4f}} with one look, {{fused:.4f}} with this plan{against}")\n'
    )
