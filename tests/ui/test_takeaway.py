"""What is taken away of a picture: code that repeats it, a report, and all files."""

import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from browser import needs_chromium, settled, upload, visit
from PIL import Image
from playwright.sync_api import expect
from snippets import ROOT

from tta_demo.learning.weight_file import WeightFile, weights_by_name
from tta_demo.models.registry import MODELS
from tta_demo.pictures.palettes import Palette, rgb_png
from tta_demo.pictures.reading import Picture, read_picture
from tta_demo.samples.weeds import sample
from tta_demo.tasks.result import plan_of
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.views import VIEW_SETS
from tta_demo.ui.segment.case import SegmentCase, Settings, example_case, field_case, tick
from tta_demo.ui.takeaway.bundle import all_files, report_json, result_masks, safe_name
from tta_demo.ui.takeaway.document import document
from tta_demo.ui.takeaway.facts import Takeaway

FLIPS = VIEW_SETS["flips"]
RUN = """
import os, runpy, sys, torch
torch.set_num_threads(1)
for folder in sys.argv[1:]:
    os.chdir(folder)
    runpy.run_path("look_again.py")
"""
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>&amp;{{1}}${2}"


def settings(world="weeds", fusion="mean", views=FLIPS):
    return Settings(world, fusion, True, tick(views))


def damaged(world="weeds", itself=False):
    amounts = [0.25, 0.1, 0.05, 0.30000000000000004, 0.2]
    views = ("identity", "hflip") if world == "photos" else FLIPS
    return replace(settings(world, views=views), damage=amounts, itself=itself)


def take(case):
    return Takeaway(case, case.segment())


@pytest.fixture
def uploaded():
    """A picture of odd size, cut from a field, with its mask."""
    made = sample(4000077)
    return SegmentCase(
        name="my own",
        picture=Picture.of(made.rgb[40:141, 11:148]),
        truth=made.labels[40:141, 11:148],
        settings=settings(),
        own_mask=True,
    )


def own_weights(kind):
    """Weights that nobody ships: one a look, of logarithms, or one a look and class."""
    torch.manual_seed(3)
    record = WORLDS["weeds"].record
    shape = (8, 3) if kind == "per class" else (8,)
    rows = torch.softmax(3 * torch.randn(shape), 0).tolist()
    weights = weights_by_name(VIEW_SETS["d4"], rows, record.classes)
    pool = "log" if kind == "log" else "linear"
    return WeightFile("weeds", record.name, record.digest, weights, pool=pool)


def cases(uploaded):
    """Returns every kind of picture, of weights and of fusion, by name."""
    painted = example_case(settings(), 1)
    odd = ("rot90", "tilt+10", "zoom0.75", "shift", "noise", "gamma-", "contrast+", "darker")
    found = {
        "example": example_case(settings(), 0),
        "the demo's weights": example_case(settings("nuclei", "learned"), 2),
        "painted": replace(painted, truth=1 - painted.truth.clip(0, 1), own_mask=True),
        "field": field_case(settings(), 4000021, 0.30000000000000004),
        "no mask": replace(uploaded, truth=None, own_mask=False),
        "looks of no set": replace(uploaded, settings=settings(views=odd)),
        "no background": replace(uploaded, settings=replace(settings(), background=False)),
        "damaged": replace(example_case(settings("photos"), 0), settings=damaged("photos")),
        "damaged, against its own answer": replace(
            uploaded, truth=None, own_mask=False, settings=damaged(itself=True)
        ),
        "damaged field": field_case(damaged(), 4000021, 0.25),
        "reduced": replace(uploaded, picture=replace(uploaded.picture, size=(303, 411))),
    }
    for kind in ("plain", "log", "per class"):
        chosen = settings(fusion="learned")
        found[f"weights {kind}"] = replace(uploaded, settings=chosen, file=own_weights(kind))
    for fusion in FUSIONS:
        found[f"fusion {fusion}"] = replace(uploaded, settings=settings(fusion=fusion))
    return found


@pytest.mark.slow
def test_the_code_of_every_kind_of_picture_repeats_its_mask_to_the_last_bit(uploaded, tmp_path):
    wanted = {}
    for number, (name, case) in enumerate(cases(uploaded).items()):
        folder, taken = tmp_path / str(number), take(case)
        with zipfile.ZipFile(io.BytesIO(all_files(taken))) as archive:
            archive.extractall(folder)
        wanted[name] = folder, (folder / "mask.png").read_bytes()
        (folder / "mask.png").unlink()
        assert wanted[name][1] == result_masks(taken)["mask.png"]
    folders = [str(folder) for folder, _ in wanted.values()]
    command = [sys.executable, "-c", RUN, *folders]
    here = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=here)
    assert done.returncode == 0, done.stderr
    for name, (folder, mask) in wanted.items():
        assert (folder / "mask.png").read_bytes() == mask, name
    assert len({mask for _, mask in wanted.values()}) > len(wanted) / 2, "they are all alike"


