"""The files of a result, written into the cache that the server empties by itself."""

import json

from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from tta_demo.pictures.masks import restore
from tta_demo.pictures.palettes import color_png, index_png
from tta_demo.tasks.segment import Segmentation

__all__ = ["write_files"]


def write_files(result: Segmentation, stem: str) -> tuple[str, str, str]:
    """Returns the paths of the index mask, the colour mask (both at full size) and the report."""
    palette = result.world.record.palette
    labels = restore(result.labels, result.picture.size)
    report = json.dumps(result.report(), indent=1).encode()
    contents = {
        f"{stem}-mask.png": index_png(labels, palette),
        f"{stem}-colors.png": color_png(labels, palette),
        f"{stem}-report.json": report,
    }
    folder = get_upload_folder()
    index, colors, text = (save_bytes_to_cache(b, n, folder) for n, b in contents.items())
    return index, colors, text
