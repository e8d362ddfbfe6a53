import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from tta_demo.learning.answers import Answers
from tta_demo.learning.fit import fit_steps
from tta_demo.learning.module import LEARNABLE, Form
from tta_demo.learning.weight_file import WeightFile
from tta_demo.tta.fusion import POOLS, fuse
from tta_demo.tta.predict import ViewStack

CLASSES = ("background", "nucleus")
FILE = WeightFile(
    world="nuclei",
    model="unet-nuclei",
    digest="0123456789abcdef",
    weights={"identity": 0.5, "hflip": 0.3, "rot90": 0.2, "noise": 0.0, "zoom0.5": 0.0},
    calibration={"pictures": 12, "pixels": 3456},
    scores={"miou": 0.87},
    date="2025-01-31",
)
BY_CLASS = WeightFile(
    world="nuclei",
    model="unet-nuclei",
    digest="0123456789abcdef",
    weights={
        "identity": {"background": 0.6, "nucleus": 0.1},
        "hflip": {"background": 0.4, "nucleus": 0.3},
        "noise": {"background": 0.0, "nucleus": 0.6},
    },
    method="adam",
    prior=0.3,
    pool="log",
    scores={"gap": None},
)
files = pytest.mark.parametrize("file", [FILE, BY_CLASS], ids=["view", "class"])


@files
def test_a_saved_file_loads_as_it_was(file, tmp_path):
    file.save(tmp_path / "weights.json")
    loaded = WeightFile.load(tmp_path / "weights.json")
    assert loaded == file
    assert loaded.views == file.views


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("prior", [0.0, 0.25, 64.0, float("inf")])
def test_the_pool_and_the_prior_survive(pool, prior, tmp_path):
    WeightFile("w", "m", "d", {"a": 1.0}, "adam", prior, pool).save(tmp_path / "weights.json")
    loaded = WeightFile.load(tmp_path / "weights.json")
    assert (loaded.method, loaded.prior, loaded.pool) == ("adam", prior, pool)
    json.loads((tmp_path / "weights.json").read_text(), parse_constant=pytest.fail)


def test_a_file_from_before_there_was_a_prior_is_read(tmp_path):
    data = json.loads(FILE.text()) | {"shrink": 0.25}
    del data["prior"]
    (tmp_path / "weights.json").write_text(json.dumps(data))
    assert WeightFile.load(tmp_path / "weights.json") == replace(FILE, prior=0.0)


@pytest.mark.parametrize("per_class", [False, True], ids=["view", "class"])
def test_fitted_weights_survive_the_file_and_fuse(per_class, tmp_path):
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(2), (3, 200)).transpose(0, 2, 1).astype(np.float32)
    answers = Answers((probs,), (rng.integers(0, 2, 200),))
    *_, done = fit_steps(answers, "adam", form=Form(per_class))
    rows = done.weights.tolist()
    if per_class:
        rows = [dict(zip(CLASSES, row, strict=True)) for row in rows]
    file = WeightFile("w", "m", "d", dict(zip("abc", rows, strict=True)))
    file.save(tmp_path / "weights.json")
    loaded = WeightFile.load(tmp_path / "weights.json")
    assert loaded.weights == file.weights
    weights = loaded.select("abc", "d", CLASSES)
    np.testing.assert_allclose(weights.values, done.weights, atol=1e-6)
    stack = ViewStack(("a", "b", "c"), torch.from_numpy(probs).log())
    assert fuse(stack, "learned", weights).isfinite().all()


@pytest.mark.parametrize("form", [Form(c, p) for c in (False, True) for p in LEARNABLE], ids=str)
def test_the_file_of_a_fit_gives_its_weights_and_its_pool_back(form, tmp_path):
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(2), (3, 200)).transpose(0, 2, 1).astype(np.float32)
    answers = Answers((probs,), (rng.integers(0, 2, 200),))
    *_, done = fit_steps(answers, "adam", 0.2, form)
    belongs = {"world": "w", "model": "m", "digest": "d"}
    file = WeightFile.of(done, "abc", CLASSES, {"pictures": 1}, {"miou": 0.5}, **belongs)
    file.save(tmp_path / "weights.json")
    loaded = WeightFile.load(tmp_path / "weights.json")
    assert loaded == file
    assert (loaded.world, loaded.model, loaded.digest) == ("w", "m", "d")
    assert (loaded.method, loaded.prior, loaded.pool) == ("adam", 0.2, form.pool)
    assert loaded.calibration == {"pictures": 1, "pixels": 200}
    assert (loaded.scores["miou"], loaded.scores["gap"]) == (0.5, done.gap)
    weights = loaded.select("abc", "d", CLASSES)
    assert weights.pool == form.pool
    np.testing.assert_allclose(weights.values, done.weights, atol=2e-6)


