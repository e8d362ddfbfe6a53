import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tta_demo.tasks.cache import KEPT, Cache, picture_key

SIZE = 100


class Maker:
    """Makes looks of a size, and keeps count of which."""

    def __init__(self, sizes=None):
        self.sizes, self.made = sizes or {}, []

    def __call__(self, names):
        for name in names:
            self.made.append(name)
            yield name, np.full(self.sizes.get(name, SIZE), ord(name[0]), np.uint8)


@pytest.fixture
def make():
    return Maker()


# What is made


def test_the_same_views_again_cost_nothing_and_are_the_same_looks(make):
    cache = Cache()
    first = cache.looks("model", "picture", "abc", make)
    again = cache.looks("model", "picture", "abc", pytest.fail)
    assert make.made == ["a", "b", "c"]
    assert all(again[name] is first[name] for name in "abc")


def test_one_more_view_costs_one_and_the_looks_come_in_the_order_asked_for(make):
    cache = Cache()
    cache.looks("model", "picture", "ac", make)
    looks = cache.looks("model", "picture", "cba", make)
    assert make.made == ["a", "c", "b"]
    assert list(looks) == ["c", "b", "a"]
    assert all((one == ord(name)).all() for name, one in looks.items())


def test_another_picture_or_another_model_costs_everything(make):
    cache = Cache()
    for model, picture in [("m", "p"), ("m", "q"), ("n", "p"), ("m", "p"), ("n", "p")]:
        cache.looks(model, picture, "ab", make)
    assert len(make.made) == 6


def test_what_is_missing_is_told_and_making_it_is_not_asked_for_what_is_there(make):
    cache = Cache()
    assert cache.missing("m", "p", "ab") == ["a", "b"]
    cache.looks("m", "p", "a", make)
    assert cache.missing("m", "p", "ba") == ["b"]
    assert cache.missing("m", "q", "a") == ["a"]
    assert cache.missing("n", "p", "a") == ["a"]
    assert make.made == ["a"]


def test_a_picture_has_the_key_of_its_pixels_and_its_shape():
    rgb = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
    changed = rgb.copy()
    changed[0, 0, 0] ^= 1
    keys = [picture_key(one) for one in (rgb, changed, rgb.reshape(9, 6, 3), rgb[::-1])]
    assert len(set(keys)) == 4
    assert picture_key(rgb.copy()) == picture_key(np.asfortranarray(rgb)) == keys[0]


def test_looks_that_were_made_before_an_error_are_kept():
    def broken(names):
        yield names[0], np.zeros(SIZE, np.uint8)
        raise ValueError("the second one fails")

    cache = Cache()
    with pytest.raises(ValueError, match="second"):
        cache.looks("m", "p", "abc", broken)
    assert cache.missing("m", "p", "abc") == ["b", "c"]
    assert cache.nbytes == SIZE


# The limit


def test_the_cache_keeps_its_byte_limit_and_drops_what_was_used_longest_ago(make):
    cache = Cache(limit=3 * SIZE)
    for name in "abc":
        cache.looks("m", "p", name, make)
    cache.looks("m", "p", "a", make)  # now b is the oldest
    cache.looks("m", "p", "d", make)
    assert cache.nbytes == cache.limit
    assert cache.missing("m", "p", "abcd") == ["b"]
    cache.looks("m", "p", "acd", pytest.fail)
    cache.looks("m", "p", "b", make)
    assert make.made == [*"abcd", "b"]


def test_more_looks_than_the_cache_holds_are_given_but_not_kept(make):
    cache = Cache(limit=2 * SIZE + 1)
    looks = cache.looks("m", "p", "abcde", make)
    assert list(looks) == [*"abcde"]
    assert cache.missing("m", "p", "abcde") == ["a", "b", "c"]
    assert cache.nbytes == 2 * SIZE


def test_one_look_larger_than_the_limit_is_given_but_not_kept_and_does_no_lasting_harm():
    cache, make = Cache(limit=2 * SIZE), Maker({"L": 2 * SIZE + 1})
    assert cache.looks("m", "p", "L", make)["L"].nbytes == 2 * SIZE + 1
    assert cache.missing("m", "p", "L") == ["L"]
    assert cache.nbytes == 0
    cache.looks("m", "p", "ab", make)
    assert cache.missing("m", "p", "ab") == []
    assert cache.nbytes == 2 * SIZE


