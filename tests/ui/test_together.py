"""Several models that look together on the page."""

import json
import re
import runpy
from dataclasses import replace

import gradio as gr
import numpy as np
import pytest
from browser import needs_chromium, on_a_phone, open_tab, settled, shows, unbroken, visit
from PIL import Image
from playwright.sync_api import expect

from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.ensemble import whose
from tta_demo.pictures.assets import ASSETS
from tta_demo.scoring.metrics import mean_iou
from tta_demo.tasks.segment import segment
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.plan import Plan
from tta_demo.tta.views import VIEW_SETS
from tta_demo.ui.learn import actions as lessons
from tta_demo.ui.learn.lesson import FIELDS, LearnVisitor, Wanted
from tta_demo.ui.segment.actions import change_views, switch
from tta_demo.ui.segment.case import SegmentCase, SegmentVisitor, Settings, example_case, tick
from tta_demo.ui.segment.looks import look
from tta_demo.ui.segment.staging import scene_of
from tta_demo.ui.segment.team import measured
from tta_demo.ui.stage import pack
from tta_demo.ui.takeaway.document import document
from tta_demo.ui.takeaway.facts import Takeaway

WEEDS = WORLDS["weeds"]
EXPERT, APPRENTICE, NOVICE = WEEDS.models
FLIPS = VIEW_SETS["flips"]


def settings(*models, views=FLIPS, fusion="mean"):
    return Settings("weeds", fusion, True, tick(views), models=[*models])


@pytest.fixture
def case(unseen):
    """A picture for the expert and the apprentice."""
    return SegmentCase(name="new", picture=unseen, settings=settings(EXPERT, APPRENTICE))


@pytest.fixture
def visitor(case):
    visitor = SegmentVisitor()
    list(look(visitor, case, lambda: True))
    return visitor


def weights_of(world, views=FLIPS, seed=0):
    """Weights that nobody ships."""
    rows = world.record.rows(views)
    drawn = np.random.default_rng(seed).dirichlet(np.ones(len(rows))).tolist()
    record = world.record
    return WeightFile("weeds", record.name, record.digest, dict(zip(rows, drawn, strict=True)))


def about(update):
    return json.loads(update["stage"]["about"])


def test_ticking_another_model_runs_only_its_own_looks(visitor, passes):
    list(change_views(visitor, settings(*WEEDS.models)))
    assert passes == [NOVICE] * 4
    assert visitor.case.world.looking == WEEDS.models
    list(change_views(visitor, settings(NOVICE)))
    list(change_views(visitor, settings(EXPERT)))
    assert passes == [NOVICE] * 4, "each model's looks are kept"


def test_the_plain_answer_is_the_first_models_and_comes_first(case, passes):
    result = case.segment()
    assert passes == [EXPERT] * 4 + [APPRENTICE] * 4
    alone = segment(WEEDS.record, case.picture)
    np.testing.assert_array_equal(result.one_look, alone.labels)


def test_the_last_model_stays_ticked(visitor):
    *_, shown = change_views(visitor, settings())
    busy, *_ = change_views(visitor, settings())
    assert busy["models"] == [EXPERT, APPRENTICE]
    assert visitor.case.world.looking == (EXPERT, APPRENTICE)
    assert len(about(shown)["looks"]) == 8


@pytest.mark.parametrize("model", [APPRENTICE, NOVICE])
def test_one_alone_may_look_instead_of_the_worlds_own(visitor, model):
    *_, shown = change_views(visitor, settings(model))
    assert visitor.case.segment().model.name == model
    assert {one["model"] for one in about(shown)["looks"]} == {""}
    assert "learned yet" in shown["told"]
    assert shown["untaught"].visible


def test_without_weights_for_them_all_looks_count_the_same(visitor):
    list(change_views(visitor, settings(EXPERT, fusion="learned")))
    assert visitor.case.segment().weights is not None
    busy, last = change_views(visitor, settings(EXPERT, NOVICE, fusion="learned"))
    assert busy["fusion"] == visitor.case.settings.fusion == "mean"
    assert last["untaught"].visible


def test_weights_are_kept_for_the_models_that_they_are_for(visitor):
    file = weights_of(visitor.case.world)
    visitor.files[file.digest] = file
    list(change_views(visitor, settings(NOVICE)))
    assert visitor.case.file is None
    *_, last = change_views(visitor, settings(APPRENTICE, EXPERT, fusion="learned"))
    assert visitor.case.file is file
    assert not last["untaught"].visible
    given = visitor.case.segment().weights
    assert given == pytest.approx(dict(file.weights), abs=1e-6)


def test_a_row_of_one_model_is_taken_out_and_put_in_again(visitor):
    rows = visitor.case.rows
    gone = f"{APPRENTICE}/hflip"
    left = [row for row in rows if row != gone]
    list(switch(visitor, gr.EventData(None, {"on": left, "fused": False, "at": 1.0})))
    case = visitor.case
    assert case.settings.views == FLIPS
    result = case.segment()
    assert [*result.plan.views] == left
    assert [*about({"stage": pack(scene_of(case, result, "none"))})["on"]].count(False) == 1
    list(change_views(visitor, replace(case.settings, background=False)))
    assert visitor.case.off == (gone,)
    list(change_views(visitor, settings(EXPERT, APPRENTICE, views=("identity", "vflip"))))
    assert visitor.case.off == ()


