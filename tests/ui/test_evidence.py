"""The Evidence tab without a browser: charts, what is shown, and trials."""

import re
from dataclasses import replace
from functools import partial
from html.parser import HTMLParser

import numpy as np
import pytest

from tta_demo.evidence.stacks import kept_looks
from tta_demo.evidence.stored import stored_evidence
from tta_demo.evidence.tally import Gain
from tta_demo.models.ensemble import rows_of
from tta_demo.models.registry import load_model
from tta_demo.samples import weeds
from tta_demo.samples.labelled import LabelledPicture, Source
from tta_demo.samples.weeds import COUNTS, SEEDS, field
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.predict import to_tensor
from tta_demo.tta.views import VIEW_SETS
from tta_demo.ui.detect.case import DetectVisitor
from tta_demo.ui.detect.places import PLACES
from tta_demo.ui.evidence import actions
from tta_demo.ui.evidence.charts import Line, Row, chart, whiskers
from tta_demo.ui.evidence.places import BOXES
from tta_demo.ui.evidence.report import report
from tta_demo.ui.evidence.trial import (
    MOST,
    EvidenceVisitor,
    Finding,
    Pictures,
    Trial,
    Wanted,
    pictures_for,
)
from tta_demo.ui.learn import choices as learn_choices
from tta_demo.ui.learn.lesson import FIELDS, LearnVisitor
from tta_demo.ui.learn.uploads import Bag
from tta_demo.ui.segment.case import SegmentVisitor

WEEDS = WORLDS["weeds"]


def lefts(html, part):
    return [float(x) for x in re.findall(rf"class='{part}' style='left:([\d.]+)%", html)]


def test_more_gain_stands_further_right_and_in_its_interval():
    gains = [Gain(-0.3, -0.35, -0.2), Gain(-0.001), Gain(0.0), Gain(0.002, -0.001, 0.004)]
    html = whiskers([Row(f"look {i}", gain) for i, gain in enumerate(gains)], "points")
    dots = lefts(html, "dot")
    assert dots == sorted(dots)
    assert dots[2] == lefts(html, "zero")[0]
    ranges = re.findall(r"class='range' style='left:([\d.]+)%;width:([\d.]+)%", html)
    for dot, (start, width) in zip((dots[0], dots[3]), ranges, strict=True):
        assert 0 < float(start) < dot < float(start) + float(width) < 100


@pytest.mark.parametrize("scale", [1e-4, 0.03, 1, 77, 5000])
@pytest.mark.parametrize("shift", [-3, 0, 1e3])
def test_a_chart_stays_in_its_frame_with_few_round_numbers(scale, shift):
    points = [(i, shift + scale * (i % 3)) for i in range(8)]
    html = chart("up", "right", [Line("a", points, "s0")])
    at = np.array(
        [pair.split(",") for pair in re.search("points='(.*?)'", html)[1].split()], float
    )
    assert (at >= 0).all()
    assert (at[:, 0] <= 360).all()
    assert (at[:, 1] <= 230).all()
    up = [float(text) for text in re.findall(r"text-anchor='end'>([-\d.]+)<", html)]
    assert 2 <= len(set(up)) <= 7
    assert up == sorted(up)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = set()

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)


@pytest.mark.parametrize("world", ["weeds", "nuclei"])
def test_what_strangers_wrote_is_never_html(world):
    found = stored_evidence(world)
    evil = "<script>alert(1)</script>"
    about = replace(found.protocol, data=evil, model=evil, classes=(evil,) * 3)
    shown = report(Finding(WORLDS[world], replace(found, protocol=about), (evil,)))
    tags = Tags()
    tags.feed("".join(shown.values()))
    assert "table" in tags.found
    assert "script" not in tags.found


def small(seed):
    made = field(seed, (64, 80))
    return LabelledPicture(f"field {seed}", made.rgb, made.labels)


def small_fields(first, count=2):
    sources = {f"{n}": Source(partial(small, n)) for n in range(first, first + count)}
    return Pictures(sources, "small fields")


def looked(pictures, stopped=lambda: False, world=WEEDS):
    trial = Trial(world, pictures, stopped)
    steps = trial.look()
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return trial, end.value


def test_a_trial_keeps_what_all_looks_at_once_keep():
    pictures = small_fields(4_009_000)
    _, stacks = looked(pictures)
    rows = rows_of(WEEDS.record, VIEW_SETS["all"])
    for one, source in zip(stacks.pictures, pictures.sources.values(), strict=True):
        wanted = kept_looks(load_model(WEEDS.record), source.read(), rows)
        np.testing.assert_array_equal(one.truth, wanted.truth)
        np.testing.assert_allclose(
            one.log_probs.astype(float), wanted.log_probs.astype(float), atol=2e-2
        )
        assert one.seconds.shape == (len(rows),)


def test_a_stopped_trial_goes_on_where_it_was(passes):
    pictures, looks = small_fields(4_009_100), len(VIEW_SETS["all"])
    assert looked(pictures, lambda: len(passes) >= looks + 3)[1] is None
    assert len(passes) == looks + 3, "it stops in the middle of a picture"
    assert looked(pictures)[1] is not None
    assert len(passes) == 2 * looks + 3, "the first picture is kept"


def test_a_broken_picture_is_left_out_and_named():
    def fails():
        raise ValueError("no picture at all")

    pictures = small_fields(4_009_200)
    broken = replace(pictures, sources=pictures.sources | {"bad": Source(fails)})
    trial, stacks = looked(broken)
    assert len(stacks.pictures) == 2
    assert trial.broken == {"bad": "no picture at all"}
    with pytest.raises(ValueError, match="no picture at all"):
        looked(Pictures({"bad": Source(fails)}, "nothing"))


