import csv
import io
import json
import warnings
from functools import partial

import numpy as np
import pytest
import sklearn.metrics
import torch
from PIL import Image

from tta_demo.evaluation.segment import evaluate_segmentation, score_table
from tta_demo.pictures.palettes import Palette
from tta_demo.samples.labelled import LabelledPicture, Source
from tta_demo.scoring.metrics import confusion
from tta_demo.scoring.score import Score, evaluate
from tta_demo.tta.fusion import Weights, fuse
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.predict import predict_views, to_tensor

PALETTE = Palette(("soil", "crop, young", "weed"), ((0, 0, 0), (0, 200, 60), (250, 60, 10)))
VIEWS = ("identity", "hflip", "rot90")
PLANS = {
    "none": ONE_LOOK,
    "mean": Plan(VIEWS),
    "learned": Plan(VIEWS, "learned", Weights([0.2, 0.5, 0.3])),
}


def some(*names):
    return {name: PLANS[name] for name in names}


NO_GAIN = some("none", "learned")  # most tests need no bootstrap, which takes most of the time
STAMP = {"digest": "0123", "views": list(VIEWS), "data": {"pictures": 3}}
SIZE = 31, 40
GAP = 8

switches = pytest.mark.parametrize("background", [True, False])
ways = pytest.mark.parametrize("per_image", [True, False])


def picture(seed, classes=3):
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(classes, 5))
    labels = rng.choice(classes, SIZE, p=shares).astype(np.uint8)
    return LabelledPicture(f"p{seed}", rng.integers(0, 256, (*SIZE, 3), np.uint8), labels)


SOURCES = {f"p{seed}": Source(partial(picture, seed)) for seed in range(3)}


def broken(error):
    raise error


class Counting:
    """Counts the forward passes of a model, and may stop as a killed process would."""

    def __init__(self, model, limit=None):
        self.model, self.limit, self.calls = model, limit, 0

    def __call__(self, x):
        if self.calls == self.limit:
            raise KeyboardInterrupt
        self.calls += 1
        return self.model(x)


def run(model, out, sources=SOURCES, stamp=STAMP, plans=NO_GAIN, **options):
    options = {"progress": iter} | options
    return evaluate_segmentation(model, sources, plans, PALETTE, out, stamp, **options)


def read_table(path):
    """Returns the header, the names of the rows, and the values as they are written."""
    header, *rows = csv.reader(io.StringIO(path.read_text()))
    return header, [row[0] for row in rows], [row[1:] for row in rows]


def read_tables(out):
    return {path.name: read_table(path) for path in sorted(out.glob("scores_*.csv"))}


def read_summary(out):
    def refuse(constant):
        raise ValueError(f"{constant} is no JSON")

    return json.loads((out / "summary.json").read_text(), parse_constant=refuse)


def predictions(model, plan):
    """Returns truth and fused probabilities `(n, C)` of all pictures, by the library's own way."""
    truth, probs = [], []
    for source in SOURCES.values():
        made = source.read()
        stack = predict_views(model, to_tensor(made.rgb), plan.views)
        fused = fuse(stack, plan.fusion, plan.weights)
        truth.append(made.labels.ravel())
        probs.append(fused.flatten(1).T.numpy())
    return np.concatenate(truth), np.concatenate(probs)


def score_of(pairs, classes):
    """Returns the score of pairs of truth and labels."""
    return Score([confusion(truth, labels, classes) for truth, labels in pairs])


def random_pairs(seed, classes=5, pictures=4):
    """Pairs of truth and labels of different sizes; each lacks some classes, and all lack 3."""
    rng = np.random.default_rng(seed)
    pairs = []
    for size in range(6, 6 + pictures):
        present = rng.choice([c for c in range(classes) if c != 3], 3, replace=False)
        pairs.append(present[rng.integers(0, 3, (2, size, 7))])
    return pairs