def test_a_view_that_one_model_alone_puts_in_stays_out_for_the_other(visitor):
    list(change_views(visitor, settings(EXPERT, APPRENTICE, views=("hflip", "vflip"))))
    on = [*visitor.case.rows, f"{EXPERT}/identity"]
    list(switch(visitor, gr.EventData(None, {"on": on, "fused": False, "at": 1.0})))
    assert {*visitor.case.segment().plan.views} == {*on}
    assert visitor.case.off == (f"{APPRENTICE}/identity",)


def test_the_stage_holds_the_rows_in_order_each_with_its_models_name(case):
    result = case.segment()
    scene = scene_of(case, result, "none")
    assert [*scene.looks] == [*result.model.rows(FLIPS)]
    told = json.loads(pack(scene)["about"])
    assert [(one["model"], one["name"]) for one in told["looks"]] == [
        ("Expert" if whose(row)[0] == EXPERT else "Apprentice", row) for row in scene.looks
    ]
    np.testing.assert_array_equal(scene.together[-1], result.labels)
    first = segment(result.model, case.picture, Plan(result.plan.views[:5]))
    np.testing.assert_array_equal(scene.together[4], first.labels)


def test_too_many_looks_for_the_memory_are_refused_before_any(case, passes, monkeypatch):
    monkeypatch.setattr("tta_demo.ui.segment.case.MOST", 7 * 40 * 64 * 3 * 2)
    with pytest.raises(ValueError, match="8 looks at 64 x 40"):
        case.segment()
    assert not passes
    case.changed(models=[NOVICE]).segment()


def test_what_is_told_of_a_choice_is_what_was_measured():
    stored = json.loads((ASSETS / "results" / "ensembles.json").read_text())
    for row in stored["rows"]:
        if row["views"] != "d4":
            continue
        against = "one_look" if len(row["team"]) == 1 else "alone"
        points = 100 * row["minus"][against]["miou"]["value"]
        models = [stored["models"][who]["name"] for who in row["team"]]
        assert set(models) <= set(WEEDS.models)
        said = [
            float(number.replace("−", "-").lstrip("±"))
            for number in re.findall(r"<b[^>]*>([^<]*)</b>", measured(models))
        ]
        assert said[row["fusion"] == "learned"] == pytest.approx(points, abs=0.00501)


# What is taken away


def shown_ways(case):
    file = weights_of(case.world)
    learned = replace(case.changed(fusion="learned"), file=file)
    return {
        "even": case,
        "a row out": replace(case, off=(f"{EXPERT}/hflip",)),
        "own weights": learned,
        "one alone": case.changed(models=[NOVICE]),
        "none": case.changed(fusion="none"),
    }


@pytest.mark.parametrize("kind", ["even", "a row out", "own weights", "one alone", "none"])
def test_the_code_repeats_the_mask(kind, case, tmp_path, monkeypatch):
    shown = shown_ways(example_case(case.settings, 1))[kind]
    taken = Takeaway(shown, shown.segment())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "look_again.py").write_text(taken.code)
    runpy.run_path("look_again.py")
    mask = np.asarray(Image.open("mask.png"))
    np.testing.assert_array_equal(mask, taken.result.labels)


def test_the_report_tells_models_and_looks_apart(case):
    taken = Takeaway(case, case.segment())
    assert taken.report["model"]["name"] == f"{EXPERT}+{APPRENTICE}"
    page = document(taken)
    groups = re.findall(r"rowgroup' colspan='5'>(\w+)<", page)
    assert groups == ["Expert", "Apprentice"]
    assert f"Expert: {', '.join(FLIPS)}; Apprentice: {', '.join(FLIPS)}" in page
    gaps = taken.gaps
    assert gaps[f"{EXPERT}/identity"] == gaps[f"{APPRENTICE}/identity"] == 0
    alone = case.changed(models=[APPRENTICE])
    own = Takeaway(alone, alone.segment()).gaps
    assert gaps[f"{APPRENTICE}/vflip"] == pytest.approx(own["vflip"])
    bare = replace(case, off=(f"{APPRENTICE}/identity",))
    assert np.isnan(Takeaway(bare, bare.segment(alone=bare.rows)).gaps[f"{APPRENTICE}/vflip"])


# Learning


def test_weights_of_models_are_learned_together_and_used(visitor):
    wanted = Wanted(
        source=FIELDS, count=4, held_out=1, files=None, world="weeds", views=["identity", "hflip"],
        form="view", method="exact", choose=False, score="miou", prior=0.0,
        models=[APPRENTICE, NOVICE],
    )  # fmt: skip
    learner = LearnVisitor()
    *_, shown = lessons.learn(learner, wanted, visitor)
    assert re.findall('class="who">(\\w+)', shown["bars"]) == ["Apprentice", "Novice"]
    file = learner.file
    assert file.models == (APPRENTICE, NOVICE)
    assert file.views == WEEDS.by(file.models).record.rows(("identity", "hflip"))
    last = lessons.use(learner, visitor)
    case = visitor.case
    assert last["settings"].models == [APPRENTICE, NOVICE]
    assert (case.world.looking, case.rows, case.file) == (file.models, file.views, file)
    assert case.segment().weights == pytest.approx(dict(file.weights), abs=1e-6)


