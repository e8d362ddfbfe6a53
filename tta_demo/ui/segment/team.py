"""Who looks: the models of a world that may look together, and what that was measured to bring."""

from collections.abc import Collection
from html import escape

import gradio as gr

from tta_demo.models.registry import MODELS
from tta_demo.pictures.words import signed
from tta_demo.samples.weeds import COUNTS
from tta_demo.tasks.worlds import World
from tta_demo.training.unet import RECIPES
from tta_demo.ui.kit.html import tone
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.kit.stored import results, telling
from tta_demo.ui.segment.case import SegmentCase

__all__ = ["build_team", "measured", "team_parts", "ticks"]

UNTAUGHT = "<p>For these models no weights are learned yet: all their looks count the same.</p>"
VIEWS = "d4"
"""The set of looks whose measured scores are told."""


def ticks(world: World, elem_id: str) -> gr.CheckboxGroup:
    """Returns the models that a world has to choose from, those ticked that look."""
    return gr.CheckboxGroup(
        [(_words(name), name) for name in world.models],
        value=[*world.looking],
        label="Who looks?",
        elem_id=elem_id,
    )


def _words(name: str) -> str:
    """Returns what a model is called, and how much it has seen."""
    seen = next(recipe.pictures for recipe in RECIPES.values() if recipe.model == name)
    return f"{MODELS[name].called}: has seen {seen or COUNTS['train']:,} fields"


def build_team(world: World) -> tuple[gr.Column, gr.CheckboxGroup, gr.HTML, gr.Button]:
    """Returns the choice, its ticks, what is told of them, and the way to learn weights."""
    with gr.Column(visible=bool(world.models), elem_id="team") as team:
        models = ticks(world, "models")
        told = gr.HTML(measured(world.looking) if world.models else "", elem_id="team-told")
        untaught = gr.Button("Learn their weights", size="sm", visible=False, elem_id="untaught")
    return team, models, told, untaught


def team_parts(case: SegmentCase) -> Updates:
    """Returns what is told of a case's models: what they reached, whether weights are there."""
    world = case.world
    if not world.models:
        return {}
    untaught = case.file is None and not world.weight_paths
    return {
        "told": measured(world.looking) + (UNTAUGHT if untaught else ""),
        "untaught": gr.Button(visible=untaught),
    }


@telling
def measured(models: Collection[str]) -> str:
    """Returns what models are worth together on the whole test set, in a sentence.

    Of one alone it is what looking again is worth.
    """
    stored = results("ensembles")
    roles = {one["name"]: role for role, one in stored["models"].items()}
    team = [roles[name] for name in models]
    rows = {
        row["fusion"]: row
        for row in stored["rows"]
        if set(row["team"]) == set(team) and row["views"] == VIEWS
    }
    against = "one_look" if len(team) == 1 else "alone"
    even, learned = (_points(rows[fusion]["minus"][against]) for fusion in ("mean", "learned"))
    looks = rows["mean"]["looks"] // len(team)
    than = f"one look of the {team[0]}" if len(team) == 1 else f"the {team[0]} alone"
    return (
        f"<p>On {stored['pictures']} test fields, {looks} looks each: averaged {even} points of "
        f"overlap (mean IoU) against {escape(than)}, with learned weights {learned}.</p>"
    )


def _points(gain: dict[str, dict[str, float]]) -> str:
    """Returns a gain of mIoU in points, with its interval."""
    value, low, high = (gain["miou"][key] for key in ("value", "low", "high"))
    said, *ends = (signed(100 * x, 2, "±") for x in (value, low, high))
    interval = "" if {said} == {*ends} else f" ({' to '.join(ends)})"
    return f"<b class='{tone(100 * value)}'>{said}</b>{interval}"
