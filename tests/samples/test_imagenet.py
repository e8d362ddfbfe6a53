import csv
import json
import time

import numpy as np
import pytest
import sklearn.metrics
import torch
from PIL import Image
from typer.testing import CliRunner

from tta_demo.commands.benchmark import imagenet as benchmark_imagenet
from tta_demo.commands.benchmark.imagenet import table, write_results
from tta_demo.evaluation.photos import PLANS, evaluate_photos
from tta_demo.learning.solver import ascend
from tta_demo.pictures.reading import read_picture
from tta_demo.samples.imagenet import labelled_photos
from tta_demo.tasks.classify import predict_crops
from tta_demo.tta.crops import CROP_SETS

SYNSETS = tuple(f"n{i:08d}" for i in range(20))
NAMES = (
    "tench, Tinca tinca",
    "great white shark",
    "crane",
    "crane",
    *map("class {}".format, range(4, 20)),
)
EVEN_METHOD = "ten-crop, mean of probabilities"
STAMP = {"model": "0123"}
COUNT = 12
CROPS = CROP_SETS["ten-crop"]


def touch(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


def found(folder, **options):
    photos = labelled_photos(folder, SYNSETS, NAMES, **options)
    return {path.relative_to(folder).as_posix(): label for path, label in photos.items()}


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("n00000001", 1),
        ("N00000001", 1),
        ("17", 17),
        ("0", 0),
        ("0007", 7),
        ("great white shark", 1),
        ("Great_White_Shark", 1),
        ("tench, Tinca tinca", 0),
        ("TENCH", 0),
        ("tinca_tinca", 0),
        ("class 12", 12),
    ],
)
def test_a_folder_may_be_called_like_a_class_in_any_way(tmp_path, name, label):
    touch(tmp_path, f"{name}/a.JPEG", f"{name}/images/b.png", "5/c.jpg", f"{name}/boxes.txt")
    expected = {f"{name}/a.JPEG": label, f"{name}/images/b.png": label, "5/c.jpg": 5}
    assert found(tmp_path) == expected


def test_pictures_come_sorted_and_hidden_files_stay_out(tmp_path):
    touch(tmp_path, "3/b.jpg", "3/a.jpg", "1/z.jpg", ".cache/x.jpg", "3/._a.jpg", "__MACOSX/a.jpg")
    assert list(found(tmp_path)) == ["1/z.jpg", "3/a.jpg", "3/b.jpg"]


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        ("n99999999", "folder 'n99999999' is no class .* n00000000, .* 'tench.* 0..19"),
        ("20", "folder '20' is no class"),
        ("dragon", "folder 'dragon' is no class"),
        ("Crane", "folder 'Crane' could be class 2 and 3: use synset or index"),
    ],
)
def test_an_unknown_or_ambiguous_folder_is_refused_by_name(tmp_path, folder, told):
    touch(tmp_path, "1/a.jpg", f"{folder}/b.jpg")
    with pytest.raises(ValueError, match=told):
        found(tmp_path)


@pytest.mark.parametrize(
    "header", ["file", "filename", "File_Name", "image", "path", "name", "id"]
)
@pytest.mark.parametrize("ending", [".jpg", ""])
def test_a_table_names_the_files_in_many_ways(tmp_path, header, ending):
    touch(tmp_path, "a.jpg", "b.1.jpg")
    text = f"{header},label\nb.1{ending},3\na{ending},n00000007\n"
    (tmp_path / "labels.csv").write_text(text)
    assert found(tmp_path) == {"a.jpg": 7, "b.1.jpg": 3}


