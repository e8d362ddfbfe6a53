"""Damaging the picture on the page: what is shown, compared and restored."""

import numpy as np
import pytest
from browser import changes_numbers, needs_chromium, numbers, settled, upload, visit
from PIL import Image

from tta_demo.pictures.damage import Damage, damage
from tta_demo.pictures.palettes import rgb_png
from tta_demo.pictures.reading import Picture
from tta_demo.samples.weeds import sample
from tta_demo.scoring.metrics import mean_iou
from tta_demo.tasks.segment import segment
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.plan import Plan
from tta_demo.tta.views import VIEW_SETS

pytestmark = [needs_chromium, pytest.mark.slow]

WORLD = next(iter(WORLDS.values()))
LOOKS = Plan(VIEW_SETS["d4"])
HALF = Damage(noise=0.5)


@pytest.fixture
def page(window, url):
    visit(window, url)
    window.locator("#damage > button").click()
    return window


def slide(page, name, amount):
    """Moves a slider as a hand does, by its own events."""
    slider = page.locator(f"#damage-{name} input[type=range]")
    slider.wait_for()
    slider.fill(str(amount))


def rests(page, shown):
    """Shows the stage as it rests in a mode."""
    page.locator(f"#stage .modes [data-mode={shown}]").click()
    page.locator("#stage :not([data-status=playing]) > .left").wait_for()


def noise_of(page):
    """Returns how much neighbouring pixels of the picture on stage differ, 0..255."""
    rests(page, "picture")
    return page.evaluate(
        """() => {
        const canvas = document.querySelector("#stage canvas.photo");
        const { width, height } = canvas;
        const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
        let sum = 0;
        for (let i = 4; i < data.length; i += 4) sum += Math.abs(data[i] - data[i - 4]);
        return (4 * sum) / data.length;
    }"""
    )


def percents(result):
    return [f"{100 * mean_iou(matrix):.1f} %" for matrix in result.matrices]


def test_damage_shows_on_the_stage_keeps_the_truth_and_goes_without_a_trace(page):
    before, quiet = numbers(page), noise_of(page)
    now = changes_numbers(page, lambda: slide(page, "noise", 0.5))
    assert noise_of(page) > 3 * quiet
    path = WORLD.examples[0]
    picture = np.array(Image.open(path).convert("RGB"))
    truth, _ = WORLD.read_truth(WORLD.mask_of(path), Picture.of(picture))
    broken = Picture.of(damage(picture, HALF))
    assert now[:2] == percents(segment(WORLD.record, broken, LOOKS, truth))
    assert "noise 0.5" in page.locator("#notes").inner_text()
    assert changes_numbers(page, page.locator("#damage-reset").click) == before
    assert page.locator("#damage-noise input[type=range]").input_value() == "0"
    assert noise_of(page) == quiet


def test_without_a_mask_its_own_answer_can_be_compared_with_and_is_never_called_truth(
    page, tmp_path
):
    itself = page.locator("#itself input")
    assert not itself.count()
    made = sample(4000031)
    (tmp_path / "mine.png").write_bytes(rgb_png(made.rgb))
    upload(page, "#picture", tmp_path / "mine.png")
    itself.wait_for()
    changes_numbers(page, lambda: slide(page, "noise", 0.5))
    now = changes_numbers(page, itself.check)
    own = segment(WORLD.record, Picture.of(made.rgb)).labels
    found = segment(WORLD.record, Picture.of(damage(made.rgb, HALF)), LOOKS, own)
    assert now[:2] == percents(found)
    rests(page, "changed")
    assert "own answer on the undamaged picture" in page.locator("#stage .say").inner_text()
    assert "not the truth" in page.locator("#stage .sub").inner_text()
    assert "own answer" in page.locator("#numbers").inner_text()
    wrong = int((found.one_look != own).sum())
    assert f"{wrong:,} pixels" in page.locator("#stage .say").inner_text()
    assert page.locator("#stage .modes [data-mode=truth]").inner_text() == "Own answer"


def test_a_link_opens_the_damaged_picture(page):
    rests(page, "changed")
    changes_numbers(page, lambda: slide(page, "noise", 0.5))
    page.wait_for_function("location.search.includes('damage=noise:0.5')")
    wanted, address = numbers(page), page.evaluate("location.href")
    page.goto(address)
    page.locator("#numbers .value").first.wait_for(timeout=60_000)
    settled(page)
    assert numbers(page) == wanted
    page.locator("#damage > button").click()
    assert page.locator("#damage-noise input[type=range]").input_value() == "0.5"
