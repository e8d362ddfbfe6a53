"""Whether the server is well, for whoever watches over it."""

from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tta_demo.models.registry import MODELS
from tta_demo.pictures.assets import fault_of
from tta_demo.serving.routes import HEALTH

__all__ = ["Health"]


class Health:
    """Says which models' files are there and can be read, and how many wait.

    Args:
        app: what answers all other requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "http" and scope["path"] == HEALTH:
            await JSONResponse(_state(scope["app"]))(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _state(app: Any) -> dict[str, Any]:  # noqa: ANN401 (gradio's app)
    faults = {name: fault_of(record.weights()) for name, record in MODELS.items()}
    return {
        "status": "degraded" if any(faults.values()) else "ok",
        "models": {name: fault or "there" for name, fault in faults.items()},
        "queue": len(app.get_blocks()._queue),
    }
