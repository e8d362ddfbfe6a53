import cv2
import numpy as np
import pytest
from browser import DESKTOP, PHONE, needs_chromium, open_tab, told, visit

from tta_demo.models.registry import load_model
from tta_demo.pictures.reading import Picture, read_picture
from tta_demo.tasks.classify import classify
from tta_demo.tta.crops import CROP_SETS
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.plan import Plan
from tta_demo.ui.classify.case import CLASSIFIER, PHOTOS

pytestmark = [needs_chromium, pytest.mark.slow]


@pytest.fixture
def page(window, visited, url):
    if window not in visited:
        visit(window, url)
        open_tab(window, "Classify")
        window.locator("#classify-answer .share").first.wait_for(timeout=60_000)
        visited.add(window)
    return window


def expected(rgb, views, fusion="mean"):
    """What the page must show: the five likeliest classes with their shares."""
    result = classify(CLASSIFIER, Picture.of(rgb), Plan(CROP_SETS[views], fusion))
    return [f"{result.model.classes[i]} {share:.1%}" for i, share in result.top(5)]


def shows(page, wanted):
    page.wait_for_function(
        "wanted => [...document.querySelectorAll('#classify-answer .bar')].map(bar =>"
        "bar.querySelector('.name').innerText + ' ' + bar.querySelector('.share').innerText)"
        ".join() == wanted.join()",
        arg=wanted,
        timeout=60_000,
    )
    page.locator("#classify-results:not(.working)").wait_for()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_tab_opens_with_an_example_and_every_look_is_shown(page, size):
    rgb = read_picture(PHOTOS[0].path).rgb
    shows(page, expected(rgb, "ten-crop"))
    assert page.locator("#classify-looks .look").count() == 10
    assert page.locator("#classify-framed img").count() == 1
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= size["width"], "the page scrolls sideways"


def choose(page, looks, fusion):
    """Chooses by the values that the library knows."""
    page.locator(f"#classify-preset input[value={looks}]").check()
    page.locator(f"#classify-fusion input[value={fusion}]").check()


def test_other_looks_and_fusions_show_what_the_library_says(page):
    rgb = read_picture(PHOTOS[0].path).rgb
    page.locator("#classify-preset label", has_text="Five crops").click()
    shows(page, expected(rgb, "five-crop"))
    assert page.locator("#classify-looks .look").count() == 5
    calls = []
    hook = load_model(CLASSIFIER).network.register_forward_pre_hook(lambda *_: calls.append(1))
    try:
        page.locator("#classify-fusion label", has_text=FUSIONS["gmean"].label).click()
        shows(page, expected(rgb, "five-crop", "gmean"))
    finally:
        hook.remove()
    assert not calls, "another fusion runs the model"


def test_an_upload_is_classified_and_what_is_no_picture_is_refused(page, tmp_path):
    choose(page, "ten-crop", "mean")
    rgb = read_picture(PHOTOS[2].path).rgb[::2, ::2]
    path = tmp_path / "my own.png"
    cv2.imwrite(str(path), rgb[..., ::-1])
    file = page.locator("#classify-picture input[type=file]")
    page.locator("#classify-picture button[aria-label*=emove], #classify-picture "
                 "button[aria-label*=lear]").first.click()  # fmt: skip
    page.locator("#classify-answer .share").first.wait_for(state="detached")
    file.first.set_input_files(path)
    wanted = expected(np.ascontiguousarray(rgb), "ten-crop")
    shows(page, wanted)
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    page.locator("#classify-picture button[aria-label*=emove], #classify-picture "
                 "button[aria-label*=lear]").first.click()  # fmt: skip
    page.locator("#classify-answer .share").first.wait_for(state="detached")
    file.first.set_input_files(bad)
    told(page, "bad.png")
