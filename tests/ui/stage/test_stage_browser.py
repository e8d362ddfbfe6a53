"""The stage alone on a page, in a real browser."""

import json
import re

import gradio as gr
import numpy as np
import pytest
from browser import DESKTOP, needs_chromium
from playwright.sync_api import expect
from stage_scenes import D4, fused, scene_of

from tta_demo.tta.views import VIEW_SETS
from tta_demo.ui.kit.theme import THEME
from tta_demo.ui.stage import BUSY, pack, painted, stage

pytestmark = [needs_chromium, pytest.mark.xdist_group("stage")]

HOSTILE = (
    "<img src=x onerror='window.pwned=1'>",
    "${window.pwned=2}",
    "{{value}}</style><script>window.pwned=3</script>",
)
SCENES = {
    "play": {"play": "full", "views": ("identity", "hflip")},
    "d4": {},
    "median": {"fusion": "median"},
    "plain": {"truth": False},
    "fifteen": {"views": VIEW_SETS["all"], "size": (40, 40)},
    "moved": {"views": ("identity", "tilt+10", "shift", "zoom0.5")},
    "classes": {"classes": 150, "size": (40, 40)},
    "tall": {"size": (150, 30)},
    "wide": {"size": (24, 160), "play": "fast", "views": ("identity", "rot90")},
    "hostile": {"names": HOSTILE, "name": HOSTILE[0]},
    "hidden": {"play": "fast", "views": ("identity", "hflip")},
}
MADE: dict = {}


def made(name):
    """Returns the scene of a name and its stack."""
    if name not in MADE:
        MADE[name] = scene_of(**{"play": "none", **SCENES[name]})
    return MADE[name]


def page():
    """A page of one stage; `?scene=NAME` chooses what it shows."""

    def show(request: gr.Request):
        return pack(made(request.query_params["scene"])[0])

    def answer(request: gr.Request, event: gr.EventData):
        told = json.dumps({"switch": event._data})
        if event._data["fused"]:
            return gr.skip(), told
        name = request.query_params["scene"]
        on = [look in event._data["on"] for look in made(name)[0].looks]
        return pack(scene_of(**{"play": "none", **SCENES[name]}, on=on)[0]), told

    def take(request: gr.Request, event: gr.EventData):
        scene, _ = made(request.query_params["scene"])
        mask = painted(event._data, scene.rgb.shape[:2], len(scene.names))
        told = json.dumps({"painted": [int(n) for n in np.bincount(mask.ravel())]})
        return pack(type(scene)(**{**vars(scene), "truth": mask})), told

    def select(event: gr.EventData):
        return json.dumps({"select": event._data})

    with gr.Blocks() as blocks:
        with gr.Tabs():
            with gr.Tab("Stage"):
                shown = stage(None, "stage")
            with gr.Tab("Other"):
                late = stage(None, "late")
        gr.HTML("<div style='height: 1200px'></div>")
        told = gr.Textbox(elem_id="told")
        busy = gr.Button("Busy")
        blocks.load(show, None, shown, show_progress="hidden")
        blocks.load(show, None, late, show_progress="hidden")
        shown.switch(answer, None, [shown, told], show_progress="hidden")
        shown.painted(take, None, [shown, told], show_progress="hidden")
        shown.select(select, None, told, show_progress="hidden")
        busy.click(lambda: BUSY, None, shown, show_progress="hidden")
    return blocks


@pytest.fixture(scope="module")
def served():
    blocks = page()
    blocks.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, theme=THEME)
    yield blocks.local_url
    blocks.close()


class Stage:
    """What a visitor can see and do."""

    def __init__(self, tab):
        self.tab = tab

    def find(self, selector, **options):
        return self.tab.locator(f"#stage {selector}", **options)

    def ready(self):
        self.find(".stage-grid[data-ready]").wait_for(timeout=20_000)
        return self

    def rests(self):
        self.find(".stage-grid[data-status=rest]").wait_for(timeout=20_000)

    def say(self):
        return self.find(".say").inner_text()

    def count(self):
        return int(re.sub(r"\D", "", self.find(".count b").inner_text()))

    def mode(self):
        return self.find(".modes [aria-pressed=true]").get_attribute("data-mode")

    def votes(self):
        """Returns class, certainty and weight of every row."""
        rows = self.find(".rows li")
        texts = rows.evaluate_all(
            "rows => rows.map(r => ['.class', '.sure', '.weight']"
            ".map(s => r.querySelector(s).textContent))"
        )
        return [tuple(row) for row in texts]

    def told(self):
        value = self.tab.locator("#told textarea, #told input").first
        self.tab.wait_for_function(
            "document.querySelector('#told textarea, #told input').value != ''"
        )
        return json.loads(value.input_value())


