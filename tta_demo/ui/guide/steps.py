"""The five steps of the guide: words, a figure, and the scene that each sets up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.views import VIEW_SETS
from tta_demo.ui.guide import figures
from tta_demo.ui.kit.files import beside
from tta_demo.ui.segment.link import Link

__all__ = ["STEPS", "Step"]


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        name: of the Markdown file with its words; `LESSON` in them stands for `figures.lesson`.
        button: what the button says; it opens `link`.
        link: the scene.
        figure: makes its figure, HTML; None for the dial.
    """

    name: str
    button: str
    link: Link
    figure: Callable[[], str] | None = None

    @property
    def words(self) -> str:
        """Its words as Markdown."""
        return beside(__file__, f"{self.name}.md").replace("LESSON", figures.lesson())


def _domains() -> Iterator[Step]:
    if "nuclei" in WORLDS:
        scene = Link("nuclei", views=VIEW_SETS["d4"])
        told = "Show cell nuclei in all eight turns and mirrors"
        yield Step("domains", told, scene, figures.domains)


STEPS = (
    Step("times", "Play eight looks at the first field", Link(), figures.times),
    Step(
        "symmetry",
        "Play two looks: upright, and turned half round",
        Link(views=("identity", "rot180"), mode="together"),
    ),
    *_domains(),
    Step(
        "when",
        "Play all fifteen looks, the bad ones too",
        Link(views=VIEW_SETS["all"]),
        figures.costs,
    ),
    Step(
        "numbers",
        "Compare one look with eight of learned weights",
        Link(fusion="learned"),
        figures.false_gain,
    ),
)
