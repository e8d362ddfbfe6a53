"""The gate: what is no address of the page is not there, and no request brings too much."""

from starlette.types import ASGIApp, Receive, Scope, Send

from tta_demo.serving.answers import TooLarge, again, body_of, refuse, too_large
from tta_demo.serving.routes import UPLOAD, route_of

__all__ = ["Gate"]


class Gate:
    """Lets in requests to the addresses of `ROUTES`, within their limits.

    What is let in has its body whole, but for uploads, which are counted where they are stored.

    Args:
        app: what answers them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})  # the page opens none
            return
        # no parts of files: a thousand overlapping ones of a picture are gigabytes
        scope["headers"] = [one for one in scope["headers"] if one[0] != b"range"]
        route = route_of(scope["method"], scope["path"])
        if route is None:
            await refuse(404, "There is nothing at this address.", scope, receive, send)
        elif too_large(scope, route.most):
            await self._refuse(route.most, scope, receive, send)
        elif route.most and scope["path"] != UPLOAD:
            await self._whole(route.most, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _whole(self, most: int, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await body_of(receive, most)
        except TooLarge:
            await self._refuse(most, scope, receive, send)
        except TimeoutError:
            await refuse(408, "The request did not come to its end.", scope, receive, send)
        else:
            if body is not None:
                await self.app(scope, again(body, receive), send)

    async def _refuse(self, most: int, scope: Scope, receive: Receive, send: Send) -> None:
        told = f"The request is too large: {most:,} bytes are the limit here."
        await refuse(413, told, scope, receive, send)
