"""The Evidence tab in a browser."""

import zipfile

import pytest
from browser import both_sizes, needs_chromium, on_a_phone, open_tab, settled, visit
from playwright.sync_api import expect

from tta_demo.evidence.stored import stored_evidence
from tta_demo.evidence.words import verdict_said
from tta_demo.tta.box_fusion import FUSERS

pytestmark = [needs_chromium, pytest.mark.slow]


@pytest.fixture
def page(window, url):
    visit(window, url)
    open_tab(window, "Evidence")
    return window


def says(page, text):
    page.locator("#evidence-status", has_text=text).wait_for(timeout=120_000)


def answers(page, text):
    page.locator("#evidence-verdict .answer", has_text=text).wait_for(timeout=60_000)


def few_fields(page):
    box = page.locator("#evidence-count input[type=number]")
    box.fill("8")
    box.press("Enter")


@on_a_phone
def test_the_stored_verdict_is_on_screen_at_once(page, size):
    for label, world in (("Weeds in a field", "weeds"), ("Cell nuclei", "nuclei")):
        page.locator("#evidence-world label", has_text=label).click()
        answers(page, verdict_said(stored_evidence(world)))
        assert page.locator("#evidence-rest section .whiskers").count() >= 4
    assert page.locator("#evidence-verdict .headline").bounding_box()["y"] < size["height"]
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_a_trial_on_new_fields_is_shown_and_a_stopped_one_loses_nothing(page):
    answers(page, "Stored result")
    few_fields(page)
    page.locator("#evidence-start").click()
    says(page, "Picture")
    says(page, "Done")
    answers(page, "8 new fields")
    mine = page.locator("#evidence-verdict").inner_text()
    page.locator("#evidence-start").click()
    says(page, "Picture")
    page.locator("#evidence-stop").click()
    says(page, "Stopped")
    assert page.locator("#evidence-verdict").inner_text() == mine
    page.locator("#evidence-other").click()
    answers(page, verdict_said(stored_evidence("weeds")))
    page.locator("#evidence-other", has_text="my trial").click()
    answers(page, "8 new fields")


def test_a_plan_is_used_on_the_first_tab_and_everything_can_be_taken_away(page, tmp_path):
    found = stored_evidence("weeds")
    answers(page, "Stored result")
    with page.expect_download(timeout=60_000) as download:
        page.locator("#evidence-zip").click()
    download.value.save_as(tmp_path / "all.zip")
    assert {"report.html", "cost.png", "looks.csv"} <= {
        *zipfile.ZipFile(tmp_path / "all.zip").namelist()
    }
    page.locator("#evidence-option input").click()
    page.locator("[role=option]", has_text="learned weights").click()
    page.locator("#evidence-use").click()
    page.locator("#fusion input:checked[value=learned]").wait_for(timeout=60_000)
    settled(page)
    shown = page.locator("#looks tbody td:nth-child(3)").all_inner_texts()
    wanted = found.plan("learned").option
    assert sorted(float(text) / 100 for text in shown) == pytest.approx(
        sorted(wanted.weights), abs=1e-3
    )


@both_sizes
def test_a_plan_for_boxes_is_used_on_the_detect_tab(page, size):
    wanted = stored_evidence("weed-detector").plan("learned").option
    answers(page, "Stored result")
    page.locator("#evidence-world label", has_text="as boxes").click()
    answers(page, "AP")
    expect(page.locator("#evidence-use")).to_be_hidden()
    page.locator("#evidence-option input").click()
    page.locator("[role=option]", has_text="learned weights").click()
    page.locator("#evidence-use-boxes").click()
    fusions = page.locator("#detect-fusion")
    fusions.locator("input:checked[value=learned]").wait_for(timeout=60_000)
    stage = page.locator("#detect-stage")
    stage.locator(".count em", has_text=f"looks {len(wanted.views)} of").wait_for(timeout=60_000)
    expect(page.locator("#detect-meaning")).to_contain_text("count as learned: Mirror 6 %")
    stage.locator("[data-mode=together]").click()
    stage.locator(".picture").focus()
    page.keyboard.press("ArrowRight")
    expect(stage.locator(".readout")).to_contain_text("% =")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.locator("#detect-place label", has_text="Everyday objects").click()
    expect(fusions.locator("input")).to_have_count(len(FUSERS))
    expect(fusions.locator("input:checked")).to_have_value("wbf")
