from itertools import pairwise

import numpy as np
import pytest
from looked import evidence_for, made, stacks_of

from tta_demo.evidence.sure import ALL, enough_looks, prefixes, sure_below, sure_plan
from tta_demo.evidence.tally import tally
from tta_demo.tasks.sure import first_looks, still_open, to_come
from tta_demo.tta.plan import Plan

VIEWS = {"identity": 1.5, "hflip": 1.5, "vflip": 1.5, "rot180": 1.5}
PLAN = Plan(tuple(VIEWS))
FEW = {"pixels": 60, "clarity": 2.0}


def looks_of(noises, seed):
    """Looks at a picture for each noise: the more of it, the less they agree."""
    rng, logits, truths = np.random.default_rng(seed), [], []
    for noise in noises:
        truth = rng.integers(0, 3, 60)
        logits.append(np.stack([evidence_for(truth, 3, 4.0, noise, rng) for _ in VIEWS]))
        truths.append(truth)
    return stacks_of(logits, truths, tuple(VIEWS))


def test_the_number_of_looks_falls_from_all_to_one_as_the_threshold_rises():
    found = prefixes(made(VIEWS, **FEW), PLAN)
    looks = [found.looks(below) for below in (0, *np.quantile(found.open, [0.2, 0.5, 0.8]), 1)]
    assert (looks[0] == 4).all()
    assert (looks[-1] == 1).all()
    assert all((one >= other).all() for one, other in pairwise(looks))


def test_prefixes_are_what_the_first_looks_of_the_plan_say():
    stacks = made(VIEWS, pictures=4, **FEW)
    found = prefixes(stacks, PLAN)
    for count in (1, 3, 4):
        part = first_looks(PLAN, count)
        alone = tally(stacks, {"part": part.fuse})
        np.testing.assert_array_equal(found.tally.hits[:, count - 1], alone.hits[:, 0])
        for place in range(4):
            share = still_open(part.fuse(stacks.stack(place)), to_come(PLAN, count))
            assert found.open[place, count - 1] == share


def test_stopping_counts_each_picture_by_the_looks_that_it_took():
    stacks = made(VIEWS, pictures=4, **FEW)
    found = prefixes(stacks, PLAN, ["a", "b", "a", "b"])
    taken = found.taken({"mixed": np.array([1, 4, 2, 3]), "all again": 4})
    assert taken.names == (ALL, "mixed", "all again")
    np.testing.assert_array_equal(taken.hits[:, 0], taken.hits[:, 2])
    single = found.tally.hits
    np.testing.assert_array_equal(taken.hits[0, 1], single[0, 0] + single[2, 1])
    np.testing.assert_array_equal(taken.true[1], found.tally.true[1] + found.tally.true[3])


def test_hard_pictures_take_more_looks_than_easy_ones():
    found = prefixes(looks_of([0.3, 3.0] * 20, 0), PLAN)
    looks = found.looks(sure_below(found, 0.01))
    assert looks[::2].mean() < 2 < looks[1::2].mean()
    assert looks.mean() < enough_looks(found, 0.01)


def test_the_promise_holds_on_pictures_that_were_not_calibrated_on():
    held, losses = prefixes(looks_of(np.linspace(0.3, 3, 120), 99), PLAN), []
    for seed in range(6):
        below = sure_below(prefixes(looks_of(np.linspace(0.3, 3, 30), seed), PLAN), 0.01)
        looks = held.looks(below)
        assert looks.mean() < 3.5
        every, sure = held.taken({"sure": looks}).scores()
        losses.append(every - sure)
    assert sum(loss > 0.01 for loss in losses) <= 1, losses
    assert max(losses) > 0.002  # there is something to lose


def test_looks_that_all_say_the_same_are_left_at_one():
    stacks = made(dict.fromkeys(VIEWS, 0.0), shared=1.0, **FEW)
    found = prefixes(stacks, PLAN)
    assert (found.looks(sure_below(found)) == 1).all()
    assert enough_looks(found) == 1


def test_too_few_pictures_promise_nothing():
    found = prefixes(made(VIEWS, pictures=7, **FEW), PLAN)
    assert sure_below(found, 0.5) == 0
    assert enough_looks(found, 0.5) == 4


def test_of_whole_pictures_a_loss_that_none_showed_may_still_be_three_in_as_many():
    found = prefixes(made(dict.fromkeys(VIEWS, 0.0), pictures=40, pixels=1), PLAN)
    assert sure_below(found, 0.07) == 0
    assert sure_below(found, 0.08) > 0


def test_of_one_look_there_is_nothing_to_leave_out():
    found = prefixes(made(VIEWS, **FEW), Plan(("identity",), "none"))
    assert sure_below(found) == 0
    assert (found.looks(0) == 1).all()
    assert enough_looks(found) == 1


@pytest.mark.parametrize("learned", [True, False])
def test_the_plan_begins_with_the_plain_look_and_then_with_what_helps(learned):
    noise = {"identity": 1.0, "hflip": 3.0, "vflip": 0.5, "rot180": 6.0}
    plan = sure_plan(made(noise), ("identity", "vflip", "hflip"), learned)
    assert plan.views == ("identity", "vflip", "hflip")
    assert plan.fusion == ("learned" if learned else "mean")
    if learned:
        assert plan.weights.values.argmax() == 1
        assert plan.weights.values[1] > plan.weights.values[2]


def test_a_look_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="rot90"):
        sure_plan(made(VIEWS), ("identity", "rot90"))