@pytest.mark.parametrize("header", ["label", "Class", "synset", "wnid", "index"])
@pytest.mark.parametrize(("label", "id_"), [("n00000004", 4), ("4", 4), ("Class_4", 4)])
def test_a_table_names_the_classes_in_many_ways(tmp_path, header, label, id_):
    touch(tmp_path, "a.jpg")
    (tmp_path / "labels.csv").write_text(f"{header},file\n{label},a.jpg\n")
    assert found(tmp_path) == {"a.jpg": id_}


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_tables_of_spreadsheets_are_read(tmp_path, mark, end):
    touch(tmp_path, "a.jpg", "b.jpg")
    rows = [("size", "file", "label"), ("9", "b.jpg", '"tench, Tinca tinca"'), ("8", "A", "5")]
    text = "\ufeff" + end.join(mark.join(row) for row in rows) + end * 2
    (tmp_path / "labels.csv").write_bytes(text.encode())
    assert found(tmp_path) == {"a.jpg": 5, "b.jpg": 0}


def test_a_table_may_lie_elsewhere_and_know_more_pictures_and_their_folders(tmp_path):
    touch(tmp_path, "val/x/a.jpg", "val/y/a.jpg", "val/c.jpg", "val/other.csv")
    other = tmp_path / "labels.csv"
    other.write_text("path,label\nx/a.jpg,1\ny/a.jpg,2\nval/c.jpg,3\ngone.jpg,dragon\n")
    assert found(tmp_path / "val", labels=other) == {"c.jpg": 3, "x/a.jpg": 1, "y/a.jpg": 2}


def test_the_table_of_kaggle_is_read(tmp_path):
    touch(tmp_path, "ILSVRC2012_val_1.JPEG")
    rows = "ImageId,PredictionString\nILSVRC2012_val_1,n00000006 85 1 499 272 n00000006 1 2 3 4 \n"
    (tmp_path / "LOC_val_solution.csv").write_text(rows)
    assert found(tmp_path) == {"ILSVRC2012_val_1.JPEG": 6}


def test_folders_named_by_class_win_over_a_table_beside_them_and_others_do_not(tmp_path):
    touch(tmp_path, "3/a.jpg")
    (tmp_path / "labels.csv").write_text("file,label\na.jpg,7\n")
    assert found(tmp_path) == {"3/a.jpg": 3}
    (tmp_path / "3").rename(tmp_path / "images")
    assert found(tmp_path) == {"images/a.jpg": 7}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("file,label\na.jpg,1\nb.jpg,dragon\n", "labels.csv, line 3: label 'dragon' is no class"),
        ("file,label\na.jpg,1\nb.jpg,crane\n", "line 3: label 'crane' could be class 2 and 3"),
        ("file,label\na.jpg,1\n", "1 of 2 pictures have no label in labels.csv, .* b.jpg"),
        ("file,label\na.jpg,1\na,2\nb,1\n", "line 3: 'a' had another label before"),
        ("file,label\na.jpg\n", "line 2: 1 cells are too few"),
        ("file,kind\na.jpg,1\n", "labels.csv starts with 'file,kind': .*label, class, synset"),
        ("a.jpg,1\nb.jpg,2\n", "labels.csv starts with 'a.jpg,1'"),
        ("", "labels.csv starts with ''"),
        ("\0\ud800", "labels.csv cannot be read"),
    ],
)
def test_a_wrong_table_is_refused_with_the_place(tmp_path, text, told):
    touch(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "labels.csv").write_bytes(text.encode("utf-16", "surrogatepass"))
    if "cannot" not in told:
        (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(ValueError, match=told):
        found(tmp_path)


def test_a_name_that_fits_two_pictures_is_refused(tmp_path):
    touch(tmp_path, "x/a.jpg", "y/a.jpg")
    (tmp_path / "labels.csv").write_text("file,label\na.jpg,1\n")
    with pytest.raises(ValueError, match=r"line 2: 'a.jpg' could be x/a.jpg or y/a.jpg"):
        found(tmp_path)


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        ([], "holds no pictures"),
        (["3/readme.txt"], "holds no pictures"),
        (["a.jpg"], "nothing tells the classes .* n00000000.* CSV"),
        (["a.jpg", "3/b.jpg"], "nothing tells the classes"),
        (["a.jpg", "one.csv", "two.csv"], "several tables .one.csv, two.csv."),
    ],
)
def test_a_folder_that_does_not_tell_is_refused(tmp_path, paths, told):
    touch(tmp_path, *paths)
    with pytest.raises(ValueError, match=told):
        found(tmp_path)


