"""What one visitor looks at on the Detect tab, and how."""

from dataclasses import dataclass, field, replace

from tta_demo.learning.weight_file import WeightFile
from tta_demo.tasks.detect import Detection, detect
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.plan import Plan
from tta_demo.tta.views import VIEWS
from tta_demo.ui.detect.places import PLACES, Place, field_of
from tta_demo.ui.kit.damage_panel import undamaged
from tta_demo.ui.kit.measured import picked
from tta_demo.ui.kit.parts import chosen_looks
from tta_demo.ui.kit.visitor import Case, Viewer

__all__ = ["LEARNED", "DetectCase", "DetectVisitor", "Settings", "example_case", "field_case"]

LEARNED = "learned"
"""The fusion to the average box by learned weights."""


@dataclass(frozen=True)
class Settings:
    """What the controls say.

    Attributes:
        place: a key of `PLACES`.
        views: names in `VIEWS`, in any order.
        fusion: a key of `FUSERS`, or `LEARNED`.
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
    """A picture, its true boxes if they are known, and the settings.

    Attributes:
        file: learned weights of looks for the place's detector, if there are any.
    """

    settings: Settings
    truth: Boxes | None = None
    file: WeightFile | None = None

    @property
    def place(self) -> Place:
        """Where the picture is from, or is looked at as if it were."""
        return PLACES[self.settings.place]

    def detect(self) -> Detection:
        """Returns the answer; only views that are new run the model."""
        views, record = chosen_looks(self.settings.views, VIEWS), self.place.record
        if self.settings.fusion != LEARNED:
            plan = Plan.chosen(views, self.settings.fusion)
            return detect(record, self.seen, plan, self.truth)
        if self.file is None:
            raise ValueError("No weights were learned for these boxes: choose another fusion.")
        plan = Plan(views, "wbf", self.file.select(views, record.digest, record.classes))
        notes = (*self.seen.notes, f"Weights of {self.file.origin}.")
        return detect(record, replace(self.seen, notes=notes), plan, self.truth)


class DetectVisitor(Viewer):
    """A visitor of the Detect tab.

    Attributes:
        files: learned weights of looks by the digest of the detector that they are for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, WeightFile] = {}

    def file_of(self, place: Place) -> WeightFile | None:
        """Returns the weights for the detector of a place, if there are any."""
        return self.files.get(place.record.digest)

    def prepared(self, case: DetectCase) -> DetectCase:
        """Returns a case with the weights that are for its detector."""
        return replace(case, file=self.file_of(case.place))


def example_case(settings: Settings, number: int) -> DetectCase:
    """Returns one of the pictures in the strip of the settings' place."""
    place = PLACES[settings.place]
    picture, truth = place.read(picked(place.examples, number))
    return DetectCase(picture=picture, settings=settings, truth=truth)


def field_case(settings: Settings, seed: int, difficulty: float) -> DetectCase:
    """Returns a generated field with its true boxes."""
    picture, truth = field_of(seed, difficulty)
    return DetectCase(picture=picture, settings=settings, truth=truth)
