"""What is written of evidence: files, words, figures and the report."""

import csv
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from looked import made

from tta_demo.evidence import stored
from tta_demo.evidence.document import document
from tta_demo.evidence.figures import DARK, FIGURES, drawn
from tta_demo.evidence.findings import weigh
from tta_demo.evidence.gather import gather
from tta_demo.evidence.job import Job
from tta_demo.evidence.options import EVEN, ONE
from tta_demo.evidence.stacks import Kept
from tta_demo.evidence.tables import tables
from tta_demo.evidence.words import plan_name, summary, verdict_said
from tta_demo.models.registry import MODELS
from tta_demo.tta.views import VIEW_SETS

VIEWS = {"identity": 2.0, "hflip": 2.0, "vflip": 2.0, "noise": 20.0}


@pytest.fixture(scope="module")
def evidence():
    stacks = made(VIEWS, pictures=24, pixels=200)
    about = ("<fields> & more", "toy", "0123", "python -m tta_demo advise --out '<here>'")
    return weigh(stacks, {"mirror": ("identity", "hflip"), **VIEW_SETS}, *about)


def test_evidence_comes_back_from_its_file(tmp_path, evidence):
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps(stored.as_json(evidence)))
    again = stored.read_evidence(path)
    assert stored.as_json(again) == stored.as_json(evidence)
    assert again.verdict == evidence.verdict
    assert again.plans[1].option == evidence.plans[1].option
    assert again.recommended.option.plan.fuse  # a plan to look by


@pytest.mark.parametrize("content", ["{}", "[1]", "no JSON", '{"protocol": 3}'])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"a\.json holds no evidence"):
        stored.read_evidence(path)


def test_there_is_nothing_stored_for_an_unknown_world():
    assert stored.stored_evidence("moon") is None


def test_every_table_has_a_cell_for_each_column_in_words_and_in_numbers(evidence):
    for table in tables(evidence).values():
        assert table.rows
        assert all(len(row) == len(table.columns) for row in table.said())
        head, rows = table.raw()
        assert len(set(head)) == len(head)
        assert all(len(row) == len(head) for row in rows)


def test_the_numbers_of_a_table_are_those_of_the_evidence(evidence):
    head, rows = tables(evidence)["plans"].raw()
    for row, one in zip(rows, evidence.plans, strict=True):
        found = dict(zip(head, row, strict=True))
        assert float(found["score"]) == pytest.approx(one.score, abs=1e-6)
        ends = [float(found[key]) for key in ("gain_low", "gain", "gain_high")]
        known = (one.gain.low, one.gain.value, one.gain.high)
        assert ends == pytest.approx(known, abs=1e-6)
    assert [row[-1] for row in rows].count("True") == 1


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_drawn_light_and_dark_and_has_its_table(evidence, name):
    assert name in tables(evidence)
    sizes = []
    for ink in (None, DARK):
        file = io.BytesIO()
        figure = drawn(evidence, name, ink) if ink else drawn(evidence, name)
        figure.savefig(file, format="png", dpi=40)
        sizes.append(len(file.getvalue()))
        assert file.getvalue().startswith(b"\x89PNG")
        assert all(axes.has_data() for axes in figure.axes)
    assert min(sizes) > 1000


class Reader(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.sources, self.text = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.sources += [v for k, v in attributes if k in ("src", "href")]

    def handle_data(self, data):
        self.text.append(data)


def test_the_report_stands_alone_and_says_all_that_there_is(evidence):
    report = Reader(document(evidence, {"plans": b"\x89PNG", "cost": b"\x89PNG"}))
    assert len(report.sources) == 2
    assert all(source.startswith("data:image/png;base64,") for source in report.sources)
    assert not {"script", "here", "fields", "link"} & set(report.tags)
    text = "".join(report.text)
    about = evidence.protocol
    for told in (verdict_said(evidence), about.digest, about.command, about.data, *about.held):
        assert told in text
    for table in tables(evidence).values():
        assert table.title in text
        assert all(cell in text for row in table.said() for cell in row)


def test_every_sentence_ends_and_no_number_is_missing(evidence):
    for sentence in summary(evidence):
        assert sentence.endswith(".")
        assert not re.search(r"\bnan\b|None|\{", sentence)
    assert any("Noise" in sentence for sentence in summary(evidence))


def test_plans_have_names_of_their_own(evidence):
    names = [plan_name(one.option, 4) for one in evidence.plans]
    assert len(set(names)) == len(names)
    assert {ONE, EVEN} <= {one.option.name for one in evidence.plans}


def keep(name, value=0.0):
    return Kept(name, np.full((1, 3, 3), value, np.float16), np.zeros(3, int), np.ones(1))


def test_looks_are_made_once_and_again_where_a_file_has_changed(tmp_path):
    asked = []

    def look(name):
        asked.append(name)
        if name == "broken":
            raise ValueError("broken is no picture")
        return keep(name, len(asked)), ("read.",)

    def run(stamps, model="unet-weeds"):
        asked.clear()
        job = Job(MODELS[model], ("identity",), stamps, look)
        return gather(job, tmp_path, iter)

    stacks, failures, notes = run({"a": "1", "broken": "1", "b": "1"})
    assert [one.name for one in stacks.pictures] == ["a", "b"]
    assert list(failures) == ["broken"]
    assert notes == {"a": ["read."], "b": ["read."]}
    again, *_ = run({"a": "1", "b": "2", "c": "1"})  # b has changed, c is new
    assert asked == ["b", "c"]
    np.testing.assert_array_equal(again.pictures[0].log_probs, stacks.pictures[0].log_probs)
    with pytest.raises(ValueError, match="other settings"):
        run({"a": "1"}, "unet-weeds-small")


def test_a_table_reads_back_as_csv(evidence):
    head, rows = tables(evidence)["removal"].raw()
    text = io.StringIO()
    csv.writer(text).writerows([head, *rows])
    text.seek(0)
    read = list(csv.DictReader(text))
    assert len(read) == 51
    assert [float(row["one_look"]) for row in read] == pytest.approx(
        evidence.removal[0].removed, abs=1e-6
    )
