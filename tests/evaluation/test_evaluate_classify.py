import csv
import json
import time

import numpy as np
import pytest
import sklearn.metrics
import torch
from PIL import Image
from typer.testing import CliRunner

from tta_demo.commands.app import app
from tta_demo.commands.benchmark import imagenet as benchmark_imagenet
from tta_demo.commands.benchmark.imagenet import table, write_results
from tta_demo.evaluation.classify import PLANS, evaluate_classification
from tta_demo.learning.solver import ascend
from tta_demo.pictures.reading import read_picture
from tta_demo.samples.imagenet import labelled_photos
from tta_demo.tta.crops import CROP_SETS, predict_crops

EVEN_METHOD = "ten-crop, mean of probabilities"
STAMP = {"model": "0123"}
COUNT = 16
CROPS = CROP_SETS["ten-crop"]


class Toy:
    """A linear classifier of 1,000 classes that no flip or shift leaves as it is."""

    def __init__(self):
        generator = torch.Generator().manual_seed(0)
        self.weights = torch.randn(3 * 7 * 7, 1000, generator=generator)
        self.calls = 0

    def __call__(self, crops):
        self.calls += 1
        assert crops.shape[1:] == (3, 224, 224)
        return torch.nn.functional.avg_pool2d(crops, 32).flatten(1) @ self.weights


def look(path):
    """Returns every crop's probabilities `(10, 1000)` float64."""
    stack = predict_crops(Toy(), read_picture(path).rgb, CROPS)
    return stack.log_probs.double().exp().numpy()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Small noise pictures; the true class is among the likelier ones of the centre crop."""
    place = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for i in range(COUNT):
        coarse = Image.fromarray(rng.integers(0, 256, (3, 4, 3), np.uint8))
        path = place / f"{i}.png"
        coarse.resize((80, 60), Image.Resampling.BICUBIC).save(path)
        label = look(path)[0].argsort()[-1 - i % 7]
        (place / str(label)).mkdir(exist_ok=True)
        path.rename(place / str(label) / path.name)
    return place


@pytest.fixture
def photos(folder):
    thousand = [str(i) for i in range(1000)]
    return labelled_photos(folder, thousand, thousand)


def evaluate(model, folder, photos, out, **options):
    options = {"stamp": STAMP, "timed": 1, "progress": iter} | options
    return evaluate_classification(model, folder, photos, out, **options)


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory):
    """The folder and the result of a run that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole")
    thousand = [str(i) for i in range(1000)]
    return out, evaluate(Toy(), folder, labelled_photos(folder, thousand, thousand), out)


def lines(out):
    return [json.loads(line) for line in (out / "imagenet.jsonl").read_text().splitlines()]


def halves(out):
    """Returns the names of the pictures that were learned on, and of those that were not."""
    logged = [line for line in lines(out) if "name" in line]
    return tuple(
        [line["name"] for line in logged if len(line["ranks"]) == len(PLANS) + more]
        for more in (0, 1)
    )


def reference(probs, truth):
    labels = range(1000)
    return [
        *(sklearn.metrics.top_k_accuracy_score(truth, probs, k=k, labels=labels) for k in (1, 5)),
        sklearn.metrics.log_loss(truth, probs / probs.sum(1, keepdims=True), labels=labels),
    ]


def scores(row):
    return [row.top1, row.top5, row.nll]


def test_the_rows_of_all_pictures_equal_a_slow_reference(whole, photos):
    stacks, truth = np.array([look(path) for path in photos]), list(photos.values())
    mirror = [CROPS.index(name) for name in CROP_SETS["mirror"]]
    expected = [reference(stacks[:, 0], truth)]
    for places in (mirror, [0, 1, 2, 3, 4], list(range(10))):
        some = stacks[:, places]
        logs = np.exp(np.log(some).mean(1))
        expected += [reference(probs, truth) for probs in (some.mean(1), logs)]
    rows = whole[1].rows[:7]
    np.testing.assert_allclose([scores(row) for row in rows], expected, atol=2e-5)
    assert [row.views for row in rows] == [1, 2, 2, 5, 5, 10, 10]
    assert {row.pictures for row in rows} == {f"{COUNT} (all)"}
    assert len({row.method for row in rows}) == 7
    assert 0 < rows[0].top1 < rows[0].top5 < 1


