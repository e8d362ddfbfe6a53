"""A visitor brings a model to the page, in a real browser."""

import os
from dataclasses import replace

import numpy as np
import pytest
from browser import (
    changes_numbers,
    needs_chromium,
    numbers,
    on_a_phone,
    open_tab,
    settled,
    shows,
    upload,
    visit,
)
from hub_models import save
from hub_server import REVISION, instead_of_the_hub
from PIL import Image
from playwright.sync_api import expect
from yours_files import planted_sides, save_checkpoint, save_onnx

from tta_demo.models.domains import DOMAINS
from tta_demo.models.hub import HUB_MENU, hub_model
from tta_demo.models.own import FEEDS, own_model
from tta_demo.pictures.reading import read_picture
from tta_demo.scoring.metrics import mean_iou
from tta_demo.tasks.segment import segment
from tta_demo.tta.plan import Plan

pytestmark = [needs_chromium, pytest.mark.slow]
VIEWS = DOMAINS["natural"].views


@pytest.fixture
def page(window, url):
    visit(window, url)
    window.locator("#world").get_by_label("Your model").click()
    window.locator("#yours").wait_for()
    return window


@pytest.fixture
def picture(tmp_path):
    """A picture of odd size that no cache has seen."""
    return save_picture(tmp_path / "own.png")


def save_picture(path):
    """Writes coarse patches of colour."""
    patches = np.frombuffer(os.urandom(9 * 13 * 3), np.uint8).reshape(9, 13, 3)
    Image.fromarray(patches.repeat(9, 0).repeat(9, 1)[:75, :111]).save(path)
    return path


def look_at(page, picture):
    upload(page, "#picture", picture)
    page.locator("#numbers", has_text="of the picture is marked").wait_for(timeout=60_000)
    settled(page)


def bring(page, path):
    """Brings a model, and waits until it has looked."""
    upload(page, "#yours", path)
    page.locator("#yours-told", has_text="s a look").wait_for(timeout=60_000)
    page.locator("#yours-told", has_text=path.name).wait_for(timeout=60_000)
    settled(page)


def rename(page, names):
    """Gives the classes other names, once the present ones are there."""
    page.wait_for_function("document.querySelector('#own-classes textarea').value")
    page.locator("#own-classes textarea").fill(names)
    page.locator("#own-rename").click()


def expected(record, picture, truth=None):
    """What one look and all looks come to, in the page's words."""
    result = segment(record, read_picture(picture), Plan(VIEWS), truth)
    if truth is None:
        shares = [(labels > 0).mean() for labels in (result.one_look, result.labels)]
    else:
        shares = [mean_iou(matrix) for matrix in result.matrices]
    return [f"{100 * share:.1f} %" for share in shares]


@on_a_phone
def test_a_checkpoint_looks_at_ones_own_picture_and_is_scored(page, picture, tmp_path, size):
    look_at(page, picture)
    path = save_checkpoint(tmp_path / "mine.pth")
    bring(page, path)
    record = own_model(path).record
    shows(page, expected(record, picture))
    truth = segment(record, read_picture(picture)).labels.copy()
    truth[:20] = 4
    Image.fromarray(truth).save(tmp_path / "mask.png")
    changes_numbers(page, lambda: upload(page, "#mask", tmp_path / "mask.png"))
    assert numbers(page)[:2] == expected(record, picture, truth)
    assert "5 classes" in page.locator("#yours-told").inner_text()
    expect(page.locator("#share .copy")).to_be_disabled()
    assert "own model" in page.locator("#share").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_a_file_of_fixed_size_is_corrected(page, picture, tmp_path):
    look_at(page, picture)
    path = save_onnx(tmp_path / "fixed.onnx", (1, 3, 32, 64))
    bring(page, path)
    own = own_model(path)
    shows(page, expected(own.record, picture))
    assert "64x32 fixed" in page.locator("#yours-told").inner_text()
    page.locator("#yours-reading > button").click()
    page.locator("#own-order").get_by_label("BGR").click()
    page.locator("#yours-told", has_text="fed BGR").wait_for()
    page.locator("#own-fit").get_by_label("Stretch").click()
    page.locator("#yours-told", has_text="(stretched)").wait_for()
    facts = replace(own.facts, letterbox=False, feed=FEEDS["bgr"])
    shows(page, expected(own_model(path, facts=facts).record, picture))
    rename(page, "sky\nsea\n<i>sand</i>\nrest")
    page.locator("#note", has_text="<i>sand</i>").wait_for()
    settled(page)
    page.locator("#world").get_by_label("Cell nuclei").click()
    page.locator("#note", has_text="nucleus").wait_for()
    page.locator("#examples").wait_for()
    settled(page)
    expect(page.locator("#yours")).to_be_hidden()
    page.locator("#world").get_by_label("Your model").click()
    page.locator("#note", has_text="<i>sand</i>").wait_for()
    settled(page)
    expect(page.locator("#examples")).to_be_hidden()