def test_asking_what_is_missing_uses_nothing(make):
    cache = Cache(limit=2 * SIZE)
    cache.looks("m", "p", "ab", make)
    cache.missing("m", "p", "a")
    cache.looks("m", "p", "c", make)
    assert cache.missing("m", "p", "abc") == ["a"]


@pytest.mark.parametrize("seed", range(3))
def test_the_cache_equals_a_list_that_is_sorted_by_last_use(seed):
    """The reference keeps (key, size) pairs, the longest unused first."""
    rng = np.random.default_rng(seed)
    sizes = {name: int(rng.integers(1, 40)) for name in "abcdefgh"}
    cache, make, kept = Cache(limit=100), Maker(sizes), []
    for _ in range(300):
        picture = "pq"[rng.integers(2)]
        views = rng.permutation([*sizes])[: rng.integers(1, 4)].tolist()
        make.made.clear()
        cache.looks("m", picture, views, make)
        keys = [(picture, name) for name in views]
        there = [key for key in keys if key in kept]
        fresh = [key for key in keys if key not in kept]
        assert make.made == [name for _, name in fresh]
        kept = [key for key in kept if key not in there] + there
        for key in fresh:
            kept.append(key)
            while sum(sizes[name] for _, name in kept) > 100:
                kept.pop(0)
        assert cache.nbytes == sum(sizes[name] for _, name in kept)
        for picture in "pq":
            gone = [name for name in sizes if (picture, name) not in kept]
            assert cache.missing("m", picture, [*sizes]) == gone


def test_there_is_one_cache_of_512_mb_for_everybody():
    assert KEPT.limit == 512 * 2**20


# Threads


def test_what_many_want_at_once_is_made_once_and_they_get_the_same(make):
    cache, began = Cache(), threading.Event()

    def slow(names):
        began.set()
        time.sleep(0.05)
        yield from make(names)

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(cache.looks, "m", "p", "abc", slow)
        assert began.wait(10)
        others = [pool.submit(cache.looks, "m", "p", "cb", make) for _ in range(7)]
        assert all(one.result(10)["b"] is first.result(10)["b"] for one in others)
    assert make.made == [*"abc"]


def test_who_waited_makes_what_another_gave_up(make):
    cache, began = Cache(), threading.Event()

    def stopped(names):
        yield from make(names[:1])
        began.set()
        time.sleep(0.05)
        raise MemoryError

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.looks, "m", "p", "abc", stopped)
        assert began.wait(10)
        assert list(pool.submit(cache.looks, "m", "p", "ab", make).result(10)) == ["a", "b"]
        with pytest.raises(MemoryError):
            first.result(10)
    assert make.made == ["a", "b"]


def test_others_can_use_the_cache_while_one_makes_looks(make):
    cache = Cache()
    with ThreadPoolExecutor(1) as pool:

        def slow(names):
            others = pool.submit(cache.looks, "other", "p", "ab", make)
            assert list(others.result(timeout=60)) == ["a", "b"]
            yield from make(names)

        assert list(cache.looks("m", "p", "c", slow)) == ["c"]
    assert cache.nbytes == 3 * SIZE


def test_many_threads_get_the_looks_of_one_and_the_counts_add_up():
    cache, sizes = Cache(limit=200), {name: 20 + 7 * i for i, name in enumerate("abcdefgh")}

    def run(number):
        views = [*sizes][number % 6 : number % 6 + 3]
        looks = cache.looks("m", "pq"[number % 2], views, Maker(sizes))
        assert cache.nbytes <= 200 + 20 + 7 * 8  # at most one look before another leaves
        return views, looks

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(run, range(400)))
    for views, looks in answers:
        assert list(looks) == views
        for name, one in looks.items():
            assert (one == ord(name)).all()
            assert one.nbytes == sizes[name]
    kept = [sizes[name] for p in "pq" for name in sizes if not cache.missing("m", p, [name])]
    assert cache.nbytes == sum(kept) <= 200
    assert len(kept) > 1