def test_the_code_holds_no_name_of_a_file(uploaded):
    assert take(replace(uploaded, name=HOSTILE)).code == take(uploaded).code


def test_the_code_needs_no_file_where_the_picture_can_be_had_again(uploaded):
    for name, case in cases(uploaded).items():
        code = take(case).code
        own = case.name == "my own"
        assert ("picture.png" in code) == own, name
        assert ("truth.png" in code) == (case.own_mask and case.truth is not None), name
        compile(code, name, "exec")
        assert max(map(len, code.splitlines())) <= 99, name


@pytest.mark.parametrize("kind", ["plain", "log", "per class"])
def test_the_report_of_own_weights_gives_the_plan_back(uploaded, kind):
    case = replace(uploaded, settings=settings(fusion="learned"), file=own_weights(kind))
    taken = take(case)
    plan = plan_of(json.loads(report_json(taken)))
    assert plan.settings() == taken.result.plan.settings()


def test_the_report_says_where_the_picture_comes_from(uploaded):
    for case, source in (
        (
            example_case(settings("nuclei"), 1),
            {"kind": "example", "name": WORLDS["nuclei"].examples[1].stem},
        ),
        (field_case(settings(), 4000009, 0.25), {"kind": "field", "seed": 4000009}),
        (uploaded, {"kind": "upload", "name": "my own", "own_truth": True}),
    ):
        report = json.loads(report_json(take(case)))
        assert report["world"] == case.settings.world
        assert source.items() <= report["source"].items()
        assert report["background_counts"] is True
    assert take(field_case(settings(), 4000009, 0.25)).report["source"]["difficulty"] == 0.25


def test_the_report_says_what_was_damaged_and_that_an_own_answer_is_no_truth(uploaded):
    truth = take(replace(uploaded, settings=damaged()))
    itself = take(replace(uploaded, truth=None, own_mask=False, settings=damaged(itself=True)))
    assert truth.report["damage"]["noise"] == itself.report["damage"]["noise"] == 0.25
    assert "compared_with" not in truth.report
    assert "not the truth" in itself.report["compared_with"]
    text = Shape(document(itself)).text
    assert "The truth" not in text
    assert "own answer" in itself.sentence
    own = itself.case.segment().truth
    np.testing.assert_array_equal(own, take(uploaded).result.one_look)
    with zipfile.ZipFile(io.BytesIO(all_files(itself))) as archive:
        assert "truth.png" not in archive.namelist()


# The report


