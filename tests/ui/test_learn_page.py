import json
import time
import zipfile

import numpy as np
import pytest
from browser import needs_chromium, numbers, on_a_phone, open_tab, settled, told, visit
from playwright.sync_api import expect

from tta_demo.learning.weight_file import WeightFile
from tta_demo.pictures.palettes import index_png, rgb_png
from tta_demo.pictures.reading import read_picture
from tta_demo.samples.weeds import DIFFICULTY, SEEDS
from tta_demo.scoring.metrics import mean_iou
from tta_demo.tasks.segment import segment
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.views import VIEW_SETS
from tta_demo.ui.learn import actions
from tta_demo.ui.learn.course import EXTRA, Pace
from tta_demo.ui.learn.lesson import FIELDS, LearnVisitor, Wanted
from tta_demo.ui.segment.case import SegmentVisitor

pytestmark = [needs_chromium, pytest.mark.slow]
WEEDS = WORLDS["weeds"]


@pytest.fixture
def page(window, url):
    visit(window, url)
    open_tab(window, "Learn the weights")
    return window


def learn(page):
    page.locator("#learn-start").click()
    says(page, "Done")


def says(page, text):
    page.locator("#learn-status", has_text=text).wait_for(timeout=120_000)


def fields(page, count):
    box = page.locator("#learn-count input[type=number]")
    box.fill(str(count))
    box.press("Enter")


def choose(page, box, words):
    page.locator(f"{box} label", has_text=words).click()


def shares(page):
    return [
        float(text.rstrip("%")) / 100
        for text in page.locator("#learn-bars .share").all_inner_texts()
    ]


def saved(page, tmp_path):
    with page.expect_download() as download:
        page.locator("#learn-save").click()
    path = tmp_path / "weights.json"
    download.value.save_as(path)
    return path


def save_fields(folder, count, first=0):
    for number, seed in enumerate(SEEDS["calibration"][first : first + count]):
        made = WEEDS.generate(seed, DIFFICULTY)
        (folder / f"field{number}.png").write_bytes(rgb_png(made.rgb))
        mask = index_png(made.labels, WEEDS.record.palette)
        (folder / f"field{number}-mask.png").write_bytes(mask)
    return sorted(folder.iterdir())


def upload_fields(page, folder, first):
    """Brings three pictures, those from `first` on: none that another test has looked at."""
    choose(page, "#learn-source", "My own pictures")
    page.locator("#learn-files input[type=file]").set_input_files(save_fields(folder, 3, first))
    page.locator("#learn-files .file-preview").wait_for()


def places(page, *parts):
    """Returns the top and the bottom of parts in the window."""
    boxes = [page.locator(part).bounding_box() for part in parts]
    return [(box["y"], box["y"] + box["height"]) for box in boxes]


IN_SIGHT = ("#learn-start", "#learn-status", "#learn-bars .bars", "#learn-curve svg")


@pytest.mark.parametrize("size", [{"width": 1280, "height": 720}], ids=["projector"])
def test_all_that_moves_while_it_learns_is_in_sight_on_a_small_desktop(page, size, tmp_path):
    upload_fields(page, tmp_path, 300)
    page.locator("#learn-start").click()
    page.locator("#learn-losses", has_text="seen so far").wait_for(timeout=60_000)
    assert "Learning: picture" in page.locator("#learn-status").inner_text()
    under_way = places(page, *IN_SIGHT)
    assert len(shares(page)) == 15
    assert len(set(shares(page))) > 1, "the bars have moved away from even"
    says(page, "Done")
    after = places(page, *IN_SIGHT)
    assert page.evaluate("scrollY") == 0
    for top, bottom in under_way + after:
        assert 0 <= top < bottom <= size["height"]
    assert [top for top, _ in after] == [top for top, _ in under_way], "nothing jumps"


@on_a_phone
def test_a_phone_scrolls_to_the_status_and_stays_there(page, size, tmp_path):
    upload_fields(page, tmp_path, 310)
    page.locator("#learn-start").click()
    page.locator("#learn-losses", has_text="seen so far").wait_for(timeout=60_000)
    under_way = places(page, "#learn-status", "#learn-bars .bars", "#learn-curve")
    assert all(0 <= top < size["height"] for top, _ in under_way)
    says(page, "Done")
    after = places(page, "#learn-status", "#learn-bars .bars", "#learn-curve")
    assert [top for top, _ in after] == [top for top, _ in under_way], "nothing jumps"


