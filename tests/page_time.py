"""Prints how long a visitor waits, on a page served as `python app.py` serves it.

Run it on a quiet machine with `PYTHONPATH=. python tests/page_time.py`; a bare forward pass of the
first example is measured beside, so that machines can be compared.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from browser import DESKTOP, chromium, settled, upload
from playwright.sync_api import Page

from tta_demo.commands.benchmark.measuring import machine
from tta_demo.models.registry import load_model
from tta_demo.pictures.decoding import decode_here
from tta_demo.pictures.reading import read_picture
from tta_demo.pictures.workers import decode_apart
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.predict import to_tensor
from tta_demo.tta.views import VIEWS

ROOT = Path(__file__).parents[1]
TIMES = 5
SEED = 7
WORLD = WORLDS["weeds"]


@contextmanager
def served() -> Iterator[str]:
    """The address of the page, ready for a while as it is for all but its first visitor."""
    app = [sys.executable, "app.py", "--host", "127.0.0.1"]
    env = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(app, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as run:
        try:
            lines = iter(run.stdout.readline, "")
            address = next(m[0] for line in lines if (m := re.search(r"http://\S+", line)))
            time.sleep(10)
            yield address
        finally:
            run.terminate()


def seconds(act: Callable[[], object]) -> float:
    """Returns how long something takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def first_answer(page: Page, act: Callable[[], object]) -> float:
    """Returns how long it takes until the stage shows an action's first answer; lets it end."""
    ready = "Number(document.querySelector('#stage .stage-grid')?.dataset.ready ?? 0)"
    before = page.evaluate(ready)

    def wait() -> None:
        act()
        page.wait_for_function(f"before => {ready} > before", arg=before, timeout=60_000)

    waited = seconds(wait)
    settled(page)
    return waited


def switched(page: Page) -> float:
    """Returns how long the stage takes to do without a look that is switched off there."""

    def switch() -> None:
        page.locator("#stage .rows li input").nth(2).click()
        page.locator("#stage .count em", has_text="7 of 7").wait_for()

    waited = seconds(switch)
    settled(page)
    return waited


def apart(path: Path) -> float:
    """Returns how much longer a file takes in the process that decodes what visitors send."""
    here, there = (
        statistics.median(seconds(partial(how, path)) for _ in range(20))
        for how in (decode_here, decode_apart)
    )
    return there - here


def bare() -> float:
    """Returns the time of one forward pass over the first example, the median of many."""
    model, image = load_model(WORLD.model), to_tensor(read_picture(WORLD.examples[0]).rgb)[None]
    return statistics.median(seconds(lambda: model(image)) for _ in range(20))


def photograph(folder: Path, random: np.random.Generator) -> Path:
    """Returns a JPEG of 3 megapixels that no cache has seen."""
    rgb = cv2.resize(read_picture(WORLD.examples[0]).rgb, (2000, 1500))
    rgb[:8, :8] = random.integers(0, 256, (8, 8, 3))
    path = folder / f"{random.integers(1 << 30)}.jpg"
    cv2.imwrite(str(path), rgb[..., ::-1])
    return path


def waits(page: Page, url: str, folder: Path) -> dict[str, list[float]]:
    """Returns what a visitor waits for each thing, several times."""
    random = np.random.default_rng(SEED)
    found: defaultdict[str, list[float]] = defaultdict(list)
    for number in range(TIMES):
        page.goto("about:blank")
        found["open"].append(first_answer(page, partial(page.goto, f"{url}?__theme=light")))
        example = page.locator("#examples button").nth(1 + number % 2)
        found["example"].append(first_answer(page, example.click))
        found["row"].append(switched(page))
        look = page.get_by_label(VIEWS["hflip"].label, exact=True)
        found["look"].append(first_answer(page, look.click))
        path = photograph(folder, random)
        found["upload"].append(first_answer(page, partial(upload, page, "#picture", path)))
        found["apart"].append(apart(path))
    return found


def main() -> None:
    """Measures, and prints JSON."""
    with served() as url, chromium() as browser, tempfile.TemporaryDirectory() as folder:
        page = browser.new_page(viewport=DESKTOP)
        found = waits(page, url, Path(folder))
    forward = bare()
    rows = {
        name: {"seconds": round(statistics.median(many), 3), "worst": round(max(many), 3),
               "forward_passes": round(statistics.median(many) / forward, 1)}
        for name, many in found.items()
    }  # fmt: skip
    date = datetime.now(UTC).isoformat(timespec="seconds")
    command = "PYTHONPATH=. python tests/page_time.py"
    told = {"command": command, "date": date, "seed": SEED, "machine": machine()}
    print(json.dumps(told | {"forward": forward, "waits": rows}, indent=1))


if __name__ == "__main__":
    main()
