"""What axe-core (Deque's rules for accessible pages) says of every tab, as a visitor finds it."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from browser import DESKTOP, PHONE, needs_chromium, open_tab, visit

pytestmark = [needs_chromium, pytest.mark.slow]

AXE = Path(find_spec("axe_playwright_python").origin).with_name("axe.min.js")
NAMED = "label-content-name-mismatch"
"""A rule that axe-core still calls an experiment: whoever speaks to the page says what is written
on a button. Gradio's boxes for uploads do not pass it."""
OURS = {"rules": [{"id": NAMED, "selector": "#page button:not(.upload-container)"}]}
OPTIONS = {"resultTypes": ["violations"], "rules": {NAMED: {"enabled": True}}}
AT_WORK = ".working, .tabitem:not([hidden]) [data-status=playing], .progress-text"


def finding(violation):
    places = "; ".join(node["html"][:160] for node in violation["nodes"][:3])
    return f"{violation['id']} x {len(violation['nodes'])}: {places}"


def rests(page):
    """Waits until nothing has been at work for a while: not even what asks for more, or fades."""
    page.evaluate(
        """busy => new Promise(rested => {
            let since = performance.now();
            const timer = setInterval(() => {
                const now = performance.now();
                if ([...document.querySelectorAll(busy)].some(e => e.offsetParent)) since = now;
                if (now - since > 700) rested(clearInterval(timer));
            }, 50);
        })""",
        AT_WORK,
    )


UNREACHED = """() => {
    const reached = "a[href], button, input, select, textarea, summary, label, [tabindex='0']";
    const points = e => getComputedStyle(e).cursor === "pointer";
    return [...document.querySelectorAll("#page *")]
        .filter(e => e.offsetParent && points(e) && !points(e.parentElement))
        .filter(e => !e.closest(reached) && !e.querySelector(reached))
        .map(e => "no key reaches " + e.outerHTML.slice(0, 160));
}"""
"""What a pointer can press and keys cannot."""


def findings(page):
    """The serious and critical findings on the page as it stands."""
    page.evaluate(AXE.read_text())
    page.evaluate("rules => axe.configure(rules)", OURS)
    found = page.evaluate("options => axe.run(options)", OPTIONS)["violations"]
    return [finding(one) for one in found if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_tab_has_a_serious_finding(window, url, dark):
    visit(window, url, dark)
    tabs = window.locator("#tabs > .tab-wrapper [role=tab]")
    names = tabs.all_inner_texts()
    found = {}
    for tab in names:
        open_tab(window, tab)
        for size in (PHONE, DESKTOP):
            window.set_viewport_size(size)
            rests(window)
            found[tab, size["width"]] = findings(window) + window.evaluate(UNREACHED)
    assert len(names) > 3
    assert not {where: said for where, said in found.items() if said}


@pytest.mark.parametrize("kind", ["radio", "checkbox", "range"])
def test_one_sees_where_the_keys_are(window, visited, url, kind):
    if window not in visited:
        visit(window, url)
        visited.add(window)
    window.keyboard.press("Tab")
    window.locator(f"#page input[type={kind}]:visible").first.focus()
    focused = window.evaluate("getComputedStyle(document.activeElement).outline")
    assert "none" not in focused
