import cv2
import numpy as np
import pytest
from browser import DESKTOP, PHONE, needs_chromium, open_tab, told, visit

from tta_demo.models.centernet import Detector
from tta_demo.models.registry import load_model
from tta_demo.samples.weeds import SEEDS, field, plant_boxes
from tta_demo.scoring.box_metrics import average_precision
from tta_demo.tta.box_fusion import FUSERS, fuse_boxes
from tta_demo.tta.box_views import predict_boxes
from tta_demo.tta.predict import to_tensor
from tta_demo.tta.views import VIEW_SETS
from tta_demo.ui.detect.case import DETECTOR

pytestmark = [needs_chromium, pytest.mark.slow]


@pytest.fixture
def page(window, visited, url):
    if window not in visited:
        visit(window, url)
        open_tab(window, "Detect")
        window.locator("#detect-hover .fused").first.wait_for(timeout=60_000)
        visited.add(window)
    return window


@pytest.fixture(scope="module")
def first():
    """The first test field, the boxes of D4 in it, and the truth."""
    made = field(SEEDS["test"][0])
    looks = predict_boxes(load_model(DETECTOR), to_tensor(made.rgb), VIEW_SETS["d4"])
    return made.rgb, {name: one.boxes for name, one in looks.items()}, plant_boxes(made.plants)


def values(page):
    return page.locator("#detect-numbers .value").all_inner_texts()


def shows(page, wanted):
    page.wait_for_function(
        "wanted => [...document.querySelectorAll('#detect-numbers .value')].slice(0, 2)"
        ".map(e => e.innerText).join() == wanted.join()",
        arg=wanted,
        timeout=60_000,
    )
    page.locator("#detect-results:not(.working)").wait_for()


def threshold(page, value):
    box = page.locator("#detect-threshold input[type=number]")
    box.fill(value)
    box.press("Enter")


def expected(first, fusion):
    _, found, truth = first
    boxes = (found["identity"], fuse_boxes(list(found.values()), fusion).boxes)
    scores = [average_precision([one], [truth], (1, 2)).ap50 for one in boxes]
    return [f"{100 * score:.1f}\N{NO-BREAK SPACE}%" for score in scores]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_tab_opens_with_a_field_and_a_box_tells_how_it_came_about(page, size, first):
    shows(page, expected(first, "wbf"))
    _, found, _ = first
    fused = fuse_boxes(list(found.values()))
    boxes = page.locator("#detect-hover .fused")
    assert boxes.count() == int((fused.boxes.scores >= 0.3).sum())
    boxes.last.focus()
    said = page.locator("#detect-hover .told").inner_text()
    assert "8 looks" in said
    assert boxes.last.locator(".member").count() >= 3
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= size["width"], "the page scrolls sideways"


@pytest.fixture
def calls(monkeypatch):
    """Counts how often a detector is asked."""
    count, answer = [], Detector.__call__
    monkeypatch.setattr(Detector, "__call__", lambda *given: count.append(1) or answer(*given))
    return count


def test_another_fusion_runs_no_forward_pass_and_the_threshold_shows_fewer_boxes(
    page, first, calls
):
    before = page.locator("#detect-hover .fused").count()
    page.locator("#detect-fusion label", has_text=FUSERS["nms"].label).click()
    shows(page, expected(first, "nms"))
    assert not calls
    page.locator("#detect-fusion label").nth(2).click()
    shows(page, expected(first, "wbf"))
    threshold(page, "0.8")
    page.wait_for_function(
        f"document.querySelectorAll('#detect-hover .fused').length < {before}", timeout=30_000
    )
    threshold(page, "0.3")
    page.wait_for_function(
        f"document.querySelectorAll('#detect-hover .fused').length == {before}", timeout=30_000
    )


def test_a_new_field_brings_its_truth_and_every_tab_has_its_pictures(page, calls):
    before = page.locator("#detect-hover image").get_attribute("href")
    page.locator("#detect-new").click()
    page.wait_for_function(
        "before => document.querySelector('#detect-hover image')?.getAttribute('href') != before",
        arg=before,
        timeout=60_000,
    )
    assert values(page)[0].endswith("%")
    assert len(calls) == 8, "one forward pass a look"
    for tab, images, count in (
        ("Before and after", "#detect-slider img", 2),
        ("Each look", "#detect-gallery .grid-container img", 8),
        ("Step by step", "#detect-steps .grid-container img", 3),
    ):
        open_tab(page, tab)
        page.locator(images).nth(count - 1).wait_for()
    open_tab(page, "Scores")
    assert page.locator("#detect-table tbody tr").count() == 3


def test_an_upload_has_no_truth_and_what_is_no_picture_is_refused(page, tmp_path, first):
    open_tab(page, "Which became which")
    rgb = first[0][:201, :155]
    path = tmp_path / "mine.png"
    cv2.imwrite(str(path), np.ascontiguousarray(rgb[..., ::-1]))
    clear = page.locator(
        "#detect-picture button[aria-label*=emove], #detect-picture button[aria-label*=lear]"
    )
    file = page.locator("#detect-picture input[type=file]").first
    clear.first.click()
    page.locator("#detect-hover .fused").first.wait_for(state="detached")
    file.set_input_files(path)
    page.locator("#detect-hover .fused").first.wait_for(timeout=60_000)
    assert not values(page)[0].endswith("%")
    clear.first.click()
    page.locator("#detect-hover .fused").first.wait_for(state="detached")
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    file.set_input_files(bad)
    told(page, "bad.png")
