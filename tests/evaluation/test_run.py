import json

import pytest

from tta_demo.evaluation.run import Run

SETTINGS = {"model": "0123", "views": ("identity", "hflip")}


class Work:
    """Lets some names fail, stops at one as a killed process would, notes what it was asked."""

    def __init__(self, broken=(), killed_at=None):
        self.broken, self.killed_at, self.asked = broken, killed_at, []

    def __call__(self, name):
        self.asked.append(name)
        if name == self.killed_at:
            raise KeyboardInterrupt
        if name in self.broken:
            raise ValueError(f"{name} is broken")
        return {"value": name.upper()}


def over(log, names, work, settings=SETTINGS, **options):
    run = Run(log, settings, **options)
    return run, [entry["value"] for entry in run.over(names, work, progress=iter)]


@pytest.fixture
def log(tmp_path):
    return tmp_path / "new" / "log.jsonl"


def test_entries_come_in_the_order_of_the_names_whoever_did_them(log):
    assert over(log, "ca", Work())[1] == ["C", "A"]
    work = Work()
    assert over(log, "abc", work)[1] == ["A", "B", "C"]
    assert work.asked == ["b"]


@pytest.mark.parametrize("killed_at", "abc")
def test_a_run_that_was_killed_goes_on_and_leaves_the_same_log(log, tmp_path, killed_at):
    with pytest.raises(KeyboardInterrupt):
        over(log, "abc", Work(killed_at=killed_at))
    work = Work()
    assert over(log, "abc", work)[1] == ["A", "B", "C"]
    assert work.asked == list("abc"["abc".index(killed_at) :])
    over(tmp_path / "whole.jsonl", "abc", Work())
    assert log.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_half_a_line_at_the_end_is_done_again(log, cut):
    over(log, "ab", Work())
    whole = log.read_bytes()
    log.write_bytes(whole[:-cut])
    work = Work()
    over(log, "ab", work)
    assert work.asked == ["b"]
    assert log.read_bytes() == whole


def test_what_fails_is_told_and_tried_again_the_next_time(log):
    run, values = over(log, "abc", Work(broken="b"))
    assert (run.failures, values) == ({"b": "b is broken"}, ["A", "C"])
    work = Work()
    run, values = over(log, "abc", work)
    assert (run.failures, values, work.asked) == ({}, ["A", "B", "C"], ["b"])


def test_where_everything_fails_nothing_is_kept_and_that_is_an_error(log):
    with pytest.raises(ValueError, match="none of 2 pictures could be read; a is broken; b is"):
        over(log, "ab", Work(broken="ab"))
    assert len(log.read_text().splitlines()) == 1


def test_a_log_that_cannot_be_written_is_no_failure_of_a_picture(log):
    run = Run(log, SETTINGS)
    log.unlink()
    log.mkdir()
    with pytest.raises(OSError, match=log.name):
        run.over("ab", Work(), progress=iter)
    assert run.failures == {}


def test_facts_are_kept_beside_the_pictures(log):
    run = Run(log, SETTINGS)
    run.add({"times": [1, 2]})
    run.over("a", Work(), progress=iter)
    run.add({"weights": None})
    again = Run(log, SETTINGS)
    assert again.facts == {"times": [1, 2], "weights": None}
    assert list(again.done) == ["a"]


def test_a_damaged_line_is_done_again(log):
    over(log, "abc", Work())
    lines = log.read_bytes().split(b"\n")
    lines[2] = lines[2][:4] + b"\xff\x00"
    log.write_bytes(b"\n".join(lines))
    work = Work()
    assert over(log, "abc", work)[1] == ["A", "B", "C"]
    assert work.asked == ["b"]


def test_damaged_settings_are_told(log):
    over(log, "a", Work())
    log.write_bytes(b"{]" + log.read_bytes())
    with pytest.raises(ValueError, match="damaged"):
        over(log, "a", Work())


def test_a_picture_that_lacks_something_is_done_again_and_counts_once(log):
    over(log, "abc", Work())
    work = Work()
    run, values = over(log, "abc", work, complete=lambda entry: entry["name"] != "b")
    assert (values, work.asked) == (["A", "B", "C"], ["b"])
    assert sorted(run.done) == ["a", "b", "c"]


def test_progress_is_asked_only_about_what_is_to_do(log):
    asked = []

    def progress(names):
        asked.append(list(names))
        return names

    for names in ("ab", "abc", "abc"):
        Run(log, SETTINGS).over(names, Work(), progress)
    assert asked == [["a", "b"], ["c"]]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({**SETTINGS, "model": "4567"}, "model was 0123, is 4567"),
        ({**SETTINGS, "device": "cpu"}, "device was None, is cpu"),
        ({"model": "0123"}, "views was .*identity.*, is None"),
    ],
)
def test_other_settings_are_refused_and_the_log_stays_as_it_is(log, settings, told):
    over(log, "ab", Work())
    with log.open("a") as file:
        file.write('{"name": "c", "va')  # another process may be writing this line just now
    before = log.read_bytes()
    with pytest.raises(ValueError, match=f"{told}.*choose another --out"):
        Run(log, settings)
    assert log.read_bytes() == before


def test_settings_are_compared_as_json(log):
    over(log, "a", Work())
    work = Work()
    over(log, "a", work, json.loads(json.dumps(SETTINGS)))
    assert work.asked == []