def by_scikit_learn(truth, labels, classes):
    """Returns F1 and Jaccard `(C, 2)`, NaN for a class that the truth lacks."""
    flat = truth.ravel(), labels.ravel()
    present = np.unique(truth)
    found = np.full((classes, 2), np.nan)
    for column, metric in enumerate((sklearn.metrics.f1_score, sklearn.metrics.jaccard_score)):
        found[present, column] = metric(*flat, labels=present, average=None)
    return found


@pytest.mark.parametrize("seed", range(4))
@switches
def test_pooled_scores_are_those_of_scikit_learn_on_all_pixels(seed, background):
    pairs = random_pairs(seed)
    truth, labels = (np.concatenate([pair[i].ravel() for pair in pairs]) for i in (0, 1))
    wanted = by_scikit_learn(truth, labels, 5)
    table = score_table(score_of(pairs, 5), background)
    np.testing.assert_allclose(table[:-1], wanted)
    assert np.isnan(table[3]).all()
    flat, present = (truth, labels), np.union1d(truth, labels)[0 if background else 1 :]
    macro = partial(sklearn.metrics.f1_score, labels=present, average="macro")
    assert table[-1, 0] == pytest.approx(macro(*flat))
    macro = partial(sklearn.metrics.jaccard_score, labels=present, average="macro")
    assert table[-1, 1] == pytest.approx(macro(*flat))


