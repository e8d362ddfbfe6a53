"""Model cards: what a model learned from, how, and what it reaches."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path

from tta_demo.models.record import ModelRecord, digest_of
from tta_demo.models.runner import pick_dtype
from tta_demo.training.loop import Recipe
from tta_demo.tta.views import VIEWS

__all__ = ["table_of", "write_card"]


def write_card(
    weights: Path,
    model: ModelRecord,
    recipe: Recipe,
    history: Sequence[Mapping[str, float]],
    scores: Sequence[str],
    command: str,
) -> None:
    """Writes the card of a freshly trained model beside it.

    Args:
        weights: the safetensors file; the card gets the ending `.md`.
        model: whose weights they are.
        recipe: how it was trained.
        history: what its `train` returned; see `Recipe.best`.
        scores: lines on what it reaches on pictures that training never saw.
        command: what was run.
    """
    settings, shown = asdict(recipe), recipe.augmentation
    for told_elsewhere in ("augmentation", "data", "loss", "best", "model", "world"):
        settings.pop(told_elsewhere, None)
    seen = [name for name, view in VIEWS.items() if shown.covers(view)]
    rows = [[f"{x:.4f}" if isinstance(x, float) else f"{x}" for x in h.values()] for h in history]
    lines = [
        f"# {model.label}",
        "",
        f"{model.summary} Source: {model.source}.",
        "",
        f"Training data: {recipe.data}",
        "",
        f"Classes: {', '.join(model.classes)}. Weights: float16, digest `{digest_of(weights)}`. "
        f"Written on {date.today().isoformat()} by `{command}`.",
        "",
        "## Scores on the test split, float32",
        "",
        *scores,
        "",
        "## Training",
        "",
        *(f"- {key}: {value}" for key, value in settings.items()),
        *(f"- augmentation, {key}: {value}" for key, value in asdict(shown).items()),
        f"- views that training showed: {', '.join(seen)}",
        "",
        f"Loss: {recipe.loss}; AdamW, one cosine cycle; arithmetic: {pick_dtype('cpu')}; the "
        f"weights are an exponential average over steps. {_kept(recipe.best, history)}",
        "",
        *table_of(list(history[0]), rows),
    ]
    weights.with_suffix(".md").write_text("\n".join(lines) + "\n")


def _kept(best: str, history: Sequence[Mapping[str, float]]) -> str:
    row = max(history, key=lambda row: row[best]) if best else history[-1]
    when = next(iter(row))
    why = f": the highest validation {best}" if best else ""
    return f"Those of {when} {row[when]} were kept{why}."


def table_of(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns the lines of a Markdown table.

    Example:
        >>> table_of(["step", "loss"], [["1", "0.5"]])
        ['| step | loss |', '| --- | --- |', '| 1 | 0.5 |']
    """
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]
