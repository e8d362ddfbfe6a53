"""What one visitor looks at on the Classify tab, and how."""

from dataclasses import dataclass, field

from tta_demo.models.registry import models_for
from tta_demo.pictures.reading import read_picture
from tta_demo.tasks.classify import Classification, classify
from tta_demo.tta.crops import CROP_VIEWS
from tta_demo.tta.plan import Plan
from tta_demo.ui.classify.strip import EXAMPLES
from tta_demo.ui.kit.damage_panel import undamaged
from tta_demo.ui.kit.parts import chosen_looks
from tta_demo.ui.kit.visitor import Case

__all__ = ["CLASSIFIER", "ClassifyCase", "Settings", "example_case"]

CLASSIFIER = next(iter(models_for("classify").values()))


@dataclass(frozen=True)
class Settings:
    """What the controls say.

    Attributes:
        views: names in `CROP_VIEWS`, in any order.
        fusion: a key of `FUSIONS`.
        damage: the amounts of `Damage`.
    """

    views: list[str]
    fusion: str
    damage: list[float] = field(default_factory=undamaged)


@dataclass(frozen=True, kw_only=True)
class ClassifyCase(Case):
    """A photograph and the settings; its truth are the names of the classes that are right.

    Attributes:
        subject: what is to be seen, in plain words; empty if nobody told.
    """

    settings: Settings
    truth: tuple[str, ...] | None = None
    subject: str = ""

    def classify(self) -> Classification:
        """Returns the answer; only crops that are new run the model."""
        views = chosen_looks(self.settings.views, CROP_VIEWS)
        return classify(CLASSIFIER, self.seen, Plan(views, self.settings.fusion))


def example_case(settings: Settings, number: int) -> ClassifyCase:
    """Returns an example photograph."""
    photo = EXAMPLES[number]
    return ClassifyCase(
        picture=read_picture(photo.path),
        settings=settings,
        truth=photo.truth,
        subject=photo.subject,
    )
