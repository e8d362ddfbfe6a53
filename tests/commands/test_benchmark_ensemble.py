from tta_demo.commands.benchmark import ensemble
from tta_demo.models.ensemble import whose


def test_every_way_is_compared_with_ways_that_are_measured_too():
    ways = ensemble._ways()
    assert len(set(ways)) == len(ways)
    assert all(other in ways for way in ways for other in way.others().values())


def test_the_rows_are_those_of_the_ensemble_of_all():
    known = ensemble.EVERYBODY.rows(ensemble.VIEW_SETS["all"])
    largest = max(ensemble._ways(), key=lambda way: len(way.rows))
    assert largest.rows == known
    assert {whose(row)[0] for row in known} == set(ensemble.MEMBERS.values())
