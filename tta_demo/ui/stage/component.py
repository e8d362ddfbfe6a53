"""The stage as a gradio component: one static skeleton, one style, and scripts joined into one."""

import re
from pathlib import Path
from typing import Any

import gradio as gr

__all__ = ["stage"]

_HERE = Path(__file__).parent
_COMMON = ("tools", "looks", "shell", "player", "pose", "rows", "again")
"""What every stage has; each knows only those before it."""

KINDS = {
    "labels": (
        ("unpack", "fuse", "say", "layers", "legend", "point", "paint", "labels"),
        "mountLabels",
    ),
    "boxes": (("settle", "boxes"), "mountBoxes"),
}
"""The scripts of each kind of stage, the last one with the function that brings it to life."""


def stage(value: dict[str, Any] | None, elem_id: str, kind: str = "labels") -> gr.HTML:
    """Returns a stage; `pack` and `boxes` say what its value and its events are.

    A factory and no subclass, because gradio writes a stub file beside every subclass. The
    skeleton has no placeholder: gradio then leaves the DOM alone when a new value comes, and
    nothing from a file, a model or a palette is ever evaluated as a template.

    Args:
        value: of `pack` or `pack_boxes`, or `BUSY`; None for no picture.
        elem_id: unique on the page.
        kind: what it shows, a key of `KINDS`.
    """
    return gr.HTML(
        value=value,
        html_template=(_HERE / "stage.html").read_text("utf-8"),
        css_template=(_HERE / "stage.css").read_text("utf-8"),
        js_on_load=script(kind),
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=["stage-block"],
    )


def script(kind: str) -> str:
    """Returns all scripts of a kind as one: modules without their `import` and `export` words.

    So the browser gets one function body, while node and an editor see plain modules.
    """
    names, mount = KINDS[kind]
    parts = [(_HERE / f"{name}.js").read_text("utf-8") for name in (*_COMMON, *names)]
    joined = "\n".join(re.sub(r"^import\s[^;]*;\n", "", part, flags=re.M) for part in parts)
    plain = re.sub(r"^export (?=function|const|async|class)", "", joined, flags=re.M)
    return f"{plain}{mount}(element, trigger, props, watch);"