def test_a_refused_file_leaves_the_result_and_nobody_else_has_part_in_it(
    page, picture, tmp_path, browser, url
):
    look_at(page, picture)
    bring(page, save_onnx(tmp_path / "good.onnx"))
    before = numbers(page)
    (tmp_path / "bad.onnx").write_bytes(b"PK\x03\x04 and more")
    upload(page, "#yours", tmp_path / "bad.onnx")
    page.locator("#yours-told .refused", has_text="zip").wait_for()
    settled(page)
    assert numbers(page) == before
    changed = changes_numbers(page, page.get_by_label("No fusion").click)
    assert changed[0] == changed[1] == before[0]
    other = browser.new_page()
    try:
        visit(other, url)
        theirs = numbers(other)
        other.locator("#world").get_by_label("Your model").click()
        other.locator("#yours").wait_for()
        expect(other.locator("#yours-told")).to_have_text("")
        expect(other.locator("#yours-reading")).to_be_hidden()
        assert numbers(other) == theirs
    finally:
        other.close()


def test_weights_are_learned_for_it_and_used(page, picture, tmp_path):
    look_at(page, picture)
    path = save_onnx(tmp_path / "mine.onnx")
    bring(page, path)
    record = own_model(path).record
    files = []
    for number in range(3):
        one = save_picture(tmp_path / f"p{number}.png")
        labels = segment(record, read_picture(one)).labels
        Image.fromarray(labels).save(tmp_path / f"p{number}-mask.png")
        files += [one, tmp_path / f"p{number}-mask.png"]
    open_tab(page, "Learn the weights")
    page.locator("#learn-world input:checked[value=yours]").wait_for()
    page.locator("#learn-files input[type=file]").set_input_files(files)
    page.locator("#learn-files .file-preview").wait_for()
    page.locator("#learn-start").click()
    page.locator("#learn-status", has_text="Done. mine.onnx").wait_for(timeout=120_000)
    page.locator("#use:not([disabled])").click()
    page.locator("#fusion input:checked[value=learned]").wait_for(timeout=60_000)
    settled(page)
    assert "learned" in page.locator("#looks").inner_text().lower()


def test_a_model_of_the_hub_is_loaded_and_what_is_refused_leaves_it(
    page, picture, tmp_path, monkeypatch
):
    look_at(page, picture)
    name = HUB_MENU["segment"][0]
    save(tmp_path / "tiny", "segformer")
    with instead_of_the_hub(monkeypatch, {name: tmp_path / "tiny"}, tmp_path / "cache") as hub:
        hub.open.clear()
        page.locator("#hub-load").click()
        page.locator("#yours-told", has_text="of 0.1 MB").wait_for(timeout=60_000)
        page.locator("#yours-stop").click()
        page.locator("#yours-told .refused", has_text="stopped").wait_for()
        hub.open.set()
        page.locator("#hub-load").click()
        page.locator("#yours-told", has_text=REVISION[:12]).wait_for(timeout=60_000)
        record = hub_model(name, "segment")
        shows(page, expected(record, picture))
        page.locator("#hub-name input").fill("me/nothing")
        page.keyboard.press("Enter")
        page.locator("#hub-load").click()
        page.locator("#yours-told .refused", has_text="me/nothing").wait_for()
    settled(page)
    shows(page, expected(record, picture))
    page.locator("#yours-reading > button").click()
    expect(page.locator("#own-pixels")).to_be_hidden()
    assert page.locator("#own-classes textarea").input_value().startswith("sky #")


def test_left_and_right_are_offered_and_exchanged(page, picture, tmp_path):
    look_at(page, picture)
    path = tmp_path / "sides.onnx"
    path.write_bytes(planted_sides(32))
    bring(page, path)
    page.locator("#yours-reading > button").click()
    rename(page, "none\nleft <i>\nright <i>")
    page.locator("#yours-swap", has_text="1 pair found").wait_for()
    assert page.locator("#own-swap textarea").input_value() == "left <i> = right <i>"
    page.locator("#own-exchange").click()
    page.locator("#yours-swap", has_text="1 pair exchanged").wait_for()
    settled(page)
    record = replace(own_model(path).record, swap=(("class 1", "class 2"),))
    result = segment(record, read_picture(picture), Plan(VIEWS))
    assert result.changed == 0
    page.locator("#stage .say", has_text="changed nothing").wait_for()
