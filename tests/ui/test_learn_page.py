import json
import zipfile

import numpy as np
import pytest
from browser import DESKTOP, PHONE, needs_chromium, numbers, open_tab, settled, told, visit

from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.registry import load_model
from tta_demo.pictures.palettes import index_png, rgb_png
from tta_demo.pictures.reading import read_picture
from tta_demo.samples.weeds import DIFFICULTY, SEEDS
from tta_demo.scoring.metrics import mean_iou
from tta_demo.tasks.segment import segment
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.views import VIEW_SETS

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


def few_fields(page):
    box = page.locator("#learn-count input[type=number]")
    box.fill("4")
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


def save_fields(folder, count, prefix="field"):
    for number, seed in enumerate(SEEDS["calibration"][:count]):
        made = WEEDS.generate(seed, DIFFICULTY)
        (folder / f"{prefix}{number}.png").write_bytes(rgb_png(made.rgb))
        mask = index_png(made.labels, WEEDS.record.palette)
        (folder / f"{prefix}{number}-mask.png").write_bytes(mask)
    return sorted(folder.iterdir())


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_learned_weights_are_checked_saved_and_used(page, size, tmp_path):
    few_fields(page)
    learn(page)
    said = page.locator("#learn-verdict").inner_text()
    assert "6 pictures" in said
    assert "4 more" in said, "six pictures are too few for a verdict"
    assert page.locator("#learn-held-out tbody tr").count() == 6
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
    open_tab(page, "Weights")
    shown = page.locator("#weights .share").all_inner_texts()
    assert [float(text.rstrip("%")) / 100 for text in shown] == pytest.approx(
        list(file.weights.values()), abs=1e-3
    )
    example = WEEDS.examples[0]
    picture = read_picture(example)
    truth, _ = WEEDS.read_truth(WEEDS.mask_of(example), picture)
    plan, _ = WEEDS.plan(file.views, "learned", file)
    wanted = segment(WEEDS.record, picture, plan, truth).matrices
    assert numbers(page)[:2] == [f"{100 * mean_iou(matrix):.1f} %" for matrix in wanted]


def test_a_second_method_runs_no_forward_pass_and_weights_a_class_say_so(page, tmp_path):
    few_fields(page)
    learn(page)
    count = []
    network = load_model(WEEDS.model).network
    hook = network.register_forward_pre_hook(lambda *_: count.append(1))
    try:
        choose(page, "#learn-form", "One a look and class")
        page.locator("#learn-method label", has_text="Exact").wait_for(state="detached")
        page.locator("#learn-status", has_text="Done").wait_for()
        page.locator("#learn-start").click()
        page.locator("#learn-bars .classes").wait_for(timeout=60_000)
        page.locator("#learn-start:not([disabled])").wait_for()
        says(page, "Done")
    finally:
        hook.remove()
    assert not count
    file = WeightFile.load(saved(page, tmp_path))
    assert set(file.weights["hflip"]) == set(WEEDS.record.palette.names)
    assert file.method == "adam"


def test_stop_keeps_what_there_is(page):
    page.locator("#learn-preset label", has_text="All 15").click()
    page.locator("#learn-start").click()
    says(page, "Looking at picture")
    page.locator("#learn-stop").click()
    says(page, "Start goes on from there")


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
    page.locator("#learn-bars .bar").first.wait_for()
    assert shares(page) == pytest.approx(list(good.weights.values()), abs=1e-3)
    data = json.loads(path.read_text())
    for entry in data["entries"]:
        entry["digest"] = "0" * 16
    other = tmp_path / "other.json"
    other.write_text(json.dumps(data))
    load.set_input_files(other)
    told(page, "0" * 16)
    assert np.isclose(sum(shares(page)), 1, atol=0.01), "what was on screen stays"
