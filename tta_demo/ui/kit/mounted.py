"""The page as an ASGI app, for servers other than gradio's own."""

from inspect import signature

import gradio as gr
from fastapi import FastAPI

from tta_demo.ui.kit.theme import launch_options

__all__ = ["mounted"]


def mounted(page: gr.Blocks) -> FastAPI:
    """Returns an app with the page at `/`, served as `launch` would with `launch_options`."""
    options, known = launch_options(), signature(gr.mount_gradio_app).parameters
    page.state_session_capacity = options["state_session_capacity"]
    fitting = {key: value for key, value in options.items() if key in known}
    return gr.mount_gradio_app(FastAPI(), page, "/", **fitting)
