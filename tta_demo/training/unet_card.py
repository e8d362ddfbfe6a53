"""Model cards: what a model learned from, how, and what it reaches."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path

import torch

from tta_demo.models.record import digest_of
from tta_demo.models.registry import MODELS
from tta_demo.models.runner import pick_dtype
from tta_demo.models.unet import load_unet
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.scoring.score import evaluate
from tta_demo.training.loop import Recipe
from tta_demo.training.unet import RECIPES
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.views import VIEW_SETS, VIEWS

__all__ = ["settings_of", "table_of", "write_card"]


def write_card(
    weights: Path,
    world: str,
    history: Sequence[dict[str, float]],
    test: Iterable[LabelledPicture],
    command: str,
) -> None:
    """Scores a freshly trained model on the test pictures and writes its card beside it.

    Args:
        weights: the safetensors file; the card gets the ending `.md`.
        world: a key of `RECIPES`; its model is `unet-WORLD`.
        history: what `train` returned.
        test: pictures that training never saw.
        command: what was run.
    """
    record, recipe = MODELS[f"unet-{world}"], RECIPES[world]
    plans = {"no TTA": ONE_LOOK, "D4, even mean": Plan(VIEW_SETS["d4"])}
    pictures = list(test)
    scores = evaluate(load_unet(weights, dtype=torch.float32), pictures, plans)
    rows = {name: score.row(record.classes) for name, score in scores.items()}
    names = ["miou", "foreground_dice", *(f"iou_{name}" for name in record.classes)]
    lines = [
        f"# {record.label}",
        "",
        f"{record.summary} Source: {record.source}.",
        "",
        f"Training data: {recipe.data}",
        "",
        f"Classes: {', '.join(record.classes)}. Weights: float16, digest "
        f"`{digest_of(weights)}`. Written on {date.today().isoformat()} by "
        f"`{command}`.",
        "",
        "## Scores on the test split, pooled over all pixels, float32",
        "",
        *table_of(
            ["", *names],
            [[way, *(f"{row[name]:.4f}" for name in names)] for way, row in rows.items()],
        ),
        "",
        f"{len(pictures)} pictures. `foreground_dice` takes all classes but the first together.",
        "",
        "## Training",
        "",
        *settings_of(recipe),
        "",
        "Loss: cross-entropy plus one minus mean soft Dice; AdamW, one cosine cycle; arithmetic: "
        f"{pick_dtype('cpu')}; the weights are an exponential average over steps.",
        "",
        *table_of(
            ["step", "loss", "validation mIoU"],
            [[f"{h['step']}", f"{h['loss']:.4f}", f"{h['miou']:.4f}"] for h in history],
        ),
    ]
    weights.with_suffix(".md").write_text("\n".join(lines) + "\n")


def settings_of(recipe: Recipe) -> list[str]:
    """Returns lines: a recipe's settings, those of its augmentation, and what these show."""
    settings, augmentation = asdict(recipe), recipe.augmentation
    del settings["augmentation"], settings["data"]
    seen = [name for name, view in VIEWS.items() if augmentation.covers(view)]
    return [
        *(f"- {key}: {value}" for key, value in settings.items()),
        *(f"- augmentation, {key}: {value}" for key, value in asdict(augmentation).items()),
        f"- views that training showed: {', '.join(seen)}",
    ]


def table_of(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns the lines of a Markdown table.

    Example:
        >>> table_of(["step", "loss"], [["1", "0.5"]])
        ['| step | loss |', '| --- | --- |', '| 1 | 0.5 |']
    """
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]
