"""How the page is served to strangers."""

from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder
from starlette.middleware import Middleware
from uvicorn.config import HTTP_PROTOCOLS

from tta_demo.serving.gate import Gate
from tta_demo.serving.health import Health
from tta_demo.serving.log import Logged
from tta_demo.serving.sessions import Sessions
from tta_demo.serving.store import Store
from tta_demo.serving.uploads import Uploads
from tta_demo.serving.visits import Visits
from tta_demo.ui.kit.preview import LinkPreview
from tta_demo.ui.kit.theme import launch_options

__all__ = ["served"]


def served(scratch: Path | None = None) -> dict[str, Any]:
    """Returns the keyword arguments of `Blocks.launch` for a page that is open to everybody.

    Args:
        scratch: the folder with all temporary files, whose bytes count together with the uploads
            in it; the uploads alone count if left out.
    """
    # of the two this one takes no more than 64 kB of headers; the faster one any number of them
    HTTP_PROTOCOLS["auto"] = HTTP_PROTOCOLS["h11"]
    store = Store(Path(get_upload_folder()), scratch)
    middleware = [
        Middleware(Logged),
        Middleware(Gate),
        Middleware(Health),
        Middleware(Uploads, store=store),
        Middleware(LinkPreview),
        Middleware(Visits, store=store, sessions=Sessions()),
    ]
    # gradio would ask itself for the page, and end if a busy machine takes over three seconds
    unasked = {"_frontend": False}
    return launch_options() | unasked | {"app_kwargs": {"middleware": middleware}}
