"""Every photograph that comes with the package or with one it needs, and what is to be seen in it.

What a person would call it is written down here, before any model has looked: the names of
ImageNet's classes that are right, or none if its subject is not one of the 1,000. Left out are a
copy of another one and the still of a film.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tta_demo.pictures.assets import ASSETS, fault_of

__all__ = ["PHOTOS", "Photo"]


@dataclass(frozen=True)
class Photo:
    """A photograph whose subject is known.

    Attributes:
        path: the file.
        subject: what is to be seen, in plain words.
        truth: the classes that are right, by name; none if there is no class for it.
        source: whose it is.
    """

    path: Path
    subject: str
    truth: tuple[str, ...]
    source: str


_EXAMPLES = str(ASSETS / "examples")
_IMAGES, _TESTS = "gradio/media_assets/images", "gradio/test_data"
_LISTED = (
    (_IMAGES, "cheetah1.jpg", "Cheetah, sitting", ("cheetah",), "gradio"),
    (_IMAGES, "cheetah.jpg", "Cheetah, running", ("cheetah",), "gradio"),
    (_TESTS, "cheetah2.jpg", "Cheetah cub, cut out", ("cheetah",), "gradio"),
    (_IMAGES, "lion.jpg", "Lion", ("lion",), "gradio"),
    (_IMAGES, "tower.jpg", "Eiffel Tower", (), "gradio"),
    (
        "matplotlib/mpl-data/sample_data", "grace_hopper.jpg", "Officer in uniform",
        ("military uniform",), "matplotlib (US Navy)",
    ),
    (
        "sklearn/datasets/images", "china.jpg", "Tower of the Summer Palace", ("palace",),
        "scikit-learn (CC BY 2.0, danielbuechele)",
    ),
    (
        "sklearn/datasets/images", "flower.jpg", "Dahlia", (),
        "scikit-learn (CC BY 2.0, vultilion)",
    ),
    (_EXAMPLES, "chelsea.jpg", "Tabby cat", ("tabby", "tiger cat"), "Stefan van der Walt"),
    (_EXAMPLES, "coffee.jpg", "Cup of espresso", ("espresso", "cup"), "Rachel Michetti"),
    (_EXAMPLES, "astronaut.jpg", "Astronaut", (), "NASA"),
    (_EXAMPLES, "rocket.jpg", "Space rocket", (), "SpaceX"),  # a missile would carry a weapon
)  # fmt: skip


def _folder(place: str) -> Path | None:
    """Returns a folder inside a package, or None if the package is not installed."""
    if Path(place).is_absolute():
        return Path(place)
    package, _, inside = place.partition("/")
    found = find_spec(package)
    return Path(found.origin).parent / inside if found and found.origin else None


def _photos() -> tuple[Photo, ...]:
    folders = ((_folder(place), *rest) for place, *rest in _LISTED)
    paths = ((folder / name, *rest) for folder, name, *rest in folders if folder)
    return tuple(Photo(path, *rest) for path, *rest in paths if not fault_of(path))


PHOTOS = _photos()
"""Those whose package is installed, and whose file can be read."""
