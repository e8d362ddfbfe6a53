"""Packs what the model said of one picture into the one value that the stage is fed with.

The value is a dict of plain things, because gradio stringifies every prop at every update
and wraps whatever is an object: a few long strings cost nothing, arrays of numbers a lot.

    busy     bool: something is being computed; alone, without the rest, it only shows a sign
    about    str: JSON with all words and numbers, see below
    picture  str: `data:` URL of a WebP, at most 512 pixels on the longer side
    data     str: base64 of one zlib stream, planes of bytes one after the other
    number   int: never the same twice, as gradio does not show a value that has not changed

`about` holds: name, play, mode, width, height, pixels (of the full size), names, colors,
background, redo (how the browser combines again: mean, vote or ask), weights (null, one for each
look, or one list for each look), on (a flag for each look), truth (bool), itself (bool), answers
("probs" or "sure"), looks (words and numbers of each view, its row's `name`, the `model` of
several that looks so or "", `seen` bool, `answered` [h, w] or null), alone and steps (counts,
taken at the full size).

The planes, each `height * width` bytes unless said otherwise:

    labels of every look                      V, all but the first XOR the first
    labels together after 1..K looks          K, XOR the first look's labels
    truth                                     1 if `truth`, XOR the first look's labels
    pixels seen, 1 or 0                       1 for each look that has `seen`
    answers before a zoom was undone          h * w for each look that has `answered`
    "probs": probabilities * 255              V * (C - 1), look by look, of the classes 1..C-1
    "sure": the probability of its own label  V

XOR with what it resembles leaves almost only zeros, a third of the size.

Events, the other way (`html.select(handler)` with `event: gr.EventData`, payload in
`event._data`):

    select   {look}: somebody opened that look
    switch   {on: [names], fused: bool}: looks were taken out or in; `fused` says that the
             browser has already combined the rest, otherwise it waits for a new value
    painted  {width, height, data}: a mask was painted; `painted` reads it

After `switch` with `fused` false and after `painted` the stage shows that it waits, until a value
comes; where nothing is to change, `{"busy": False}` is enough.
"""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from tta_demo.models.ensemble import view_of, whose
from tta_demo.pictures.palettes import IGNORED
from tta_demo.tta.predict import Look
from tta_demo.tta.views import View
from tta_demo.ui.stage.sent import Grid, grid_of, small, webp

__all__ = ["BUSY", "MODES", "NUMBERS", "StagePicture", "pack", "words"]

FEW_CLASSES = 4
"""With more classes, labels and how sure they are go instead of all probabilities."""

PROBS_LIMIT = 2**21
"""Bytes of probabilities that are sent before they are deflated; fifteen looks of 256 x 256."""

BUSY: dict[str, Any] = {"busy": True}
"""The value that shows only that something is being computed."""

MODES = ("changed", "picture", "one", "together", "doubt", "truth")
"""What the stage can show at rest; what changed, if nothing else is said."""

NUMBERS = count()
"""One for each value: gradio does not show a value that has not changed."""