def test_learned_weights_are_scored_on_the_half_that_they_were_not_learned_on(
    whole, folder, photos
):
    out, result = whole
    learning, held = halves(out)
    names = {path.relative_to(folder).as_posix() for path in photos}
    assert len(learning) == len(held) == COUNT // 2
    assert set(learning) | set(held) == names
    assert result.learned["fitted_on"] == COUNT // 2
    assert result.learned["gap"] <= 1e-6
    answers = {name: look(folder / name) for name in names}
    truth = np.array([answers[name][:, photos[folder / name]] for name in learning]).T
    *_, (_, best) = ascend(truth, 1 / len(learning))  # few: the prior counts one picture
    weights = np.array([result.learned["weights"][name] for name in CROPS])
    assert np.log(weights @ truth).mean() == pytest.approx(best, abs=2e-6)
    stacks, labels = np.array([answers[n] for n in held]), [photos[folder / n] for n in held]
    even, learned = result.rows[7:]
    np.testing.assert_allclose(scores(even), reference(stacks.mean(1), labels), atol=2e-5)
    fused = np.einsum("v,nvc->nc", weights, stacks)
    np.testing.assert_allclose(scores(learned), reference(fused, labels), atol=2e-5)
    assert even.method == EVEN_METHOD
    assert even.pictures == learned.pictures == f"{COUNT // 2} (not learned on)"
    gain = result.learned["minus_even"]["nll"]
    assert gain["value"] == pytest.approx(learned.nll - even.nll, abs=2e-6)
    assert gain["low"] < gain["value"] < gain["high"]


def test_another_seed_makes_other_halves(whole, folder, photos, tmp_path):
    evaluate(Toy(), folder, photos, tmp_path, seed=1)
    assert set(halves(tmp_path)[0]) != set(halves(whole[0])[0])


def test_a_finished_run_costs_no_forward_pass(whole, folder, photos):
    model = Toy()
    assert evaluate(model, folder, photos, whole[0]) == whole[1]
    assert model.calls == 0


