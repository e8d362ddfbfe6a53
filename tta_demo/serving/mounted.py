"""The page as an ASGI app, for servers other than gradio's own."""

from inspect import signature
from typing import Any

import gradio as gr
from fastapi import FastAPI

__all__ = ["mounted"]


def mounted(page: gr.Blocks, options: dict[str, Any]) -> FastAPI:
    """Returns an app with the page at `/`, as `launch` would serve it with these options."""
    known = signature(gr.mount_gradio_app).parameters
    page.state_session_capacity = options["state_session_capacity"]
    fitting = {key: value for key, value in options.items() if key in known}
    return gr.mount_gradio_app(FastAPI(), page, "/", **fitting)