@pytest.fixture
def opened(served, browser):
    """Opens a scene, and fails in the end if a script did."""
    tabs = []

    def open_scene(name, size=DESKTOP, **options):
        tab = browser.new_page(viewport=size, **options)
        errors = []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tabs.append((tab, errors))
        tab.goto(f"{served}?scene={name}")
        return Stage(tab)

    yield open_scene
    for tab, errors in tabs:
        tab.close()
        assert not errors


def steps(name, key="wrong"):
    return json.loads(pack(made(name)[0])["about"])["steps"][key]


def test_it_plays_by_itself_once_and_rests_on_what_changed(opened):
    on = opened("play").ready()
    assert on.find(".play").get_attribute("aria-label") == "Pause"
    on.find(".ticker.on").wait_for()
    on.rests()
    assert on.mode() == "changed"
    assert on.count() == steps("play")[-1]
    assert "Two looks together" in on.say()
    assert on.find(".rows li.wait").count() == 0


def test_a_play_can_be_paused_and_goes_on(opened):
    on = opened("play").ready()
    on.find(".play").click()
    on.find(".stage-grid[data-status=paused]").wait_for()
    assert on.find(".play").get_attribute("aria-label") == "Go on"
    on.find(".play").click()
    on.find(".stage-grid[data-status=playing]").wait_for()
    on.find(".picture").click()  # a click ends it
    on.rests()


def test_reduced_motion_shows_the_end_at_once(opened):
    on = opened("play", reduced_motion="reduce").ready()
    assert on.find(".stage-grid").get_attribute("data-status") != "playing"
    assert on.mode() == "changed"
    assert on.count() == steps("play")[-1]


def test_the_scrubber_goes_by_arrow_keys(opened):
    on = opened("d4").ready()
    on.find(".scrub").focus()
    wrong = steps("d4")
    for k in (7, 6):
        on.tab.keyboard.press("ArrowLeft")
        assert on.count() == wrong[k - 1]
    on.tab.keyboard.press("Home")
    assert on.find(".count em").inner_text() == "looks 1 of 8"
    assert on.find(".scrub").get_attribute("aria-valuetext").startswith("1 of 8 looks")


def test_the_inspector_says_what_the_library_says(opened):
    on = opened("d4").ready()
    scene, stack = made("d4")
    box = on.find(".picture").bounding_box()
    height, width = scene.rgb.shape[:2]
    for x, y in ((11, 7), (60, 50)):
        on.tab.mouse.move(
            box["x"] + (x + 0.5) * box["width"] / width,
            box["y"] + (y + 0.5) * box["height"] / height,
        )
        on.find(".where", has_text=f"{x}, {y}").wait_for()
        for row, look in zip(on.votes(), scene.looks.values(), strict=True):
            label = look.labels[y, x]
            assert row[0] == scene.names[label]
            sure = 100 * float(look.log_probs[label, y, x].exp())
            assert abs(int(row[1].split()[0].replace("under", "0")) - sure) <= 1
            assert row[2] == "12.5 %"
        mean = stack.probs.mean(0)[:, y, x]
        together = on.find(".sum .class").inner_text()
        assert together == scene.names[int(mean.argmax())]
        verdict = on.find(".sum .weight").inner_text()
        assert ("right" in verdict) == (scene.truth[y, x] == int(mean.argmax()))


def test_arrow_keys_move_the_point(opened):
    on = opened("d4").ready()
    before = [int(n) for n in re.findall(r"\d+", on.find(".where").inner_text())]
    on.find(".picture").focus()
    on.tab.keyboard.press("ArrowLeft")
    on.tab.keyboard.press("Shift+ArrowUp")
    x, y = max(0, before[0] - 1), max(0, before[1] - 10)
    on.find(".where", has_text=re.compile(rf"at {x}, {y}$")).wait_for()
    told = on.find(".picture").get_attribute("aria-label")
    assert f"Pixel {x} across, {y} down" in told
    scene, stack = made("d4")
    ours = fused(stack, "mean")
    shares = np.bincount(ours.ravel(), minlength=len(scene.names)) / ours.size
    most = int(shares.argmax())
    assert told.startswith(f"Overlay: {100 * shares[most]:.1f} % {scene.names[most]}")


