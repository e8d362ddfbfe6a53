import json
import os
import re
from dataclasses import replace

import cv2
import gradio as gr
import httpx
import numpy as np
import pytest
from browser import (
    DESKTOP,
    PHONE,
    both_sizes,
    changes_numbers,
    needs_chromium,
    numbers,
    on_a_phone,
    settled,
    shows,
    told,
    upload,
    visit,
)
from PIL import Image
from playwright.sync_api import expect

from tta_demo.pictures.masks import read_mask
from tta_demo.pictures.reading import read_picture
from tta_demo.scoring.metrics import mean_iou
from tta_demo.tasks.segment import segment
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.plan import Plan
from tta_demo.tta.views import VIEW_SETS

pytestmark = [needs_chromium, pytest.mark.slow]
NUCLEI = WORLDS["nuclei"]
PLACE = next(iter(WORLDS.values()))


@pytest.fixture
def page(window, visited, url):
    visit(window, url)
    visited.clear()
    return window


@pytest.fixture
def example(window, visited, url):
    """The page as it opens, for tests that only look at it."""
    if window not in visited:
        visit(window, url)
        visited.add(window)
    return window


def said(page):
    return page.locator("#stage .say").inner_text()


def rests(page):
    """Ends the play by a click, as a visitor can."""
    picture = page.locator("#stage .stage-grid[data-ready] .picture")
    picture.wait_for()
    if page.locator("#stage [data-status=playing]").count():
        picture.click(position={"x": 5, "y": 5})
    page.locator("#stage :not([data-status=playing]) > .left").wait_for()


def told_by(page):
    """Returns how many pixels the stage says are wrong."""
    rests(page)
    return int(re.sub(r"\D", "", page.locator("#stage .count b").inner_text()))


def counts(result):
    return int((result.labels != result.truth).sum())


low = pytest.mark.parametrize("size", [{"width": 1280, "height": 720}], ids=["low"])


@pytest.fixture
def picture(tmp_path):
    """A picture of odd size that no cache has seen, on which the model finds something."""
    rgb = read_picture(PLACE.examples[0]).rgb
    rgb[9, 9] = np.frombuffer(os.urandom(3), np.uint8)
    path = tmp_path / "my own.png"
    cv2.imwrite(str(path), rgb[3:204, 5:250, ::-1])
    return path


def expected(picture, truth_path=None, place=PLACE):
    opened = read_picture(picture)
    truth = read_mask(truth_path, place.record.palette, opened)[0] if truth_path else None
    return segment(place.record, opened, Plan(VIEW_SETS["d4"]), truth)


def scores(place, number):
    """What the page must show of an example: one look and all looks."""
    example = place.examples[number]
    matrices = expected(example, place.mask_of(example), place).matrices
    return [f"{100 * mean_iou(matrix):.1f} %" for matrix in matrices]


@both_sizes
def test_the_page_opens_with_a_finished_example(example, size):
    assert numbers(example)[:2] == scores(PLACE, 0)
    plan = expected(PLACE.examples[0], PLACE.mask_of(PLACE.examples[0]))
    assert told_by(example) == counts(plan)
    width = example.evaluate("document.documentElement.scrollWidth")
    assert width <= size["width"], "the page scrolls sideways"
    if size is PHONE:
        stage, inputs = (example.locator(i).bounding_box() for i in ("#stage", "#picture"))
        assert stage["y"] < inputs["y"]


def test_every_look_has_its_own_score_and_training_is_told(example):
    example.locator("#looks tbody tr").nth(7).wait_for()
    rows = example.locator("#looks tbody tr").all_inner_texts()
    result = expected(PLACE.examples[0], PLACE.mask_of(PLACE.examples[0]))
    for row, name in zip(rows, result.plan.views, strict=True):
        assert f"{100 * result.view_score(name):.1f}" in row
        assert "12.5" in row
        assert row.endswith("yes" if name == "identity" else "no")


@low
def test_the_whole_stage_is_above_the_edge_of_a_low_screen(example, size):
    example.evaluate("window.scrollTo(0, 0)")
    for part in (".say", ".bar", ".sum", ".foot"):
        box = example.locator(f"#stage {part}").bounding_box()
        assert box["y"] + box["height"] <= size["height"], part


