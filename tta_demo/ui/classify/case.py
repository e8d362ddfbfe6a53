"""What one visitor looks at on the Classify tab, and how."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tta_demo.models.registry import models_for
from tta_demo.pictures.reading import read_picture
from tta_demo.tasks.classify import Classification, classify
from tta_demo.tta.crops import CROP_VIEWS
from tta_demo.tta.plan import Plan
from tta_demo.ui.kit.parts import chosen_looks
from tta_demo.ui.kit.visitor import Case

__all__ = ["CLASSIFIER", "PHOTOS", "ClassifyCase", "Photo", "Settings", "example_case"]

CLASSIFIER = next(iter(models_for("classify").values()))


@dataclass(frozen=True)
class Photo:
    """An example photograph that comes with an installed package, and whose it is."""

    path: Path
    source: str


def _photos() -> tuple[Photo, ...]:
    listed = (
        ("gradio", "media_assets/images", ("cheetah.jpg", "lion.jpg", "tower.jpg"), "gradio"),
        ("sklearn", "datasets/images", ("china.jpg", "flower.jpg"), "scikit-learn (CC BY)"),
    )
    found = []
    for package, folder, names, source in listed:
        root = Path(find_spec(package).origin).parent / folder
        found += [Photo(root / name, source) for name in names if (root / name).is_file()]
    return tuple(found)


PHOTOS = _photos()


@dataclass(frozen=True)
class Settings:
    """What the controls say: names in `CROP_VIEWS`, in any order, and a key of `FUSIONS`."""

    views: list[str]
    fusion: str


@dataclass(frozen=True, kw_only=True)
class ClassifyCase(Case):
    """A photograph and the settings."""

    settings: Settings

    def classify(self) -> Classification:
        """Returns the answer; only crops that are new run the model."""
        views = chosen_looks(self.settings.views, CROP_VIEWS)
        return classify(CLASSIFIER, self.picture, Plan(views, self.settings.fusion))


def example_case(settings: Settings, number: int) -> ClassifyCase:
    """Returns an example photograph."""
    return ClassifyCase(picture=read_picture(PHOTOS[number].path), settings=settings)
