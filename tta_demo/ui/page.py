"""The whole page."""

import gradio as gr

from tta_demo.ui.segment import build_segment_tab

__all__ = ["build_page"]

INTRO = """
# Look again
A computer marks what is in a picture, and makes mistakes. Here it looks several times
(mirrored, turned, zoomed), undoes each change on its answer, and combines the answers.
Does that help?
"""


def build_page() -> gr.Blocks:
    """Returns the page, ready to launch."""
    with (
        gr.Blocks(title="Look again: test-time augmentation", delete_cache=(600, 3600)) as page,
        gr.Column(elem_id="page"),
    ):
        gr.Markdown(INTRO, elem_id="intro")
        build_segment_tab(page)
    return page.queue(max_size=20, default_concurrency_limit=4)
