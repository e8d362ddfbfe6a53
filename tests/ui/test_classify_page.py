from dataclasses import replace

import cv2
import numpy as np
import pytest
from browser import DESKTOP, needs_chromium, on_a_phone, open_tab, told, upload, visit
from onnx_models import classifier
from playwright.sync_api import expect

from tta_demo.models.own import own_model
from tta_demo.models.registry import load_model
from tta_demo.pictures.reading import Picture, read_picture
from tta_demo.tasks.classify import classify
from tta_demo.tta.crops import CROP_SETS
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.plan import Plan
from tta_demo.ui.classify.case import CLASSIFIER
from tta_demo.ui.classify.strip import EXAMPLES, gain

pytestmark = [needs_chromium, pytest.mark.slow]

TAB = "Classify"
FIRST = read_picture(EXAMPLES[0].path).rgb


@pytest.fixture
def page(window, visited, url):
    if window not in visited:
        visit(window, url)
        open_tab(window, TAB)
        window.locator("#ranking .stage-grid[data-ready]").wait_for(timeout=60_000)
        visited.add(window)
    return window


@pytest.fixture
def still(browser, url):
    """The tab for somebody who wants no motion."""
    page = browser.new_page(viewport=DESKTOP, reduced_motion="reduce")
    visit(page, url)
    open_tab(page, TAB)
    page.locator("#ranking .stage-grid[data-ready]").wait_for(timeout=60_000)
    yield page
    page.close()


def percent(share):
    return f"{100 * share:.1f} %"


def expected(rgb, views, fusion="mean", looks=None, record=CLASSIFIER):
    """The likeliest class of the first looks, as the page has to write it at the top."""
    plan = Plan(CROP_SETS[views][:looks], fusion)
    result = classify(record, Picture.of(np.ascontiguousarray(rgb)), plan)
    (index, share), *_ = result.top(1)
    return f"{record.classes[index]} {percent(share)}"


def shows(page, wanted):
    """Waits until the ranking is headed by a class with its share, and the play is over."""
    page.wait_for_function(
        "wanted => { const row = document.querySelector('#ranking .rank li');"
        "const at = document.querySelector('#ranking .stage-grid').dataset.status;"
        "return at != 'playing' && row && wanted == row.title + ' ' +"
        "row.querySelector('.share').innerText }",
        arg=wanted,
        timeout=60_000,
    )
    page.locator("#classify-results:not(.working)").wait_for()


def seen(page, wanted):
    """As `shows`, where the ranking may be out of sight, and waits there for somebody to look."""
    page.locator("#ranking .stand").scroll_into_view_if_needed()
    shows(page, wanted)


def said(page):
    text = page.locator("#ranking .say").inner_text() + page.locator("#ranking .sub").inner_text()
    return text.replace("\u00a0", " ")


def choose(page, looks, fusion):
    """Chooses by the values that the library knows."""
    page.locator(f"#classify-preset input[value={looks}]").check()
    page.locator(f"#classify-fusion input[value={fusion}]").check()


def empty(page):
    page.locator("#classify-picture button[aria-label*=emove], #classify-picture "
                 "button[aria-label*=lear]").first.click()  # fmt: skip
    page.locator("#ranking .say", has_text="no picture yet").wait_for()


@pytest.mark.moving
@on_a_phone
def test_the_tab_plays_its_first_example_and_says_whether_it_is_right(page, size):
    grid = page.locator("#ranking .stage-grid")
    shows(page, expected(FIRST, "mirror"))
    page.locator("#ranking .play").click()
    page.locator("#ranking .crop.on").wait_for()  # it flies
    assert grid.get_attribute("data-status") == "playing"
    shows(page, expected(FIRST, "mirror"))
    assert page.locator("#ranking .crop.on").count() == 0
    assert page.locator("#ranking .truth b").inner_text() == "cheetah"
    assert page.locator("#ranking .rank li.right").inner_text().startswith("cheetah ✓ true")
    one, both = (expected(FIRST, "mirror", looks=k).replace(" ", ", ", 1) for k in (1, 2))
    assert said(page).startswith(f"One look said {one} ✓. Two looks together say {both} ✓.")
    assert "Right both times" in said(page)
    assert page.locator("#ranking .crops li").count() == 2
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= size["width"], "the page scrolls sideways"


def test_the_examples_stand_in_the_order_of_what_looking_again_is_worth(page):
    verdicts = page.locator("#classify-examples b").all_inner_texts()
    assert {"win", "tie", "loss", "no"} == {text.split()[0] for text in verdicts}
    gains = [gain(photo) for photo in EXAMPLES]
    known = [points for points in gains if points is not None]
    assert known == sorted(known, reverse=True)
    assert gains[len(known) :] == [None] * (len(gains) - len(known))
    subject = page.locator("#classify-examples button span").all_inner_texts()
    assert subject == [photo.subject for photo in EXAMPLES]


def test_the_scrubber_goes_from_look_to_look_by_key(page):
    choose(page, "five-crop", "mean")
    shows(page, expected(FIRST, "five-crop"))
    page.locator("#ranking .scrub").focus()
    for looks in (4, 3, 2, 1):
        page.keyboard.press("ArrowLeft")
        shows(page, expected(FIRST, "five-crop", looks=looks))
        assert f"looks {looks} of 5" in page.locator("#ranking .count").inner_text()
        assert page.locator("#ranking .crops .wait").count() == 5 - looks
    assert page.locator("#ranking .spot.on").count() == 1
    page.keyboard.press("End")
    shows(page, expected(FIRST, "five-crop"))
    page.locator("#ranking .play").click()
    page.locator("#ranking .scrub").fill("2")  # while it plays
    shows(page, expected(FIRST, "five-crop", looks=2))


