"""The page on many machines: one process serves it, and any number of others look (Ray Serve).

`serve run tta_demo.serving:app` on a machine of the cluster; every machine has this package, at
the same version. Visitors' sessions, files and models of their own stay in the one process; what
travels is a picture, the names of a model of `MODELS` and of a view, and the look.
"""

import os
import pickle
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, Field

from tta_demo.models.record import ModelRecord
from tta_demo.models.registry import MODELS
from tta_demo.tasks.looking import hand_over, look_here

if TYPE_CHECKING:
    from fastapi import FastAPI
    from ray.serve import Application
    from ray.serve.handle import DeploymentHandle, DeploymentResponse

__all__ = ["Elsewhere", "Models", "Page", "Settings", "page_and_models"]

MODELS_NAME = "models"
"""Of the deployment."""
TRIES = 3
"""How often a look is asked for while the machines that had it die."""
PATIENCE = 300
"""Seconds that a look may take, waiting for a free machine included."""


class Settings(BaseModel):
    """What can be given behind `serve run tta_demo.serving:app`, as `least=2 most=16`.

    Attributes:
        least: processes that look, even if nobody asks.
        most: of them; more start when each has two looks to do, and end when they idle.
        cores: of each.
    """

    least: int = Field(1, ge=1)
    most: int = Field(4, ge=1)
    cores: int = Field(1, ge=1)


class Models:
    """Looks with the models that come with the package."""

    def look(self, name: str, digest: str, rgb: np.ndarray, views: Sequence[str]) -> bytes:
        """Returns the looks of some views, see `look_here`.

        They come as bytes: arrays would stay in Ray's store as long as the page keeps them.

        Args:
            name: of the model.
            digest: of its weights where it is asked for.
            rgb: `(H, W, 3)` uint8.
            views: names.

        Raises:
            ValueError: this machine has other weights.
        """
        record = MODELS.get(name)
        if record is None or record.digest != digest:
            told = f"a machine has other weights of {name}"
            raise ValueError(f"{told}: install the same version on all of them")
        return pickle.dumps([*look_here(record, rgb.copy(), views)])  # what Ray lends is read-only

    def check_health(self) -> None:
        """Raises if a small picture is not answered in finite numbers; Serve asks by itself."""
        next(look_here(next(iter(MODELS.values())), np.zeros((32, 32, 3), np.uint8), ["identity"]))


class Elsewhere:
    """Has looks made by the `Models` that are free, all at once; stands for `look_here`.

    A model of somebody's own looks here: its file is here, and shall leave with its visitor.
    """

    def __init__(self, models: "DeploymentHandle") -> None:
        self._models = models

    def __call__(
        self, model: ModelRecord, rgb: np.ndarray, views: Sequence[str], device: str = "auto"
    ) -> Iterator[Any]:
        """Does what `looks_at` says; each machine chooses its device by itself."""
        if MODELS.get(model.name) != model:
            yield from look_here(model, rgb, views, device)
            return
        # crops go through the network together, as they do here
        parts = [views] if model.task == "classify" else [[view] for view in views]
        asked = [self._ask(model, rgb, part) for part in parts]
        try:
            for part, response in zip(parts, asked, strict=True):
                yield from self._answer(response, model, rgb, part)
        finally:  # nobody waits for the others
            for response in asked:
                response.cancel()

    def _ask(
        self, model: ModelRecord, rgb: np.ndarray, views: Sequence[str]
    ) -> "DeploymentResponse":
        return self._models.look.remote(model.name, model.digest, rgb, views)

    def _answer(
        self,
        response: "DeploymentResponse",
        model: ModelRecord,
        rgb: np.ndarray,
        views: Sequence[str],
    ) -> list[Any]:
        """Returns what was asked for; asks again if a machine died of it or beside it."""
        from ray.exceptions import RayError, RayTaskError
        from ray.serve.exceptions import RayServeException

        for _ in range(TRIES):
            try:
                return pickle.loads(response.result(timeout_s=PATIENCE))
            except RayTaskError as error:  # the look itself failed, as it would again
                raise error.cause from None
            except TimeoutError:
                break
            except (RayError, RayServeException):
                response = self._ask(model, rgb, views)
        raise ValueError("No machine is free to look at the picture: try again in a minute")


class Page:
    """The process that serves the page; there is one, since it keeps what belongs to visitors.

    Args:
        models: start with it, since it is bound to them.
    """

    def __init__(self, models: "DeploymentHandle") -> None:
        pass  # the page is made behind this


def _page() -> "FastAPI":
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported
    from ray import serve

    from tta_demo.serving.launch import served
    from tta_demo.serving.log import log_to_stderr
    from tta_demo.serving.mounted import mounted
    from tta_demo.serving.scratch import own_scratch
    from tta_demo.ui.page import build_page

    log_to_stderr()
    scratch = own_scratch()
    page = mounted(build_page(), served(scratch))  # looks at its first picture by itself
    hand_over(Elsewhere(serve.get_deployment_handle(MODELS_NAME)))
    return page


def page_and_models(settings: Settings) -> "Application":
    """Returns the page and the models behind it, ready to run."""
    from ray import serve

    models = serve.deployment(
        Models,
        name=MODELS_NAME,
        ray_actor_options={"num_cpus": settings.cores},
        max_ongoing_requests=3,
        autoscaling_config={
            "min_replicas": settings.least,
            "max_replicas": max(settings.least, settings.most),
            "target_ongoing_requests": 2,
            "upscale_delay_s": 5,
            "downscale_delay_s": 300,
        },
        health_check_period_s=10,
        health_check_timeout_s=30,
    )
    page = serve.deployment(
        serve.ingress(_page)(Page),
        name="page",
        num_replicas=1,
        # it waits for looks most of the time; on the head, without which there is no cluster, so
        # that every other machine may go
        ray_actor_options={"num_cpus": 0, "resources": {"node:__internal_head__": 0.001}},
        max_ongoing_requests=1000,  # a visitor holds a stream open
    )
    return page.bind(models.bind())
