"""Where the parts of the segmentation tab stand."""

from typing import Any, NamedTuple

import gradio as gr

from tta_demo.samples.weeds import DIFFICULTY
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.views import DOMAINS, VIEWS
from tta_demo.ui.kit.html import BARS_JS
from tta_demo.ui.segment import choices
from tta_demo.ui.segment.show import Panel

__all__ = ["Inputs", "build_inputs", "build_results"]

WORLD = next(iter(WORLDS))
FUSION = "mean"


class Inputs(NamedTuple):
    """The components on the left."""

    world: gr.Radio
    examples: gr.Dataset
    generator: gr.Column
    difficulty: gr.Slider
    generate: gr.Button
    picture: gr.Image
    mask: gr.Image
    note: gr.HTML
    painting: gr.Accordion
    canvas: gr.ImageEditor
    use_painting: gr.Button
    domain: gr.Radio
    groups: list[gr.CheckboxGroup]
    everything: gr.Button
    fusion: gr.Radio
    background: gr.Checkbox


def build_inputs() -> Inputs:
    """Lays out the left column."""
    return Inputs(*_build_picture(), *_build_looks(), *_build_fusion())


def _build_picture() -> tuple[Any, ...]:
    gr.Markdown("### 1. Pick a picture, or upload your own")
    world = gr.Radio(
        [(place.label, name) for name, place in WORLDS.items()],
        value=WORLD,
        label="World",
        show_label=False,
        elem_id="world",
    )
    examples = gr.Dataset(
        components=[gr.Image(visible=False)],
        samples=[[str(path)] for path in WORLDS[WORLD].examples],
        type="index",
        show_label=False,
        elem_id="examples",
    )
    with gr.Column(visible=WORLDS[WORLD].generate is not None, elem_id="generator") as generator:
        difficulty = gr.Slider(
            0, 1, DIFFICULTY, step=0.05, label="Difficulty", info="Noise, blur, dusk, look-alikes."
        )
        generate = gr.Button("New field", size="sm", elem_id="new-field")
    upload: dict[str, Any] = {
        "type": "filepath",
        "image_mode": None,
        "sources": ["upload", "clipboard"],
        "format": "png",
        "buttons": [],  # on a phone they would cover the label
        "height": 210,
        "min_width": 150,
    }
    with gr.Row():
        picture = gr.Image(label="Picture", elem_id="picture", **upload)
        mask = gr.Image(label="The truth", elem_id="mask", **upload)
    note = gr.HTML(choices.note(WORLD), elem_id="note")
    return (
        world,
        examples,
        generator,
        difficulty,
        generate,
        picture,
        mask,
        note,
        *_build_painting(),
    )


def _build_painting() -> tuple[Any, ...]:
    with gr.Accordion("No mask file? Paint one", open=False, elem_id="painting") as painting:
        canvas = gr.ImageEditor(
            show_label=False,
            type="numpy",
            image_mode="RGBA",
            format="png",
            layers=False,
            sources=(),
            transforms=(),
            brush=choices.brush(WORLD),
            elem_id="canvas",
        )
        use = gr.Button("Use this painting", size="sm")
    return painting, canvas, use


def _build_looks() -> tuple[Any, ...]:
    domain = WORLDS[WORLD].domain
    ticks = choices.tick(DOMAINS[domain].views)
    gr.Markdown("### 2. How should it look again?")
    radio = gr.Radio(
        [(kind.label, name) for name, kind in DOMAINS.items()],
        value=domain,
        label="What kind of picture is it?",
        info="Ticks the looks that suit it.",
        elem_id="domain",
    )
    boxes = [
        gr.CheckboxGroup(
            [(VIEWS[name].label, name) for name in names],
            value=value,
            label=label,
            render=False,
            elem_id=label.lower().replace(" ", "-"),
        )
        for (label, names), value in zip(choices.GROUPS.items(), ticks, strict=True)
    ]
    boxes[0].render()
    with gr.Accordion("More looks: zoom, light, small moves", open=False):
        for group in boxes[1:]:
            group.render()
        everything = gr.Button("Tick the set of 15", size="sm")
    return radio, boxes, everything


def _build_fusion() -> tuple[gr.Radio, gr.Checkbox]:
    gr.Markdown("### 3. How should it combine the answers?")
    fusion = gr.Radio(
        [(fusion.label, name) for name, fusion in FUSIONS.items()],
        value=FUSION,
        show_label=False,
        label="Fusion",
        elem_id="fusion",
    )
    background = gr.Checkbox(
        value=True, label="Count the background in the score", elem_id="background"
    )
    return fusion, background


def build_results(box: gr.Column) -> tuple[Panel, gr.Tabs]:
    """Lays out the right column; returns its parts and its tabs."""
    picture: dict[str, Any] = {"format": "png", "interactive": False}
    numbers = gr.HTML("Looking at the first example …", elem_id="numbers", min_height=92)
    with gr.Tabs(overflow_behavior="wrap") as tabs:
        with gr.Tab("Before / after", id="slider"):
            slider = gr.ImageSlider(
                label="One look | all looks", elem_id="slider", show_label=True, **picture
            )
        with gr.Tab("Result", id="result"):
            result = gr.AnnotatedImage(
                label="All looks combined; point at a class",
                color_map=choices.colors(WORLD),
                format="png",
                elem_id="result",
            )
        with gr.Tab("Every look", id="views"):
            gallery, about, shown, answered, back = _build_views(picture)
        with gr.Tab("Weights", id="weights"):
            bars = gr.HTML(elem_id="weights", js_on_load=BARS_JS)
        with gr.Tab("Numbers", id="table"):
            table = gr.HTML(elem_id="table")
    notes = gr.Markdown(elem_classes=["notes"], elem_id="notes")
    with gr.Row(elem_id="downloads"):
        downloads = [
            gr.DownloadButton(label, size="sm", interactive=False, elem_id=f"download-{name}")
            for label, name in (
                ("Download mask (class ids)", "index"),
                ("Download mask (colours)", "colors"),
                ("Download report (JSON)", "report"),
            )
        ]
    details = (gallery, about, shown, answered, back)
    return Panel(box, numbers, slider, result, *details, bars, table, notes, *downloads), tabs


def _build_views(picture: dict[str, Any]) -> tuple[Any, ...]:
    gallery = gr.Gallery(
        show_label=False,
        label="Every look, turned back",
        columns=4,
        object_fit="cover",
        format="png",
        allow_preview=False,
        interactive=False,
        height="auto",
        elem_id="gallery",
    )
    about = gr.Markdown(elem_id="about")
    labels = ("Shown to the model", "Its answer there", "Turned back")
    details = []
    with gr.Row(elem_classes=["three"]):
        for label in labels:
            with gr.Column(min_width=80):
                gr.Markdown(label)
                details.append(
                    gr.Image(
                        label=label,
                        alt_text=label,
                        show_label=False,
                        buttons=["fullscreen"],
                        **picture,
                    )
                )
    return gallery, about, *details
