"""Driving the page in a real browser: Debian's Chromium through Playwright."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
expect.set_options(timeout=30_000)
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
QUIET = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

needs_chromium = pytest.mark.skipif(
    not CHROMIUM.exists() and not os.environ.get("CI"),
    reason="there is no /usr/bin/chromium; in CI its absence is a failure",
)
both_sizes = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
on_a_phone = pytest.mark.parametrize("size", [PHONE], ids=["phone"])


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        try:
            yield browser
        finally:
            browser.close()


def visit(page: Page, url: str, dark: bool = False) -> None:
    """Opens the page, as a new visitor, and waits for the example's result."""
    page.goto(f"{url}?__theme={'dark' if dark else 'light'}")
    page.locator("#numbers .value").first.wait_for(timeout=60_000)
    settled(page)


def settled(page: Page) -> None:
    """Waits until the result is shown and its downloads are ready."""
    page.locator("#results:not(.working)").wait_for(timeout=60_000)
    page.locator("#download-report:not([disabled])").wait_for(timeout=60_000)


def numbers(page: Page) -> list[str]:
    return [unbroken(text) for text in page.locator("#numbers .value").all_inner_texts()]


def unbroken(text: str) -> str:
    """Returns a text with plain spaces, as one types them."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def changes_numbers(page: Page, act) -> list[str]:
    """Acts, waits until the three numbers differ from before, and returns them."""
    before = numbers(page)
    act()
    page.wait_for_function(
        "before => { const now = [...document.querySelectorAll('#numbers .value')]"
        ".map(e => e.innerText.replace('\xa0', ' '));"
        "return now.length == 3 && now.join() != before.join() }",
        arg=before,
        timeout=60_000,
    )
    settled(page)
    return numbers(page)


def shows(page: Page, first_two: list[str]) -> None:
    """Waits until the first two numbers are these, and the result is complete."""
    page.wait_for_function(
        "wanted => [...document.querySelectorAll('#numbers .value')].slice(0, 2)"
        ".map(e => e.innerText.replace('\xa0', ' ')).join() == wanted.join()",
        arg=first_two,
        timeout=60_000,
    )
    settled(page)


def upload(page: Page, box: str, path: Path) -> None:
    page.locator(f"{box} input[type=file]").first.set_input_files(path)


def told(page: Page, text: str) -> None:
    """Waits for a message that has this text."""
    page.locator(".toast-body", has_text=text).first.wait_for(timeout=30_000)


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()
