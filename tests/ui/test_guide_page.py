import json
import re
import shutil
from itertools import pairwise

import gradio as gr
import numpy as np
import pytest
import torch
from browser import PHONE, needs_chromium, on_a_phone, open_tab, visit
from playwright.sync_api import expect

from tta_demo.models.domains import DOMAINS
from tta_demo.pictures.assets import ASSETS
from tta_demo.pictures.reading import Picture
from tta_demo.tasks.segment import segment
from tta_demo.tta.plan import Plan
from tta_demo.tta.symmetry import IDENTITY, Symmetry
from tta_demo.tta.views import VIEW_SETS, VIEWS
from tta_demo.ui.guide import figures
from tta_demo.ui.guide.dial import POSITIONS, turned_back
from tta_demo.ui.guide.lessons import LESSONS
from tta_demo.ui.guide.steps import STEPS
from tta_demo.ui.guide.tab import _open_lesson
from tta_demo.ui.kit import stored
from tta_demo.ui.segment.case import SegmentVisitor
from tta_demo.ui.segment.link import Link

PROJECTOR = {"width": 1280, "height": 720}
by_name = pytest.mark.parametrize("shown", POSITIONS, ids=lambda symmetry: symmetry.name)


def browsed(test):
    return needs_chromium(pytest.mark.slow(test))


@pytest.fixture(scope="module")
def first():
    """The answer to the page's first example."""
    return Link().case().segment()


@by_name
def test_all_of_d4_keep_their_answer_to_the_pixel_and_one_look_does_not(first, shown):
    one, eight = turned_back(first, shown)
    np.testing.assert_array_equal(eight, first.labels)
    assert np.array_equal(one, first.one_look) is (shown == IDENTITY)


@pytest.mark.parametrize("shown", [Symmetry(1, False), Symmetry(3, True)], ids=lambda s: s.name)
def test_the_dial_says_what_the_model_says_of_a_picture_that_is_really_turned(first, shown):
    pixels = torch.from_numpy(first.picture.rgb).movedim(-1, 0)
    turned = Picture.of(np.ascontiguousarray(shown(pixels).movedim(0, -1).numpy()))
    answer = segment(first.model, turned, Plan(VIEW_SETS["d4"]))
    told = turned_back(first, shown)
    for have, labels in zip(told, (answer.one_look, answer.labels), strict=True):
        np.testing.assert_array_equal(have, shown.inverse(torch.from_numpy(labels)).numpy())


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=DOMAINS)
def test_the_looks_of_a_domain_are_a_group(domain):
    symmetries = {VIEWS[name].symmetry for name in domain.views}
    assert {a @ b for a in symmetries for b in symmetries} == symmetries


def test_figures_follow_the_stored_results(tmp_path, monkeypatch):
    shutil.copytree(ASSETS / "results", tmp_path / "results")
    before = figures.costs(), figures.false_gain(), figures.lesson(), figures.times()
    for name, change in (("weeds", _slower), ("detection", _better)):
        path = tmp_path / "results" / f"{name}.json"
        result = json.loads(path.read_text())
        change(result)
        path.write_text(json.dumps(result))
    monkeypatch.setattr(stored, "ASSETS", tmp_path)
    after = figures.costs(), figures.false_gain(), figures.lesson(), figures.times()
    assert "4321 ms" in after[0]
    assert "99.9" in after[1]
    assert all(old != new for old, new in zip(before, after, strict=True))


def _slower(result):
    result["scores"]["all, mean"]["ms"] = 4321.4
    result["scores"]["d4, mean"]["miou"] += 0.1
    result["scores"]["none"]["miou_without_background"] -= 0.1


def _better(result):
    result["rows"]["D4, WBF"]["ap"] = 0.9991


@pytest.mark.parametrize("number", [-1, len(LESSONS), "0", None, [0]])
def test_a_made_up_lesson_is_refused(number):
    with pytest.raises(ValueError, match=r"is none|cannot have meant"):
        next(_open_lesson(SegmentVisitor(), gr.EventData(None, {"number": number})))


@pytest.fixture
def page(window, url):
    visit(window, url)
    open_tab(window, "Guide")
    window.locator(".tile").first.wait_for(timeout=60_000)
    return window


def controls(page):
    """What the first tab's controls and the stage's rows say: world, fusion, looks."""
    return page.evaluate(
        """() => {
          const chosen = (id) => document.querySelector(`#${id} input:checked`)?.value;
          const rows = [...document.querySelectorAll('#stage .rows li')];
          const on = rows.filter((row) => row.querySelector('input').checked);
          const looks = on.map((row) => row.querySelector('.name').textContent);
          return [chosen('world'), chosen('fusion'), looks.join()];
        }"""
    )


def wait_for_controls(page, link):
    """Waits until the controls stand as a link says; a failure shows how they stand instead."""
    looks = ",".join(VIEWS[name].label for name in link.views)
    wanted = [link.world, link.fusion, looks]
    for _ in range(240):
        if controls(page) == wanted:
            return
        page.wait_for_timeout(250)
    assert controls(page) == wanted


