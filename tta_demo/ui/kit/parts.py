"""Parts that several tabs have: example strips, boxes for pictures, sets of looks."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency

from tta_demo.tta.views import View
from tta_demo.ui.kit.files import beside
from tta_demo.ui.kit.screen import Screen, Updates

__all__ = [
    "Presets", "chosen_looks", "examples", "labelled_files", "options_of", "picture_box", "radio",
    "samples", "set_of", "skip_link",
]  # fmt: skip


def skip_link() -> gr.HTML:
    """Returns what the keyboard comes to first: a way past all controls to the result."""
    return gr.HTML(
        '<button type="button">Skip to the result</button>',
        js_on_load=beside(__file__, "skip.js"),
        elem_id="skip",
    )


def examples(paths: Iterable[Path], name: str) -> gr.Dataset:
    """Returns a strip of pictures whose value is the number of the one chosen.

    Its name, the element's id, ends in `examples`.
    """
    return gr.Dataset(
        components=[gr.Image(visible=False)],
        samples=samples(paths),
        type="index",
        show_label=False,
        elem_id=name,
    )


def samples(paths: Iterable[Path]) -> list[list[str]]:
    """Returns pictures as the rows of an example strip."""
    return [[str(path)] for path in paths]


def picture_box(label: str, name: str, height: int = 210) -> gr.Image:
    """Returns a box to upload a picture into, as a file that nothing has changed."""
    return gr.Image(
        label=label,
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard"],
        format="png",
        buttons=[],  # on a phone they would cover the label
        height=height,
        min_width=150,
        elem_id=name,
    )


def labelled_files(limits: str, elem_id: str) -> gr.File:
    """Returns a box to upload pictures and their masks into, and says how they are paired.

    What is too much is told by `limits`, in a sentence.
    """
    files = gr.File(
        label="Pictures and masks, or one zip of both",
        file_count="multiple",
        file_types=["image", ".zip"],
        height=150,
        elem_id=elem_id,
    )
    gr.Markdown(
        "Paired by name: `plant.png` with `plant-mask.png`, or folders `images` and `masks`. "
        + limits,
        elem_classes=["small"],
    )
    return files


def options_of(choices: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Returns the records of a registry, or plain words, as gradio's pairs of label and value."""
    return [(getattr(choice, "label", choice), name) for name, choice in choices.items()]


def radio(
    label: str,
    choices: Mapping[str, Any],
    name: str,
    value: str | None = None,
    show_label: bool = False,
    info: str | None = None,
) -> gr.Radio:
    """Returns buttons to choose a record by its `label`, or a word; at first the first one.

    A label that is not shown is still read out.
    """
    return gr.Radio(
        options_of(choices),
        value=value or next(iter(choices)),
        label=label,
        show_label=show_label,
        info=info,
        elem_id=name,
    )


def chosen_looks(ticked: Collection[str], views: Iterable[str]) -> tuple[str, ...]:
    """Returns the ticked ones of all views, in their order.

    Raises:
        ValueError: none is ticked.
    """
    chosen = tuple(name for name in views if name in ticked)
    if not chosen:
        raise ValueError("No look is chosen: choose at least one.")
    return chosen


def set_of(views: Collection[str], sets: Mapping[str, Collection[str]]) -> str | None:
    """Returns the name of the first set that has just these views; None if there is none."""
    return next((name for name, chosen in sets.items() if set(chosen) == set(views)), None)


class Presets:
    """Named sets of looks as buttons, over a list of single looks: the parts `preset`, `views`."""

    def __init__(
        self,
        labels: Mapping[str, str],
        sets: Mapping[str, tuple[str, ...]],
        views: Mapping[str, View],
    ) -> None:
        self.labels, self.views = labels, views
        self.sets = {name: sets[name] for name in labels}

    def build(
        self,
        screen: Screen,
        first: str,
        tab: str,
        show_label: bool = False,
        offered: Collection[str] | None = None,
    ) -> None:
        """Lays out both parts, the first set ticked; the tab begins the elements' ids.

        All sets are offered, or those that are named.
        """
        labels = self._labels(offered or self.labels)
        screen["preset"] = radio("Looks", labels, f"{tab}-preset", first, show_label)
        screen.offers("preset", self.labels)
        with gr.Accordion("Choose single looks", open=False):
            screen["views"] = gr.Dropdown(
                options_of(self.views),
                value=list(self.sets[first]),
                multiselect=True,
                show_label=False,
                label="Single looks",
                elem_id=f"{tab}-views",
            )

    def offer(self, offered: Collection[str], views: Collection[str]) -> gr.Radio:
        """Returns the buttons of some sets; the one that has just these views is ticked."""
        sets = {name: self.sets[name] for name in offered}
        return gr.Radio(options_of(self._labels(offered)), value=set_of(views, sets))

    def _labels(self, names: Collection[str]) -> dict[str, str]:
        return {name: self.labels[name] for name in names}

    def wire(self, screen: Screen) -> Dependency:
        """Keeps both parts together; returns the event after which a set is ticked."""

        def tick(preset: str) -> Updates:
            return {"views": list(self.sets[preset])}

        def name_set(views: list[str]) -> Updates:
            return {"preset": set_of(views, self.sets)}

        screen.on(screen["views"].input, name_set)
        return screen.on(screen["preset"].input, tick)
