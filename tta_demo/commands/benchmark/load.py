"""Many visitors of a page at once: do all get their own answers, how soon, and at what memory."""

import logging
import os
import random
import re
import statistics
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from tta_demo.commands.benchmark.measuring import RESULTS, about
from tta_demo.commands.benchmark.visitor import BusyError, Page, Somebody
from tta_demo.evaluation.run import write_json
from tta_demo.pictures.assets import ASSETS
from tta_demo.pictures.palettes import rgb_png
from tta_demo.pictures.reading import read_picture

__all__ = ["measure_load"]

EXAMPLES = ASSETS / "examples"
PICTURES = sorted(
    path for path in EXAMPLES.glob("*.*g") if "-mask" not in path.name and path.suffix != ".txt"
)
"""What visitors upload."""
ASKED = {
    "fields": ("examples", "numbers", 3),
    "photographs": ("classify-examples", "ranking", 4),
    "boxes": ("detect-examples", "detect-numbers", 3),
}
"""What a visitor opens on which tab: the control, what answers, and how many there are."""
PERCENT = 0.5
"""So much a number may differ by one pixel."""


Answers = dict[tuple[str, int], list[float] | str]
"""What the page tells, by what was opened."""


@dataclass
class Count:
    """What was seen of one load: seconds by what was done, and what went wrong.

    Attributes:
        first: until the first answer.
        seconds: until the last one.
    """

    first: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[float, int]] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """Returns medians, 95th percentiles, errors and memory; ready for JSON."""
        first, each = (
            {name: _summary(taken) for name, taken in sorted(times.items())}
            for times in (self.first, self.seconds)
        )
        memory = [{"seconds": round(at), "mb": mb} for at, mb in self.memory]
        return {"first": first, "seconds": each, "wrong": dict(self.wrong), "memory": memory}


