import os
import shutil
import time

import pytest

from tta_demo.serving import store as module
from tta_demo.serving.store import AGE, EACH, NoRoom, Store


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    monkeypatch.setattr(module, "EACH", 0)


@pytest.fixture
def store(tmp_path):
    """A store for 1,000 bytes, 500 of which can be one visitor's."""
    return Store(tmp_path / "uploads", most=1000, own=500)


def put(store, name, size=100, age=0):
    file = store.uploads / name / "0" / "file"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"x" * size)
    os.utime(file, (time.time() - age,) * 2)
    return file


def left(store):
    return {path.name for path in store.uploads.iterdir()}


def test_old_files_go_but_not_those_of_the_page_or_of_who_is_here(store):
    files = [put(store, name, age=2 * AGE) for name in ("old", "example", "mine")]
    put(store, "new")
    store.belongs("me", files[2:])
    assert store.sweep({str(files[1])}) == {str(files[0])}
    assert left(store) == {"example", "mine", "new"}
    assert store.nbytes == 300


def test_what_is_too_much_goes_oldest_first_whoever_has_it(store):
    files = [put(store, f"{age}", size=400, age=age) for age in (300, 200, 100)]
    store.belongs("me", files)
    store.sweep()
    assert left(store) == {"200", "100"}


def test_files_without_content_fill_the_disk_too(store, monkeypatch):
    monkeypatch.setattr(module, "EACH", EACH)
    store.most = 4 * EACH
    for number in range(9):
        put(store, f"{number}", size=0, age=9 - number)
    store.sweep()
    assert left(store) == {"5", "6", "7", "8"}


def test_what_lies_elsewhere_counts_but_stays(tmp_path):
    store = Store(tmp_path / "uploads", tmp_path, most=1000)
    (tmp_path / "model").write_bytes(b"x" * 950)
    put(store, "new")
    store.sweep()
    assert left(store) == set()
    assert store.nbytes == 950
    with pytest.raises(NoRoom, match="try again"):
        store.take(100)


def test_bytes_are_counted_while_they_come(store):
    for _ in range(10):
        store.take(100)
    with pytest.raises(NoRoom):
        store.take(1)
    store.sweep()  # nothing was written after all
    store.take(1)


def test_a_full_disk_takes_nothing(store, monkeypatch):
    full = shutil.disk_usage(store.uploads)._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(NoRoom):
        store.take(1)


def test_a_visitor_s_oldest_files_make_room_but_never_those_named_now(store):
    files = [put(store, f"{i}", size=200) for i in range(4)]
    for file in files:
        store.belongs("me", [file])
    assert left(store) == {"2", "3"}
    store.belongs("me", files[2:] + [put(store, name, size=200) for name in "ab"])
    assert left(store) == {"2", "3", "a", "b"}


def test_what_a_visitor_alone_has_goes_with_them(store):
    mine, ours = put(store, "mine"), put(store, "ours")
    outside = store.uploads.parent / "outside"
    outside.write_bytes(b"x")
    store.belongs("me", [mine, ours, outside])
    store.belongs("you", [ours])
    store.leave("me")
    assert left(store) == {"ours"}
    store.leave("you")
    assert left(store) == set()
    assert outside.exists()
