"""Packs what the crops of one photograph say into the one value that the ranking is fed with.

The ranking is the stage of classification: crops that fly into the list of the likeliest classes.
Its value is made as the stage's (see `pack.py`): `busy`, `number`, `picture` (the photograph) and
`about`, JSON with

    play      "fast", or "none" to stay at rest
    subject   what is to be seen, in plain words; "" if nobody told
    truth     null if it is unknown, else the classes that are right; none if there is no class
    votes     bool: shares are of votes, not probabilities
    names     n classes that are listed, the likeliest of all looks together first
    right     n flags: whether the class is right; null each if that is unknown
    steps     (K, n) shares of the listed classes after 1..K looks
    firsts    after 1..K looks, the first choice {name, share, right}
    one       the same of the look at the middle alone
    watched   {name, one, steps, own}: the share of the truth, or else of the first choice, of one
              look, after 1..K looks, and of each look alone
    looks     K looks: label, summary, frame (left, top, right, bottom, 0..1 of the photograph),
              picture (the crop as the model sees it), name, share, right (its own first choice),
              and what its view does: turns, flip, zoom, tilt, shift, gain, contrast, gamma, noise
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tta_demo.pictures.draw import fit_within
from tta_demo.tasks.classify import Classification
from tta_demo.tasks.sure import first_looks
from tta_demo.tta.crops import CROP_VIEWS, CropView, cut
from tta_demo.ui.kit.pictures import as_rgb, data_url
from tta_demo.ui.stage.pack import NUMBERS, words

__all__ = ["pack_ranking"]

LONGEST = 640
"""Pixels on the longer side of the photograph that is sent."""
TOP, MOST = 5, 7
"""How many classes are listed, without and with the first choice of one look and the truth."""


def pack_ranking(
    result: Classification,
    subject: str = "",
    truth: Collection[str] | None = None,
    play: bool = True,
) -> dict[str, Any]:
    """Returns the ranking's value; no forward pass.

    Args:
        result: the looks and their plan.
        subject: what is to be seen, in plain words.
        truth: names of the classes that are right, none if there is no class; None if unknown.
        play: whether it plays by itself, or stays at rest.
    """
    shown = fit_within(result.picture.rgb, LONGEST)
    about = {"play": "fast" if play else "none", "subject": subject}
    about |= {"width": shown.shape[1], "height": shown.shape[0]} | _Answers(result, truth).about()
    return {
        "busy": False,
        "number": next(NUMBERS),
        "about": json.dumps(about, separators=(",", ":")),
        "picture": data_url(shown),
    }


@dataclass(frozen=True, eq=False)
class _Answers:
    """What the looks say, beside what is right."""

    result: Classification
    truth: Collection[str] | None

    def about(self) -> dict[str, Any]:
        steps, one, alone = self._steps(), self.result.one_look, self.result.stack.probs
        listed = self._listed(steps[-1], one)
        names = [self.result.model.classes[index] for index in listed]
        watched = [self._index(name) for name in self.truth or ()] or [int(steps[-1].argmax())]
        return {
            "truth": None if self.truth is None else list(self.truth),
            "votes": self.result.plan.fusion == "vote",
            "names": names,
            "right": [self._right(name) for name in names],
            "steps": _rounded(steps[:, listed]),
            "firsts": [self._first(step) for step in steps],
            "one": self._first(one),
            "watched": {
                "name": " or ".join(self.result.model.classes[index] for index in watched),
                "one": _rounded(one[watched].sum()),
                "steps": _rounded(steps[:, watched].sum(1)),
                "own": _rounded(alone[:, watched].sum(1)),
            },
            "looks": self._looks(alone),
        }

    def _steps(self) -> Tensor:
        """Returns the probabilities `(K, C)` of the first 1..K looks, fused as the plan says."""
        plan, stack = self.result.plan, self.result.stack
        first = [first_looks(plan, k).fuse(stack) for k in range(1, len(plan.views))]
        return torch.stack([*first, self.result.probs])

    def _listed(self, fused: Tensor, one: Tensor) -> list[int]:
        """Returns the likeliest classes, the first choice of one look, and the truth, in order."""
        true = sorted(map(self._index, self.truth or ()), key=lambda index: -fused[index])
        likeliest = fused.topk(min(TOP, len(fused))).indices.tolist()
        wanted = dict.fromkeys([*likeliest, int(one.argmax()), *true])
        return sorted(list(wanted)[:MOST], key=lambda index: -fused[index])

    def _looks(self, alone: Tensor) -> list[dict[str, Any]]:
        rgb, names = self.result.picture.rgb, self.result.plan.views
        crops = as_rgb(cut(rgb, names))
        return [
            {**_words(CROP_VIEWS[name], rgb.shape), **self._first(own), "picture": data_url(crop)}
            for name, crop, own in zip(names, crops, alone, strict=True)
        ]

    def _first(self, probs: Tensor) -> dict[str, Any]:
        name = self.result.model.classes[int(probs.argmax())]
        return {"name": name, "share": _rounded(probs.max()), "right": self._right(name)}

    def _right(self, name: str) -> bool | None:
        return None if self.truth is None else name in self.truth

    def _index(self, name: str) -> int:
        return self.result.model.classes.index(name)


def _words(crop: CropView, shape: tuple[int, ...]) -> dict[str, Any]:
    """Returns what there is to say of a look at a photograph `(H, W, 3)`."""
    high, wide, _ = shape
    left, top, right, bottom = crop.frame((high, wide))
    frame = [round(x, 4) for x in (left / wide, top / high, right / wide, bottom / high)]
    return words(crop.view) | {"label": crop.label, "summary": crop.summary, "frame": frame}


def _rounded(values: Tensor) -> Any:  # noqa: ANN401 (a number or lists of them, for JSON)
    return (values.double() * 1e5).round().div(1e5).tolist()