def _summary(taken: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(taken, n=20, method="inclusive") if len(taken) > 1 else taken * 19
    return {"count": len(taken), "median": round(cuts[9], 3), "p95": round(cuts[18], 3)}


def scene(somebody: Somebody, kind: str, number: int) -> tuple[list[float] | str, float, float]:
    """Lets a visitor open one picture.

    Returns what the page tells of it, and the seconds until its first answer and the last one.

    No two uploads are the same picture: one pixel differs, so that no look is known already.
    """
    if kind == "uploads":
        picture = read_picture(PICTURES[number % len(PICTURES)]).rgb
        picture[0, 0] = np.frombuffer(os.urandom(3), np.uint8)
        upload = somebody.upload(f"{kind}.png", rgb_png(picture))
        shown, first, took = somebody.acts("picture", "upload", upload, "stage")
        cards = re.findall(r"value[^>]*>(-?[\d.]+)", str(shown["numbers"]))
        return [float(card) for card in cards], first, took
    control, told, most = ASKED[kind]
    shown, first, took = somebody.acts(control, "click", number % most)
    value = shown[told]
    if isinstance(value, dict):  # a stage counts all that it shows
        value = {name: one for name, one in value.items() if name != "number"}
    return str(value), first, took


def belongs(told: list[float] | str, right: list[float] | str) -> bool:
    """Returns whether what is told is right, but for what one pixel can change."""
    if isinstance(told, str):
        return told == right
    pairs = zip(told, right, strict=True)
    return len(told) > 1 and all(abs(one - other) <= PERCENT for one, other in pairs)


def measure_load(
    url: Annotated[str, typer.Argument(help="Address of the page: start it with app.py.")],
    visitors: Annotated[int, typer.Option(min=1, help="Who come at once.")] = 20,
    minutes: Annotated[float, typer.Option(min=0, help="How long they stay.")] = 5,
    learners: Annotated[int, typer.Option(min=0, help="Others learn on 200 fields.")] = 0,
    pid: Annotated[int | None, typer.Option(help="The page's process, for its memory.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for load.json.")] = RESULTS,
) -> None:
    """Lets visitors open pictures on every tab, and checks that each gets their own answers.

    First one visitor does everything twice, alone: what the page tells then is right, and the
    second times are those that the others are compared with.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)
    page = Page(url)
    right, alone = _alone(page)
    count = _crowded(page, right, visitors, minutes, learners, pid)
    times = {name: _summary(taken) for name, taken in alone.items()}
    found = {"visitors": visitors, "minutes": minutes, "learners": learners, "alone": times}
    command = f"load URL --visitors {visitors} --minutes {minutes:g} --learners {learners}"
    told = about(command, **found, **count.told())
    write_json(out / "load.json", told)
    for name, row in told["seconds"].items():
        ratio = row["median"] / max(times[name]["median"], 1e-3)
        first = told["first"][name]
        typer.echo(
            f"{name:12} {row['count']:5} times   median {row['median']:6.2f} s "
            f"({ratio:.1f} x alone)   95 % within {row['p95']:6.2f} s   first answer "
            f"{first['median']:6.2f} s, 95 % within {first['p95']:6.2f} s"
        )
    typer.echo(f"wrong: {told['wrong'] or 'nothing'}")
    if count.memory:
        typer.echo("memory: " + " ".join(f"{mb}" for _, mb in count.memory) + " MB")


def _alone(page: Page) -> tuple[Answers, dict[str, list[float]]]:
    """Returns the right answers of all scenes by kind and number, and the times of one visitor."""
    right, times = {}, defaultdict(list)
    scenes = [(kind, number) for kind, (*_, most) in ASKED.items() for number in range(most)]
    for kind, number in [*scenes, *(("uploads", number) for number in range(len(PICTURES)))]:
        right[kind, number], *_ = scene(Somebody(page), kind, number)
        again, _, took = scene(Somebody(page), kind, number)
        if not belongs(again, right[kind, number]):
            raise ValueError(f"{kind} {number} is told differently at every time")
        times[kind].append(took)
    return right, times


def _crowded(
    page: Page, right: Answers, visitors: int, minutes: float, learners: int, pid: int | None
) -> Count:
    count, end = Count(), time.monotonic() + 60 * minutes
    students = [Somebody(page) for _ in range(learners)]
    crowd = [
        threading.Thread(target=_visit, args=(page, right, end, count, number))
        for number in range(visitors)
    ]
    for one in students:
        one.controls[page.ids["learn-count"]] = 200
        threading.Thread(target=_learn, args=(one,), daemon=True).start()
    for one in crowd:
        one.start()
    start = time.monotonic()
    while any(one.is_alive() for one in crowd):
        if pid is not None:
            count.memory.append((time.monotonic() - start, _resident(pid)))
        time.sleep(max(1, minutes))
    for one in students:
        one.post("learn-stop", "click", None)
    return count


def _learn(one: Somebody) -> None:
    one.post("learn-start", "click", None)
    for message in one.messages():
        if message["msg"] == "process_completed":
            return


def _visit(page: Page, right: Answers, end: float, count: Count, number: int) -> None:
    """Opens one picture after the other until the end."""
    chance, somebody = random.Random(number), Somebody(page)
    while time.monotonic() < end:
        kind, which = chance.choice(list(right))
        try:
            told, first, took = scene(somebody, kind, which)
        except BusyError:
            count.wrong["too many waiting"] += 1
            time.sleep(1)
        except Exception as error:  # whatever it is, it is counted, and the others go on
            count.wrong[f"{kind}: {type(error).__name__} {error}"[:120]] += 1
            somebody = Somebody(page)
        else:
            count.seconds[kind].append(took)
            count.first[kind].append(first)
            count.wrong["an answer to something else"] += not belongs(told, right[kind, which])
        time.sleep(chance.uniform(0, 1))
    count.wrong += Counter()  # drops what never happened


def _resident(pid: int) -> int:
    """Returns the memory of a process in MB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) // 1024
