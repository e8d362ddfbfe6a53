"""The stage as a gradio component: one static skeleton, one style, and scripts joined into one."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

__all__ = ["stage"]

_HERE = Path(__file__).parent
_COMMON = ("tools", "looks", "shell", "player", "pose", "rows", "again")
"""What every stage has; each knows only those before it."""


@dataclass(frozen=True)
class Kind:
    """What one kind of stage is made of, files beside this one.

    Attributes:
        scripts: beside those of every stage.
        mount: the function in the last of them that brings it to life.
        skeleton: the HTML, with a place for that of the player.
        styles: the style sheets.
    """

    scripts: tuple[str, ...]
    mount: str
    skeleton: str = "stage.html"
    styles: tuple[str, ...] = ("stage.css",)


KINDS = {
    "labels": Kind(
        ("unpack", "fuse", "compared", "say", "layers", "legend", "point", "paint", "labels"),
        "mountLabels",
    ),
    "boxes": Kind(("settle", "frames", "boxes"), "mountBoxes"),
    "ranking": Kind(
        ("compared", "say", "verdict", "ranking"),
        "mountRanking",
        "ranking.html",
        ("stage.css", "ranking.css"),
    ),
}


def stage(value: dict[str, Any] | None, elem_id: str, kind: str = "labels") -> gr.HTML:
    """Returns a stage; `pack`, `boxes` and `ranking` say what its value and its events are.

    A factory and no subclass, because gradio writes a stub file beside every subclass. The
    skeleton has no placeholder: gradio then leaves the DOM alone when a new value comes, and
    nothing from a file, a model or a palette is ever evaluated as a template.

    Args:
        value: of `pack`, `pack_boxes` or `pack_ranking`, or `BUSY`; None for no picture.
        elem_id: unique on the page.
        kind: what it shows, a key of `KINDS`.
    """
    files = KINDS[kind]
    return gr.HTML(
        value=value,
        html_template=_text(files.skeleton).replace("<!-- player -->", _text("player.html")),
        css_template="\n".join(map(_text, files.styles)),
        js_on_load=script(kind),
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=["stage-block"],
    )


def script(kind: str) -> str:
    """Returns all scripts of a kind as one: modules without their `import` and `export` words.

    So the browser gets one function body, while node and an editor see plain modules.
    """
    scripts = (*_COMMON, *KINDS[kind].scripts)
    parts = [_text(f"{name}.js") for name in scripts]
    joined = "\n".join(re.sub(r"^import\s[^;]*;\n", "", part, flags=re.M) for part in parts)
    plain = re.sub(r"^export (?=function|const|async|class)", "", joined, flags=re.M)
    return f"{plain}{KINDS[kind].mount}(element, trigger, props, watch);"


def _text(name: str) -> str:
    return (_HERE / name).read_text("utf-8")