@low
def test_the_stage_stays_on_screen_while_one_chooses(example, size):
    example.locator("#background").evaluate("e => e.scrollIntoView({block: 'end'})")
    for part in (".say", ".stand", ".bar", ".rows", ".sum"):
        box = example.locator(f"#stage {part}").bounding_box()
        assert box["y"] >= 0, part
        assert box["y"] + box["height"] <= size["height"], part
        assert box["x"] + box["width"] <= size["width"], part


@on_a_phone
def test_another_example_brings_its_own_mask_and_numbers(page):
    shown = changes_numbers(page, page.locator("#examples button").nth(2).click)
    assert shown[:2] == scores(PLACE, 2)


def test_the_last_of_several_quick_choices_wins(page):
    for number in (1, 0, 2):
        page.locator("#examples button").nth(number).click()
    shows(page, scores(PLACE, 2))
    page.get_by_label(NUCLEI.label).click()
    page.get_by_label(PLACE.label).click()
    shows(page, scores(PLACE, 0))


def test_another_world_at_once_after_new_fields_is_what_is_shown(page):
    for _ in range(2):
        page.locator("#new-field").click()
    page.get_by_label(NUCLEI.label).click()
    shows(page, scores(NUCLEI, 0))
    assert not page.locator(".toast-body").count()


def test_a_strip_of_pixels_gets_a_remark(page, tmp_path):
    path = tmp_path / "strip.png"
    Image.new("RGB", (300, 7)).save(path)
    upload(page, "#picture", path)
    page.locator("#notes", has_text="300 x 7").wait_for()


def test_another_world_brings_its_own_examples_and_classes(page):
    shown = changes_numbers(page, page.get_by_label(NUCLEI.label).click)
    assert shown[:2] == scores(NUCLEI, 0)
    expect(page.locator("#new-field")).to_be_hidden()
    assert "nucleus" in page.locator("#table").inner_text()


def test_a_new_field_brings_its_mask_and_its_difficulty_can_be_raised(page):
    shown = changes_numbers(page, page.locator("#new-field").click)
    assert re.fullmatch(r"[\d.]+ %", shown[0])
    note = page.locator("#notes").inner_text()
    slider = page.get_by_role("slider", name="Difficulty").first
    slider.focus()
    harder = changes_numbers(page, lambda: [slider.press("ArrowRight") for _ in range(8)])
    assert harder != shown
    again = page.locator("#notes").inner_text()
    assert again != note
    assert re.search(r"seed (\d+)", again)[1] == re.search(r"seed (\d+)", note)[1]


def test_changing_the_fusion_runs_no_forward_pass(page, passes):
    before = numbers(page)
    shown = changes_numbers(page, page.get_by_label("Majority vote").click)
    assert shown[0] == before[0]
    assert not passes


def test_one_more_view_costs_one_forward_pass_and_one_less_none(page, picture, passes):
    page.get_by_label("Remove Image").first.click()
    upload(page, "#picture", picture)
    page.locator("#numbers", has_text="Changed").wait_for()
    assert len(passes) == 8
    page.get_by_text("More looks").click()
    page.get_by_label("Zoom in", exact=True).click()
    page.locator("#numbers", has_text="9 looks").wait_for()
    assert len(passes) == 9
    page.get_by_label("Mirror", exact=True).click()
    page.locator("#numbers", has_text="8 looks").wait_for()
    assert len(passes) == 9


@on_a_phone
def test_an_upload_brings_a_result_without_scores_until_its_mask_comes(page, picture, tmp_path):
    upload(page, "#picture", picture)
    page.locator("#numbers", has_text="Changed").wait_for()
    truth = np.zeros((201, 245), np.uint8)
    truth[50:150, 60:200] = 1
    mask = tmp_path / "mask.png"
    Image.fromarray(truth).save(mask)
    shown = changes_numbers(page, lambda: upload(page, "#mask", mask))
    assert all(re.fullmatch(r"[\d.]+ %", value) for value in shown[:2])
    assert page.locator("#table tbody tr").count() == 5