@pytest.mark.parametrize("seed", range(4))
@switches
def test_per_image_scores_are_means_of_scikit_learns_without_absent_classes(seed, background):
    pairs = random_pairs(seed)
    each = np.array([by_scikit_learn(*pair, 5) for pair in pairs])
    assert np.isnan(each[:, [0, 1, 2, 4]]).any(), "no class is absent from a picture"
    table = score_table(score_of(pairs, 5), background, per_image=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # class 3 has nothing to average
        wanted = np.nanmean(each, 0)
    np.testing.assert_allclose(table[:-1], wanted)
    np.testing.assert_allclose(table[-1], np.nanmean(wanted[0 if background else 1 :], 0))


def test_a_class_absent_from_a_picture_does_not_count_as_0_there():
    right = np.zeros((2, 3), int), np.zeros((2, 3), int)
    both = np.array([[0, 1]]), np.array([[0, 1]])
    table = score_table(score_of([right, both], 2), per_image=True)
    np.testing.assert_array_equal(table, np.ones((3, 2)))


def test_nothing_but_background_has_no_mean_without_it():
    table = score_table(score_of([(np.zeros((2, 3), int),) * 2], 2), background=False)
    np.testing.assert_array_equal(table, [[1, 1], [np.nan] * 2, [np.nan] * 2])


def test_a_run_writes_what_it_returns(toy_model, tmp_path):
    outcome = run(toy_model, tmp_path / "new" / "out", plans=PLANS)
    assert list(outcome.scores) == ["none", "mean", "learned"]
    assert outcome.failures == {}
    tables = read_tables(tmp_path / "new" / "out")
    assert list(tables) == ["scores_learned.csv", "scores_mean.csv", "scores_none.csv"]
    for name, score in outcome.scores.items():
        header, rows, values = tables[f"scores_{name}.csv"]
        assert header == ["Class", "F1", "Jaccard"]
        assert rows == [*PALETTE.names, "Mean"]
        assert all(len(value.partition(".")[2]) == 6 for row in values for value in row), values
        np.testing.assert_allclose(np.float64(values), score_table(score), atol=5e-7)


def test_the_scores_are_those_of_evaluate(toy_model, tmp_path):
    outcome = run(toy_model, tmp_path, plans=PLANS)
    wanted = evaluate(toy_model, [source.read() for source in SOURCES.values()], PLANS)
    assert list(outcome.scores) == list(wanted)
    for name, score in outcome.scores.items():
        expected = wanted[name]
        np.testing.assert_array_equal(score.matrices, expected.matrices)
        np.testing.assert_allclose(score.tables, expected.tables, rtol=1e-12)
        assert score.log_losses == expected.log_losses
        assert score.seconds > 0


@pytest.mark.parametrize("name", PLANS)
def test_the_summary_agrees_with_scikit_learn(toy_model, tmp_path, name):
    run(toy_model, tmp_path, plans=PLANS)
    found = read_summary(tmp_path)["plans"][name]
    truth, probs = predictions(toy_model, PLANS[name])
    labels = probs.argmax(1)
    jaccard = sklearn.metrics.jaccard_score(truth, labels, average=None)
    f1 = sklearn.metrics.f1_score(truth, labels, average=None)
    assert found["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(truth, labels))
    probs = np.float64(probs) / np.float64(probs).sum(1, keepdims=True)
    assert found["nll"] == pytest.approx(sklearn.metrics.log_loss(truth, probs), rel=1e-4)
    pooled = found["pooled"]
    assert pooled["with_background"]["iou"] == pytest.approx(jaccard.mean())
    assert pooled["without_background"]["iou"] == pytest.approx(jaccard[1:].mean())
    assert pooled["with_background"]["f1"] == pytest.approx(f1.mean())
    assert pooled["without_background"]["f1"] == pytest.approx(f1[1:].mean())
    pixels = SIZE[0] * SIZE[1]
    each = [slice(i * pixels, (i + 1) * pixels) for i in range(3)]
    single = [sklearn.metrics.jaccard_score(truth[s], labels[s], average=None) for s in each]
    single = np.mean(single, axis=0)
    assert found["per_image"]["with_background"]["iou"] == pytest.approx(single.mean())
    assert found["per_image"]["without_background"]["iou"] == pytest.approx(single[1:].mean())


def test_the_summary_tells_what_ran_and_whether_the_last_plan_gains(toy_model, tmp_path):
    outcome = run(toy_model, tmp_path, plans=PLANS, background=False)
    found = read_summary(tmp_path)
    assert (found["stamp"], found["pictures"], found["failures"]) == (STAMP, 3, {})
    assert found["tables"] == {"background": False, "per_image": False}
    mean, learned = (found["plans"][name] for name in ("mean", "learned"))
    gain = found["gain"]["miou"]
    difference = [one["pooled"]["with_background"]["iou"] for one in (learned, mean)]
    assert gain["value"] == pytest.approx(difference[0] - difference[1])
    assert gain["low"] is gain["high"] is None, "three pictures are too few"
    speed = 3 / outcome.scores["mean"].seconds
    assert mean["frames_per_second"] == pytest.approx(speed)


def test_one_picture_or_no_learned_plan_has_no_gain(toy_model, tmp_path):
    run(toy_model, tmp_path / "one", {"p0": SOURCES["p0"]}, plans=PLANS)
    run(toy_model, tmp_path / "two", plans=some("none", "mean"))
    for out in ("one", "two"):
        assert read_summary(tmp_path / out)["gain"] == {}, out
    assert sorted(read_tables(tmp_path / "two")) == ["scores_mean.csv", "scores_none.csv"]


def test_an_absent_class_has_empty_cells(tmp_path):
    def always_soil(x):
        return torch.tensor([5.0, 0, 0]).view(1, 3, 1, 1).expand(len(x), 3, *x.shape[2:])

    run(always_soil, tmp_path, {"p": Source(partial(picture, 0, classes=2))})
    _, rows, values = read_table(tmp_path / "scores_none.csv")
    assert dict(zip(rows, values, strict=True))["weed"] == ["", ""]
    assert values[1] == ["0.000000", "0.000000"]
    assert float(values[3][1]) == pytest.approx(float(values[0][1]) / 2, abs=1e-6)
    soil_only = tmp_path / "soil"
    run(always_soil, soil_only, {"p": Source(partial(picture, 0, classes=1))}, background=False)
    means = read_summary(soil_only)["plans"]["none"]["pooled"]
    assert means["with_background"] == {"f1": 1, "iou": 1}
    assert means["without_background"] == {"f1": None, "iou": None}


def test_every_view_runs_once_a_picture_whatever_plans_share_it(toy_model, tmp_path):
    model = Counting(toy_model)
    run(model, tmp_path, plans=PLANS)
    assert model.calls == len(SOURCES) * len(VIEWS)


def test_the_mask_holds_the_classes_that_the_last_plan_predicts(toy_model, tmp_path):
    outcome = run(toy_model, tmp_path)
    _, probs = predictions(toy_model, PLANS["learned"])
    wanted = probs.argmax(1).reshape(3, *SIZE)
    for i, name in enumerate(SOURCES):
        with Image.open(tmp_path / "mask" / f"{name}.png") as image:
            assert image.mode == "P"
            found = np.array(image)
        np.testing.assert_array_equal(found, wanted[i])
        matrix = confusion(SOURCES[name].read().labels, found, 3)
        np.testing.assert_array_equal(matrix, outcome.scores["learned"].matrices[i])


def test_the_joint_picture_shows_picture_truth_and_prediction_exactly(toy_model, tmp_path):
    run(toy_model, tmp_path)
    height, width = SIZE
    for name, source in SOURCES.items():
        made = source.read()
        joint = np.array(Image.open(tmp_path / "joint" / f"{name}.png"))
        mask = np.array(Image.open(tmp_path / "mask" / f"{name}.png"))
        assert joint.shape == (height, 3 * width + 2 * GAP, 3)
        step = width + GAP
        parts = [joint[:, i * step : i * step + width] for i in range(3)]
        np.testing.assert_array_equal(parts[0], made.rgb)
        np.testing.assert_array_equal(parts[1], PALETTE.bright.table[made.labels])
        np.testing.assert_array_equal(parts[2], PALETTE.bright.table[mask])
        for i in (0, 1):
            assert (joint[:, i * step + width : (i + 1) * step] == 255).all()


def test_the_figure_is_a_picture_that_shows_the_scores(toy_model, tmp_path):
    run(toy_model, tmp_path)
    before = np.array(Image.open(tmp_path / "summary.png").convert("RGB"))
    assert min(before.shape[:2]) > 300
    assert len(np.unique(before.reshape(-1, 3), axis=0)) > 10
    run(toy_model, tmp_path, background=False)
    assert not np.array_equal(
        before, np.array(Image.open(tmp_path / "summary.png").convert("RGB"))
    )


def test_the_background_switch_changes_only_the_mean_row(toy_model, tmp_path):
    run(toy_model, tmp_path)
    before = read_tables(tmp_path)
    run(toy_model, tmp_path, background=False)
    for name, (_, _, values) in read_tables(tmp_path).items():
        *rows, mean = before[name][2]
        assert values[:-1] == rows
        assert all(new != old for new, old in zip(values[-1], mean, strict=True))
        np.testing.assert_allclose(np.float64(values[-1]), np.float64(rows[1:]).mean(0), atol=1e-6)


def test_the_per_image_switch_changes_all_rows(tmp_path):
    def by_color(x):  # finds every class in every picture
        return 9 * x

    run(by_color, tmp_path)
    before = read_tables(tmp_path)
    run(by_color, tmp_path, per_image=True)
    for name, (_, _, values) in read_tables(tmp_path).items():
        for old, new in zip(before[name][2], values, strict=True):
            assert old[0] != new[0], name
            assert old[1] != new[1], name


@switches
@ways
def test_other_switches_cost_no_forward_pass_and_equal_a_fresh_run(
    toy_model, tmp_path, background, per_image
):
    run(toy_model, tmp_path / "again")
    model = Counting(toy_model)
    for out in ("again", "fresh"):
        assert model.calls == 0
        run(model, tmp_path / out, background=background, per_image=per_image)
    assert read_tables(tmp_path / "again") == read_tables(tmp_path / "fresh")


def without_times(out):
    """Returns the summary without what no two runs share."""
    found = read_summary(out)
    for plan in found["plans"].values():
        del plan["frames_per_second"]
    return found


def test_a_run_that_was_cut_off_goes_on_where_it_was(toy_model, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(Counting(toy_model, limit=len(VIEWS) + 1), tmp_path / "cut")
    assert not (tmp_path / "cut" / "summary.json").exists()
    model, asked = Counting(toy_model), []

    def ask(names):
        asked.extend(names)
        return names

    run(model, tmp_path / "cut", progress=ask)
    assert asked == ["p1", "p2"]
    assert model.calls == 2 * len(VIEWS)
    run(toy_model, tmp_path / "whole")
    assert read_tables(tmp_path / "cut") == read_tables(tmp_path / "whole")
    assert without_times(tmp_path / "cut") == without_times(tmp_path / "whole")


def test_a_half_written_line_is_done_again_and_in_nobodys_way(toy_model, tmp_path):
    wanted = run(toy_model, tmp_path)
    log = tmp_path / "pictures.jsonl"
    *lines, last = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines) + last[: len(last) // 2])
    for calls in (len(VIEWS), 0):
        model = Counting(toy_model)
        outcome = run(model, tmp_path)
        assert model.calls == calls
        for name, score in outcome.scores.items():
            np.testing.assert_array_equal(score.matrices, wanted.scores[name].matrices)
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    assert [entry["name"] for entry in entries[1:]] == list(SOURCES)


def test_a_half_written_stamp_starts_anew(toy_model, tmp_path):
    (tmp_path / "pictures.jsonl").write_text('{"digest": "01')
    assert len(run(toy_model, tmp_path).scores["none"].matrices) == 3
    assert run(Counting(toy_model, limit=0), tmp_path).failures == {}


def in_files(folder, seeds):
    """Returns labelled pictures that come with files, in folders by town."""
    folder.mkdir(exist_ok=True)
    sources = {}
    for seed in seeds:
        file = folder / f"{seed}.bin"
        file.write_bytes(picture(seed).rgb)
        sources[f"town{seed}/tile"] = Source(partial(picture, seed), (file,))
    return sources


def test_a_copied_folder_and_more_pictures_go_on_and_a_mended_one_is_done_again(
    toy_model, tmp_path
):
    out = tmp_path / "out"
    run(toy_model, out, in_files(tmp_path / "a", range(2)))
    model = Counting(toy_model)
    copied = in_files(tmp_path / "b", range(3))
    assert len(run(model, out, copied).scores["none"].matrices) == 3
    assert model.calls == len(VIEWS)
    assert (out / "mask" / "town2" / "tile.png").is_file()
    (tmp_path / "b" / "1.bin").write_bytes(b"mended")
    model = Counting(toy_model)
    again = {name: Source(source.read, source.files) for name, source in copied.items()}
    assert len(run(model, out, again).scores["none"].matrices) == 3
    assert model.calls == len(VIEWS)


@pytest.mark.parametrize("folder", ["mask", "joint"])
def test_a_picture_whose_file_is_gone_is_done_again_and_counts_once(toy_model, tmp_path, folder):
    run(toy_model, tmp_path)
    gone = tmp_path / folder / "p1.png"
    before = gone.read_bytes()
    gone.unlink()
    model = Counting(toy_model)
    outcome = run(model, tmp_path)
    assert model.calls == len(VIEWS)
    assert gone.read_bytes() == before
    assert [matrix.sum() for matrix in outcome.scores["none"].matrices] == [31 * 40] * 3


def test_scores_follow_the_order_of_the_sources_and_leave_out_others(toy_model, tmp_path):
    first = run(toy_model, tmp_path, {"p2": SOURCES["p2"], "p0": SOURCES["p0"]})
    second = run(toy_model, tmp_path, {name: SOURCES[name] for name in ("p0", "p1")})
    for name in first.scores:
        one, other = first.scores[name].matrices, second.scores[name].matrices
        assert len(other) == 2
        np.testing.assert_array_equal(one[1], other[0])
        assert not np.array_equal(one[0], other[1])


@pytest.mark.parametrize(
    ("stamp", "told"),
    [
        (STAMP | {"digest": "4567"}, "digest was 0123, is 4567"),
        (STAMP | {"device": "cpu"}, "device was None, is cpu"),
        ({"digest": "0123", "data": {"pictures": 3}}, "views was .*identity"),
    ],
)
def test_another_stamp_is_refused_with_what_differs(toy_model, tmp_path, stamp, told):
    run(toy_model, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match=f"{told}.*choose another --out"):
        run(Counting(toy_model, limit=0), tmp_path, stamp=stamp)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("plans", "told"),
    [
        (some("none", "mean"), "plan learned was"),
        (
            PLANS | {"learned": Plan(VIEWS, "learned", Weights([0.3, 0.5, 0.2]))},
            "plan learned was",
        ),
        (PLANS | {"mean": Plan(VIEWS[:2])}, "plan mean was"),
    ],
)
def test_other_plans_are_refused_even_under_one_stamp(toy_model, tmp_path, plans, told):
    run(toy_model, tmp_path, plans=PLANS)
    with pytest.raises(ValueError, match=f"{told}.*choose another --out"):
        run(toy_model, tmp_path, plans=plans)


def test_other_colours_are_refused_because_the_drawn_pictures_have_the_old_ones(
    toy_model, tmp_path
):
    run(toy_model, tmp_path)
    other = Palette(PALETTE.names, PALETTE.colors[::-1])
    with pytest.raises(ValueError, match=r"classes was .*choose another --out"):
        evaluate_segmentation(toy_model, SOURCES, NO_GAIN, other, tmp_path, STAMP)


def test_tuples_in_the_stamp_are_the_same_stamp(toy_model, tmp_path):
    run(toy_model, tmp_path, stamp=STAMP | {"views": VIEWS})
    run(Counting(toy_model, limit=0), tmp_path)


@pytest.mark.parametrize(
    ("load", "told"),
    [
        (partial(broken, ValueError("p9.png is no picture")), "p9.png is no picture"),
        (partial(broken, FileNotFoundError("p9.png is gone")), "p9.png is gone"),
        (partial(picture, 9, classes=5), "class ids are 0..2"),
        (lambda: LabelledPicture("p9", picture(9).rgb, picture(9).labels[:-1]), "sizes differ"),
    ],
)
def test_a_broken_file_is_reported_and_everything_else_done(toy_model, tmp_path, load, told):
    sources = {"p0": SOURCES["p0"], "p9": Source(load), "p1": SOURCES["p1"]}
    outcome = run(toy_model, tmp_path, sources)
    assert list(outcome.failures) == ["p9"]
    assert told in outcome.failures["p9"]
    assert read_summary(tmp_path)["failures"] == outcome.failures
    assert read_summary(tmp_path)["pictures"] == 2
    alone = run(toy_model, tmp_path / "alone", {name: SOURCES[name] for name in ("p0", "p1")})
    for name, score in outcome.scores.items():
        np.testing.assert_array_equal(score.matrices, alone.scores[name].matrices)
    assert sorted(path.name for path in (tmp_path / "mask").iterdir()) == ["p0.png", "p1.png"]


def test_a_file_that_was_mended_is_read_the_next_time(toy_model, tmp_path):
    run(toy_model, tmp_path, SOURCES | {"p1": Source(partial(broken, OSError("broken")))})
    model = Counting(toy_model)
    outcome = run(model, tmp_path)
    assert (model.calls, outcome.failures) == (len(VIEWS), {})
    assert len(outcome.scores["none"].matrices) == 3


@pytest.mark.parametrize("names", [(), ("p9",)])
def test_nothing_to_read_is_an_error(toy_model, tmp_path, names):
    sources = {name: Source(partial(broken, ValueError("p9 is no picture"))) for name in names}
    with pytest.raises(ValueError, match="could be read" + "; p9 is no picture" * len(sources)):
        run(toy_model, tmp_path, sources)
    assert list(tmp_path.glob("s*")) == []
