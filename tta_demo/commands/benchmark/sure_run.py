"""Running the shipped plans that stop when sure for real: passes, time and score."""

import time
from collections.abc import Iterable
from typing import Any

import numpy as np
from tqdm import tqdm

from tta_demo.pictures.assets import ASSETS
from tta_demo.pictures.reading import Picture
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.scoring.interval import bootstrap
from tta_demo.scoring.metrics import mean_iou
from tta_demo.tasks.plan_file import read_plan, read_sure
from tta_demo.tasks.segment import Segmentation, segment
from tta_demo.tasks.sure import look_until_sure
from tta_demo.tasks.worlds import World
from tta_demo.tta.plan import Plan

__all__ = ["really_run"]


def really_run(world: World, pictures: Iterable[LabelledPicture]) -> dict[str, Any]:
    """Returns what a world's plan takes and comes to on test pictures, at their full size."""
    path = ASSETS / "plans" / f"{world.name}-sure.json"
    plan, below = read_plan(path, world.record), read_sure(path)
    names, looks, matrices, seconds = [], [], [], []
    for one in tqdm(pictures, desc=path.name, unit="picture"):

        def answer(way: Plan, one: LabelledPicture = one) -> Segmentation:
            return segment(world.record, Picture.of(one.rgb), way, one.labels)

        start = time.perf_counter()
        sure = look_until_sure(answer, plan, below)
        _ = sure.labels
        taken = time.perf_counter() - start
        every = answer(plan)  # the looks before are kept, so their own times are added up
        names.append(one.name)
        looks.append(len(sure.plan.views))
        matrices.append([sure.matrices[1], every.matrices[1]])
        seconds.append([taken, every.seconds["whole"]])
    table = np.array(matrices)

    def over_all(counts: np.ndarray) -> list[float]:
        sure, every = np.tensordot(counts, table, 1)
        return [mean_iou(sure) - mean_iou(every)]

    (gain,) = bootstrap(over_all, len(names))
    ms, all_ms = 1000 * np.mean(seconds, 0)
    return {
        "world": world.name,
        "digest": world.record.digest,
        "views": len(plan.views),
        "sure_below": below,
        "pictures": len(names),
        "first": names[0],
        "looks": round(float(np.mean(looks)), 3),
        "pictures_by_looks": np.bincount(looks, minlength=len(plan.views) + 1)[1:].tolist(),
        "ms": round(float(ms), 1),
        "all_ms": round(float(all_ms), 1),
        "sure_over_all": gain.rounded(),
    }