def test_a_large_picture_shows_one_look_first_and_how_long_the_rest_takes(page, tmp_path):
    large = tmp_path / "large.png"
    noise = np.random.default_rng().integers(0, 255, (90, 120, 3), dtype=np.uint8)
    cv2.imwrite(str(large), cv2.resize(noise, (1400, 1050)))
    upload(page, "#picture", large)
    page.locator("#stage .count em", has_text=re.compile("^1 look$")).wait_for()
    page.get_by_text("s left").first.wait_for()
    page.locator("#stage .count em", has_text="of 8").wait_for(timeout=120_000)
    page.locator("#numbers", has_text="Changed").wait_for(timeout=120_000)
    assert "1182 x 887" in page.locator("#notes").inner_text()
    page.get_by_text("More looks").click()
    page.get_by_text("Tick the set of 15").click()
    page.get_by_text("s left").first.wait_for()
    page.locator("#examples button").nth(1).click()  # and does not wait for them
    page.locator("#stage .count em", has_text="of 15").wait_for()


def test_a_bad_upload_is_refused_and_the_screen_stays(page, tmp_path):
    before = numbers(page)
    bad = tmp_path / "holiday.png"
    bad.write_text("this is no picture")
    upload(page, "#picture", bad)
    told(page, "holiday.png")
    assert numbers(page) == before
    assert page.locator("#picture img").count() == 1
    mask = tmp_path / "colours.png"
    Image.fromarray(np.full((256, 256, 3), (12, 200, 99), np.uint8)).save(mask)
    upload(page, "#mask", mask)
    told(page, "(12, 200, 99)")
    assert numbers(page) == before


def test_unticking_the_last_view_is_refused_and_the_tick_returns(page):
    page.get_by_label("Text", exact=True).click()
    page.locator("#numbers", has_text="1 look").wait_for()
    page.get_by_label("Original", exact=True).click()
    told(page, "at least one")
    page.locator("#mirror-and-turn input:checked").wait_for(timeout=10_000)
    assert page.locator("#mirror-and-turn input:checked").count() == 1
    settled(page)


def test_learned_weights_refuse_a_view_that_they_lack_by_name(page):
    changes_numbers(page, page.get_by_label("Learned weights").click)
    before = numbers(page)
    page.get_by_text("More looks").click()
    page.get_by_label("Shift", exact=True).click()
    told(page, "shift")
    assert numbers(page) == before
    page.locator("#small-moves input:not(:checked)").nth(2).wait_for()


def test_a_painting_becomes_the_mask(page):
    rests(page)
    page.locator("#stage .paint").click()
    page.locator("#stage .pot").nth(2).click()
    page.locator("#stage .picture").press("Space")
    before = told_by(page)
    changes_numbers(page, page.locator("#stage .use").click)
    page.wait_for_function(
        "before => !document.querySelector('#stage .count b').innerText.includes(before)",
        arg=f"{before:,}",
    )
    assert abs(told_by(page) - before) < 200  # a dot of 8 pixels across


def test_it_plays_by_itself_on_load_and_rests(browser, url):
    page = browser.new_page(viewport=DESKTOP)
    page.goto(url)
    page.locator("#stage [data-status=playing]").wait_for()
    page.locator("#stage .ticker.on").wait_for()
    rests(page)
    first = PLACE.examples[0]
    assert told_by(page) == counts(expected(first, PLACE.mask_of(first)))
    page.close()


def test_a_look_switched_off_on_the_stage_is_unticked_and_comes_back(page, passes):
    rests(page)
    result = expected(PLACE.examples[0], PLACE.mask_of(PLACE.examples[0]))
    views = tuple(name for name in VIEW_SETS["d4"] if name != "hflip")
    less = replace(result, plan=Plan(views))
    row = page.locator("#stage .rows li").nth(1).locator("input")
    shown = changes_numbers(page, row.click)
    assert shown[1] == f"{100 * mean_iou(less.matrices[1]):.1f} %"
    assert page.locator("#mirror-and-turn input:checked").count() == 7
    page.locator("#stage .count em", has_text="7 of 7").wait_for()
    assert abs(told_by(page) - counts(less)) <= 0.001 * less.labels.size
    changes_numbers(page, page.get_by_label("Majority vote").click)
    page.locator("#stage .count em", has_text="7 of 7").wait_for()
    assert told_by(page) == counts(replace(less, plan=Plan(views, "vote")))
    changes_numbers(page, row.click)
    assert page.locator("#mirror-and-turn input:checked").count() == 8
    assert not passes


