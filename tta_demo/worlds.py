"""Worlds: a model together with the pictures, views and weights that suit it."""

from dataclasses import dataclass
from pathlib import Path

from tta_demo.learned import WeightFile
from tta_demo.models.registry import ASSETS, MODELS, ModelRecord

__all__ = ["WORLDS", "World"]


@dataclass(frozen=True)
class World:
    """One kind of picture that the demo works on.

    Attributes:
        label: plain words for people.
        summary: what is in the pictures.
        source: where the examples come from.
        model: a key of `MODELS`.
        domain: a key of `DOMAINS`.
        examples: pictures, each with `NAME-mask.png` beside it; chosen by rule, not by result.
        weight_paths: weights files, the one for fewer views first.
    """

    label: str
    summary: str
    source: str
    model: str
    domain: str
    examples: tuple[Path, ...]
    weight_paths: tuple[Path, ...]

    @property
    def record(self) -> ModelRecord:
        """The model's record."""
        return MODELS[self.model]

    def weight_file(self, views: tuple[str, ...]) -> WeightFile:
        """Returns the smallest weights file that has all these views, else the largest."""
        files = [WeightFile.load(path) for path in self.weight_paths]
        return next((f for f in files if set(views) <= set(f.weights)), files[-1])

    @staticmethod
    def mask_of(example: Path) -> Path:
        """Returns where an example's mask is."""
        return example.with_name(f"{example.stem}-mask.png")


WORLDS: dict[str, World] = {
    "nuclei": World(
        label="Cell nuclei",
        summary="Cell nuclei under a fluorescence microscope",
        source="quarters of the sample picture of the PyPI package stardist (BSD-3-Clause)",
        model="unet-nuclei",
        domain="microscopy",
        examples=tuple(ASSETS / "examples" / f"nuclei-{i}.png" for i in range(1, 5)),
        weight_paths=tuple(ASSETS / "weights" / f"nuclei-{views}.json" for views in ("d4", "all")),
    ),
}