def shows(page, mode):
    """Waits until the stage is in a mode."""
    page.locator(f"#stage .modes [data-mode={mode}][aria-pressed=true]").wait_for(timeout=30_000)


@browsed
@pytest.mark.moving
def test_every_button_sets_the_first_tab_up_and_goes_there(page):
    order = (2, 0, 1, 3, 4)  # from nuclei back to weeds: each differs from the one before
    assert all(STEPS[a].link != STEPS[b].link for a, b in pairwise(order))
    for number in order:
        open_tab(page, "Guide")
        page.locator(f"#guide-{number + 1} .guide-show").click()
        page.locator("#stage .play:focus").wait_for()
        wait_for_controls(page, STEPS[number].link)
        page.locator("#stage .stage-grid[data-status=playing]").wait_for()
        page.locator("#stage .picture").click(position={"x": 5, "y": 5})  # ends the play
        shows(page, STEPS[number].link.mode)


def changed(page, place):
    return int(re.sub(r"\D", "", page.locator(f"{place} .count").inner_text()))


@browsed
@on_a_phone
def test_the_dial_turns_by_keys_and_only_eight_looks_hold(page, first, size):
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.locator(".tile input").first.focus()
    for position in POSITIONS:
        said = page.locator(".dial-said").inner_text()
        assert said.startswith(VIEWS[position.name].label)
        one, _ = turned_back(first, position)
        assert changed(page, ".dial-one") == np.count_nonzero(one != first.one_look)
        assert changed(page, ".dial-all") == 0
        page.keyboard.press("ArrowRight")
    expect(page.locator(".tile input").first, "the dial goes round").to_be_checked()


@browsed
def test_the_pictures_of_the_dial_show_as_many_changed_pixels_as_it_says(page):
    page.locator(".tile").nth(2).click()
    white = page.evaluate(
        """async () => {
          const count = async (image) => {
            await image.decode();
            const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
            const context = canvas.getContext('2d');
            context.drawImage(image, 0, 0);
            const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
            let n = 0;
            for (let i = 0; i < data.length; i += 4)
              n += data[i] + data[i + 1] + data[i + 2] + data[i + 3] === 1020;
            return n;
          };
          return [await count(document.querySelector('.dial-one .answer')),
                  await count(document.querySelector('.dial-all .answer'))];
        }"""
    )
    assert white == [changed(page, ".dial-one"), 0]


def tells(page, number):
    page.locator(".teach-board .sentence", has_text=LESSONS[number].sentence).wait_for()


@browsed
@pytest.mark.parametrize("size", [PROJECTOR, PHONE], ids=["projector", "phone"])
def test_the_story_is_told_by_keys_alone_over_a_stage_that_is_seen(page, size):
    page.get_by_role("tab", name="Guide", exact=True).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    tells(page, 0)
    shows(page, "one")
    if size is PROJECTOR:
        board, stand = (page.locator(s).bounding_box() for s in (".teach-board", "#stage .stand"))
        assert board["y"] + board["height"] <= stand["y"]
        assert stand["y"] + stand["height"] <= size["height"]
        large = page.locator(".sentence").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
        assert large >= 36
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    hand = {selector for lesson in LESSONS for selector in lesson.presses}
    assert [s for s in hand if not page.locator(f"#stage .stage-grid {s}").count()] == []
    for key, number in ((" ", 1), ("ArrowRight", 2), ("PageDown", 3)):
        page.keyboard.press(key)
        tells(page, number)
    page.locator("#stage .stage-grid[data-status=playing]").wait_for()
    page.keyboard.press("ArrowRight")
    shows(page, "changed")
    page.keyboard.press(" ")
    shows(page, "doubt")
    page.keyboard.press("ArrowRight")
    tells(page, 6)
    wait_for_controls(page, LESSONS[6].link)
    page.keyboard.press("ArrowRight")
    wait_for_controls(page, LESSONS[7].link)
    tells(page, 7)
    page.locator("#stage .play").focus()  # where arrows would be the stage's
    page.keyboard.press("PageUp")
    tells(page, 6)
    wait_for_controls(page, LESSONS[6].link)
    page.keyboard.press("Escape")
    page.locator(".teach-board").wait_for(state="detached")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "tab"
    expect(page.locator("#intro")).to_be_visible()


@browsed
def test_the_last_next_ends_the_story_and_it_can_begin_again(page):
    page.locator(".teach-start").click()
    for number in range(len(LESSONS)):
        tells(page, number)
        if number + 1 == len(LESSONS):
            # nobody waited for the scenes between
            wait_for_controls(page, LESSONS[number].link)
        page.keyboard.press("ArrowRight")
    page.locator(".teach-board").wait_for(state="detached")
    open_tab(page, "Guide")
    page.locator(".teach-start").click()
    tells(page, 0)
    assert page.locator(".teach-board").count() == 1
    wait_for_controls(page, LESSONS[0].link)
    page.keyboard.press("Escape")