class Shape(HTMLParser):
    """What a browser makes of a document: elements with their attributes, and the text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.addresses, self.alts, self.text = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, [name for name, _ in attrs]))
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        self.alts += [value for name, value in attrs if name == "alt"]

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def made_world(tmp_path, monkeypatch, toy_model):
    """Returns a function from class names to a case whose world has them."""

    def case_of(name, classes, truth):
        record = MODELS["unet-weeds"]
        palette = Palette(classes, record.palette.colors)
        model = replace(record, name=name, palette=palette, load=lambda *_: toy_model)
        world = replace(WORLDS["weeds"], name=name, label=name, model=name, examples=())
        monkeypatch.setitem(MODELS, name, model)
        monkeypatch.setitem(WORLDS, name, world)
        rgb = np.random.default_rng(0).integers(0, 256, (33, 47, 3), np.uint8)
        picture = Picture.of(rgb, name)
        return SegmentCase(name=name, picture=picture, truth=truth, settings=settings(name))

    return case_of


@pytest.mark.parametrize("known", [True, False], ids=["with a truth", "without"])
def test_hostile_names_are_text_in_the_report(made_world, known):
    truth = np.random.default_rng(1).integers(0, 3, (33, 47), np.uint8) if known else None
    plain = Shape(document(take(made_world("mine", ("a", "b", "c"), truth))))
    names = tuple(f"{letter}{HOSTILE}" for letter in "abc")
    hostile = Shape(document(take(made_world(HOSTILE, names, truth))))
    assert hostile.elements == plain.elements
    assert hostile.text.count(HOSTILE) >= 3 * (2 if known else 1)
    assert all(address.startswith("data:image/") for address in hostile.addresses)
    assert len(hostile.addresses) == (8 if known else 7)


def test_the_report_tells_the_numbers_that_follow_from_the_answers(uploaded):
    taken = take(uploaded)
    shape = Shape(document(taken))
    result, text = taken.result, shape.text
    for name, labels in (("One look", result.one_look), ("All looks together", result.labels)):
        (alt,) = (alt for alt in shape.alts if alt.startswith(name))
        assert (
            f"{100 * (labels == 0).mean():.1f}\N{NO-BREAK SPACE}% {result.model.classes[0]}" in alt
        )
    before, after = result.one_look != uploaded.truth, result.labels != uploaded.truth
    fixed, broken = (before & ~after).sum(), (after & ~before).sum()
    assert taken.sentence == (
        f"One look got {before.sum():,} pixels wrong. "
        f"4 looks together fixed {fixed:,} of them and broke {broken:,} others."
    )
    assert taken.sentence in text
    for scores in (taken.report["scores"][key] for key in ("one_look", "fused")):
        assert f"{100 * scores['miou']:.2f}" in text
        assert f"{scores['nll']:.4f}" in text
    probs = result.stack().probs.numpy()
    gap = np.abs(probs[1] - probs[0]).sum(0).mean() / 2
    assert taken.gaps["hflip"] == pytest.approx(gap, rel=1e-4)
    assert f"{100 * gap:.2f}" in text


def test_the_doubt_is_that_of_the_weights_that_were_learned(uploaded):
    case = replace(uploaded, settings=settings(fusion="learned"), file=own_weights("plain"))
    taken = take(case)
    mean = taken.result.probs.numpy().astype(float)
    entropy = -(mean * np.log2(mean.clip(1e-12))).sum(0)
    np.testing.assert_allclose(taken.doubt.total.numpy(), entropy, atol=2e-3)
    np.testing.assert_allclose(
        (taken.doubt.shared + taken.doubt.disagreement).numpy(), entropy, atol=2e-3
    )


# All files


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "C:\\windows\\x", HOSTILE, "a\nb\0c", "", "...", "é" * 300, "-rf", " "],
)
def test_a_name_for_a_file_is_safe_whatever_it_was(name):
    safe = safe_name(name)
    assert safe
    assert len(safe.encode()) < 200
    assert not set(safe) & set("/\\<>:\"|?*\n\0&' ")
    assert safe[0] not in ".-"


def test_the_zip_has_everything_under_names_of_its_own(uploaded):
    case = replace(uploaded, name="../../evil", file=own_weights("plain"))
    case = case.changed(fusion="learned")
    taken = take(case)
    with zipfile.ZipFile(io.BytesIO(all_files(taken))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert set(files) == {
        "picture.png", "truth.png", "mask.png", "colors.png", "overlay.png", "report.json",
        "report.html", "look_again.py", "weights.json",
    }  # fmt: skip

    def pixels(name):
        return np.asarray(Image.open(io.BytesIO(files[name])))

    np.testing.assert_array_equal(pixels("picture.png"), case.picture.rgb)
    np.testing.assert_array_equal(pixels("truth.png"), case.truth)
    np.testing.assert_array_equal(pixels("mask.png"), taken.result.labels)
    colors = WORLDS["weeds"].record.palette.colorize(taken.result.labels)
    np.testing.assert_array_equal(pixels("colors.png"), colors)
    assert files["weights.json"].decode() == case.file.text()


# On the page


@pytest.mark.slow
@needs_chromium
def test_the_page_gives_the_code_the_report_and_the_zip_of_what_it_shows(
    window, url, uploaded, tmp_path, browser
):
    picture = tmp_path / "<b>my own.png"
    picture.write_bytes(rgb_png(uploaded.picture.rgb))
    visit(window, url)
    upload(window, "#picture", picture)
    window.locator("#numbers", has_text="Changed").wait_for()
    settled(window)
    taken = {}
    for name in ("index", "paper", "zip"):
        with window.expect_download() as download:
            window.locator(f"#download-{name}").click()
        taken[name] = download.value.path()
    with zipfile.ZipFile(taken["zip"]) as archive:
        assert archive.read("mask.png") == taken["index"].read_bytes()
        code = archive.read("look_again.py").decode()
        archive.extract("picture.png", tmp_path)
    again = read_picture(tmp_path / "picture.png").rgb
    np.testing.assert_array_equal(again, uploaded.picture.rgb)
    window.get_by_text("Copy as Python").click()
    shown = window.locator("#code .cm-content")
    shown.wait_for()
    assert [line for line in shown.inner_text().split("\n") if line.strip()] == [
        line for line in code.split("\n") if line.strip()
    ]
    report, asked = browser.new_page(), []
    report.on("request", lambda request: asked.append(request.url))
    page = tmp_path / "report.html"
    page.write_bytes(taken["paper"].read_bytes())
    report.goto(page.as_uri())
    assert report.locator("img").count() == 7
    assert report.evaluate("[...document.images].every(i => i.naturalWidth > 0)")
    assert [address for address in asked if not address.startswith("data:")] == [page.as_uri()]
    report.close()


@pytest.mark.slow
@needs_chromium
def test_downloads_wait_for_the_result_they_belong_to(window, url):
    visit(window, url)
    window.get_by_label("Remove Image").first.click()
    window.locator("#numbers", has_text="no picture").wait_for()
    for name in ("index", "colors", "report", "paper", "zip"):
        expect(window.locator(f"#download-{name}"), name).to_be_disabled()
    window.locator("#examples button").nth(1).click()
    settled(window)
    for name in ("index", "colors", "report", "paper", "zip"):
        expect(window.locator(f"#download-{name}"), name).to_be_enabled()
