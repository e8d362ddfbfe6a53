"""What programs can ask of the page: the same answers, under the same limits."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Literal, TypeVar

import gradio as gr

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
        The report, with scores of one look and of all if there is a mask; the class ids at the
        picture's full size (PNG with palette); and the answer over the picture (PNG).
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
        picture: as for `segment`.
        world: which kind of picture it is.
        views: the set of looks at it.
        mask: the truth, to be scored with.

    Returns:
        A row a fusion, one look (`none`) first: the number of looks, the share of pixels that
        differ from one look, and with a mask the mean IoU (else null).
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
        picture: as for `segment`.
        views: the set of crops to look at.
        fusion: how to combine their answers.

    Returns:
        The report: the five likeliest classes of one look and of all, with their probabilities.
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
        picture: as for `segment`.
        place: which kind of picture it is.
        views: the set of looks at it.
        fusion: how to combine the looks' boxes.
        threshold: the lowest score that is drawn, 0..1; the report has all boxes.

    Returns:
        The report, with every box as `xyxy` in pixels of the working size; and the boxes drawn
        over the picture (PNG).
    """
    record = _one_of("place", place, PLACES).record
    _one_of("fusion", fusion, FUSERS)
    if not isinstance(threshold, int | float):
        raise ValueError(f"threshold {str(threshold)[:40]!r} is no number: give one from 0 to 1")
    plan = Plan.chosen(_one_of("views", views, SETS), fusion)
    result = detection.detect(record, read_picture(uploaded(picture)), plan)
    shown = result.boxes.take(result.boxes.scores >= threshold)
    drawn = rgb_png(boxes_drawn(result.picture.rgb, shown, record.palette))
    return result.report(place=place), _file(drawn, "boxes.png")


def add_endpoints() -> None:
    """Adds the endpoints to the page that is being built."""
    for function in (segment, compare, classify, *([detect] if PLACES else [])):
        gr.api(_told(function), api_name=function.__name__, **ASKED)


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
