"""Prints how large and how quick a field of weeds is packed.

Run it with `PYTHONPATH=. python tests/ui/stage/pack_time.py`.
"""

import json
import statistics
import time

from stage_scenes import field_scene

from tta_demo.ui.stage import pack


def main():
    for views in ("d4", "all"):
        scene, _ = field_scene(views)
        times = []
        for _ in range(11):
            start = time.perf_counter()
            value = pack(scene)
            times.append(1e3 * (time.perf_counter() - start))
        size = len(json.dumps(value)) / 1024
        print(f"{views}: {size:.0f} KB, {statistics.median(times):.0f} ms (median of 11)")


if __name__ == "__main__":
    main()
