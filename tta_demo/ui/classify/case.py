"""What one visitor looks at on the Classify tab, and how."""

from dataclasses import dataclass, field, replace

from tta_demo.models.record import ModelRecord
from tta_demo.models.registry import models_for
from tta_demo.pictures.reading import read_picture
from tta_demo.tasks.classify import Classification, classify
from tta_demo.tta.crops import CROP_VIEWS
from tta_demo.tta.plan import Plan
from tta_demo.ui.classify.strip import EXAMPLES
from tta_demo.ui.kit.damage_panel import undamaged
from tta_demo.ui.kit.measured import picked
from tta_demo.ui.kit.parts import chosen_looks
from tta_demo.ui.kit.visitor import Case
from tta_demo.ui.yours.model import YOURS, Own
from tta_demo.ui.yours.owner import Owner

__all__ = ["CLASSIFIER", "DEMO", "ClassifyCase", "ClassifyVisitor", "Settings", "example_case"]

CLASSIFIER = next(iter(models_for("classify").values()))
DEMO = "demo"
"""Stands for `CLASSIFIER`, as `YOURS` for a model of the visitor's own."""


@dataclass(frozen=True)
class Settings:
    """What the controls say.

    Attributes:
        views: names in `CROP_VIEWS`, in any order.
        fusion: a key of `FUSIONS`.
        damage: the amounts of `Damage`.
        model: whose model looks, `DEMO` or `YOURS`.
    """

    views: list[str]
    fusion: str
    damage: list[float] = field(default_factory=undamaged)
    model: str = DEMO


@dataclass(frozen=True, kw_only=True)
class ClassifyCase(Case):
    """A photograph and the settings; its truth are the names of the classes that are right.

    Attributes:
        subject: what is to be seen, in plain words; empty if nobody told.
        own: the visitor's own model that looks; `CLASSIFIER` if None.
    """

    settings: Settings
    truth: tuple[str, ...] | None = None
    subject: str = ""
    own: Own | None = None

    @property
    def record(self) -> ModelRecord:
        """The model that looks."""
        return CLASSIFIER if self.own is None else self.own.record

    @property
    def right(self) -> tuple[str, ...] | None:
        """The truth among the classes of the model that looks; None if it is unknown there."""
        if self.own is None and self.truth == ():  # it has no word for it
            return self.truth
        return tuple(name for name in self.truth or () if name in self.record.classes) or None

    def classify(self) -> Classification:
        """Returns the answer; only crops that are new run the model."""
        views = chosen_looks(self.settings.views, CROP_VIEWS)
        return classify(self.record, self.seen, Plan(views, self.settings.fusion))


class ClassifyVisitor(Owner):
    """A visitor of the Classify tab."""

    def prepared(self, case: ClassifyCase) -> ClassifyCase:
        """Returns a case with the model that is chosen; with the demo's until there is one."""
        return replace(case, own=self.own if case.settings.model == YOURS else None)


def example_case(settings: Settings, number: int) -> ClassifyCase:
    """Returns an example photograph."""
    photo = picked(EXAMPLES, number)
    return ClassifyCase(
        picture=read_picture(photo.path),
        settings=settings,
        truth=photo.truth,
        subject=photo.subject,
    )
