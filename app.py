"""The TTA demo: builds the page and serves it. Run `python app.py --help` for options."""

import argparse
import os
import signal
import sys
from contextlib import suppress

with suppress(ImportError):
    import spaces  # noqa: F401 (where ZeroGPU lends a card, it has to come before torch)

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported

from tta_demo.serving.launch import served
from tta_demo.serving.log import log_to_stderr
from tta_demo.serving.scratch import own_scratch
from tta_demo.serving.zero_gpu import borrow_gpu
from tta_demo.ui.page import build_page

scratch = own_scratch()
borrow_gpu()
demo = build_page()


def main() -> None:
    """Serves the page."""
    parser = argparse.ArgumentParser(description="Serves the test-time augmentation demo.")
    parser.add_argument("--host", help="address to listen on; gradio's own choice if left out")
    parser.add_argument("--port", type=int, help="port; the first free one from 7860 if left out")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # so that the scratch folder goes
    log_to_stderr()
    demo.launch(server_name=options.host, server_port=options.port, **served(scratch))


if __name__ == "__main__":
    main()