LOGITS = WeightFile(
    world="w",
    model="m",
    digest="d",
    weights={"a": {"x": 1.25, "y": 0.25}, "b": {"x": 0.75, "y": 0.0}, "c": {"x": 0.5, "y": 0.5}},
    method="shanmugam",
    pool="logits",
)


def test_weights_of_logits_are_of_any_size_and_some_of_them_weigh_as_much_as_all(tmp_path):
    LOGITS.save(tmp_path / "weights.json")
    assert WeightFile.load(tmp_path / "weights.json") == LOGITS
    whole = LOGITS.select(("a", "b", "c"), "d", ("x", "y"))
    torch.testing.assert_close(whole.values, torch.tensor([[1.25, 0.25], [0.75, 0], [0.5, 0.5]]))
    some = LOGITS.select(("b", "a"), "d", ("x", "y"))
    torch.testing.assert_close(some.values, torch.tensor([[0.9375, 0], [1.5625, 0.75]]))


def test_the_file_of_a_fit_that_chooses_its_form_fuses_as_the_fit(tmp_path):
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(2), (6, 3, 200)).transpose(0, 1, 3, 2).astype(np.float32)
    answers = Answers(tuple(probs), tuple(rng.integers(0, 2, (6, 200))))
    *_, done = fit_steps(answers, "shanmugam")
    belongs = {"world": "w", "model": "m", "digest": "d"}
    WeightFile.of(done, "abc", CLASSES, {}, {}, **belongs).save(tmp_path / "weights.json")
    weights = WeightFile.load(tmp_path / "weights.json").select("abc", "d", CLASSES)
    assert weights.pool == "logits"
    stack = ViewStack(("a", "b", "c"), torch.from_numpy(probs[0]).log())
    wanted = fuse(stack, "learned", done)
    torch.testing.assert_close(fuse(stack, "learned", weights), wanted, atol=1e-4, rtol=0)


@files
def test_selected_weights_are_of_the_files_pool(file):
    assert file.select(("identity", "hflip"), file.digest, CLASSES).pool == file.pool


def test_the_file_has_an_entry_for_each_view():
    data = json.loads(FILE.text())
    assert (data["format"], data["task"], data["world"]) == (1, "segment", "nuclei")
    assert {e["view"]: e["weight"] for e in data["entries"]} == FILE.weights
    assert {e["class"] for e in data["entries"]} == {None}
    assert {(e["model"], e["digest"]) for e in data["entries"]} == {(FILE.model, FILE.digest)}


def test_the_file_has_an_entry_for_each_view_and_class():
    data = json.loads(BY_CLASS.text())
    found = {(e["view"], e["class"]): e["weight"] for e in data["entries"]}
    assert len(data["entries"]) == len(found) == 6
    for (view, name), weight in found.items():
        assert weight == BY_CLASS.weights[view][name]


# Choosing


def test_all_views_get_their_weights_in_the_order_asked_for():
    order = ("rot90", "identity", "zoom0.5", "noise", "hflip")
    wanted = torch.tensor([0.2, 0.5, 0.0, 0.0, 0.3])
    torch.testing.assert_close(FILE.select(order, FILE.digest, CLASSES).values, wanted)


def test_classes_get_their_weights_in_the_order_asked_for():
    wanted = torch.tensor([[0.6, 0.0], [0.1, 0.6], [0.3, 0.4]])
    got = BY_CLASS.select(("noise", "identity", "hflip"), BY_CLASS.digest, CLASSES[::-1])
    torch.testing.assert_close(got.values, wanted)


def test_some_views_share_all_the_weight():
    weights = FILE.select(("rot90", "hflip", "noise"), FILE.digest, CLASSES)
    torch.testing.assert_close(weights.values, torch.tensor([0.4, 0.6, 0.0]))


def test_some_views_share_all_the_weight_of_each_class():
    weights = BY_CLASS.select(("hflip", "noise"), BY_CLASS.digest, CLASSES)
    torch.testing.assert_close(weights.values, torch.tensor([[1.0, 1 / 3], [0.0, 2 / 3]]))


def test_weights_per_view_fit_any_classes():
    weights = FILE.select(("identity", "hflip"), FILE.digest, ("road", "sky", "tree"))
    torch.testing.assert_close(weights.values, torch.tensor([0.625, 0.375]))


@files
def test_a_view_without_a_weight_is_refused_by_name(file):
    with pytest.raises(ValueError, match="gamma-"):
        file.select(("identity", "gamma-"), file.digest, CLASSES)


@files
def test_another_model_is_refused(file):
    with pytest.raises(ValueError, match="fedcba9876543210"):
        file.select(("identity",), "fedcba9876543210", CLASSES)


