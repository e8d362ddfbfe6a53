"""Measuring what looking again is worth to damaged photographs, and learning weights for them.

The examples have masks drawn by hand; other photographs have none, and are compared with the
model's own answer, by one look, to the undamaged picture. Only those teach the weights: the ones
that score such a photograph were learned on the others.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from tqdm import tqdm

from tta_demo.commands import arguments
from tta_demo.commands.benchmark.measuring import RESULTS, about
from tta_demo.evaluation.run import write_json
from tta_demo.learning.fit import Fit, fit
from tta_demo.learning.prior import FEW
from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.domains import DOMAINS
from tta_demo.models.portable import portable
from tta_demo.pictures.assets import ASSETS
from tta_demo.pictures.damage import Damage, damage
from tta_demo.pictures.draw import fit_within
from tta_demo.pictures.reading import read_picture
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.samples.photos import PHOTOS
from tta_demo.scoring.interval import Difference, bootstrap
from tta_demo.scoring.metrics import confusion, iou
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.predict import Model, ViewStack, predict_views, to_labels, to_tensor

__all__ = ["DAMAGES", "measure_damage", "photographs"]

SIDE = 512
"""Pixels; the longer side that photographs are reduced to, as the examples are."""
PIXELS = 5_000
"""Drawn of each damaged version of a photograph to learn on, about."""

DAMAGES: dict[str, tuple[Damage, ...]] = {
    "nothing": (Damage(),),
    "noise": (Damage(noise=0.25), Damage(noise=0.25, seed=1)),
    "darkness": (Damage(darkness=0.9),),
    "blur": (Damage(blur=0.5),),
    "JPEG": (Damage(jpeg=0.95),),
    "low contrast": (Damage(low_contrast=0.9),),
    "all of it": tuple(Damage(0.15, 0.4, 0.15, 0.6, 0.3, seed) for seed in (0, 1)),
}

NATURAL = DOMAINS["natural"].views
SETS = {"natural": NATURAL, "light": (*NATURAL, "darker", "brighter", "contrast+", "gamma-")}
"""What is fused in every way, and weights are learned for; those of the first are kept."""

PLANS = {
    "one look": ONE_LOOK,
    "mirror, mean": Plan(NATURAL[:2]),
    "half size alone": Plan(("zoom0.5",)),
    "smaller two, mean": Plan(("zoom0.5", "zoom0.75")),
} | {
    f"{name}, {fusion}": Plan(views, fusion)
    for name, views in SETS.items()
    for fusion, how in FUSIONS.items()
    if fusion != "none" and not how.weighted
}
"""Those that need no weights."""

COMPARED = (
    ("natural, mean", "one look"),
    ("natural, learned", "natural, mean"),
    ("light, learned", "natural, learned"),
    ("natural, learned", "one look"),
)


@dataclass(frozen=True)
class _Photo:
    """A photograph's name, the labels `(h, w)` to compare with, and its looks by damage."""

    name: str
    labels: np.ndarray
    looked: Mapping[str, tuple[ViewStack, ...]]


def measure_damage(
    out: Annotated[Path, typer.Option(help="Folder for damage.json.")] = RESULTS,
    weights: Annotated[
        Path, typer.Option(help="Folder for photos-natural.json, the weights.")
    ] = ASSETS / "weights",
    ray: arguments.OnRay = False,
) -> None:
    """Measures damage x views x fusion on photographs, and learns weights; saves both."""
    world, model = WORLDS["photos"], portable(WORLDS["photos"].record)
    waiting = tqdm(photographs(model), unit="photograph")
    looked = list(arguments.spread(ray)(partial(_looked, model), waiting))
    examples, photos = looked[: len(world.examples)], looked[len(world.examples) :]
    fits = {name: _fit(photos, views) for name, views in SETS.items()}
    tables = {
        "truth": _table(examples, lambda _: _learned(fits)),
        "own_answer": _table(photos, lambda left: _learned(_without(photos, left))),
    }
    plans = {plan: list(how.views) for plan, how in (PLANS | _learned(fits)).items()}
    result = about(
        "damage",
        digest=world.record.digest,
        damages={name: [asdict(how) for how in hows] for name, hows in DAMAGES.items()},
        views=plans,
        pictures={"truth": [p.name for p in examples], "own_answer": [p.name for p in photos]},
        overlap={kind: _means(table) for kind, table in tables.items()},
        gains={kind: _gains(table) for kind, table in tables.items()},
    )
    write_json(out / "damage.json", result)
    _file(fits["natural"], NATURAL, photos).save(weights / "photos-natural.json")
    for plan in plans:
        truth, own = (rows["damaged"][plan] for rows in result["overlap"].values())
        typer.echo(f"{plan:20}  truth {truth:.3f}  own answer {own:.3f}")