@pytest.mark.parametrize("done", [0, COUNT // 2 - 1, COUNT // 2, COUNT - 2])
def test_a_run_that_was_cut_off_goes_on_where_it_was(whole, folder, photos, tmp_path, done):
    text = (whole[0] / "imagenet.jsonl").read_bytes().splitlines(keepends=True)
    places = [i for i, line in enumerate(text) if b'"name"' in line]
    keep = places[done]
    half = text[keep][: len(text[keep]) // 2]
    (tmp_path / "imagenet.jsonl").write_bytes(b"".join(text[:keep]) + half)
    model = Toy()
    assert evaluate(model, folder, photos, tmp_path) == whole[1]
    assert model.calls == COUNT - done
    assert lines(tmp_path) == lines(whole[0])


def test_a_class_that_ties_with_one_before_it_does_not_come_first(folder, photos, tmp_path):
    def same(crops):
        return torch.zeros(len(crops), 1000)

    result = evaluate(same, folder, photos, tmp_path, timed=0)
    share = np.mean([label == 0 for label in photos.values()])
    assert [row.top1 for row in result.rows[:7]] == [share] * 7
    assert result.rows[0].nll == pytest.approx(np.log(1000), abs=1e-5)
    assert {row.slowdown for row in result.rows} == {None}


def test_an_answer_that_is_no_number_is_a_failure_and_not_a_score(folder, photos, tmp_path):
    with pytest.raises(ValueError, match=r"none of 16 .*NaN or infinite"):
        evaluate(lambda x: torch.full((len(x), 1000), torch.nan), folder, photos, tmp_path)


@pytest.fixture
def with_broken(folder, photos, tmp_path):
    """The folder with links to the pictures, and one that is broken."""
    place = tmp_path / "photos"
    found = {}
    for path, label in photos.items():
        link = place / path.relative_to(folder)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
        found[link] = label
    broken = place / str(label) / "broken.jpg"
    broken.write_text("no picture")
    return place, found | {broken: label}, broken


@pytest.mark.parametrize("seed", [0, 1])
def test_a_broken_file_is_told_and_left_out_until_it_is_mended(with_broken, tmp_path, seed):
    folder, photos, broken = with_broken
    name = broken.relative_to(folder).as_posix()
    model = Toy()
    result = evaluate(model, folder, photos, tmp_path, seed=seed, timed=3)
    assert list(result.failures) == [name]
    assert "broken.jpg is not a picture" in result.failures[name]
    assert result.rows[0].pictures == f"{COUNT} (all)"
    assert name not in {line.get("name") for line in lines(tmp_path)}
    before = model.calls
    assert evaluate(model, folder, photos, tmp_path, seed=seed) == result
    assert model.calls == before
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(broken)
    mended = evaluate(model, folder, photos, tmp_path, seed=seed)
    assert (model.calls, mended.failures) == (before + 1, {})
    assert mended.rows[0].pictures == f"{COUNT + 1} (all)"
    assert mended.learned["weights"] == result.learned["weights"]
    assert mended.learned["fitted_on"] == result.learned["fitted_on"]


def test_with_nothing_to_learn_on_the_other_rows_are_there(with_broken, tmp_path):
    folder, photos, broken = with_broken
    two = {broken: photos[broken]} | dict(list(photos.items())[:1])
    seed = next(s for s in range(9) if np.random.default_rng(s).permutation(2)[0] == 0)
    result = evaluate(Toy(), folder, two, tmp_path, seed=seed)
    assert (len(result.rows), result.learned) == (7, {})


@pytest.mark.parametrize(
    ("change", "told"),
    [({"stamp": {"model": "4567"}}, "model was 0123, is 4567"), ({"seed": 1}, "seed was 0, is 1")],
)
def test_another_run_is_refused_with_what_differs(whole, folder, photos, change, told):
    before = (whole[0] / "imagenet.jsonl").read_bytes()
    with pytest.raises(ValueError, match=f"{told}.*choose another --out"):
        evaluate(Toy(), folder, photos, whole[0], **change)
    assert (whole[0] / "imagenet.jsonl").read_bytes() == before


def test_other_labels_are_refused(whole, folder, photos):
    first = next(iter(photos))
    with pytest.raises(ValueError, match="labels was"):
        evaluate(Toy(), folder, photos | {first: photos[first] + 1}, whole[0])
    with pytest.raises(ValueError, match="pictures was 16, is 15"):
        evaluate(Toy(), folder, dict(list(photos.items())[1:]), whole[0])


def test_times_are_relative_to_the_centre_crop(folder, photos, tmp_path, monkeypatch):
    class Slow(Toy):
        """Takes a second a crop, by a clock that only it moves."""

        seconds = 0

        def __call__(self, crops):
            Slow.seconds += len(crops)
            return super().__call__(crops)

    monkeypatch.setattr(time, "perf_counter", lambda: Slow.seconds)
    rows = evaluate(Slow(), folder, photos, tmp_path, timed=3).rows
    assert [row.slowdown for row in rows] == [1, 2, 2, 5, 5, 10, 10, 10, 10]


def test_results_are_written_and_shown(whole, tmp_path):
    result = whole[1]
    write_results(tmp_path, result, {"command": "python"})
    stored = json.loads((tmp_path / "imagenet.json").read_text())
    assert stored["command"] == "python"
    assert [row["nll"] for row in stored["rows"]] == [row.nll for row in result.rows]
    assert stored["learned"] == result.learned
    with (tmp_path / "imagenet.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["method"] for row in rows] == [row.method for row in result.rows]
    assert [float(row["top5"]) for row in rows] == [row.top5 for row in result.rows]
    figure = np.array(Image.open(tmp_path / "imagenet.png").convert("RGB"))
    assert len(np.unique(figure.reshape(-1, 3), axis=0)) > 10
    first, *others = table(result.rows).splitlines()
    assert len(others) == len(result.rows) == 9
    column = first.index("pictures")
    assert [line[column:] for line in others] == [row.pictures for row in result.rows]


def test_the_command_ends_with_code_2_where_a_file_is_broken(with_broken, tmp_path, monkeypatch):
    folder, _, broken = with_broken
    monkeypatch.setattr(benchmark_imagenet, "portable", lambda record: Toy())
    command = ["benchmark", "imagenet", "--data-dir", str(folder), "--out"]
    runner = CliRunner()
    done = runner.invoke(app, [*command, str(tmp_path / "out"), "--num-images", "13"])
    assert done.exit_code == 2
    assert "broken.jpg is not a picture" in done.output
    assert "centre crop" in done.output
    broken.unlink()
    fine = runner.invoke(app, [*command, str(tmp_path / "fine")])
    assert fine.exit_code == 0, fine.output
    stored = json.loads((tmp_path / "fine" / "imagenet.json").read_text())
    assert stored["rows"][0]["pictures"] == f"{COUNT} (all)"
    assert str(tmp_path) not in json.dumps(stored)


@pytest.mark.parametrize("inner", ["", "results"])
def test_results_among_the_pictures_are_refused(folder, inner):
    before = sorted(folder.rglob("*"))
    options = ["--data-dir", str(folder), "--out", str(folder / inner)]
    done = CliRunner().invoke(app, ["benchmark", "imagenet", *options])
    assert "is where pictures or masks are" in str(done.exception)
    assert sorted(folder.rglob("*")) == before
