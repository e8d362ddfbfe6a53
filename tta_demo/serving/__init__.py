"""Serving the page to strangers: what a request may ask and leave behind; several machines."""

from typing import Any

__all__ = ["app"]


def app(settings: dict[str, str]) -> Any:  # noqa: ANN401 (Ray's Application)
    """Returns what `serve run tta_demo.serving:app` runs; only then Ray is imported.

    Args:
        settings: what stands behind it on the command line, see `Settings` of `ray_app`.
    """
    from tta_demo.serving import ray_app

    return ray_app.page_and_models(ray_app.Settings(**settings))