def test_views_that_all_count_nothing_are_refused():
    with pytest.raises(ValueError, match="noise"):
        FILE.select(("noise", "zoom0.5"), FILE.digest, CLASSES)


def test_views_that_count_nothing_for_one_class_are_refused():
    with pytest.raises(ValueError, match="noise"):
        BY_CLASS.select(("noise",), BY_CLASS.digest, CLASSES)


@pytest.mark.parametrize(
    "classes", [("background", "weed"), ("background",), (*CLASSES, "border")], ids=str
)
def test_other_classes_are_refused_by_name(classes):
    with pytest.raises(ValueError, match="nucleus"):
        BY_CLASS.select(("identity",), BY_CLASS.digest, classes)


# Broken files


def saved(tmp_path, **changes):
    path = tmp_path / "weights.json"
    path.write_text(json.dumps(json.loads(FILE.text()) | changes))
    return path


def entry(view="identity", weight=1.0, name=None, **changes):
    one = {"model": "m", "digest": "d", "view": view, "class": name, "weight": weight}
    return one | changes


BROKEN = {
    "format": {"format": 2},
    "another task": {"task": "detect"},
    "another pool": {"pool": "geometric"},
    "a pool that is a list": {"pool": ["log"]},
    "a prior in words": {"prior": "much"},
    "no prior": {"prior": None},
    "a prior that no float holds": {"prior": 10**400},
    "a prior below 0": {"prior": -0.5},
    "a prior that is no number": {"prior": float("nan")},
    "no entries": {"entries": []},
    "entries of another kind": {"entries": ["identity"]},
    "entries that are no list": {"entries": None},
    "entries by name": {"entries": {"identity": 1.0}},
    "no weight": {"entries": [{"model": "m", "digest": "d", "view": "identity", "class": None}]},
    "no class": {"entries": [{"model": "m", "digest": "d", "view": "identity", "weight": 1}]},
    "a weight in words": {"entries": [entry(weight="much")]},
    "a weight that is a list": {"entries": [entry(weight=[1.0])]},
    "a weight that no float holds": {"entries": [entry(weight=10**400)]},
    "a negative weight": {"entries": [entry(weight=1.5), entry("hflip", -0.5)]},
    "weights that sum to 2": {"entries": [entry(), entry("hflip")]},
    "nan": {"entries": [entry(weight=float("nan"))]},
    "infinity": {"entries": [entry(weight=float("inf"))]},
    "a view twice": {"entries": [entry(weight=0.5), entry(weight=0.5)]},
    "a view that is a list": {"entries": [entry(["identity"])]},
    "a class that is a list": {"entries": [entry(name=["cell"])]},
    "a model that is a list": {"entries": [entry(model=["m"])]},
    "two models": {"entries": [entry(weight=0.5), entry("hflip", 0.5, model="other", digest="e")]},
    "weights per view and per class": {"entries": [entry(), entry(name="cell")]},
    "a class that lacks a view": {
        "entries": [entry("identity", 0.5, "a"), entry("hflip", 0.5, "a"), entry(name="b")]
    },
    "a class with another view": {"entries": [entry(name="a"), entry("hflip", name="b")]},
    "a class that sums to 2": {
        "entries": [
            *(entry(view, 0.5, "a") for view in ("identity", "hflip")),
            *(entry(view, 1.0, "b") for view in ("identity", "hflip")),
        ]
    },
    "a negative weight of one class": {
        "entries": [
            *(entry(view, 0.5, "a") for view in ("identity", "hflip")),
            *(entry(view, w, "b") for view, w in (("identity", 1.5), ("hflip", -0.5))),
        ]
    },
    "a view twice in a class": {
        "entries": [entry("identity", 0.5, "a"), entry("identity", 0.5, "a")]
    },
}


PYTHON = re.compile(
    r"Expecting|Error|Errno|None|True|nan|inf\b|<class|object|subscript|index|could not convert|"
    r"too large|recursion|unhashable|codec|Traceback|\{'"
)
"""Words that Python says and people do not."""


def refused(path):
    """Returns what is said of a file that is refused: its name, and no word of Python's."""
    with pytest.raises(ValueError, match=path.name) as caught:
        WeightFile.load(path)
    said = str(caught.value)
    assert not PYTHON.search(said), said
    assert len(said) < 400
    return said


@pytest.mark.parametrize("changes", BROKEN.values(), ids=BROKEN.keys())
def test_a_file_that_means_something_else_is_refused_by_name(changes, tmp_path):
    refused(saved(tmp_path, **changes))