@dataclass(frozen=True)
class StagePicture:
    """What the stage shows, at the picture's full size.

    Attributes:
        name: of the picture.
        rgb: `(H, W, 3)` uint8.
        looks: V looks by view, or by row where several models look; the first is the one that all
            of them together are compared with.
        models: what each of several models is called, by what `whose` says of their rows.
        together: `(K, H, W)` uint8, the labels of the first 1..K looks that are on, fused.
        names: C class names.
        colors: C RGB colours 0..255 to show them in.
        fusion: key of the fusion.
        weights: `(V,)` or `(V, C)`; None if all count the same.
        pool: what learned weights weigh, `linear` or `log`.
        truth: `(H, W)` uint8, or None.
        itself: whether that is but the model's own answer to the undamaged picture.
        on: whether each look takes part; None for all of them.
        background: the class that is drawn see-through; None for none.
        play: `full` the first time, `fast` later, `none` to stay at rest.
        mode: one of `MODES`; what is shown once it rests, until another one is chosen.
    """

    name: str
    rgb: np.ndarray
    looks: Mapping[str, Look]
    together: np.ndarray
    names: Sequence[str]
    colors: Sequence[tuple[int, int, int]]
    fusion: str = "mean"
    weights: np.ndarray | None = None
    pool: str = "linear"
    models: Mapping[str, str] = field(default_factory=dict)
    truth: np.ndarray | None = None
    itself: bool = False
    on: Sequence[bool] | None = None
    background: int | None = 0
    play: str = "full"
    mode: str = MODES[0]

    @property
    def first(self) -> np.ndarray:
        """The labels of the first look."""
        return next(iter(self.looks.values())).labels

    @property
    def flags(self) -> list[bool]:
        """Whether each look takes part."""
        return [True] * len(self.looks) if self.on is None else [bool(flag) for flag in self.on]

    @property
    def answers(self) -> np.ndarray:
        """`together`, where one look says what it says: no rounding of the stored answers."""
        alone = self.used[0].labels[None]
        return np.concatenate([alone, self.together[1:]]) if len(self.used) > 1 else self.together

    @property
    def used(self) -> list[Look]:
        """The K looks that take part."""
        return [look for look, on in zip(self.looks.values(), self.flags, strict=True) if on]


def pack(scene: StagePicture) -> dict[str, Any]:
    """Returns the stage's value.

    Raises:
        ValueError: there is no look, or not one fused answer for each look that is on.
    """
    if not scene.used or len(scene.together) != len(scene.used):
        raise ValueError(
            f"{len(scene.used)} looks are on and {len(scene.together)} fused answers are given: "
            "give one for each, and at least one"
        )
    grid = grid_of(scene.rgb.shape[0], scene.rgb.shape[1])
    answers = _answers(scene, grid)
    planes = _planes(scene, grid, answers)
    return {
        "busy": False,
        "number": next(NUMBERS),
        "about": json.dumps(_about(scene, grid, answers), separators=(",", ":")),
        "picture": webp(scene.rgb, grid),
        "data": base64.b64encode(zlib.compress(b"".join(p.tobytes() for p in planes), 6)).decode(),
    }


def _answers(scene: StagePicture, grid: Grid) -> str:
    """Returns what is sent beside the labels: `probs` or `sure`."""
    planes = len(scene.looks) * (len(scene.names) - 1)
    few = len(scene.names) <= FEW_CLASSES
    fits = planes * len(grid[0]) * len(grid[1]) <= PROBS_LIMIT
    return "probs" if few and fits else "sure"


def _planes(scene: StagePicture, grid: Grid, answers: str) -> list[np.ndarray]:
    """Returns what `data` holds, in the order of the module's docstring."""
    looks = scene.looks
    first, *others = (small(look.labels, grid) for look in looks.values())
    planes = [first, *(other ^ first for other in others)]
    planes.append(small(scene.answers, grid) ^ first)
    if scene.truth is not None:
        planes.append(small(scene.truth, grid) ^ first)
    seen = [look.seen.numpy() for look in looks.values() if look.seen is not None]
    planes += [small(one, grid).astype(np.uint8) for one in seen]
    views = {row: view_of(row) for row in looks}
    planes += [_upright(views[row], one) for row, one in looks.items() if views[row].zoom != 1]
    for look in looks.values():
        probs = np.exp(small(look.log_probs.numpy(), grid).astype(np.float32))
        planes.append(_bytes(probs[1:] if answers == "probs" else probs.max(0)))
    return planes


def _bytes(probs: np.ndarray) -> np.ndarray:
    """Returns probabilities 0..1 in steps of 1 / 255."""
    return (probs * np.float32(255) + np.float32(0.5)).clip(0, 255).astype(np.uint8)


def _upright(view: View, look: Look) -> np.ndarray:
    """Returns the answer at the zoomed size, turned back but not yet resized."""
    turned = np.rot90(look.frame, -view.symmetry.turns)
    return small(turned[:, ::-1] if view.symmetry.flip else turned, grid_of(*turned.shape))