def test_a_look_taken_out_is_combined_here_as_the_library_does(opened):
    on = opened("d4").ready()
    scene, stack = made("d4")
    on.find(".rows li").nth(2).locator("input").uncheck()
    ours = fused(stack, "mean", on=[v != 2 for v in range(8)])
    wrong = int((ours != scene.truth).sum())
    on.find(".count em", has_text="7 of 7").wait_for()
    assert abs(on.count() - wrong) <= 0.001 * ours.size
    told = on.told()["switch"]
    assert told.pop("at") > 0
    assert told == {"on": [name for v, name in enumerate(D4) if v != 2], "fused": True}
    assert on.votes()[2][2] == "off"
    assert on.votes()[0][2] == "14.3 %"


def test_the_last_look_stays(opened):
    on = opened("play").ready()
    for v in (1, 0):
        on.find(".rows li").nth(v).locator("input").click()
    on.find(".count em", has_text="1 look").wait_for()
    expect(on.find(".rows li").nth(0).locator("input")).to_be_checked()


def test_what_the_browser_cannot_combine_the_server_does(opened):
    on = opened("median").ready()
    on.find(".rows li").nth(1).locator("input").click()
    on.find(".count em", has_text="7 of 7").wait_for()
    scene, stack = made("median")
    ours = fused(stack, "median", on=[v != 1 for v in range(8)])
    assert on.count() == int((ours != scene.truth).sum())
    assert on.told()["switch"]["fused"] is False
    expect(on.find(".busy.on")).to_be_hidden()


def test_a_row_opens_its_three_pictures(opened):
    on = opened("d4", reduced_motion="reduce").ready()
    on.find(".rows .name").nth(4).click()
    captions = on.find(".panes figcaption")
    assert captions.all_inner_texts() == ["Shown", "Answered", "Turned back"]
    assert on.told() == {"select": {"look": "rot90"}}
    on.find(".close").click()
    assert captions.all_inner_texts()[0] == "One look"


def test_the_magnifier_steps_to_fixed_and_broken_pixels(opened):
    on = opened("d4").ready()
    scene, _ = made("d4")
    one, last, truth = scene.first, scene.together[-1], scene.truth
    for button, mask in (
        (".next-good", (one != truth) & (last == truth)),
        (".next-bad", (one == truth) & (last != truth)),
    ):
        on.find(button).click()
        on.find(".lens-title", has_text="At pixel").wait_for()
        on.tab.wait_for_timeout(60)
        x, y = (int(n) for n in re.findall(r"\d+", on.find(".where").inner_text()))
        assert mask[y, x], button


def test_forgetting_to_turn_back_makes_it_worse(opened):
    on = opened("d4").ready()
    before = on.count()
    on.find(".forget").check()
    on.find(".sub", has_text="where the look saw it").wait_for()
    assert on.count() > 1.5 * before
    on.find(".forget").uncheck()
    on.find(".legend", has_text="fixed").wait_for()
    assert on.count() == before


def test_every_mode_draws_another_picture(opened):
    on = opened("d4", reduced_motion="reduce").ready()
    drawn = {}
    for mode in ("picture", "one", "together", "changed", "doubt", "truth"):
        on.find(f"[data-mode={mode}]").click()
        drawn[mode] = on.find(".overlay").evaluate("canvas => canvas.toDataURL()")
    assert len(set(drawn.values())) == 6
    on.find("[data-mode=doubt]").click()
    for kind in ("Disagree", "Shared"):
        on.find(".kinds button", has_text=kind).click()
        drawn[kind] = on.find(".overlay").evaluate("canvas => canvas.toDataURL()")
    assert len(set(drawn.values())) == 8


def test_without_a_truth_it_says_where_to_look(opened):
    on = opened("plain").ready()
    pixels = 60 * 80
    changed, split = steps("plain", "changed")[-1], steps("plain", "split")[-1]
    assert on.say() == (
        f"Eight looks changed {100 * changed / pixels:.1f} % of the picture "
        f"and disagree on {100 * split / pixels:.1f} %: look there."
    )
    expect(on.find("[data-mode=truth]")).to_be_hidden()