def test_looks_switched_off_one_upon_the_other_are_all_off(page):
    rests(page)
    result = expected(PLACE.examples[0], PLACE.mask_of(PLACE.examples[0]))
    rows = page.locator("#stage .rows li input")
    less = replace(result, plan=Plan(VIEW_SETS["d4"][3:]))

    def switch():
        for number in range(3):
            rows.nth(number).click()

    changes_numbers(page, switch)
    shows(page, [numbers(page)[0], f"{100 * mean_iou(less.matrices[1]):.1f} %"])
    assert page.locator("#mirror-and-turn input:checked").count() == 5


def test_the_server_fuses_where_the_browser_cannot(page):
    rests(page)
    changes_numbers(page, page.get_by_label("Median").click)
    result = expected(PLACE.examples[0], PLACE.mask_of(PLACE.examples[0]))
    less = replace(result, plan=Plan(VIEW_SETS["d4"][:-1], "median"))
    changes_numbers(page, page.locator("#stage .rows li").last.locator("input").click)
    page.locator("#stage .count em", has_text="7 of 7").wait_for()
    assert told_by(page) == counts(less)
    expect(page.locator("#stage .busy.on")).to_be_hidden()


@on_a_phone
def test_downloads_are_the_result(page, picture):
    upload(page, "#picture", picture)
    page.locator("#numbers", has_text="Changed").wait_for()
    settled(page)
    result = expected(picture)
    paths = {}
    for name in ("index", "colors", "report"):
        with page.expect_download() as download:
            page.locator(f"#download-{name}").click()
        paths[name] = download.value.path()
    index = Image.open(paths["index"])
    assert index.mode == "P"
    np.testing.assert_array_equal(np.asarray(index), result.labels)
    colors = np.asarray(Image.open(paths["colors"]))
    np.testing.assert_array_equal(colors, PLACE.record.palette.colorize(result.labels))
    report = json.loads(paths["report"].read_text())
    assert report["views"] == list(VIEW_SETS["d4"])
    assert report["model"]["digest"] == PLACE.record.digest


def test_clearing_the_picture_clears_the_result(page):
    page.get_by_label("Remove Image").first.click()
    page.locator("#numbers", has_text="no picture").wait_for()
    page.get_by_label("Median").click()
    told(page, "picture")


def test_the_page_works_from_any_folder(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = changes_numbers(page, page.get_by_label(NUCLEI.label).click)
    assert shown[:2] == scores(NUCLEI, 0)
    page.wait_for_function("document.querySelector('#examples img').naturalWidth > 0")


def succeeds(url, number, data):
    """Sends a request as a script would, and returns whether it was answered with a result."""
    session = {"session_hash": f"made-up-{number}-{len(str(data))}"}
    body = {"data": data, "fn_index": number, **session}
    joined = httpx.post(f"{url}gradio_api/queue/join", json=body)
    if joined.status_code == 400:  # not even let in
        return False
    with httpx.stream("GET", f"{url}gradio_api/queue/data", params=session, timeout=60) as lines:
        for line in lines.iter_lines():
            event = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
            if event.get("msg") == "process_completed":
                return event["success"]
    return pytest.fail("the request was never answered")


def test_a_made_up_request_opens_no_file_of_the_server(demo, url, picture):
    with picture.open("rb") as file:
        (uploaded,) = httpx.post(f"{url}gradio_api/upload", files={"files": file}).json()
    events = {i: event for i, event in demo.fns.items() if event.name == "open_picture"}
    assert len(events) == 3
    for number, event in events.items():
        box = next(p for p in event.inputs if (p.elem_id or "").endswith("picture"))
        settings = {p: p.value for p in event.inputs if not isinstance(p, gr.State)}
        for path, opened in ((uploaded, True), (str(picture), False)):
            data = [(settings | {box: {"path": path}}).get(part) for part in event.inputs]
            assert succeeds(url, number, data) == opened, (event.name, box.elem_id, path)