def test_the_world_follows_the_first_tab_but_not_under_way(page):
    def world():
        return page.locator("#learn-world input:checked").get_attribute("value")

    def pick_on_first_tab(words):
        open_tab(page, "See it")
        choose(page, "#world", words)
        settled(page)
        open_tab(page, "Learn the weights")

    assert world() == "weeds"
    pick_on_first_tab("Cell nuclei")
    page.locator("#learn-world input:checked[value=nuclei]").wait_for()
    page.locator("#learn-files").wait_for()
    expect(page.locator("#learn-count")).to_be_hidden()
    pick_on_first_tab("Weeds")
    page.locator("#learn-world input:checked[value=weeds]").wait_for()
    page.locator("#learn-count").wait_for()
    fields(page, 200)
    page.locator("#learn-start").click()
    says(page, "picture")
    pick_on_first_tab("Cell nuclei")
    status = page.locator("#learn-status").inner_text()
    page.wait_for_function(
        "said => document.querySelector('#learn-status').innerText != said", arg=status
    )
    assert world() == "weeds"
    page.locator("#learn-stop").click()
    says(page, "Stopped")


@on_a_phone
def test_learned_weights_are_checked_saved_and_used(page, size, tmp_path):
    fields(page, 4)
    learn(page)
    said = page.locator("#learn-verdict").inner_text()
    assert "6 pictures" in said
    assert "2 more" in said, "six pictures are too few for a verdict"
    assert page.locator("#learn-held-out tbody tr").count() == 6
    row = page.locator("#learn-held-out tr", has_text="NLL").locator("td").all_inner_texts()
    assert page.locator("#learn-losses .share").all_inner_texts() == row[1:4]
    assert sum(shares(page)) == pytest.approx(1, abs=0.01)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= size["width"], "the page scrolls sideways"
    file = WeightFile.load(saved(page, tmp_path))
    assert list(file.weights.values()) == pytest.approx(shares(page), abs=1e-3)
    assert file.calibration["pictures"] == 4
    assert file.scores["gap"] <= 1e-6
    page.locator("#use").click()
    page.locator("#fusion input:checked[value=learned]").wait_for(timeout=60_000)
    settled(page)
    shown = page.locator("#looks tbody td:nth-child(3)").all_inner_texts()
    assert [float(text) / 100 for text in shown] == pytest.approx(
        list(file.weights.values()), abs=1e-3
    )
    example = WEEDS.examples[0]
    picture = read_picture(example)
    truth, _ = WEEDS.read_truth(WEEDS.mask_of(example), picture)
    plan, _ = WEEDS.plan(file.views, "learned", file)
    wanted = segment(WEEDS.record, picture, plan, truth).matrices
    assert numbers(page)[:2] == [f"{100 * mean_iou(matrix):.1f} %" for matrix in wanted]


def test_a_second_method_runs_no_forward_pass_and_weights_a_class_say_so(page, tmp_path, passes):
    fields(page, 4)
    learn(page)
    passes.clear()
    choose(page, "#learn-form", "One a look and class")
    page.locator("#learn-method label", has_text="Exact").wait_for(state="detached")
    page.locator("#learn-status", has_text="Done").wait_for()
    page.locator("#learn-start").click()
    page.locator("#learn-bars .classes").wait_for(timeout=60_000)
    page.locator("#learn-start:not([disabled])").wait_for()
    says(page, "Done")
    assert not passes
    file = WeightFile.load(saved(page, tmp_path))
    assert set(file.weights["hflip"]) == set(WEEDS.record.palette.names)
    assert file.method == "adam"


def test_stop_while_looking_leaves_the_weights_from_before(page, tmp_path):
    fields(page, 4)
    learn(page)
    before, file = shares(page), saved(page, tmp_path).read_text()
    verdict = page.locator("#learn-verdict").inner_text()
    fields(page, 200)
    page.locator("#learn-start").click()
    says(page, "picture")
    page.locator("#use[disabled]").wait_for()
    page.locator("#learn-stop").click()
    says(page, "Stopped")
    assert shares(page) == before
    assert page.locator("#learn-verdict").inner_text() == verdict
    assert saved(page, tmp_path).read_text() == file


def wanted(**changes):
    given = {
        "source": FIELDS, "count": 4, "held_out": 12, "files": None, "world": "weeds",
        "views": ["hflip"], "form": "view", "method": "exact", "choose": True,
        "score": "miou", "prior": 1.0,
    }  # fmt: skip
    return Wanted(**given | changes)


def stop_at(visitor, doing, **changes):
    shown = {}
    for updates in actions.learn(visitor, wanted(**changes), SegmentVisitor()):
        shown |= updates
        if doing in str(updates.get("status")):
            actions.stop(visitor)
    return shown


