"""What programs can ask of the page: the same answers, under the same limits."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Literal, TypeVar

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.context import get_blocks_context
from gradio.utils import get_function_description

from tta_demo.models.registry import MODELS
from tta_demo.pictures.draw import boxes_drawn, overlay
from tta_demo.pictures.masks import restore
from tta_demo.pictures.palettes import index_png, rgb_png
from tta_demo.pictures.reading import read_picture
from tta_demo.tasks import classify as classification
from tta_demo.tasks import detect as detection
from tta_demo.tasks import segment as segmentation
from tta_demo.tasks.worlds import WORLDS, World
from tta_demo.tta.box_fusion import FUSERS
from tta_demo.tta.crops import CROP_SETS
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.plan import Plan
from tta_demo.tta.views import VIEW_SETS
from tta_demo.ui.detect.places import PLACES, SETS
from tta_demo.ui.kit.events import ASKED
from tta_demo.ui.kit.failing import failing
from tta_demo.ui.kit.files import saved, uploaded

__all__ = ["add_endpoints"]

UNWEIGHTED = tuple(name for name, fusion in FUSIONS.items() if not fusion.weighted)
EXAMPLE = {"path": "picture.png", "url": "picture.png", "meta": {"_type": "gradio.FileData"}}
"""The file in the code that the page shows."""

T = TypeVar("T")


def segment(
    picture: gr.FileData,
    world: Literal[*WORLDS] = next(iter(WORLDS)),
    views: Literal[*VIEW_SETS] = "d4",
    fusion: Literal[*FUSIONS] = "mean",
    mask: gr.FileData | None = None,
) -> tuple[dict, gr.FileData, gr.FileData]:
    """Marks what is in a picture.

    Args:
        picture: PNG, JPEG, WebP, TIFF, GIF or BMP of at most 24 megapixels.
        world: which kind of picture it is.
        views: the set of looks at it.
        fusion: how to combine the looks' answers.
        mask: the truth, to be scored with.

    Returns:
        report: what was found, and with a mask the scores of one look and of all.
        labels: the class ids at the picture's full size (PNG with palette).
        overlay: the answer over the picture (PNG).
    """
    place, result = _segmented(picture, world, views, fusion, mask)
    palette = place.record.palette
    full = index_png(restore(result.labels, result.picture.size), palette)
    shown = rgb_png(overlay(result.picture.rgb, result.labels, palette))
    return result.report(world=world), _file(full, "mask.png"), _file(shown, "overlay.png")


def compare(
    picture: gr.FileData,
    world: Literal[*WORLDS] = next(iter(WORLDS)),
    views: Literal[*VIEW_SETS] = "d4",
    mask: gr.FileData | None = None,
) -> list[dict]:
    """Tells what looking again changes: one look beside every way to combine a set of looks.

    Args:
        picture: PNG, JPEG, WebP, TIFF, GIF or BMP of at most 24 megapixels.
        world: which kind of picture it is.
        views: the set of looks at it.
        mask: the truth, to be scored with.

    Returns:
        rows: a fusion each, one look first: looks, share of pixels changed, mIoU (null: no mask).
    """
    place, result = _segmented(picture, world, views, "mean", mask)
    fusions = [name for name in FUSIONS if place.weight_paths or not FUSIONS[name].weighted]
    return [_row(place, result, VIEW_SETS[views], fusion) for fusion in fusions]


def classify(
    picture: gr.FileData,
    views: Literal[*CROP_SETS] = "ten-crop",
    fusion: Literal[*UNWEIGHTED] = "mean",
) -> dict:
    """Says what a picture shows.

    Args:
        picture: PNG, JPEG, WebP, TIFF, GIF or BMP of at most 24 megapixels.
        views: the set of crops to look at.
        fusion: how to combine their answers.

    Returns:
        report: the five likeliest classes of one look and of all, with their probabilities.
    """
    record = MODELS["efficientnet-lite0"]
    crops = _one_of("views", views, CROP_SETS)
    _one_of("fusion", fusion, dict.fromkeys(UNWEIGHTED))
    plan = Plan.chosen(crops, fusion, plain=classification.ONE_CROP.views[0])
    return classification.classify(record, read_picture(uploaded(picture)), plan).report()


def detect(
    picture: gr.FileData,
    place: Literal[*PLACES] = next(iter(PLACES), ""),
    views: Literal[*SETS] = "d4",
    fusion: Literal[*FUSERS] = "wbf",
    threshold: float = 0.3,
) -> tuple[dict, gr.FileData]:
    """Draws boxes around things in a picture.

    Args:
        picture: PNG, JPEG, WebP, TIFF, GIF or BMP of at most 24 megapixels.
        place: which kind of picture it is.
        views: the set of looks at it.
        fusion: how to combine the looks' boxes.
        threshold: the lowest score that is drawn, 0..1; the report has all boxes.

    Returns:
        report: every box as `xyxy` in pixels of the working size, with class and score.
        drawn: the boxes over the picture (PNG).
    """
    record = _one_of("place", place, PLACES).record
    _one_of("fusion", fusion, FUSERS)
    if not (isinstance(threshold, int | float) and 0 <= threshold <= 1):
        raise ValueError(f"threshold {str(threshold)[:40]!r} is no number from 0 to 1: give one")
    plan = Plan.chosen(_one_of("views", views, SETS), fusion)
    result = detection.detect(record, read_picture(uploaded(picture)), plan)
    shown = result.boxes.take(result.boxes.scores >= threshold)
    drawn = rgb_png(boxes_drawn(result.picture.rgb, shown, record.palette))
    return result.report(place=place), _file(drawn, "boxes.png")


def add_endpoints() -> None:
    """Adds the endpoints to the page that is being built."""
    for function in (segment, compare, classify, *([detect] if PLACES else [])):
        added = gr.api(_told(function), api_name=function.__name__, **ASKED)
        _document(get_blocks_context().fns[added["id"]], function)


def _document(action: BlockFunction, function: Callable[..., object]) -> None:
    """Tells in the page's API view what the docstring does; gradio alone shows "1st" and "2nd".

    There a name and a description stand on one line of the docstring, returned values' too.
    """
    _, taken, returned = get_function_description(function)
    for part, (name, text) in zip(action.inputs, taken.items(), strict=True):
        part.label, part._api_info["additional_description"] = name, text
    for part, line in zip(action.outputs, returned, strict=True):
        part.label, _, part._api_info["description"] = line.partition(": ")
    action.inputs[0].example_payload = lambda: EXAMPLE


def _segmented(
    picture: dict[str, Any], world: str, views: str, fusion: str, mask: dict[str, Any] | None
) -> tuple[World, segmentation.Segmentation]:
    place = _one_of("world", world, WORLDS)
    _one_of("fusion", fusion, FUSIONS)
    plan, _ = place.plan(_one_of("views", views, VIEW_SETS), fusion)
    read, truth = read_picture(uploaded(picture)), None
    if mask is not None:
        truth, _ = place.read_truth(uploaded(mask), read)
    return place, segmentation.segment(place.record, read, plan, truth)


def _row(
    place: World, result: segmentation.Segmentation, views: tuple[str, ...], fusion: str
) -> dict[str, Any]:
    """Returns what one fusion of looks that are there makes of the picture."""
    plan, _ = place.plan(views, fusion)
    again = segmentation.segment(place.record, result.picture, plan, result.truth)
    findings = again.findings()
    scores = findings.get("scores")
    miou = None if scores is None else scores["fused"]["miou"]
    return {
        "fusion": fusion, "looks": len(plan.views), "changed": findings["changed"], "miou": miou
    }  # fmt: skip


def _one_of(name: str, value: object, there: Mapping[str, T]) -> T:
    """Returns what a word stands for; a `ValueError` if it is none of those that are offered."""
    if not isinstance(value, str) or value not in there:
        raise ValueError(f"{name} {str(value)[:40]!r} is unknown: choose {', '.join(there)}")
    return there[value]


def _file(content: bytes, name: str) -> gr.FileData:
    return gr.FileData(path=saved(content, name))


def _told(function: Callable[..., T]) -> Callable[..., T]:
    """Returns the function with its refusals as gradio's messages."""

    @wraps(function)
    def call(*args: object, **known: object) -> T:
        with failing(function.__name__):
            return function(*args, **known)

    return call
