"""The TTA demo: builds the page and serves it. Run `python app.py --help` for options."""

import argparse
import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported

from tta_demo.ui.kit.theme import launch_options
from tta_demo.ui.page import build_page

demo = build_page()


def main() -> None:
    """Serves the page."""
    parser = argparse.ArgumentParser(description="Serves the test-time augmentation demo.")
    parser.add_argument("--host", help="address to listen on; gradio's own choice if left out")
    parser.add_argument("--port", type=int, help="port; the first free one from 7860 if left out")
    options = parser.parse_args()
    demo.launch(server_name=options.host, server_port=options.port, **launch_options())


if __name__ == "__main__":
    main()
