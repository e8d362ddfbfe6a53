"""The READMEs' pictures: the page in headless Chromium, fields, published figures."""

from pathlib import Path

import cv2
import numpy as np
from browser import DESKTOP, chromium, visit
from matplotlib.figure import Figure

from app import demo
from tta_demo.samples.weeds import SEEDS, field
from tta_demo.ui.kit.preview import PICTURE as PREVIEW
from tta_demo.ui.kit.preview import SIZE as PREVIEW_SIZE
from tta_demo.ui.kit.theme import launch_options

ASSETS = Path(__file__).parents[2] / "assets"


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


def screenshots() -> tuple[np.ndarray, np.ndarray]:
    """The first screen, and its stage for previews of links; the example is played to the end."""
    demo.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, **launch_options())
    try:
        with chromium() as browser:
            page = browser.new_page(viewport=DESKTOP, reduced_motion="reduce")
            visit(page, demo.local_url)
            first = page.screenshot()
            page.set_viewport_size({"width": 1199, "height": 900})  # as wide as the stage alone
            top = page.locator("#stage").evaluate("e => e.getBoundingClientRect().top")
            stage = page.screenshot(clip={"x": 0, "y": top - 8, "width": 1199, "height": 630})
    finally:
        demo.close()
    first, stage = (cv2.imdecode(np.frombuffer(shot, np.uint8), 1) for shot in (first, stage))
    return first, cv2.resize(stage, PREVIEW_SIZE)


def write_webp(name: str, picture: np.ndarray, quality: int) -> None:
    """Writes a picture (BGR) to the assets."""
    cv2.imwrite(str(ASSETS / name), picture, [cv2.IMWRITE_WEBP_QUALITY, quality])


def renew_pictures() -> None:
    """Makes all of them again."""
    anchors().savefig(ASSETS / "anchors.png", dpi=90)
    write_webp("fields.webp", contact_sheet(), quality=75)
    first, stage = screenshots()
    write_webp("screenshot.webp", first, quality=80)
    cv2.imwrite(str(PREVIEW), stage, [cv2.IMWRITE_JPEG_QUALITY, 85])
