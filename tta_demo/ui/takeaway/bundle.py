"""The files of a picture: one by one, and all in one zip."""

import io
import json
import re
import zipfile

from tta_demo.pictures.draw import overlay
from tta_demo.pictures.masks import restore
from tta_demo.pictures.palettes import color_png, index_png, rgb_png
from tta_demo.ui.takeaway.document import document
from tta_demo.ui.takeaway.facts import Takeaway
from tta_demo.ui.takeaway.snippet import PICTURE, TRUTH

__all__ = ["all_files", "report_json", "result_masks", "safe_name"]


def safe_name(name: str) -> str:
    """Returns a name for a file that is safe on every system: letters, digits, `.`, `_`, `-`.

    Example:
        >>> safe_name("../my own: field<1>"), safe_name("...")
        ('my-own-field-1', 'picture')
    """
    return re.sub(r"[^\w.-]+", "-", name).strip(".-")[:80] or "picture"


def result_masks(take: Takeaway) -> dict[str, bytes]:
    """Returns the answer at the picture's full size as PNG files: class ids, and colours."""
    palette = take.result.model.palette
    labels = restore(take.result.labels, take.result.picture.size)
    return {"mask.png": index_png(labels, palette), "colors.png": color_png(labels, palette)}


def report_json(take: Takeaway) -> bytes:
    """Returns the report as a JSON file."""
    return json.dumps(take.report, indent=1, allow_nan=False).encode()


def all_files(take: Takeaway) -> bytes:
    """Returns a zip of everything there is of a picture; no name in it comes from outside."""
    result, case = take.result, take.case
    palette = result.model.palette
    files = result_masks(take) | {
        PICTURE: rgb_png(case.picture.rgb),
        "overlay.png": rgb_png(overlay(result.picture.rgb, result.labels, palette)),
        "report.json": report_json(take),
        "report.html": document(take).encode(),
        "look_again.py": take.code.encode(),
    }
    if case.damage.amounts:
        files["damaged.png"] = rgb_png(result.picture.rgb)
    if case.truth is not None:
        files[TRUTH] = index_png(case.truth, palette)
    if result.plan.weights is not None and case.file is not None:
        files["weights.json"] = case.file.text().encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files.items():
            pressed = None if not name.endswith(".png") else zipfile.ZIP_STORED
            archive.writestr(name, content, pressed)
    return buffer.getvalue()
