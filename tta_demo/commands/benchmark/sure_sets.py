"""What stopping when sure is measured on, and what it comes to: others teach, each is judged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tta_demo.commands.benchmark import harm_sets
from tta_demo.commands.benchmark.damage import DAMAGES
from tta_demo.commands.benchmark.harm_sets import GRID, VIEWS
from tta_demo.evidence.stacks import Kept, Stacks, kept_crops
from tta_demo.evidence.sure import ALL, enough_looks, prefixes, sure_below, sure_plan
from tta_demo.evidence.tally import Tally
from tta_demo.models.registry import MODELS, load_model
from tta_demo.pictures.damage import damage
from tta_demo.pictures.reading import read_picture
from tta_demo.samples.photos import PHOTOS
from tta_demo.tta.crops import CROP_SETS, predict_crops

__all__ = ["CLASSIFIER", "SEED", "Looked", "photographed", "row"]

SEED = 0
HALVES = 32
"""Pictures, from which on one half sets the threshold for the other; else all others for one."""
CLASSIFIER, CROPS = "efficientnet-lite0", CROP_SETS["ten-crop"]


@dataclass(frozen=True)
class Looked:
    """A set's looks, and what each of its pictures is a part or a version of."""

    stacks: Stacks
    origins: tuple[str, ...]

    @classmethod
    def by(cls, found: harm_sets.Kept) -> "Looked":
        """Returns the looks at a set that harm is measured on."""
        pictures = [
            Kept(str(place), logs, truth.astype(np.int64), np.zeros(len(VIEWS)))
            for place, (logs, truth) in enumerate(zip(found.log_probs, found.labels, strict=True))
        ]
        return cls(Stacks(VIEWS, MODELS[found.model].classes, tuple(pictures)), found.origins)

    def of(self, names: Sequence[str]) -> "Looked":
        """Returns the looks at what belongs to some origins."""
        places = [place for place, origin in enumerate(self.origins) if origin in set(names)]
        return Looked(self.stacks.take(places), tuple(self.origins[place] for place in places))

    def tiled(self, tiles: int) -> "Looked":
        """Returns the looks at each tile of each picture, so many along a side."""
        places = np.arange(GRID * GRID).reshape(GRID, GRID)
        parts = [
            part.ravel()
            for rows in np.split(places, tiles)
            for part in np.split(rows, tiles, axis=1)
        ]
        cut = tuple(
            replace(one, log_probs=one.log_probs[..., part], truth=one.truth[part])
            for one in self.stacks.pictures
            for part in parts
        )
        origins = tuple(origin for origin in self.origins for _ in parts)
        return Looked(replace(self.stacks, pictures=cut), origins)


def row(looked: Looked, views: Sequence[str], tiles: int = 1) -> dict[str, Any]:
    """Returns what stopping came to on all pictures, each by a threshold that others set.

    Looking stops for a whole picture, or for each of its tiles, so many along a side.
    """
    parts, counts, limits = [], [], []
    versions = len(set(looked.origins)) < HALVES
    for taught, judged in _folds(looked.origins):
        calibration, held = looked.of(taught), looked.of(judged)
        plan = sure_plan(calibration.stacks, views, learned=not versions)
        if tiles > 1:
            calibration, held = calibration.tiled(tiles), held.tiled(tiles)
        known = prefixes(calibration.stacks, plan, calibration.origins)
        found = prefixes(held.stacks, plan, held.origins)
        below, fixed = sure_below(known), enough_looks(known)
        looks = found.looks(below)
        parts.append(found.taken({"sure": looks, "fixed": fixed, "one": 1}))
        counts.extend(looks.tolist())
        limits.append((below, fixed))
    return _told(parts, counts, limits, views)


def _told(
    parts: Sequence[Tally],
    counts: Sequence[int],
    limits: Sequence[tuple[float, int]],
    views: Sequence[str],
) -> dict[str, Any]:
    whole = Tally.joined(parts)
    gains = dict(zip(whole.names, whole.gains(ALL)[0], strict=True))
    mean = float(np.mean(counts))
    return {
        "unit": "picture",
        "views": len(views),
        "pictures": len(whole.true),
        "score": round(float(whole.scores()[0]), 6),
        "looks": round(mean, 3),
        "passes": round(mean, 2),
        "saved_percent": round(100 * (1 - mean / len(views)), 1),
        "sure_over_all": gains["sure"].rounded(),
        "fixed": round(float(np.mean([fixed for _, fixed in limits])), 2),
        "fixed_over_all": gains["fixed"].rounded(),
        "one_over_all": gains["one"].rounded(),
        "sure_below": [round(below, 6) for below, _ in limits],
    }


def _folds(origins: Sequence[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Yields the origins that teach and those that are judged by it; each is judged once."""
    names = np.random.default_rng(SEED).permutation(sorted(set(origins))).tolist()
    parts = 2 if len(names) >= HALVES else len(names)
    for part in np.array_split(names, parts):
        yield [name for name in names if name not in part], part.tolist()


def photographed() -> Looked:
    """Returns crops of photographs under damage; the truth is what all say of the undamaged."""
    model, pictures, origins = load_model(MODELS[CLASSIFIER]), [], []
    for photo in PHOTOS:
        rgb, name = read_picture(photo.path).rgb, photo.path.name
        label = int(predict_crops(model, rgb, CROPS).probs.mean(0).argmax())
        for hows in DAMAGES.values():
            for how in hows:
                pictures.append(kept_crops(model, name, damage(rgb, how), label, CROPS))
                origins.append(name)
    return Looked(Stacks(CROPS, MODELS[CLASSIFIER].classes, tuple(pictures)), tuple(origins))
