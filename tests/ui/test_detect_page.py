import re

import cv2
import numpy as np
import pytest
from browser import both_sizes, needs_chromium, on_a_phone, open_tab, told, visit
from playwright.sync_api import expect

from tta_demo.insight.box_changes import partners
from tta_demo.models.centernet import Detector
from tta_demo.models.registry import load_model
from tta_demo.pictures.reading import read_picture
from tta_demo.samples.weeds import field, plant_boxes
from tta_demo.scoring.box_metrics import average_precision
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.box_fusion import FUSERS, fuse_boxes
from tta_demo.tta.box_views import predict_boxes
from tta_demo.tta.predict import to_tensor
from tta_demo.tta.views import VIEW_SETS
from tta_demo.ui.detect.places import PLACES, SET_LABELS, SETS

pytestmark = [needs_chromium, pytest.mark.slow]

PLACE, OBJECTS = PLACES["weeds"], PLACES["objects"]
WORLD = WORLDS["weeds"]
DETECTOR = PLACE.record


@pytest.fixture
def page(window, visited, url):
    if window not in visited:
        visit(window, url)
        open_tab(window, "Detect")
        window.locator("#detect-stage .stage-grid[data-ready]").wait_for(timeout=60_000)
        visited.add(window)
    if window.locator("#detect-stage [data-status=playing]").count():
        window.locator("#detect-stage .picture").click()
    window.locator("#detect-stage .stage-grid:not([data-status=playing])").wait_for()
    return window


@pytest.fixture(scope="module")
def first():
    """The first field in the strip, the boxes of D4 in it, and the truth."""
    made = field(WORLD.seed_of(PLACE.examples[0]))
    assert np.array_equal(made.rgb, read_picture(PLACE.examples[0]).rgb)
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


def answers(first, fusion):
    """Returns the boxes of one look and of all looks, and the truth."""
    _, found, truth = first
    return found["identity"], fuse_boxes(list(found.values()), fusion).boxes, truth


def expected(first, fusion):
    return told_ap(*answers(first, fusion), range(1, 3))


def told_ap(one, fused, truth, labels):
    scores = [average_precision([boxes], [truth], labels).ap for boxes in (one, fused)]
    return [f"{100 * score:.1f}\N{NO-BREAK SPACE}%" for score in scores]


def found_of(boxes, truth):
    """Returns which true boxes were found, by the library's own count."""
    return set(partners(boxes.take(boxes.scores >= 0.3), truth).tolist()) - {-1}


def on(page, selector, **options):
    return page.locator(f"#detect-stage {selector}", **options)


@both_sizes
def test_the_tab_opens_with_a_field_and_says_what_came_of_it(page, size, first):
    shows(page, expected(first, "wbf"))
    one, fused, truth = answers(first, "wbf")
    before, after = found_of(one, truth), found_of(fused, truth)
    legend = on(page, ".legend").inner_text()
    assert f"{len(after - before)} gained" in legend
    assert f"{len(before - after)} lost" in legend
    assert "Eight looks together" in on(page, ".say").inner_text()
    assert on(page, ".count b").inner_text() == expected(first, "wbf")[1][:-2]
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= size["width"], "the page scrolls sideways"


def test_a_box_tells_how_it_came_about(page, first):
    on(page, "[data-mode=together]").click()
    before = on(page, ".overlay").evaluate("canvas => canvas.toDataURL()")
    on(page, ".picture").focus()
    page.keyboard.press("ArrowRight")
    on(page, ".readout", has_text="looks =").wait_for()
    best = answers(first, "wbf")[1]
    told = on(page, ".readout").inner_text()
    assert DETECTOR.classes[best.labels[0]] in told
    assert f"= {best.scores[0]:.2f}" in told
    assert on(page, ".overlay").evaluate("canvas => canvas.toDataURL()") != before


def test_every_mode_and_every_number_of_looks_draws_another_picture(page):
    drawn = set()
    for mode in ("one", "together", "changed", "truth"):
        on(page, f"[data-mode={mode}]").click()
        drawn.add(on(page, ".overlay").evaluate("canvas => canvas.toDataURL()"))
    on(page, "[data-mode=together]").click()
    on(page, ".scrub").focus()
    page.keyboard.press("Home")
    assert on(page, ".count em").inner_text() == "looks 1 of 8"
    page.keyboard.press("ArrowRight")
    drawn.add(on(page, ".overlay").evaluate("canvas => canvas.toDataURL()"))
    assert len(drawn) == 5


def test_it_plays_look_by_look_and_rests_on_what_changed(page):
    on(page, ".play").click()
    on(page, ".ticker.on").wait_for()
    on(page, ".which", has_text=re.compile("Look [2-7] of 8")).wait_for(timeout=30_000)
    on(page, ".play").click()
    on(page, ".stage-grid[data-status=paused]").wait_for()
    on(page, ".play").click()
    on(page, ".picture").click()
    on(page, ".count em", has_text="looks 8 of 8").wait_for()
    assert on(page, "[data-mode=changed]").get_attribute("aria-pressed") == "true"


def test_the_strip_opens_the_very_field_that_it_shows(page, first):
    for number in (2, 0):
        page.locator("#detect-examples button").nth(number).click()
        seed = WORLD.seed_of(PLACE.examples[number])
        page.locator("#detect-results", has_text=f"seed {seed}").wait_for(timeout=60_000)
    shows(page, expected(first, "wbf"))