SAID = {
    "another version": ({"format": 2}, "2"),
    "a pool": ({"pool": "geometric"}, '"geometric"'),
    "a prior": ({"prior": -1.5}, "-1.5"),
    "a switch for a number": ({"prior": True}, "true"),
    "a weight in words": ({"entries": [entry(weight="much")]}, '"much"'),
    "a weight out of range": ({"entries": [entry(), entry("hflip", -0.5)]}, "-0.5"),
    "nan": ({"entries": [entry(weight=float("nan"))]}, "NaN"),
    "the sum": ({"entries": [entry(weight=0.25)]}, "0.25"),
    "a view twice": ({"entries": [entry(weight=0.5), entry(weight=0.5)]}, '"identity"'),
    "the lacking one": (
        {"entries": [entry("a", 0.5, "x"), entry("b", 0.5, "x"), entry("a", 1, "y")]},
        '"b", class "y"',
    ),
    "which entry": ({"entries": [entry(weight=0.5), entry("hflip", None)]}, "entry 2"),
    "a model": ({"entries": [entry(model=7)]}, "7"),
    "pictures": ({"calibration": {"pictures": [[1]]}}, "[[1]]"),
    "a world": ({"world": ["weeds"]}, '["weeds"]'),
    "a date": ({"date": 3}, "3"),
    "a picture for a date": ({"date": "![](//a.b/c)"}, '"![](//a.b/c)"'),
    "a long method": ({"method": "exact" * 60}, "200"),
    "lines in a name": ({"entries": [entry(name="cell\n\n# cell")]}, "200"),
}


@pytest.mark.parametrize(("changes", "value"), SAID.values(), ids=SAID.keys())
def test_a_refusal_names_the_value(changes, value, tmp_path):
    assert value in refused(saved(tmp_path, **changes))


@pytest.mark.parametrize("key", sorted(json.loads(FILE.text()).keys() - {"prior"}))
def test_a_file_that_lacks_a_part_is_refused_by_name(key, tmp_path):
    data = json.loads(FILE.text())
    del data[key]
    (tmp_path / "weights.json").write_text(json.dumps(data))
    assert key in refused(tmp_path / "weights.json")


WHOLE = {
    "per view": ([entry(weight=0.5), entry("hflip", 0.5)], {"identity": 0.5, "hflip": 0.5}),
    "one class": ([entry(name="cell")], {"identity": {"cell": 1.0}}),
    "per class, in any order": (
        [
            entry("identity", 0.2, "a"),
            entry("hflip", 0.7, "b"),
            entry("identity", 0.3, "b"),
            entry("hflip", 0.8, "a"),
        ],
        {"identity": {"a": 0.2, "b": 0.3}, "hflip": {"a": 0.8, "b": 0.7}},
    ),
}


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize(("entries", "weights"), WHOLE.values(), ids=WHOLE.keys())
def test_the_same_file_unbroken_is_not_refused(entries, weights, pool, tmp_path):
    loaded = WeightFile.load(saved(tmp_path, entries=entries, pool=pool))
    assert loaded.weights == weights
    assert loaded.pool == pool


@pytest.mark.parametrize(
    "case",
    {
        "nothing": b"",
        "cut": FILE.text()[:200].encode(),
        "list": b"[]",
        "null": b"null",
        "number": b"3",
        "short": b'{"format": 1}',
        "picture": b"\x89PNG\xff\xfe",
        "utf-16": FILE.text().encode("utf-16"),
        "deep list": b"[" * 100_000,
        "deep": b'{"a":' * 100_000,
        "half deep": b'{"format": 1, "task": ' + b"[" * 900 + b"]" * 900 + b"}",
        "many digits": b'{"format": ' + b"9" * 5000 + b"}",
        "large": b" " * 1_000_001,
    }.items(),
    ids=lambda case: case[0],
)
def test_a_file_that_is_no_weights_file_is_refused_by_name(case, tmp_path):
    (tmp_path / "weights.json").write_bytes(case[1])
    refused(tmp_path / "weights.json")


def test_a_file_that_an_editor_marked_as_utf_8_is_read(tmp_path):
    (tmp_path / "weights.json").write_text(FILE.text(), encoding="utf-8-sig")
    assert WeightFile.load(tmp_path / "weights.json") == FILE


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match=r"weights\.json"):
        WeightFile.load(tmp_path / "weights.json")


def test_a_folder_is_refused_by_name(tmp_path):
    (tmp_path / "weights.json").mkdir()
    with pytest.raises(ValueError, match=r"weights\.json"):
        WeightFile.load(tmp_path / "weights.json")


@pytest.mark.parametrize(("pictures", "said"), [(1, "1 picture "), (2, "2 pictures ")])
def test_the_origin_counts_pictures(pictures, said):
    assert said in replace(FILE, calibration={"pictures": pictures}).origin
