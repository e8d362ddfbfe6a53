from urllib.parse import parse_qsl

import numpy as np
import pytest
from browser import DESKTOP, changes_numbers, needs_chromium, numbers, settled, told, upload
from playwright.sync_api import expect

from tta_demo.pictures.damage import Damage
from tta_demo.samples.weeds import sample
from tta_demo.tasks.segment import segment
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.views import VIEW_SETS
from tta_demo.ui.segment.link import Link, link_of

LINKS = [
    Link(),
    Link(seed=4000005, fusion="learned"),
    Link(seed=4000005, difficulty=0.05, mode="doubt"),
    Link("nuclei", example=3, views=VIEW_SETS["all"], fusion="vote"),
    Link(views=("rot90", "identity", "contrast+")),
    Link("photos", example=2, damage=Damage(noise=0.25, low_contrast=0.30000000000000004)),
    Link(seed=4000005, damage=Damage(jpeg=1)),
    Link(models=("unet-weeds-novice",)),
    Link(
        views=("identity", "hflip"),
        models=("unet-weeds", "unet-weeds-small"),
        off=("unet-weeds/hflip", "unet-weeds-small/identity"),
    ),
]


def parameters(query):
    return dict(parse_qsl(query, strict_parsing=True))


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.query())
def test_what_is_written_is_read_back(link):
    assert Link.read(parameters(link.query())) == link
    assert Link.read(parameters(link.query()) | {"__theme": "dark", "utm_source": "x"}) == link


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.query())
def test_a_link_opens_what_links_to_it(link):
    opened = link_of(link.case())
    field = ("world", "views", "fusion", "difficulty", "damage", "models", "off")
    assert [getattr(opened, name) for name in field] == [getattr(link, name) for name in field]
    np.testing.assert_array_equal(opened.case().picture.rgb, link.case().picture.rgb)
    np.testing.assert_array_equal(opened.case().truth, link.case().truth)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"world": "mars"}, "mars.*weeds, nuclei"),
        ({"seed": "x"}, "'x'"),
        ({"seed": "1"}, "4000000 to 4009999"),
        ({"seed": "-4000000"}, "-4000000"),
        ({"seed": "4000000", "example": "1"}, "example 1"),
        ({"seed": "4000000", "difficulty": "nan"}, "nan"),
        ({"seed": "4000000", "difficulty": "2"}, "2.0"),
        ({"world": "nuclei", "seed": "4000000"}, "nuclei"),
        ({"world": "nuclei", "example": "9"}, "example 9"),
        ({"example": "0"}, "0"),
        ({"views": "d5"}, "d5"),
        ({"views": ""}, "''"),
        ({"views": "shift", "fusion": "learned"}, "shift"),
        ({"fusion": "best"}, "best"),
        ({"damage": "noise:2"}, "noise is 2.0"),
        ({"damage": "noise:nan"}, "noise is nan"),
        ({"damage": "noise"}, "noise ''"),
        ({"damage": "seed:1"}, "'seed'.*noise, darkness"),
        ({"damage": "<b>:.5"}, "<b>"),
        ({"mode": "<b>"}, "<b>"),
        ({"models": "unet-weeds,mine"}, "'mine'.*unet-weeds-novice"),
        ({"models": "unet-weeds-novice", "fusion": "learned"}, "unet-weeds-novice"),
        ({"world": "nuclei", "models": "unet-weeds"}, "unet-weeds.*unet-nuclei"),
        ({"off": "unet-weeds/hflip"}, "unet-weeds/hflip"),
        ({"fusion": "x" * 9999}, "9999 letters"),
        ({"seed": "4" * 5000}, "5000 letters"),
    ],
)
def test_what_cannot_be_opened_is_refused_by_its_value(query, said):
    with pytest.raises(ValueError, match=said):
        Link.read(query)


@pytest.fixture
def page(browser, url):
    """A window of its own: a link is opened as a new visitor does."""
    page = browser.new_page(viewport=DESKTOP, reduced_motion="reduce")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield page
    page.close()


def arrive(page, address):
    page.goto(address)
    page.locator("#numbers .value").first.wait_for(timeout=60_000)
    settled(page)


def written(page, *parts):
    """Waits until the address has these parts, and returns its parameters."""
    page.wait_for_function(
        "parts => parts.every((part) => location.search.includes(part))", arg=list(parts)
    )
    return parameters(page.evaluate("location.search.slice(1)"))


@needs_chromium
@pytest.mark.slow
def test_a_link_sets_up_the_page(page, url):
    link = Link(seed=4000005, difficulty=0.3, views=VIEW_SETS["flips"], mode="doubt")
    arrive(page, f"{url}?__theme=light&{link.query()}")
    made = sample(4000005, 0.3)
    record = WORLDS["weeds"].record
    case = link.case()
    result = segment(record, case.picture, case.segment().plan, made.labels)
    wrong = int((result.labels != made.labels).sum())
    page.locator("#stage .count b", has_text=f"{wrong:,}").wait_for()
    page.locator("#stage .modes [aria-pressed=true]", has_text="Doubt").wait_for()
    assert page.locator("#mirror-and-turn input:checked").count() == 4
    assert page.get_by_role("slider", name="Difficulty").first.input_value() == "0.3"


@needs_chromium
@pytest.mark.slow
def test_the_address_follows_what_is_chosen_and_brings_it_back(page, url):
    arrive(page, f"{url}?__theme=light")
    assert page.evaluate("location.search") == "?__theme=light"
    page.get_by_label("Majority vote").click()
    page.locator("#stage .modes [data-mode=together]").click()
    query = written(page, "fusion=vote", "mode=together")
    assert query.pop("__theme") == "light"
    settled(page)
    before = numbers(page)
    page.locator("#share .copy").click()
    page.locator("#share", has_text="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert parameters(copied.split("?")[1]) == query
    arrive(page, copied)
    assert numbers(page) == before
    assert page.locator("#fusion input:checked").get_attribute("value") == "vote"


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("chosen", ["mode=truth", "fusion=vote"])
def test_what_is_chosen_while_the_first_look_plays_is_written_too(browser, url, chosen):
    page = browser.new_page()  # `page` may be of those who want no motion
    page.goto(url)
    page.locator("#stage [data-status=playing]").wait_for()
    page.locator("#mirror-and-turn input").first.wait_for()
    assert not page.evaluate("location.search")
    if chosen == "mode=truth":
        page.locator("#stage .modes [data-mode=truth]").click()
    else:
        page.get_by_label("Majority vote").click()
    written(page, chosen, "world=weeds")
    page.close()


@needs_chromium
@pytest.mark.slow
def test_a_link_that_cannot_be_read_says_so_and_opens_the_usual_page(page, url):
    page.goto(f"{url}?world=<i>mars</i>")
    told(page, "<i>mars</i>")
    page.locator("#numbers .value").first.wait_for(timeout=60_000)
    page.locator("#stage .filled").wait_for()


@needs_chromium
@pytest.mark.slow
def test_what_a_visitor_brings_is_in_no_link(page, url):
    arrive(page, f"{url}?{LINKS[1].query()}")
    example = WORLDS["nuclei"].examples[0]
    weeds = WORLDS["weeds"]
    mask = weeds.mask_of(weeds.examples[1])
    changes_numbers(page, lambda: upload(page, "#mask", mask))
    page.locator("#share .copy").click()
    page.locator("#share", has_text="own mask").wait_for()
    upload(page, "#picture", example)
    page.locator("#share", has_text="no link").wait_for(timeout=60_000)
    expect(page.locator("#share .copy")).to_be_disabled()
    page.wait_for_function("!location.search.includes('seed')")