def _about(scene: StagePicture, grid: Grid, answers: str) -> dict[str, Any]:
    height, width = scene.rgb.shape[:2]
    return {
        "name": scene.name,
        "play": scene.play,
        "mode": scene.mode,
        "width": len(grid[1]),
        "height": len(grid[0]),
        "pixels": height * width,
        "names": list(scene.names),
        "colors": [list(map(int, color)) for color in scene.colors],
        "background": scene.background,
        "redo": _redo(scene, answers),
        "weights": None if scene.weights is None else np.asarray(scene.weights).tolist(),
        "on": scene.flags,
        "truth": scene.truth is not None,
        "itself": scene.itself,
        "answers": answers,
        "looks": [_row(scene, row, look) for row, look in scene.looks.items()],
        "alone": [_alone(scene, look) for look in scene.looks.values()],
        "steps": _steps(scene),
    }


def _redo(scene: StagePicture, answers: str) -> str:
    """Returns how the browser combines again without some looks: mean, vote, or it must ask."""
    if answers != "probs":
        return "ask"
    if scene.fusion == "mean" or (scene.fusion == "learned" and scene.pool == "linear"):
        return "mean"
    return "vote" if scene.fusion == "vote" else "ask"


def words(view: View) -> dict[str, Any]:
    """Returns what the stage has to know of a view: its words and its numbers."""
    numbers = ("zoom", "tilt", "shift", "gain", "contrast", "gamma", "noise")
    return {
        "name": view.name,
        "label": view.label,
        "summary": view.summary,
        "turns": view.symmetry.turns,
        "flip": view.symmetry.flip,
        **{key: getattr(view, key) for key in numbers},
    }


def _row(scene: StagePicture, row: str, look: Look) -> dict[str, Any]:
    view, model = view_of(row), scene.models.get(whose(row)[0], "")
    answered = None if view.zoom == 1 else list(_upright(view, look).shape)
    seen = look.seen is not None
    return words(view) | {"name": row, "model": model, "seen": seen, "answered": answered}


def _alone(scene: StagePicture, look: Look) -> int:
    """Returns how many pixels that it saw a look gets wrong; unlike the first without a truth."""
    other = _wrong(scene, look.labels) if scene.truth is not None else look.labels != scene.first
    return int(np.count_nonzero(other if look.seen is None else other & look.seen.numpy()))


def _wrong(scene: StagePicture, labels: np.ndarray) -> np.ndarray:
    """Returns `(H, W)` bool, which labels are not the truth; none where that is `IGNORED`."""
    return (labels != scene.truth) & (scene.truth != IGNORED)


def _steps(scene: StagePicture) -> dict[str, list[int]]:
    """Returns counts of pixels after 1..K looks; without a truth only what needs none."""
    first = scene.first
    steps: dict[str, list[int]] = {"changed": [], "split": _split(scene.used)}
    if scene.truth is not None:
        steps |= {"wrong": [], "fixed": [], "broken": []}
    for labels in scene.answers:
        changed = labels != first
        steps["changed"].append(int(np.count_nonzero(changed)))
        if scene.truth is None:
            continue
        wrong = _wrong(scene, labels)
        steps["wrong"].append(int(np.count_nonzero(wrong)))
        # a pixel that changed and is right now was wrong; one that is wrong may have been, too
        steps["fixed"].append(int(np.count_nonzero(changed & (labels == scene.truth))))
        steps["broken"].append(int(np.count_nonzero(wrong & (first == scene.truth))))
    return steps


def _split(looks: Sequence[Look]) -> list[int]:
    """Returns on how many pixels the first 1..K looks that saw them are not of one opinion."""
    said = looks[0].labels.copy()
    known = np.zeros(said.shape, bool)
    split = np.zeros(said.shape, bool)
    counts = []
    for look in looks:
        seen = np.True_ if look.seen is None else look.seen.numpy()
        split |= seen & known & (look.labels != said)
        said = np.where(known, said, look.labels)
        known |= seen
        counts.append(int(np.count_nonzero(split)))
    return counts
