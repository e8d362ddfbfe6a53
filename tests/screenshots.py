"""Makes the README's pictures: `python tests/screenshots.py`, in headless Chromium."""

import sys
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from browser import chromium, open_page  # noqa: E402 (the path comes first)

from app import demo  # noqa: E402
from tta_demo.samples.weeds import SEEDS, field  # noqa: E402
from tta_demo.ui.theme import launch_options  # noqa: E402


def contact_sheet() -> np.ndarray:
    """Two rows of test fields: six at the default difficulty, six from easy to hard."""
    first = SEEDS["test"].start
    usual = [field(first + i).rgb for i in range(6)]
    harder = [field(first + 6 + i, difficulty=i / 5).rgb for i in range(6)]
    return np.vstack([np.hstack(usual), np.hstack(harder)])[..., ::-1]


def main() -> None:
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
