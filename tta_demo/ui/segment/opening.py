"""Opening a picture on the segmentation tab: an example, a generated field, an upload."""

import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import gradio as gr

from tta_demo.pictures.reading import Picture, read_picture
from tta_demo.samples.weeds import DIFFICULTY, SEEDS
from tta_demo.tasks.worlds import WORLDS
from tta_demo.ui.segment.show import WORKING, Scene, Session
from tta_demo.ui.segment.steps import CLOSED, PROGRESS, run, ticked_views, toasts, uploaded

__all__ = ["new_field", "open_example", "open_picture", "same_field"]

Setting = str | bool | list[str]
"""The value of a control: world, fusion, background, and the ticks of every group, in order."""

UNTOUCHED = (gr.skip(), gr.skip(), gr.skip(), gr.skip())
"""For the picture, the mask, the painting and the difficulty."""


def open_example(
    session: Session,
    index: int,
    *settings: Setting,
    progress: gr.Progress = PROGRESS,
) -> Iterator[tuple[Any, ...]]:
    """Opens an example of the world with its mask, and runs."""
    with session.turn, toasts():
        chosen = _settings(settings)
        place = WORLDS[chosen.world]
        path = place.examples[index]
        picture = read_picture(path)
        truth, _ = place.read_truth(place.mask_of(path), picture)
        seed = SEEDS["test"][index] if place.generate else None
        scene = Scene(path.stem, picture, truth, *chosen, seed)
        yield picture.rgb, scene.mask, CLOSED, DIFFICULTY, *WORKING
        yield *UNTOUCHED, *run(session, scene, progress)


def new_field(
    session: Session,
    difficulty: float,
    *settings: Setting,
    progress: gr.Progress = PROGRESS,
) -> Iterator[tuple[Any, ...]]:
    """Generates a picture that nobody has seen, with its mask, and runs."""
    with session.turn, toasts():
        seed = random.choice(SEEDS["test"])
        scene = _field(seed, difficulty, _settings(settings))
        yield scene.picture.rgb, scene.mask, CLOSED, gr.skip(), *WORKING
        yield *UNTOUCHED, *run(session, scene, progress)


def same_field(
    session: Session,
    difficulty: float,
    *settings: Setting,
    progress: gr.Progress = PROGRESS,
) -> Iterator[tuple[Any, ...]]:
    """Generates the field on screen at another difficulty; leaves an uploaded picture alone."""
    with session.turn, toasts():
        if session.scene is None or session.scene.seed is None:
            return
        scene = _field(session.scene.seed, difficulty, _settings(settings))
        panel = run(session, scene, progress)
        yield scene.picture.rgb, scene.mask, CLOSED, gr.skip(), *panel


def open_picture(
    session: Session,
    upload: dict[str, Any],
    *settings: Setting,
    progress: gr.Progress = PROGRESS,
) -> Iterator[tuple[Any, ...]]:
    """Opens an uploaded picture; the mask of the one before does not belong to it, and goes."""
    with session.turn, toasts():
        path = uploaded(upload)
        picture = read_picture(path)
        scene = Scene(path.stem, picture, None, *_settings(settings))
        yield picture.rgb, None, CLOSED, gr.skip(), *WORKING
        yield *UNTOUCHED, *run(session, scene, progress)


class _Settings(NamedTuple):
    """What the controls say, in the order of the last fields of `Scene`."""

    world: str
    views: tuple[str, ...]
    fusion: str
    background: bool


def _settings(values: Sequence[Setting]) -> _Settings:
    """Returns the settings that the controls show."""
    world, fusion, background, *ticked = values
    return _Settings(world, ticked_views(ticked), fusion, background)


def _field(seed: int, difficulty: float, chosen: _Settings) -> Scene:
    made = WORLDS[chosen.world].generate(seed, difficulty)
    note = f"Field of seed {seed}, difficulty {difficulty:.2f}."
    size = made.labels.shape
    picture = Picture(made.rgb, size, size, 1, (note,))
    return Scene(made.name, picture, made.labels, *chosen, seed)
