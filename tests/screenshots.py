"""Makes the README's pictures: `python tests/screenshots.py`, in headless Chromium."""

import sys
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from browser import chromium, open_page  # noqa: E402 (the path comes first)

from app import demo  # noqa: E402 (the path comes first)
from tta_demo.samples.weeds import SEEDS, field  # noqa: E402 (the path comes first)
from tta_demo.ui.kit.theme import launch_options  # noqa: E402 (the path comes first)


def contact_sheet() -> np.ndarray:
    """Two rows of test fields: six at the default difficulty, six from easy to hard."""
    first = SEEDS["test"].start
    usual = [field(first + i).rgb for i in range(6)]
    harder = [field(first + 6 + i, difficulty=i / 5).rgb for i in range(6)]
    return np.vstack([np.hstack(usual), np.hstack(harder)])[..., ::-1]


def anchors() -> Figure:
    """Published accuracies of ResNet18 on ImageNet's validation set by number of views."""
    views, first, five = (1, 2, 5, 10), (71.19, 71.91, 72.70, 73.12), (89.79, 90.25, 90.93, 91.15)
    figure = Figure(figsize=(7, 2.8), layout="constrained")
    for axes, shares, title in zip(
        figure.subplots(1, 2), (first, five), ("Top-1", "Top-5"), strict=True
    ):
        axes.plot(views, shares, marker="o", color="#4f46e5")
        axes.set_xticks(views)
        axes.set_xlabel("views")
        axes.set_title(f"{title} accuracy in %, ResNet18")
        axes.grid(alpha=0.3)
    return figure


def main() -> None:
    anchors().savefig(ROOT / "assets" / "anchors.png", dpi=90)
    fields = ROOT / "assets" / "fields.webp"
    cv2.imwrite(str(fields), contact_sheet(), [cv2.IMWRITE_WEBP_QUALITY, 75])
    demo.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, **launch_options())
    with chromium() as browser:
        page = open_page(browser, demo.local_url)
        shot = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), 1)
    cv2.imwrite(str(ROOT / "assets" / "screenshot.webp"), shot, [cv2.IMWRITE_WEBP_QUALITY, 80])
    demo.close()


if __name__ == "__main__":
    main()