@pytest.fixture
def calls(monkeypatch):
    """Counts how often a detector is asked."""
    count, answer = [], Detector.__call__
    monkeypatch.setattr(Detector, "__call__", lambda *given: count.append(1) or answer(*given))
    return count


def test_another_fusion_runs_no_forward_pass_and_the_threshold_shows_fewer_boxes(
    page, first, calls
):
    page.locator("#detect-fusion label", has_text=FUSERS["nms"].label).click()
    shows(page, expected(first, "nms"))
    assert not calls
    page.locator("#detect-fusion label").nth(2).click()
    shows(page, expected(first, "wbf"))
    on(page, "[data-mode=together]").click()
    before = on(page, ".overlay").evaluate("canvas => canvas.toDataURL()")
    unlike = "before => document.querySelector('#detect-stage .overlay').toDataURL() != before"
    threshold(page, "0.8")
    page.wait_for_function(unlike, arg=before, timeout=30_000)
    threshold(page, "0.3")
    page.wait_for_function(unlike.replace("!=", "=="), arg=before, timeout=30_000)


@pytest.mark.moving
def test_a_new_field_plays_and_brings_its_truth(page, calls):
    page.locator("#detect-new").click()
    on(page, ".stage-grid[data-status=playing]").wait_for(timeout=60_000)
    on(page, ".picture").click()
    assert values(page)[0].endswith("%")
    assert len(calls) == 8, "one forward pass a look"
    page.locator("#detect-results button", has_text="Scores").click()
    page.locator("#detect-table tbody tr").first.wait_for()
    assert page.locator("#detect-table tbody tr").count() == 3


def test_an_upload_has_no_truth_and_what_is_no_picture_is_refused(page, tmp_path, first):
    rgb = first[0][:201, :155]
    path = tmp_path / "mine.png"
    cv2.imwrite(str(path), np.ascontiguousarray(rgb[..., ::-1]))
    clear = page.locator(
        "#detect-picture button[aria-label*=emove], #detect-picture button[aria-label*=lear]"
    )
    file = page.locator("#detect-picture input[type=file]").first
    clear.first.click()
    on(page, ".say", has_text="no picture yet").wait_for()
    file.set_input_files(path)
    on(page, ".count span", has_text="boxes").wait_for(timeout=60_000)
    assert not values(page)[0].endswith("%")
    expect(on(page, "[data-mode=truth]")).to_be_hidden()
    clear.first.click()
    on(page, ".say", has_text="no picture yet").wait_for()
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    file.set_input_files(bad)
    told(page, "bad.png")


# Everyday objects


def everyday(number):
    """What the library says of an example by the looks that are ticked at first."""
    picture, truth = OBJECTS.read(OBJECTS.examples[number])
    views = SETS[OBJECTS.ticked]
    looks = predict_boxes(load_model(OBJECTS.record), to_tensor(picture.rgb), views)
    fused = fuse_boxes([one.boxes for one in looks.values()], "wbf").boxes
    return looks["identity"].boxes, fused, truth


def go(page, key):
    """Chooses a place, unless the test before was there."""
    button = page.locator("#detect-place label", has_text=PLACES[key].label)
    if not button.locator("input").is_checked():
        button.click()


@on_a_phone
def test_everyday_objects_are_found_named_and_scored(page, size):
    go(page, "objects")
    page.locator("#detect-examples button").nth(0).click()
    labels = range(1, len(OBJECTS.record.classes))
    shows(page, told_ap(*everyday(0), labels))
    expect(page.locator("#detect-new")).to_be_hidden()
    page.locator("#detect-examples button").nth(1).click()
    one, fused, truth = everyday(1)
    shows(page, told_ap(one, fused, truth, labels))
    on(page, ".picture").click()  # ends the play
    on(page, ".say", has_text="1 object").wait_for()
    on(page, "[data-mode=together]").click()
    on(page, ".picture").focus()
    page.keyboard.press("ArrowRight")
    on(page, ".readout", has_text="looks =").wait_for()
    assert OBJECTS.record.classes[fused.labels[0]] in on(page, ".readout").inner_text()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= size["width"], "the page scrolls sideways"


def test_a_subject_that_has_no_class_has_no_score(page):
    go(page, "objects")
    page.locator("#detect-examples img[src*=rocket]").click()
    page.locator("#detect-results:not(.working)", has_text="no truth").wait_for(timeout=60_000)
    assert not values(page)[0].endswith("%")
    expect(on(page, "[data-mode=truth]")).to_be_hidden()


def test_back_in_the_field_all_is_as_it_was(page, first):
    go(page, "objects")
    page.locator("#detect-results:not(.working)", has_text="truth").wait_for(timeout=60_000)
    ticked = page.locator("#detect-preset label:has(input:checked)")
    ticked.filter(has_text=SET_LABELS[OBJECTS.ticked]).wait_for()
    go(page, "weeds")
    shows(page, expected(first, "wbf"))
    ticked.filter(has_text=SET_LABELS[PLACE.ticked]).wait_for()
    assert page.locator("#detect-threshold input[type=number]").input_value() == "0.3"
    page.locator("#detect-new").click()
    page.locator("#detect-results", has_text="difficulty").wait_for(timeout=60_000)
