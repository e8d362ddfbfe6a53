import re
from html import unescape

import cv2
import httpx
import numpy as np
import pytest
from browser import needs_chromium, visit

from tta_demo.ui.kit.preview import SIZE, TITLE

pytestmark = pytest.mark.slow


def tags(text):
    """Returns the tags that those who make previews read, each of which must stand there once."""
    found = re.findall(r'<meta\s+(?:property|name)="((?:og|twitter):\S+)"\s+content="(.*?)"', text)
    assert len(dict(found)) == len(found), found
    return {name: unescape(content) for name, content in found}


def test_a_preview_has_the_page_s_own_words_and_addresses(url):
    link = f"{url}?world=weeds&seed=4000005"
    answer = httpx.get(link)
    found = tags(answer.text)
    assert found["og:title"] == TITLE
    assert found["og:url"] == link
    assert "gradio" not in " ".join(found.values()).lower()
    picture = httpx.get(found["og:image"])
    assert picture.headers["content-type"] == "image/jpeg"
    pixels = cv2.imdecode(np.frombuffer(picture.content, np.uint8), 1)
    assert pixels.shape[1::-1] == SIZE == (1200, 630)


def test_behind_a_proxy_addresses_are_those_of_the_proxy(url):
    proxy = {"x-forwarded-host": "me-look.hf.space", "x-forwarded-proto": "https"}
    found = tags(httpx.get(url, headers=proxy).text)
    assert found["og:image"] == "https://me-look.hf.space/preview.jpg"
    assert found["og:url"] == "https://me-look.hf.space/"


def test_the_page_comes_compressed_to_whoever_reads_that(url):
    plain = httpx.get(url, headers={"accept-encoding": "identity"})
    packed = httpx.get(url, headers={"accept-encoding": "gzip, br"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert tags(packed.text) == tags(plain.text)


def test_nothing_of_an_address_becomes_markup(url):
    text = httpx.get(f'{url}?world="><script>alert(1)</script>').text
    assert "<script>alert" not in text
    strange = httpx.get(url, headers={"x-forwarded-host": 'a"><script>alert(1)</script>'})
    assert "<script>alert" not in strange.text.partition("gradio_config")[0]


def test_other_answers_pass_unchanged(url):
    assert httpx.get(f"{url}config").json()["title"] == TITLE
    assert httpx.head(url).status_code == 200
    assert httpx.get(f"{url}nowhere").status_code == 404


@needs_chromium
def test_the_keyboard_reaches_the_result_at_once(window, url):
    visit(window, url)
    window.keyboard.press("Tab")
    link = window.locator("#skip button")
    assert link.evaluate("e => e == document.activeElement")
    window.keyboard.press("Enter")
    window.keyboard.press("Tab")
    assert window.evaluate("!!document.activeElement.closest('#stage .modes')")