def test_stop_while_checking_keeps_the_weights_and_gives_no_verdict_on_too_few():
    visitor = LearnVisitor()
    shown = stop_at(visitor, "Checking", held_out=6)
    assert visitor.file.calibration["pictures"] == 4
    checked = visitor.file.scores["held_out"]["pictures"]
    assert 1 <= checked <= 6
    assert f"{8 - checked} more" in shown["verdict"]
    assert "did not learn" in shown["losses"]


def test_a_failed_lesson_leaves_what_was_there():
    visitor = LearnVisitor()
    stop_at(visitor, "Checking")
    file, shown = visitor.file, visitor.shown
    with pytest.raises(ValueError, match="No look"):
        list(actions.learn(visitor, wanted(views=[]), SegmentVisitor()))
    left = actions.failed(visitor)
    assert visitor.file is file
    assert all(left[part] == shown[part] for part in ("bars", "curve", "losses", "verdict"))


def test_what_is_shown_beside_takes_a_tenth_of_the_time_at_most():
    pace, costs = Pace(50), []

    def show(_):
        begun = time.monotonic()
        time.sleep(0.02)
        costs.append(time.monotonic() - begun)  # a busy machine sleeps longer
        return {}

    for _ in range(50):
        time.sleep(0.01)
        pace.afford(show, ["picture"])
    took = time.monotonic() - pace.began
    assert costs[0] <= pace.extra <= EXTRA * took + 2 * max(costs)


def test_uploaded_pairs_are_learned_on_and_the_lonely_are_named(page, tmp_path):
    files = save_fields(tmp_path, 3)
    (tmp_path / "alone.png").write_bytes(files[0].read_bytes())
    broken = tmp_path / "broken-mask.png"
    broken.write_bytes(b"no picture")
    (tmp_path / "broken.png").write_bytes(files[0].read_bytes())
    archive = tmp_path / "bag.zip"
    with zipfile.ZipFile(archive, "w") as bag:
        for path in sorted(tmp_path.glob("*.png")):
            bag.write(path, path.name)
    choose(page, "#learn-source", "My own pictures")
    page.locator("#learn-files input[type=file]").set_input_files(archive)
    page.locator("#learn-files", has_text="bag").wait_for()
    page.locator("#learn-files .file-preview").wait_for()
    learn(page)
    notes = page.locator("#learn-notes").inner_text()
    assert "alone.png" in notes
    assert "broken" in notes
    assert "1 picture was" in page.locator("#learn-verdict").inner_text()


def test_an_evil_zip_is_refused_and_the_tab_goes_on(page, tmp_path):
    archive = tmp_path / "evil.zip"
    with zipfile.ZipFile(archive, "w") as bag:
        bag.writestr("../../evil.png", b"x")
    choose(page, "#learn-source", "My own pictures")
    page.locator("#learn-files input[type=file]").set_input_files(archive)
    page.locator("#learn-files .file-preview").wait_for()
    page.locator("#learn-start").click()
    told(page, "evil.zip")


def test_a_weights_file_is_loaded_and_others_are_refused_with_the_reason(page, tmp_path):
    views = VIEW_SETS["flips"]
    good = WEEDS.weight_file(views)
    path = tmp_path / "weights.json"
    good.save(path)
    load = page.locator("input[type=file][accept*=json]")
    load.set_input_files(path)
    says(page, "Loaded")
    assert shares(page) == pytest.approx(list(good.weights.values()), abs=1e-3)
    data = json.loads(path.read_text())
    for name, content, said in (
        ("other", {"entries": [e | {"digest": "0" * 16} for e in data["entries"]]}, "0" * 16),
        ("views", {"entries": [data["entries"][0] | {"view": "<i>far", "weight": 1}]}, "<i>far"),
        ("world", {"world": "mars"}, "mars"),
        ("none", {"entries": [data["entries"][0] | {"weight": None}]}, "null"),
    ):
        bad = tmp_path / f"{name}.json"
        bad.write_text(json.dumps(data | content))
        load.set_input_files(bad)
        told(page, said)
    cut = tmp_path / "cut.json"
    cut.write_text(path.read_text()[:300])
    load.set_input_files(cut)
    told(page, "cut.json")
    assert np.isclose(sum(shares(page)), 1, atol=0.01), "what was on screen stays"
    page.wait_for_function(
        "![...document.querySelectorAll('#learn-bars, #learn-status')]"
        ".some(e => e.parentElement.innerText.includes('Error'))"
    )