def test_a_painting_reaches_python_pixel_for_pixel(opened):
    on = opened("plain").ready()
    on.find(".paint").click()
    on.find(".pot", has_text="Class 2").click()
    on.find(".width").evaluate("range => (range.value = 1)")
    box = on.find(".picture").bounding_box()

    def at(x, y):
        return box["x"] + (x + 0.5) * box["width"] / 80, box["y"] + (y + 0.5) * box["height"] / 60

    mouse = on.tab.mouse
    mouse.move(*at(10, 20))
    mouse.down()
    mouse.move(*at(19, 20), steps=4)
    mouse.up()
    mouse.move(*at(40, 40))
    mouse.down()
    mouse.up()
    on.find(".undo").click()
    on.find(".erase").click()
    mouse.move(*at(10, 20))
    mouse.down()
    mouse.up()
    on.find(".use").click()
    assert on.told() == {"painted": [4800 - 9, 0, 9]}
    on.find("[data-mode=truth]").wait_for()
    assert "pixels wrong" in on.say()


def test_painting_works_by_keyboard(opened):
    on = opened("plain").ready()
    on.find(".paint").click()
    on.find(".width").evaluate("range => (range.value = 1)")
    on.find(".picture").focus()
    for key in ("Space", "ArrowRight", "Space"):
        on.tab.keyboard.press(key)
    on.find(".use").click()
    assert on.told() == {"painted": [4798, 2]}


def test_hostile_names_are_only_text(opened):
    on = opened("hostile").ready()
    for mode in ("together", "doubt", "changed"):
        on.find(f"[data-mode={mode}]").click()
    on.find(".paint").click()
    assert on.find(".pot").all_inner_texts() == list(HOSTILE)
    assert on.tab.evaluate("window.pwned") is None
    assert on.find(":is(img, script)").count() == 0


def test_a_tab_that_opens_later_plays_then(opened):
    on = opened("hidden").ready()
    on.rests()
    on.tab.get_by_role("tab", name="Other").click()
    on.tab.locator("#late .stage-grid[data-status=playing]").wait_for()
    on.tab.locator("#late .stage-grid[data-status=rest]").wait_for()
    assert on.tab.locator("#late .say").inner_text() == on.say()


@pytest.mark.parametrize("name", ["fifteen", "moved", "classes", "tall", "wide"])
def test_unusual_pictures_are_shown_whole(opened, name):
    on = opened(name).ready()
    if "play" in SCENES[name]:
        on.rests()
    scene, _ = made(name)
    assert on.find(".rows li").count() == len(scene.looks)
    assert on.count() == steps(name)[-1]
    height, width = scene.rgb.shape[:2]
    box, stand = on.find(".picture").bounding_box(), on.find(".stand").bounding_box()
    assert abs(box["width"] / box["height"] - width / height) < 0.02 * width / height
    assert stand["height"] <= 1.01 * stand["width"]
    for part in ("sum", "legend", "rows", "say"):
        inside = on.find(f".{part}").evaluate("e => e.scrollWidth <= e.clientWidth + 1")
        assert inside, part


def test_a_pixel_outside_a_moved_look_has_no_vote(opened):
    on = opened("moved").ready()
    on.find(".picture").focus()
    for _ in range(10):
        on.tab.keyboard.press("Shift+ArrowRight")
        on.tab.keyboard.press("Shift+ArrowDown")
    on.find(".where", has_text="79, 59").wait_for()
    rows = on.votes()
    assert rows[2][0] == "not seen"
    assert rows[2][1] == ""
    assert rows[0][0].startswith("Class")


def test_busy_shows_a_sign_and_leaves_the_result(opened):
    on = opened("d4").ready()
    on.tab.get_by_role("button", name="Busy").click()
    on.find(".busy.on").wait_for()
    assert on.count() == steps("d4")[-1]


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(opened, width):
    on = opened("fifteen", {"width": width, "height": 720}).ready()
    assert on.find(".stage-grid").evaluate("e => e.scrollWidth <= e.clientWidth")


def test_on_a_phone_the_numbers_stay_when_the_stage_is_out_of_sight(opened):
    on = opened("d4", {"width": 390, "height": 844}).ready()
    mini = on.find(".mini")
    expect(mini).to_be_hidden()
    on.tab.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    on.find(".mini.on").wait_for()
    assert on.find(".mini-text").inner_text() == on.say()
    box = mini.bounding_box()
    assert box["y"] + box["height"] <= 844
    on.find(".mini-up").click()
    on.find(".mini.on").wait_for(state="hidden")


def test_a_finger_reads_a_pixel(opened):
    on = opened("d4", {"width": 390, "height": 844}, has_touch=True).ready()
    box = on.find(".picture").bounding_box()
    on.tab.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    on.find(".where", has_text="40, 30").wait_for(state="attached")
    assert "looks say" in on.find(".readout").inner_text()
