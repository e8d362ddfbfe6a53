"""What the harm of learning is measured on: sets of pictures, looked at once and kept on disk."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tta_demo.commands.benchmark.damage import DAMAGES, photographs
from tta_demo.learning.answers import Answers
from tta_demo.models.registry import MODELS, load_model
from tta_demo.pictures.damage import damage
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.samples.nuclei import read_split
from tta_demo.samples.weeds import SEEDS, sample
from tta_demo.tta.predict import predict_views, to_tensor
from tta_demo.tta.views import VIEW_SETS

__all__ = ["GRID", "VIEWS", "Kept", "kept", "sets"]

VIEWS = VIEW_SETS["all"]
GRID = 64
"""Pixels are thinned to a grid of so many rows and columns, the centres of equal parts."""
FIELDS = 100

Pictures = Iterator[tuple[str, LabelledPicture]]
"""Pictures, each with the name of what it is a version of."""


@dataclass(frozen=True)
class Kept:
    """What all views answered at the grid of a set's pictures.

    Attributes:
        model: a key of `MODELS`.
        log_probs: `(P, V, C, n)` float16.
        labels: `(P, n)` class ids.
        origins: of each picture; versions of one picture share it.
    """

    model: str
    log_probs: np.ndarray
    labels: np.ndarray
    origins: tuple[str, ...]

    def answers(self, pictures: np.ndarray, views: int, every: int = 1) -> Answers:
        """Returns the answers of the first views to some pictures, at every so-manieth pixel."""
        logs = (self.log_probs[i, :views, :, ::every].astype(np.float32) for i in pictures)
        labels = (self.labels[i, ::every].astype(np.int64) for i in pictures)
        return Answers(tuple(map(np.exp, logs)), tuple(labels))


def sets(nuclei: Path | None) -> dict[str, tuple[str, Callable[[], Pictures]]]:
    """Returns each set's model and pictures; that of nuclei only where their folder is given."""
    found: dict[str, tuple[str, Callable[[], Pictures]]] = {
        "weeds, easy": ("unet-weeds", partial(_fields, 0.3)),
        "weeds, usual": ("unet-weeds", partial(_fields, 0.7)),
        "weeds, hard": ("unet-weeds", partial(_fields, 1.0)),
        "weeds, novice": ("unet-weeds-novice", partial(_fields, 0.7)),
        "photographs, damaged": ("u2net-p", _damaged),
    }
    if nuclei is not None:
        found["nuclei"] = ("unet-nuclei", partial(_nuclei, nuclei))
    return found


def kept(name: str, model: str, pictures: Callable[[], Pictures], cache: Path) -> Kept:
    """Returns what a set's pictures were answered, from the cache if it is there."""
    path = cache / f"{name.replace(', ', '-')}-{MODELS[model].digest}.npz"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        made = _look(model, pictures())
        np.savez(path, **vars(made))
    with np.load(path) as data:
        return Kept(model, data["log_probs"], data["labels"], tuple(data["origins"].tolist()))


def _look(name: str, pictures: Pictures) -> Kept:
    model, logs, labels, origins = load_model(MODELS[name]), [], [], []
    for origin, picture in tqdm(pictures, desc=name, unit="picture"):
        places = np.ix_(*(_centres(side) for side in picture.labels.shape))
        stack = predict_views(model, to_tensor(picture.rgb), VIEWS)
        thin = stack.log_probs.numpy()[..., *places]
        logs.append(thin.reshape(*thin.shape[:2], -1).astype(np.float16))
        labels.append(picture.labels[places].ravel())
        origins.append(origin)
    return Kept(name, np.stack(logs), np.stack(labels), tuple(origins))


def _centres(side: int) -> np.ndarray:
    return ((np.arange(GRID) + 0.5) * side / GRID).astype(int)


def _fields(difficulty: float) -> Pictures:
    for seed in SEEDS["test"][:FIELDS]:
        yield str(seed), sample(seed, difficulty)


def _nuclei(folder: Path) -> Pictures:
    for split in ("val", "test"):
        for picture in read_split(folder, split):
            yield picture.name, picture


def _damaged() -> Pictures:
    """Yields photographs under damage; what each shows when undamaged is the truth."""
    for photo in photographs(load_model(MODELS["u2net-p"])):
        for name, hows in DAMAGES.items():
            for how in hows if name != "nothing" else ():
                yield photo.name, LabelledPicture(photo.name, damage(photo.rgb, how), photo.labels)
