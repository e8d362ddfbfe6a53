"""What one visitor looks at on the Detect tab, and how."""

from dataclasses import dataclass, field

from tta_demo.tasks.detect import Detection, detect
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.plan import Plan
from tta_demo.tta.views import VIEWS
from tta_demo.ui.detect.places import PLACES, Place, field_of
from tta_demo.ui.kit.damage_panel import undamaged
from tta_demo.ui.kit.measured import picked
from tta_demo.ui.kit.parts import chosen_looks
from tta_demo.ui.kit.visitor import Case

__all__ = ["DetectCase", "Settings", "example_case", "field_case"]


@dataclass(frozen=True)
class Settings:
    """What the controls say.

    Attributes:
        place: a key of `PLACES`.
        views: names in `VIEWS`, in any order.
        fusion: a key of `FUSERS`.
        threshold: the lowest score shown.
        damage: the amounts of `Damage`.
    """

    place: str
    views: list[str]
    fusion: str
    threshold: float
    damage: list[float] = field(default_factory=undamaged)


@dataclass(frozen=True, kw_only=True)
class DetectCase(Case):
    """A picture, its true boxes if they are known, and the settings."""

    settings: Settings
    truth: Boxes | None = None

    @property
    def place(self) -> Place:
        """Where the picture is from, or is looked at as if it were."""
        return PLACES[self.settings.place]

    def detect(self) -> Detection:
        """Returns the answer; only views that are new run the model."""
        views = chosen_looks(self.settings.views, VIEWS)
        plan = Plan.chosen(views, self.settings.fusion)
        return detect(self.place.record, self.seen, plan, self.truth)


def example_case(settings: Settings, number: int) -> DetectCase:
    """Returns one of the pictures in the strip of the settings' place."""
    place = PLACES[settings.place]
    picture, truth = place.read(picked(place.examples, number))
    return DetectCase(picture=picture, settings=settings, truth=truth)


def field_case(settings: Settings, seed: int, difficulty: float) -> DetectCase:
    """Returns a generated field with its true boxes."""
    picture, truth = field_of(seed, difficulty)
    return DetectCase(picture=picture, settings=settings, truth=truth)
