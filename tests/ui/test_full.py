from base64 import b64encode
from dataclasses import replace

import numpy as np
import pytest
from browser import needs_chromium
from onnx_models import mixing
from PIL import Image

from tta_demo.models.own import own_model
from tta_demo.pictures.decoding import MAX_PIXELS
from tta_demo.pictures.reading import read_picture
from tta_demo.samples.weeds import sample
from tta_demo.tasks.segment import segment
from tta_demo.ui.full import panel
from tta_demo.ui.full.actions import look_full, stop_full
from tta_demo.ui.kit.files import beside
from tta_demo.ui.segment.case import SegmentVisitor, Settings, example_case, own_case, tick
from tta_demo.ui.yours.model import Own

SETTINGS = Settings("weeds", "mean", True, tick(["identity", "rot90"]))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A strip of fields that is reduced for the stage."""
    path = tmp_path_factory.mktemp("large") / "strip.png"
    Image.fromarray(np.tile(sample(4_000_000, 0.5).rgb, (2, 9, 1))).save(path)
    return path


@pytest.fixture
def visitor(path):
    """A visitor with a model of four classes, which are mixtures of colours."""
    (path.parent / "mix.onnx").write_bytes(mixing())
    record = own_model(path.parent / "mix.onnx").record
    visitor = SegmentVisitor()
    visitor.case = own_case(SETTINGS, path, Own(record, record))
    return visitor


def shown(visitor):
    """Whether the part is on screen, and what it says."""
    parts = panel.full_parts(visitor.case, visitor.case.segment())
    return parts["full"].visible, parts["full_told"]


def test_a_large_picture_is_looked_at_tile_by_tile_and_can_be_taken_away(visitor, path):
    on, told = shown(visitor)
    assert on
    assert "2304 x 512" in told
    steps = list(look_full(visitor))
    for number, step in enumerate(steps[1:-1], 1):
        assert f"Tile {number} of 3." in step["full_told"]
    assert number == 3
    case, found = visitor.case, steps[-1]
    whole = segment(case.world.record, read_picture(path, MAX_PIXELS))
    mask = Image.open(found["full_mask"].value["path"])
    np.testing.assert_array_equal(np.array(mask), whole.labels)
    picture = Image.open(found["full_view"]["picture"]["path"])
    assert picture.size == (2304, 512)


def test_what_is_stopped_or_passed_by_shows_nothing(visitor):
    steps = look_full(visitor)
    next(steps)
    stop_full(visitor)
    (last,) = steps
    assert "Stopped after 1 of 3" in last["full_told"]
    assert last["full_view"] is None
    steps = look_full(visitor)
    next(steps)
    visitor.case = replace(visitor.case, name="another")
    assert list(steps) == []


def test_small_pictures_have_no_full_size_and_damaged_ones_are_refused(visitor):
    damaged = visitor.case.changed(damage=[1.0, *visitor.case.settings.damage[1:]])
    example = example_case(SETTINGS, 0)
    for case in (damaged, example):
        visitor.case = case
        with pytest.raises(ValueError, match="full size"):
            next(look_full(visitor))
    assert not shown(visitor)[0]


@needs_chromium
def test_the_window_follows_who_points_at_the_stage(browser, path):
    page = browser.new_page(viewport={"width": 800, "height": 800})
    html, script = (beside(panel.__file__, f"view.{kind}") for kind in ("html", "js"))
    styles = beside(panel.__file__, "tab.css")
    page.set_content(
        f"<style>{styles}</style><div id=stage><div class=picture><div class=card "
        f"style='width:200px;height:100px'></div></div></div><div id=full-view>{html}</div>"
    )
    page.evaluate(
        """([script, url]) => {
          const props = { value: null };
          new Function("element", "props", "watch", script)(
            document.querySelector("#full-view"), props, (_, f) => (window.changed = f));
          props.value = { picture: { url, orig_name: "a.jpg" }, told: "<b>30 % Weed-1</b>" };
          window.changed();
        }""",
        [script, f"data:image/png;base64,{b64encode(path.read_bytes()).decode()}"],
    )
    window, image = page.locator(".window"), page.locator(".window img")
    page.wait_for_function("document.querySelector('img').clientWidth == 2304")
    assert image.get_attribute("alt") == "<b>30 % Weed-1</b>"
    page.locator(".card").hover(position={"x": 150, "y": 10})
    left, top, width = window.evaluate("e => [e.scrollLeft, e.scrollTop, e.clientWidth]")
    assert left == pytest.approx(0.75 * 2304 - width / 2, abs=8)
    assert top == 0
    box = window.bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 340, box["y"] + 100)
    page.mouse.up()
    assert window.evaluate("e => e.scrollLeft") == pytest.approx(left - 40, abs=1)
    page.get_by_role("button", name="Whole").click()
    assert image.evaluate("e => e.clientWidth") == width
    image.click(position={"x": 10, "y": 10})
    assert image.evaluate("e => e.clientWidth") == 2304
    assert window.evaluate("e => e.scrollLeft") == 0
    page.close()
