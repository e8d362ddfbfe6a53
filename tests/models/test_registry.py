import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch

from tta_demo.models.domains import DOMAINS
from tta_demo.models.kept import Kept
from tta_demo.models.record import ModelRecord
from tta_demo.models.registry import MODELS, load_model, models_for
from tta_demo.pictures.palettes import Palette

TASKS = ("segment", "classify", "detect")
every = pytest.mark.parametrize("record", MODELS.values(), ids=MODELS.keys())


@every
def test_a_record_says_what_it_is_without_its_weights_being_loaded(record):
    untouched = replace(record, weights=pytest.fail, load=pytest.fail)
    assert MODELS[record.name] is record
    assert record.task in TASKS
    assert record.domain in DOMAINS
    assert len(set(untouched.classes)) == len(untouched.classes) > 1
    assert all((record.label, record.summary, record.source))


@every
def test_the_weights_are_a_file_and_the_digest_is_of_16_hexadecimal_digits(record):
    assert record.weights().is_file()
    assert len(record.digest) == 16
    assert int(record.digest, 16) >= 0


def test_every_model_is_of_one_task_and_every_task_has_one():
    by_task = [models_for(task) for task in TASKS]
    assert all(by_task)
    assert {name: one for some in by_task for name, one in some.items()} == MODELS
    assert sum(map(len, by_task)) == len(MODELS)
    assert models_for("dance") == {}


@every
def test_a_model_is_loaded_once(record):
    assert load_model(record.name, "cpu") is load_model(record, "cpu")


@pytest.mark.parametrize("arguments", [("resnet",), ("unet-weeds", "abacus")], ids=str)
def test_an_unknown_model_or_device_is_refused(arguments):
    with pytest.raises(ValueError, match=arguments[-1]):
        load_model(*arguments)


# A record of one's own


def own(tmp_path, load, content=b"weights"):
    (tmp_path / "own.bin").write_bytes(content)
    return ModelRecord(
        name="own",
        task="segment",
        label="My own",
        summary="It knows what I taught it.",
        source="me",
        domain="natural",
        weights=lambda: tmp_path / "own.bin",
        load=load,
        palette=Palette(("ground", "thing"), ((0, 0, 0), (255, 0, 0))),
    )


def test_a_record_made_at_run_time_loads_its_own_file_once_and_needs_no_registry(tmp_path):
    asked = []

    def load(path, device, dtype):
        asked.append((path.read_bytes(), device, dtype))
        return lambda images: images

    record = own(tmp_path, load)
    with ThreadPoolExecutor(4) as pool:
        models = list(pool.map(lambda _: load_model(record, "cpu"), range(8)))
    assert asked == [(b"weights", "cpu", None)]
    assert len(set(map(id, models))) == 1
    load_model(record, "cpu", torch.bfloat16)
    assert asked[1:] == [(b"weights", "cpu", torch.bfloat16)]
    assert record.name not in MODELS


def test_a_model_that_loads_slowly_keeps_no_other_waiting(tmp_path):
    slow, other = threading.Event(), threading.Event()

    def load(path, device, dtype):
        slow.set()
        assert other.wait(10), "the other one waited"
        return lambda images: images

    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(load_model, own(tmp_path, load), "cpu")
        assert slow.wait(10)
        load_model(own(tmp_path, lambda *_: other), "cpu")
        other.set()
        assert callable(loading.result())


def test_those_used_longest_ago_make_room_for_others(tmp_path):
    loads, kept = [], Kept(most=100)

    def get(name, size=40):
        path = tmp_path / name
        path.write_bytes(bytes(size))
        return kept.get(name, lambda: path, lambda path: loads.append(path.name) or path.name)

    for name in ("a", "b", "a", "c", "a", "b"):  # c drops b, then b drops c
        assert get(name) == name
    assert loads == ["a", "b", "c", "b"]
    assert get("huge", 1000) == get("huge") == "huge"  # alone it may be larger
    assert get("a") == "a"
    assert loads[4:] == ["huge", "a"]


def test_a_model_that_could_not_be_loaded_is_tried_again(tmp_path):
    def load(path, device, dtype):
        return path.read_bytes()

    record = own(tmp_path, load)
    record.weights().unlink()
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            load_model(record, "cpu")
    record.weights().write_bytes(b"back")
    assert load_model(record, "cpu") == b"back"


def test_other_weights_have_another_digest_and_the_same_ones_the_same(tmp_path):
    digests = [own(tmp_path, pytest.fail, content).digest for content in (b"a", b"b", b"a")]
    assert digests[0] == digests[2] != digests[1]


def test_a_model_without_a_palette_has_the_classes_of_its_table(tmp_path):
    (tmp_path / "classes.csv").write_text("synset,name\nn2,hound\nn1,„Katze“\n", encoding="utf-8")
    record = replace(
        own(tmp_path, pytest.fail), palette=None, class_table=tmp_path / "classes.csv"
    )
    assert record.classes == ("hound", "„Katze“")
    assert record.synsets == ("n2", "n1")
    assert own(tmp_path, pytest.fail).synsets == ()