def test_a_folder_that_is_missing_is_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match="nowhere is no folder"):
        found(tmp_path / "nowhere")


def test_a_limit_draws_over_all_classes_by_the_seed(tmp_path):
    touch(tmp_path, *(f"{label}/{i}.jpg" for label in range(20) for i in range(10)))
    everything = found(tmp_path)
    drawn = found(tmp_path, limit=40)
    assert len(drawn) == 40
    assert drawn.items() <= everything.items()
    assert list(drawn) == [name for name in everything if name in drawn]
    assert len(set(drawn.values())) > 10
    assert found(tmp_path, limit=40) == drawn
    assert found(tmp_path, limit=40, seed=1) != drawn
    assert found(tmp_path, limit=200) == found(tmp_path, limit=999) == everything


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
    return evaluate_photos(model, folder, photos, out, **options)


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
    logged = [line for line in lines(out) if "picture" in line]
    return tuple(
        [line["picture"] for line in logged if len(line["ranks"]) == len(PLANS) + more]
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
    *_, (_, best) = ascend(truth)
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
    places = [i for i, line in enumerate(text) if b'"picture"' in line]
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
    with pytest.raises(ValueError, match=r"none of 12 .*no finite number"):
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
    assert name not in {line.get("picture") for line in lines(tmp_path)}
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
    [
        ({"stamp": {"model": "4567"}}, "model was 0123, is 4567"),
        ({"seed": 1}, "seed was 0, is 1"),
    ],
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
    with pytest.raises(ValueError, match="pictures was 12, is 11"):
        evaluate(Toy(), folder, dict(list(photos.items())[1:]), whole[0])


def test_times_are_relative_to_the_centre_crop(folder, photos, tmp_path, monkeypatch):
    class Slow(Toy):
        """Takes a second a crop, by a clock of its own."""

        seconds = 0.0

        def __call__(self, crops):
            self.seconds += len(crops)
            return super().__call__(crops)

    slow = Slow()
    monkeypatch.setattr(time, "perf_counter", lambda: slow.seconds)
    rows = evaluate(slow, folder, photos, tmp_path, timed=3).rows
    assert [row.slowdown for row in rows] == [row.views for row in rows]
    assert {row.views for row in rows} == {1, 2, 5, 10}


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
    monkeypatch.setattr(benchmark_imagenet, "load_classifier", lambda name: Toy())
    options = ["--data-dir", str(folder), "--out", str(tmp_path / "out"), "--num-images", "13"]
    runner = CliRunner()
    done = runner.invoke(benchmark_imagenet.app, ["imagenet", *options])
    assert done.exit_code == 2
    assert "broken.jpg is not a picture" in done.output
    assert "centre crop" in done.output
    broken.unlink()
    fine = runner.invoke(
        benchmark_imagenet.app, ["imagenet", *options[:2], "--out", str(tmp_path / "fine")]
    )
    assert fine.exit_code == 0, fine.output
    stored = json.loads((tmp_path / "fine" / "imagenet.json").read_text())
    assert stored["rows"][0]["pictures"] == f"{COUNT} (all)"
    assert str(tmp_path) not in json.dumps(stored)


@pytest.mark.parametrize("inner", ["", "results"])
def test_results_among_the_pictures_are_refused(folder, inner):
    before = sorted(folder.rglob("*"))
    options = ["--data-dir", str(folder), "--out", str(folder / inner)]
    done = CliRunner().invoke(benchmark_imagenet.app, ["imagenet", *options])
    assert "is where the pictures are" in str(done.exception)
    assert sorted(folder.rglob("*")) == before
