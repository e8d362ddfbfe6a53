"""The weights file: learned weights as data (JSON), and where they come from."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from math import isinf
from pathlib import Path
from typing import Any

import torch

from tta_demo.learning.fit import Fit
from tta_demo.learning.weight_reading import (
    EVEN,
    ByName,
    has,
    quoted,
    read_date,
    read_fields,
    read_prior,
    read_weights,
)
from tta_demo.models.ensemble import whose
from tta_demo.tta.fusion import POOLS, Weights

__all__ = ["ByName", "WeightFile", "weights_by_name"]

_KINDS = {
    "world": str,
    "method": str,
    "pool": str,
    "calibration": dict,
    "scores": dict,
    "date": str,
}
"""What stands at the top of the file beside the entries."""


@dataclass(frozen=True)
class WeightFile:
    """Learned weights, what they belong to, and how they came about.

    Attributes:
        world: the world that they were learned in.
        model: name of the model.
        digest: of the model's weights; another model needs other weights.
        weights: by view, or by view and class; non-negative, sum 1 over the views (of any sum for
            the pool `logits`).
        method: how they were fitted.
        prior: how many pictures the prior counted that draws them towards even, see `Fit`.
        pool: a key of `POOLS`, what they weigh.
        calibration: what they were fitted on.
        scores: what they reached, and where.
        date: ISO date.
    """

    world: str
    model: str
    digest: str
    weights: ByName
    method: str = "exact"
    prior: float = 0.0
    pool: str = "linear"
    calibration: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    date: str = ""

    FORMAT = 1
    TASK = "segment"
    MAX_BYTES = 1_000_000

    @classmethod
    def of(
        cls,
        fit: Fit,
        views: Sequence[str],
        classes: Sequence[str],
        calibration: dict[str, Any],
        scores: dict[str, Any],
        **belongs: str,
    ) -> "WeightFile":
        """Returns the file of a fit of these views, in their order; adds the fit's own scores.

        `belongs` are `world`, `model` and `digest`; the others are as the attributes.
        """
        own = {"even": -fit.history[0], "found": -fit.history[-1]}
        return cls(
            weights=weights_by_name(views, fit.weights.round(6).tolist(), classes),
            method=fit.method,
            prior=fit.prior,
            pool=fit.form.pool,
            calibration=calibration | {"pixels": fit.pixels},
            scores={"nll_on_the_calibration_pixels": own, "gap": fit.gap} | scores,
            date=date.today().isoformat(),
            **belongs,
        )

    @property
    def views(self) -> tuple[str, ...]:
        """The views that have a weight."""
        return tuple(self.weights)

    @property
    def models(self) -> tuple[str, ...]:
        """The names of the models that the weights are for; of several, each row names its own."""
        names = dict.fromkeys(whose(row)[0] for row in self.weights)
        return tuple(name or self.model for name in names)

    @property
    def origin(self) -> str:
        """Where they come from, in plain words."""
        count = self.calibration.get("pictures")
        pictures = {None: "pictures", 1: "1 picture"}.get(count, f"{count} pictures")
        dated = f", {self.date}" if self.date else ""
        return f"your own, learned on {pictures} (method {self.method}{dated})"

    def text(self) -> str:
        """Returns the file's content."""
        entries = [
            {"model": self.model, "digest": self.digest, "view": view, "class": name, "weight": w}
            for view, by_class in self.weights.items()
            for name, w in (by_class if isinstance(by_class, dict) else {None: by_class}).items()
        ]
        top = {key: value for key, value in asdict(self).items() if key in _KINDS}
        prior = EVEN if isinf(self.prior) else self.prior
        first = {"format": self.FORMAT, "task": self.TASK, "prior": prior}
        data = first | top | {"entries": entries}
        return json.dumps(data, indent=1) + "\n"

    def save(self, path: Path) -> None:
        """Writes the file."""
        path.write_text(self.text())

    @classmethod
    def load(cls, path: Path) -> "WeightFile":
        """Returns the file's content.

        Raises:
            ValueError: the file is missing, of another format, or its weights are no weights.
        """
        try:
            data = read_fields(path, cls.MAX_BYTES)
            for key, known in (("format", cls.FORMAT), ("task", cls.TASK)):
                if data.get(key) != known:
                    found = quoted(data[key]) if key in data else "missing"
                    raise ValueError(f"{quoted(key)} is {found}, not {quoted(known)}")
            top = {key: has(data, key, kind) for key, kind in _KINDS.items()}
            if top["pool"] not in POOLS:
                raise ValueError(f'"pool" is {quoted(top["pool"])}, not one of {", ".join(POOLS)}')
            top |= {"prior": read_prior(data), "date": read_date(data)}
            pictures = top["calibration"].get("pictures", 1)
            if type(pictures) is not int or pictures < 1:
                raise ValueError(f'"pictures" is {quoted(pictures)}, not a number from 1 on')
            entries = has(data, "entries", list)
            belongs, weights = read_weights(entries, shares=top["pool"] != "logits")
        except OSError as error:
            raise ValueError(f"{path.name} cannot be read ({error.strerror})") from error
        except ValueError as error:
            raise ValueError(
                f"{path.name} is no weights file: {error}. Take one that the page or "
                "`python -m tta_demo learn` wrote."
            ) from error
        return cls(weights=weights, **belongs, **top)

    def select(self, views: Sequence[str], digest: str, classes: Sequence[str]) -> Weights:
        """Returns the weights of these views for a model, scaled up if they are not all.

        Raises:
            ValueError: the file is for another model, lacks a view, or gives these no weight.
        """
        if digest != self.digest:
            raise ValueError(
                f"the weights were learned for {self.model} ({self.digest}), not for this model "
                f"({digest}): learn them again"
            )
        if not views:
            raise ValueError("no view is chosen: choose at least one")
        missing = [view for view in views if view not in self.weights]
        if missing:
            names = ", ".join(missing)
            raise ValueError(
                f"no weight was learned for {names}: leave it out, or choose another fusion"
            )
        table = [self.weights[view] for view in views]
        if isinstance(table[0], dict):
            if set(table[0]) != set(classes):
                raise ValueError(
                    f"the weights are for the classes {', '.join(table[0])}, not for "
                    f"{', '.join(classes)}: learn them again"
                )
            table = [[by_class[name] for name in classes] for by_class in table]
        chosen = torch.tensor(table, dtype=torch.float32)
        total = chosen.sum(0)
        if (total <= 0).any():
            raise ValueError(
                f"the learned weights of {', '.join(views)} are all 0: choose more views or "
                "another fusion"
            )
        whole = self._sums(classes) if self.pool == "logits" else torch.tensor(1.0)
        return Weights(chosen / total * whole, self.pool)

    def _sums(self, classes: Sequence[str]) -> torch.Tensor:
        """Returns what all weights sum to, or those of each class, `(C,)`."""
        rows = self.weights.values()
        table = [[row[c] for c in classes] if isinstance(row, dict) else row for row in rows]
        return torch.tensor(table, dtype=torch.float32).sum(0)


def weights_by_name(views: Sequence[str], rows: list[Any], classes: Sequence[str]) -> ByName:
    """Returns weights by name out of V rows, each a weight or C weights.

    Example:
        >>> weights_by_name(["identity"], [[0.5, 0.5]], ["ground", "cell"])
        {'identity': {'ground': 0.5, 'cell': 0.5}}
    """
    if rows and isinstance(rows[0], list):
        rows = [dict(zip(classes, row, strict=True)) for row in rows]
    return dict(zip(views, rows, strict=True))
