"""What one visitor looks at on the Detect tab, and how."""

from dataclasses import dataclass, field

from tta_demo.models.detectors import DETECTORS, load_detector
from tta_demo.pictures.palettes import Palette
from tta_demo.pictures.reading import Picture
from tta_demo.samples import weeds
from tta_demo.scoring.box_metrics import DetectionScores, average_precision
from tta_demo.tta.box_fusion import FUSERS, Fused
from tta_demo.tta.box_views import find
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.predict import to_tensor
from tta_demo.tta.views import VIEWS
from tta_demo.ui.kit.visitor import Case

__all__ = ["DETECTOR", "DetectCase", "Detection", "Look", "Settings", "example_case", "field_case"]

DETECTOR = next(iter(DETECTORS))
AVERAGES = ("wbf",)
"""Fusions whose scores shrink with the views that missed a box."""

Look = tuple[Boxes, Boxes]
"""What one view found: boxes in its own frame, and turned back."""


@dataclass(frozen=True)
class Settings:
    """What the controls say: names in `VIEWS`, a key of `FUSERS`, the lowest score shown."""

    views: list[str]
    fusion: str
    threshold: float


@dataclass(frozen=True)
class Detection:
    """What a detector finds in one picture: with one look and with several.

    Attributes:
        looks: by view, the chosen ones and more.
        found: by view, the boxes that were fused, in their order, turned back.
        fused: the boxes of all looks together.
        palette: the classes.
        averages: whether a fused score is a mean over views; else the highest one.
        scores: of one look and of all looks; None without truth.
    """

    looks: dict[str, Look]
    found: dict[str, Boxes]
    fused: Fused
    palette: Palette
    averages: bool
    scores: tuple[DetectionScores, DetectionScores] | None

    @property
    def one_look(self) -> Boxes:
        """The boxes of the original view alone."""
        return self.looks["identity"][1]


@dataclass(frozen=True, kw_only=True)
class DetectCase(Case):
    """A picture, its true boxes if they are known, and the settings.

    Attributes:
        looks: what views found in the picture so far, by name.
    """

    settings: Settings
    truth: Boxes | None = None
    looks: dict[str, Look] = field(default_factory=dict)

    def detect(self) -> Detection:
        """Returns the answer; only views that are new run the model.

        Raises:
            ValueError: no view, or an unknown fusion.
        """
        fusion = self.settings.fusion
        views = [name for name in VIEWS if name in self.settings.views]
        if not views:
            raise ValueError("No look is chosen: choose at least one.")
        if fusion not in FUSERS:
            raise ValueError(f"fusion {fusion!r} is unknown: choose one of {', '.join(FUSERS)}")
        model, image = load_detector(DETECTOR), to_tensor(self.picture.rgb)
        for name in dict.fromkeys(["identity", "hflip", *views]):
            if name not in self.looks:
                self.looks[name] = find(model, image, name)
        fused_views = ["identity"] if fusion == "none" else views
        found = {name: self.looks[name][1] for name in fused_views}
        fused = FUSERS[fusion].run(found)
        answers = (self.looks["identity"][1], fused.boxes)
        scores = None
        if self.truth is not None:
            one, all_looks = (average_precision([b], [self.truth], (1, 2)) for b in answers)
            scores = (one, all_looks)
        palette, averages = DETECTORS[DETECTOR].palette, fusion in AVERAGES
        return Detection(dict(self.looks), found, fused, palette, averages, scores)


def example_case(settings: Settings, number: int) -> DetectCase:
    """Returns one of the first test fields."""
    return field_case(settings, weeds.SEEDS["test"][number], weeds.DIFFICULTY)


def field_case(settings: Settings, seed: int, difficulty: float) -> DetectCase:
    """Returns a generated field with its true boxes."""
    made = weeds.field(seed, difficulty=difficulty)
    note = f"Field of seed {seed}, difficulty {difficulty:.2f}."
    size = made.labels.shape
    picture = Picture(made.rgb, size, size, 1, (note,))
    return DetectCase(picture=picture, settings=settings, truth=weeds.plant_boxes(made.plants))