def test_each_trial_takes_fields_that_nobody_has_seen():
    visitor, seen = EvidenceVisitor(), set(SEEDS["test"][: COUNTS["test"]])
    for count in (8, 12):
        names = pictures_for(visitor, Wanted(FIELDS, count, None, "weeds"), WEEDS).sources
        seeds = {int(name.split()[-1]) for name in names}
        assert len(seeds) == count
        assert not seeds & seen
        assert seeds <= set(SEEDS["test"])
        seen |= seeds
        visitor.tried += count


def test_of_a_large_upload_some_are_drawn_and_that_is_said():
    bag = Bag({f"{n}": Source(partial(small, n)) for n in range(60)}, ("alone.png",))
    visitor = EvidenceVisitor()
    visitor.upload = {(WEEDS, "a.zip"): bag}
    wanted = Wanted("upload", 8, [{"path": "a.zip"}], "weeds")
    pictures = pictures_for(visitor, wanted, WEEDS)
    assert len(pictures.sources) == MOST
    assert set(pictures.sources) < set(bag.sources)
    assert "alone.png" in pictures.notes[0]
    assert "60" in pictures.notes[1]
    assert pictures_for(visitor, wanted, WEEDS) == pictures, "the same ones, to go on from"


def test_a_world_without_results_and_a_model_that_is_not_there_are_told_of():
    visitor, looker = EvidenceVisitor(), SegmentVisitor()
    for world in ("photos", "yours"):
        shown = actions.change_world(visitor, looker, world, None)
        assert "Nothing is stored" in shown["verdict"]
        assert visitor.shown is None
    with pytest.raises(ValueError, match="no model of yours"):
        list(actions.begin(visitor, Wanted(FIELDS, 8, None, "yours"), looker))
    with pytest.raises(ValueError, match="choose another"):
        actions.change_world(visitor, looker, "moon", None)


def test_boxes_are_tried_on_new_fields_alone():
    visitor, looker, place = EvidenceVisitor(), SegmentVisitor(), BOXES["weed-detector"]
    actions.change_world(visitor, looker, place.name, None)
    assert visitor.shown.evidence.protocol.score == "AP"
    pictures = pictures_for(visitor, Wanted(FIELDS, 8, None, place.name), place)
    first = next(iter(pictures.sources))
    one = replace(pictures, sources={first: pictures.sources[first]})
    (kept,) = looked(one, world=place)[1].pictures
    rgb, truth = weeds.boxed(int(first.split()[-1]))
    np.testing.assert_array_equal(kept.truth.xyxy, truth.xyxy)
    plain = load_model(place.record)(to_tensor(rgb)[None])[0]
    np.testing.assert_allclose(kept.found[0].xyxy, plain.xyxy)
    with pytest.raises(ValueError, match="cannot be uploaded"):
        pictures_for(visitor, Wanted("upload", 8, [], place.name), place)


def lit(shown):
    return {name for name in ("use", "use_boxes") if shown[name].visible}


def test_each_plan_has_a_button_to_the_tab_that_looks_so(monkeypatch):
    visitor, looker, detective = EvidenceVisitor(), SegmentVisitor(), DetectVisitor()
    assert lit(actions.change_world(visitor, looker, "weeds", None)) == {"use"}
    with pytest.raises(ValueError, match="no such plan"):
        actions.use_boxes(visitor, detective, "all")
    assert lit(actions.change_world(visitor, looker, "weed-detector", None)) == {"use_boxes"}
    for button, who, plan in (("use", looker, "all"), ("use_boxes", detective, "none")):
        with pytest.raises(ValueError, match="no such plan"):
            getattr(actions, button)(visitor, who, plan)
    monkeypatch.delitem(PLACES, "weeds")
    assert lit(actions.change_world(visitor, looker, "weed-detector", None)) == set()


@pytest.mark.parametrize("name", ["one look", "best single", "best 3", "learned"])
def test_a_plan_for_boxes_is_used_on_the_detect_tab_as_it_was_tried(name):
    visitor, detective = EvidenceVisitor(), DetectVisitor()
    actions.change_world(visitor, SegmentVisitor(), "weed-detector", None)
    shown = actions.use_boxes(visitor, detective, name)
    assert shown["page_tabs"].selected == "detect"
    wanted, plan = visitor.shown.evidence.plan(name).option, detective.case.detect().plan
    assert set(plan.views) == set(wanted.views) == set(shown["settings"].views)
    assert plan.fusion == ("wbf" if name == "best single" else wanted.fusion)
    weights = plan.weights and dict(zip(plan.views, plan.weights.values.tolist(), strict=True))
    told = wanted.weights and dict(zip(wanted.views, wanted.weights, strict=True))
    assert weights == (told and pytest.approx(told, abs=1e-4))


def test_a_failed_trial_leaves_what_was_there():
    visitor, looker = EvidenceVisitor(), SegmentVisitor()
    actions.change_world(visitor, looker, "nuclei", None)
    before = visitor.shown
    with pytest.raises(ValueError, match="No pictures"):
        list(actions.begin(visitor, Wanted("upload", 8, [], "nuclei"), looker))
    assert visitor.shown is before
    assert actions.failed(visitor)["world"] == "nuclei"


def test_a_tab_that_opens_on_the_same_world_sends_no_control_back():
    looker, models = SegmentVisitor(), [*WORLDS["weeds"].looking]
    assert learn_choices.follow(LearnVisitor(), "weeds", models, "weeds", models, None) == {}
    assert "source" in learn_choices.follow(LearnVisitor(), "nuclei", [], "weeds", models, None)
    same = actions.follow(EvidenceVisitor(), looker, "weeds", "weeds", None)
    assert not {"world", "source"} & set(same)
    assert "source" in actions.follow(EvidenceVisitor(), looker, "nuclei", "weeds", None)
