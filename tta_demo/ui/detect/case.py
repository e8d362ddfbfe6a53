"""What one visitor looks at on the Detect tab, and how."""

from dataclasses import dataclass, field

from tta_demo.models.registry import models_for
from tta_demo.pictures.reading import Picture
from tta_demo.samples import weeds
from tta_demo.tasks.detect import Detection, detect
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.plan import Plan
from tta_demo.tta.views import VIEWS
from tta_demo.ui.kit.damage_panel import undamaged
from tta_demo.ui.kit.parts import chosen_looks
from tta_demo.ui.kit.visitor import Case

__all__ = ["DETECTOR", "PLACE", "DetectCase", "Settings", "example_case", "field_case"]

DETECTOR = next(iter(models_for("detect").values()))
PLACE = WORLDS["weeds"]
"""Where its pictures are from."""


@dataclass(frozen=True)
class Settings:
    """What the controls say.

    Attributes:
        views: names in `VIEWS`, in any order.
        fusion: a key of `FUSERS`.
        threshold: the lowest score shown.
        damage: the amounts of `Damage`.
    """

    views: list[str]
    fusion: str
    threshold: float
    damage: list[float] = field(default_factory=undamaged)


@dataclass(frozen=True, kw_only=True)
class DetectCase(Case):
    """A picture, its true boxes if they are known, and the settings."""

    settings: Settings
    truth: Boxes | None = None

    def detect(self) -> Detection:
        """Returns the answer; only views that are new run the model."""
        views = chosen_looks(self.settings.views, VIEWS)
        plan = Plan.chosen(views, self.settings.fusion)
        return detect(DETECTOR, self.seen, plan, self.truth)


def example_case(settings: Settings, number: int) -> DetectCase:
    """Returns one of the fields in the strip."""
    return field_case(settings, PLACE.seed_of(PLACE.examples[number]), weeds.DIFFICULTY)


def field_case(settings: Settings, seed: int, difficulty: float) -> DetectCase:
    """Returns a generated field with its true boxes."""
    made = weeds.field(seed, difficulty=difficulty)
    note = f"Field of seed {seed}, difficulty {difficulty:.2f}."
    picture = Picture.of(made.rgb, note)
    return DetectCase(picture=picture, settings=settings, truth=weeds.plant_boxes(made.plants))
