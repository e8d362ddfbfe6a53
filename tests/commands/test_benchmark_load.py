import pytest

from tta_demo.commands.benchmark import load
from tta_demo.commands.benchmark.visitor import BusyError, Page, Somebody


@pytest.fixture(scope="module")
def page(url):
    return Page(url)


def test_a_visitor_of_the_load_gets_what_belongs_to_the_picture_and_it_can_be_told_apart(page):
    told, first, took = load.scene(Somebody(page), "fields", 0)
    assert 0 < first <= took
    assert load.belongs(load.scene(Somebody(page), "fields", 0)[0], told)
    assert not load.belongs(load.scene(Somebody(page), "fields", 1)[0], told)


def test_an_upload_is_new_each_time_and_its_numbers_are_nearly_the_same(page):
    first, second = (load.scene(Somebody(page), "uploads", 0)[0] for _ in range(2))
    assert len(first) == 3
    assert load.belongs(second, first)
    assert not load.belongs([number + 1 for number in second], first)


def test_what_is_refused_or_not_there_is_said(page):
    greedy = Somebody(page)
    with pytest.raises(ValueError, match="nothing-here"):
        greedy.acts("nothing-here", "click", 0)
    with pytest.raises(RuntimeError, match="none"):
        greedy.acts("examples", "click", 10**9)


def test_too_many_waiting_is_no_error(page, monkeypatch):
    greedy = Somebody(page)
    monkeypatch.setattr(greedy.net, "post", lambda *_, **__: type("", (), {"status_code": 503})())
    with pytest.raises(BusyError):
        greedy.acts("examples", "click", 0)


def test_times_are_told_as_median_and_95th_percentile():
    assert load._summary([0.25]) == {"count": 1, "median": 0.25, "p95": 0.25}
    assert load._summary([i / 100 for i in range(101)]) == {
        "count": 101,
        "median": 0.5,
        "p95": 0.95,
    }