def test_who_wants_no_motion_sees_the_end_at_once(still):
    assert still.locator("#ranking .stage-grid").get_attribute("data-status") != "playing"
    shows(still, expected(FIRST, "mirror"))
    assert "Two looks together" in said(still)
    still.locator("#ranking .crops button").last.click()
    assert still.locator("#ranking .crops button[aria-pressed=true]").count() == 1
    assert still.locator("#ranking .spot.on").count() == 1
    assert still.locator("#ranking .crop.on").count() == 0
    still.locator("#ranking .scrub").press("Home")
    shows(still, expected(FIRST, "mirror", looks=1))


def test_other_looks_and_fusions_show_what_the_library_says(page):
    choose(page, "mirror", "mean")
    shows(page, expected(FIRST, "mirror"))
    page.locator("#classify-preset label", has_text="Five crops").click()
    shows(page, expected(FIRST, "five-crop"))
    assert page.locator("#ranking .crops li").count() == 5
    calls = []
    hook = load_model(CLASSIFIER).network.register_forward_pre_hook(lambda *_: calls.append(1))
    try:
        page.locator("#classify-fusion label", has_text=FUSIONS["gmean"].label).click()
        shows(page, expected(FIRST, "five-crop", "gmean"))
    finally:
        hook.remove()
    assert not calls, "another fusion runs the model"


def test_a_photograph_without_a_class_says_so(page):
    choose(page, "mirror", "mean")
    number = next(i for i, photo in enumerate(EXAMPLES) if photo.subject == "Dahlia")
    page.locator("#classify-examples button").nth(number).click()
    shows(page, expected(read_picture(EXAMPLES[number].path).rgb, "mirror"))
    truth = page.locator("#ranking .truth").inner_text()
    assert "Dahlia, not one of its 1,000 things" in truth
    assert "✗" in said(page)
    assert page.locator("#ranking .rank .right").count() == 0
    assert page.locator("#ranking .whole img").get_attribute("alt") == "Dahlia"


def test_an_upload_is_classified_and_its_true_answer_can_be_named(page, tmp_path):
    choose(page, "ten-crop", "mean")
    lion = next(photo for photo in EXAMPLES if photo.subject == "Lion")
    rgb = read_picture(lion.path).rgb[::2, ::2]
    path = tmp_path / "my own.png"
    cv2.imwrite(str(path), rgb[..., ::-1])
    file = page.locator("#classify-picture input[type=file]")
    empty(page)
    file.first.set_input_files(path)
    shows(page, expected(rgb, "ten-crop"))
    expect(page.locator("#ranking .truth")).to_be_hidden()
    assert "Name the true answer" in said(page)
    box = page.locator("#classify-truth input")
    box.fill("tabb")
    page.get_by_role("option", name="tabby", exact=True).wait_for()
    box.press("Enter")
    page.locator("#ranking .rank li.right", has_text="tabby").wait_for()
    assert "Wrong both times" in said(page)
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    empty(page)
    file.first.set_input_files(bad)
    told(page, "bad.png")


@on_a_phone
def test_a_visitors_own_classifier_looks_is_named_and_goes_again(page, tmp_path, size):
    choose(page, "mirror", "mean")
    page.locator("#classify-examples button").first.click()
    page.locator("#classify-model").get_by_label("Your model").click()
    page.locator("#classify-yours").wait_for()
    seen(page, expected(FIRST, "mirror"))
    path = tmp_path / "mine.onnx"
    path.write_bytes(classifier(4))
    record = own_model(path).record
    upload(page, "#classify-yours", path)
    page.locator("#classify-yours-told", has_text="4 classes").wait_for(timeout=60_000)
    seen(page, expected(FIRST, "mirror", record=record))
    expect(page.locator("#ranking .truth")).to_be_hidden()
    expect(page.locator("#classify-examples b").first).to_be_hidden()
    page.locator("#classify-yours-reading > button").click()
    page.locator("#classify-own-classes textarea").fill("cat\n<i>dog</i>\nbird\nfish")
    page.locator("#classify-own-rename").click()
    page.locator("#ranking .rank li", has_text="<i>dog</i>").wait_for()
    box = page.locator("#classify-truth input")
    box.fill("do")
    page.get_by_role("option", name="<i>dog</i>", exact=True).wait_for()
    box.press("Enter")
    page.locator("#ranking .rank li.right", has_text="<i>dog</i>").wait_for()
    named = replace(record, names=("cat", "<i>dog</i>", "bird", "fish"))
    choose(page, "five-crop", "gmean")
    seen(page, expected(FIRST, "five-crop", "gmean", record=named))
    (tmp_path / "bad.onnx").write_bytes(b"PK\x03\x04 and more")
    upload(page, "#classify-yours", tmp_path / "bad.onnx")
    page.locator("#classify-yours-told .refused", has_text="zip").wait_for()
    seen(page, expected(FIRST, "five-crop", "gmean", record=named))
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= size["width"], "the page scrolls sideways"
    page.locator("#classify-model").get_by_label("The demo's model").click()
    seen(page, expected(FIRST, "five-crop", "gmean"))
    expect(page.locator("#classify-examples b").first).to_be_visible()