def test_weights_for_some_rows_take_the_others_out(visitor):
    learner, world = LearnVisitor(), WEEDS.by([EXPERT, NOVICE])
    rows = (f"{EXPERT}/identity", f"{NOVICE}/hflip")
    learner.file = replace(weights_of(world), weights=dict(zip(rows, (0.75, 0.25), strict=True)))
    lessons.use(learner, visitor)
    assert visitor.case.segment().plan.views == rows


# In a browser


def heads(page, box):
    return page.locator(f"{box} .who").all_inner_texts()


@pytest.fixture
def page(window, url):
    visit(window, url)
    return window


def expected(models, views=VIEW_SETS["d4"]):
    """The first example as the library answers it, and its two scores in the page's words."""
    world = WEEDS.by(models)
    case = example_case(settings(*models), 0)
    plan, _ = world.plan(views, "mean")
    result = segment(world.record, case.picture, plan, case.truth)
    return result, [f"{100 * mean_iou(matrix):.1f} %" for matrix in result.matrices]


@needs_chromium
@pytest.mark.slow
@on_a_phone
def test_a_second_model_is_ticked_and_looks_with_the_first(page, tmp_path, size):
    page.locator("#models").get_by_label("Novice").check()
    page.locator("#stage .rows .who", has_text="Novice").wait_for(timeout=60_000)
    settled(page)
    result, scores = expected([EXPERT, NOVICE])
    shows(page, scores)
    assert [head.split("\n")[0] for head in heads(page, "#stage")] == ["Expert", "Novice"]
    assert page.locator("#stage .rows li:not(.who)").count() == 16
    assert page.locator("#looks .group").all_inner_texts() == ["Expert", "Novice"]
    with page.expect_download() as download:
        page.locator("#download-index").click()
    download.value.save_as(tmp_path / "mask.png")
    labels = np.asarray(Image.open(tmp_path / "mask.png"))
    np.testing.assert_array_equal(labels, result.labels)
    # the row of one model is taken out, and the library agrees on the rest
    row = page.locator("#stage").get_by_label("Use the look Novice, Mirror")
    row.uncheck()
    rows = [row for row in result.plan.views if row != f"{NOVICE}/hflip"]
    rest = segment(result.model, result.picture, Plan(tuple(rows)), result.truth)
    page.locator("#numbers", has_text="15 looks combined").wait_for(timeout=60_000)
    shows(page, [scores[0], f"{100 * mean_iou(rest.matrices[1]):.1f} %"])
    page.wait_for_function("location.search.includes('off=unet-weeds-novice/hflip')")
    address = page.evaluate("location.href")
    # the last one stays ticked, and the novice may look alone
    page.locator("#models").get_by_label("Expert").uncheck()
    shows(page, expected([NOVICE])[1])
    assert heads(page, "#stage") == []
    page.locator("#models").get_by_label("Novice").click()
    page.locator("#models input:checked").wait_for()
    settled(page)
    expect(page.locator("#models").get_by_label("Novice")).to_be_checked()
    # the address from before brings all of it back
    page.goto(address)
    page.locator("#stage .rows .who", has_text="Novice").wait_for(timeout=60_000)
    page.locator("#numbers", has_text="15 looks combined").wait_for(timeout=60_000)
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


@needs_chromium
@pytest.mark.slow
def test_their_weights_are_learned_and_used_at_once(page):
    models = page.locator("#models")  # quick ticks: none is lost
    models.get_by_label("Apprentice").check()
    models.get_by_label("Novice").check()
    models.get_by_label("Expert").uncheck()
    shows(page, expected([APPRENTICE, NOVICE])[1])
    page.locator("#untaught").click()
    page.locator("#learn-models").get_by_label("Apprentice").wait_for()
    page.wait_for_function(
        "document.querySelectorAll('#learn-models input:checked').length == 2", timeout=30_000
    )
    page.locator("#learn-preset").get_by_label("4 flips").click()
    count = page.locator("#learn-count input[type=number]")
    count.fill("4")
    count.press("Enter")
    page.locator("#learn-start").click()
    page.locator("#learn-status", has_text="Done").wait_for(timeout=120_000)
    learned = heads(page, "#learn-bars")
    assert [head.split("\n")[0] for head in learned] == ["Apprentice", "Novice"]
    totals = [unbroken(head.split("\n")[1]) for head in learned]
    page.locator("#use").click()
    page.locator("#stage .rows .who", has_text=totals[0]).wait_for()
    settled(page)
    assert [head.split("\n")[1] for head in heads(page, "#stage")] == totals
    expect(page.locator("#untaught")).to_be_hidden()
    open_tab(page, "Learn the weights")
    assert page.locator("#learn-models input:checked").count() == 2
