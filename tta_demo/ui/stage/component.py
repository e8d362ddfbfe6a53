"""The stage as a gradio component: one static skeleton, one style, and scripts joined into one."""

import re
from pathlib import Path
from typing import Any

import gradio as gr

__all__ = ["stage"]

_HERE = Path(__file__).parent
_SCRIPTS = ("unpack", "fuse", "say", "draw", "show", "play", "point", "paint", "stage")
"""Each knows only those before it."""

_START = "mount(element, trigger, props, watch);"


def stage(value: dict[str, Any] | None, elem_id: str) -> gr.HTML:
    """Returns the stage; see `tta_demo.ui.stage.pack` for its value and its events.

    A factory and no subclass, because gradio writes a stub file beside every subclass. The
    skeleton has no placeholder: gradio then leaves the DOM alone when a new value comes, and
    nothing from a file, a model or a palette is ever evaluated as a template.

    Args:
        value: of `pack`, or `BUSY`.
        elem_id: unique on the page.
    """
    return gr.HTML(
        value=value,
        html_template=(_HERE / "stage.html").read_text("utf-8"),
        css_template=(_HERE / "stage.css").read_text("utf-8"),
        js_on_load=script(),
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=["stage-block"],
    )


def script() -> str:
    """Returns all scripts as one: modules without their `import` and `export` words.

    So the browser gets one function body, while node and an editor see plain modules.
    """
    parts = [(_HERE / f"{name}.js").read_text("utf-8") for name in _SCRIPTS]
    joined = "\n".join(re.sub(r"^import\s[^;]*;\n", "", part, flags=re.M) for part in parts)
    return re.sub(r"^export (?=function|const|async|class)", "", joined, flags=re.M) + _START
