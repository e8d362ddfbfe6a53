"""The dial: the input is turned, and the answers are turned back, to see whether they stay."""

import base64
import io
import json

import gradio as gr
import numpy as np
from PIL import Image

from tta_demo.insight.equivariance import gaps
from tta_demo.pictures.palettes import display_colors
from tta_demo.tasks.segment import Segmentation
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import ViewStack, to_labels
from tta_demo.tta.symmetry import D4, Symmetry
from tta_demo.tta.views import VIEW_SETS, VIEWS
from tta_demo.ui.kit.files import beside

__all__ = ["POSITIONS", "css_of", "dial", "packed", "turned_back"]

POSITIONS = tuple(sorted(D4, key=lambda symmetry: (symmetry.flip, symmetry.turns)))
"""Four quarter turns, then the same of the mirror image."""

_SHINE = 140
"""How solid a class is drawn over the picture, of 255."""

_CHANGED = (255, 255, 255)


def dial(elem_id: str) -> gr.HTML:
    """Returns the dial, to be rendered; its value is what `packed` returns.

    Its event `empty` says that it is on screen without a value.
    """
    return gr.HTML(
        render=False,
        html_template=beside(__file__, "dial.html"),
        js_on_load=beside(__file__, "dial.js"),
        apply_default_css=False,
        elem_id=elem_id,
    )


def css_of(symmetry: Symmetry) -> str:
    """Returns the CSS transform that moves an element as the symmetry moves a picture.

    Example:
        >>> css_of(Symmetry(1, True))
        'rotate(-90deg) scaleX(-1)'
    """
    return f"rotate({-90 * symmetry.turns}deg) scaleX({-1 if symmetry.flip else 1})"


def turned_back(result: Segmentation, shown: Symmetry) -> tuple[np.ndarray, np.ndarray]:
    """Returns what is answered about the turned picture, turned back: by one look, and by D4.

    No forward pass: the eight looks at a turned picture are the same eight pictures in another
    order, and each costs one pass at most.

    Args:
        result: its looks hold all of D4.
        shown: how the picture is turned.

    Returns:
        Two label maps `(H, W)` uint8 in the frame of the picture as it is.
    """
    order = tuple((look @ shown).name for look in D4)
    stack = ViewStack.of({name: result.looks[name] for name in order})
    return result.looks[shown.name].labels, to_labels(Plan(order).fuse(stack))


def packed(result: Segmentation) -> str:
    """Returns the dial's value as JSON: the picture and, for all positions, both answers."""
    gap = gaps(ViewStack.of({name: result.looks[name] for name in VIEW_SETS["d4"]}))
    plain = turned_back(result, POSITIONS[0])
    classes = len(result.model.classes)
    turns = []
    for symmetry in POSITIONS:
        view, answers = VIEWS[symmetry.name], turned_back(result, symmetry)
        changes = [now != before for now, before in zip(answers, plain, strict=True)]
        pairs = zip(answers, changes, strict=True)
        turns.append(
            {
                "label": view.label,
                "summary": view.summary,
                "transform": css_of(symmetry),
                "changed": [int(np.count_nonzero(changed)) for changed in changes],
                "answers": [_png(answer, changed, classes) for answer, changed in pairs],
                "gap": f"{gap[symmetry.name]:.4f}",
            }
        )
    height, width = result.labels.shape
    picture = _url(Image.fromarray(result.picture.rgb), "webp", quality=88)
    return json.dumps({"picture": picture, "pixels": height * width, "turns": turns})


def _png(labels: np.ndarray, changed: np.ndarray, classes: int) -> str:
    """Returns a see-through picture of the classes, with the changed pixels solid on it."""
    image = Image.fromarray(np.where(changed, classes, labels).astype(np.uint8))
    image.putpalette([n for color in (*display_colors(classes), _CHANGED) for n in color])
    return _url(image, "png", transparency=bytes([0, *[_SHINE] * (classes - 1), 255]))


def _url(image: Image.Image, kind: str, **options: object) -> str:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