def photographs(model: Model) -> Iterator[LabelledPicture]:
    """Yields the examples with their masks, then other photographs with the model's own answer."""
    world = WORLDS["photos"]
    for path in world.examples:
        picture = read_picture(path)
        yield LabelledPicture(
            path.stem, picture.rgb, world.read_truth(world.mask_of(path), picture)[0]
        )
    for photo in PHOTOS:
        if photo.path not in world.examples:
            rgb = fit_within(read_picture(photo.path).rgb, SIDE)
            own = to_labels(predict_views(model, to_tensor(rgb)).probs[0])
            yield LabelledPicture(photo.path.stem, rgb, own)


def _looked(model: Model, photo: LabelledPicture) -> _Photo:
    """Returns a photograph with its looks, of all views, at every damage."""
    views = tuple(dict.fromkeys(name for some in SETS.values() for name in some))
    looked = {
        name: tuple(
            _half(predict_views(model, to_tensor(damage(photo.rgb, how)), views)) for how in hows
        )
        for name, hows in DAMAGES.items()
    }
    return _Photo(photo.name, photo.labels, looked)


def _half(stack: ViewStack) -> ViewStack:
    return replace(stack, log_probs=stack.log_probs.half())


def _fit(photos: Iterable[_Photo], views: tuple[str, ...]) -> Fit:
    """Returns weights learned on the damaged photographs: undamaged, one look is always right.

    All versions of a photograph count as one picture: they are no news of other photographs. The
    prior is that of few pictures, though these differ so much that even weights would be chosen.
    """
    stacks, labels, versions = [], [], sum(map(len, DAMAGES.values())) - len(DAMAGES["nothing"])
    for photo in photos:
        damaged = (some for name, some in photo.looked.items() if name != "nothing")
        logs = [stack.take(views).log_probs for some in damaged for stack in some]
        stacks.append(ViewStack(views, torch.cat(logs, -1)))
        labels.append(np.concatenate([photo.labels] * versions, -1))
    return fit(stacks, labels, prior=FEW, pixels=PIXELS * versions)


def _without(photos: list[_Photo], left: _Photo) -> dict[str, Fit]:
    rest = [photo for photo in photos if photo is not left]
    return {name: _fit(rest, views) for name, views in SETS.items()}


def _learned(fits: Mapping[str, Fit]) -> dict[str, Plan]:
    return {f"{name}, learned": found.plan(SETS[name]) for name, found in fits.items()}


def _table(
    photos: list[_Photo], learned: Callable[[_Photo], dict[str, Plan]]
) -> dict[str, dict[str, np.ndarray]]:
    """Returns the subject's overlap (IoU) in each photograph, `(P,)`, by damage and by plan."""
    rows: dict[str, dict[str, list[float]]] = {name: {} for name in DAMAGES}
    for photo in tqdm(photos, desc="fusing"):
        for plan, how in (PLANS | learned(photo)).items():
            for name, stacks in photo.looked.items():
                overlaps = [_overlap(photo.labels, how, stack) for stack in stacks]
                rows[name].setdefault(plan, []).append(float(np.mean(overlaps)))
    table = {name: {plan: np.array(x) for plan, x in row.items()} for name, row in rows.items()}
    damaged = [row for name, row in table.items() if name != "nothing"]
    return table | {"damaged": {p: np.mean([row[p] for row in damaged], 0) for p in damaged[0]}}


def _overlap(truth: np.ndarray, plan: Plan, stack: ViewStack) -> float:
    return float(iou(confusion(truth, to_labels(plan.fuse(stack)), 2))[1])


def _means(table: dict[str, dict[str, np.ndarray]]) -> dict[str, dict[str, float]]:
    return {
        name: {plan: round(float(overlaps.mean()), 4) for plan, overlaps in row.items()}
        for name, row in table.items()
    }


def _gains(table: dict[str, dict[str, np.ndarray]]) -> dict[str, dict[str, dict[str, float]]]:
    """Returns by damage what one plan gains over another, with its interval over photographs."""
    return {
        name: {f"{a} - {b}": _gain(row[a] - row[b]).rounded(4) for a, b in COMPARED}
        for name, row in table.items()
    }


def _gain(gains: np.ndarray) -> Difference:
    (found,) = bootstrap(lambda counts: [counts @ gains / counts.sum()], len(gains))
    return found


def _file(found: Fit, views: tuple[str, ...], photos: list[_Photo]) -> WeightFile:
    record = WORLDS["photos"].record
    calibration = {
        "data": "damaged versions of photographs that come with other packages, against the "
        "model's own answer, by one look, to the undamaged picture: no truth",
        "pictures": len(photos),
        "names": [photo.name for photo in photos],
        "damages": [name for name in DAMAGES if name != "nothing"],
    }
    belongs = {"world": "photos", "model": record.name, "digest": record.digest}
    return WeightFile.of(found, views, record.classes, calibration, {}, **belongs)
