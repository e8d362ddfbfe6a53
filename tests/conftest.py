import os

import numpy as np
import pytest
import torch
from browser import DESKTOP, chromium
from torch import nn

from tta_demo.models.unet import UNet


def pytest_collection_modifyitems(items):
    for item in items:
        if "url" in item.fixturenames:  # those of a file share one server, in one process
            item.add_marker(pytest.mark.xdist_group(item.path.name))


@pytest.fixture(autouse=True)
def seed():
    torch.set_num_threads(1)  # on tensors this small, threads only wait for each other
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 (for whatever draws from the global generator)


@pytest.fixture
def toy_model(seed):
    """Logits `(B, 3, H, W)` that look left and up more than right and down: no symmetry at all."""
    model = nn.Conv2d(3, 3, 3, padding=1)
    with torch.no_grad():
        model.weight.normal_(std=1.5)
    return model.eval()


@pytest.fixture
def random_unet(seed):
    """A small U-Net whose answers are far from even."""
    network = UNet(3, width=4).eval()
    with torch.no_grad():
        network.outputs.weight.mul_(30)
    return network


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """The page, served; learned weights are checked on few fields, so that nobody waits."""
    from tta_demo.serving.launch import served
    from tta_demo.ui.page import build_page

    os.environ["GRADIO_TEMP_DIR"] = str(tmp_path_factory.mktemp("uploads"))
    page = build_page(held_out=6)
    page.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, **served())
    yield page
    page.close()


@pytest.fixture(scope="session")
def url(demo):
    return demo.local_url


@pytest.fixture(scope="session")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def size():
    return DESKTOP


@pytest.fixture(scope="session")
def opened(browser):
    """The one window of all tests, which draws even at rest, with the errors of scripts in it."""
    page, errors = browser.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page, errors
    page.close()


@pytest.fixture
def window(opened, size, request):
    """The window at this size, as the test before left it; fails if a script in it did.

    Nothing moves in it, which would take most of the time, but for tests that are marked `moving`.
    """
    page, errors = opened
    page.set_viewport_size(size)
    moving = request.node.get_closest_marker("moving")
    page.emulate_media(reduced_motion="no-preference" if moving else "reduce")
    errors.clear()
    yield page
    assert not errors


@pytest.fixture(scope="module")
def visited():
    """The window, once this module's tests have opened the page."""
    return set()
