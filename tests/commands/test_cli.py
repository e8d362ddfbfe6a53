import ast
import csv
import io
import json
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import pytest
from PIL import Image

from tta_demo.commands.app import main
from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.domains import DOMAINS
from tta_demo.models.record import digest_of
from tta_demo.models.registry import MODELS, load_model
from tta_demo.pictures.assets import ASSETS
from tta_demo.pictures.masks import read_mask
from tta_demo.pictures.reading import read_picture
from tta_demo.samples.weeds import COUNTS, SEEDS, sample
from tta_demo.scoring.metrics import mean_iou
from tta_demo.tasks.segment import segment
from tta_demo.tasks.worlds import WORLDS
from tta_demo.training import centernet
from tta_demo.tta.box_fusion import fuse_boxes
from tta_demo.tta.box_views import predict_boxes
from tta_demo.tta.predict import to_tensor
from tta_demo.tta.views import VIEW_SETS

NUCLEI = WORLDS["nuclei"]
WEEDS = WORLDS["weeds"]
PICTURE = NUCLEI.examples[0]


def start(*arguments, code=0):
    """Runs the command in a process of its own, which takes seconds; returns stdout and stderr."""
    command = [sys.executable, "-m", "tta_demo", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


def run(*arguments, code=0):
    """Does the same in this process."""
    argv, out, err = ["tta-demo", *map(str, arguments)], io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", argv),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as end,
    ):
        main()
    assert (end.value.code or 0) == code, err.getvalue()
    return out.getvalue(), err.getvalue()


@pytest.mark.slow
def test_predict_writes_mask_overlay_and_report(tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    (masks / PICTURE.name).write_bytes(NUCLEI.mask_of(PICTURE).read_bytes())
    options = ("--world", "nuclei", "--views", "d4", "--fusion", "learned", "--masks", masks)
    start("predict", PICTURE, *options, "--out", tmp_path)
    picture = read_picture(PICTURE)
    truth, _ = read_mask(NUCLEI.mask_of(PICTURE), NUCLEI.record.palette, picture)
    plan, _ = NUCLEI.plan(VIEW_SETS["d4"], "learned")
    result = segment(NUCLEI.record, picture, plan, truth)
    mask = Image.open(tmp_path / f"{PICTURE.stem}-mask.png")
    np.testing.assert_array_equal(np.asarray(mask), result.labels)
    assert Image.open(tmp_path / f"{PICTURE.stem}-overlay.png").size == mask.size
    report = json.loads((tmp_path / f"{PICTURE.stem}.json").read_text())
    expected = result.report()
    assert report["scores"] == expected["scores"]
    assert report["source"] == {"kind": "file", "name": PICTURE.name}
    assert sum(report["weights"].values()) == pytest.approx(1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["predict", "{here}/no.png", "--world", "nuclei", "--out", "{here}/out"], "no.png"),
        (["learn", "--world", "nuclei", "--out", "{here}/out"], "--data"),
    ],
)
def test_a_process_that_fails_as_expected_says_one_line_and_ends_with_2(
    tmp_path, arguments, named
):
    out, err = start(*(argument.format(here=tmp_path) for argument in arguments), code=2)
    assert out == ""
    assert named in err
    assert len(err.strip().splitlines()) == 1, err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["{missing}"], "missing.png"),
        (["{text}"], "text.png"),
        (["{picture}", "--views", "sideways"], "sideways"),
        (["{picture}", "--fusion", "guess"], "guess"),
        (["{picture}", "--world", "moon"], "moon"),
        (["{picture}", "--fusion", "learned", "--views", "identity,shift"], "shift"),
    ],
)
def test_an_expected_failure_is_one_line_on_stderr_and_exit_code_2(tmp_path, arguments, named):
    (tmp_path / "text.png").write_text("no picture")
    places = {
        "missing": tmp_path / "missing.png",
        "text": tmp_path / "text.png",
        "picture": PICTURE,
    }
    world = () if "--world" in arguments else ("--world", "nuclei")
    filled = [argument.format(**places) for argument in arguments]
    _, err = run("predict", *filled, *world, "--out", tmp_path / "out", code=2)
    assert named in err
    assert len(err.strip().splitlines()) == 1, err


@pytest.mark.slow
def test_learn_works_on_the_layout_of_bbbc038(tmp_path):
    import cv2

    rng = np.random.default_rng(0)
    for folder in ("images", "instances"):
        (tmp_path / folder).mkdir()
    rows = []
    for number, split in enumerate(["train", "val", "test"]):
        instances = np.zeros((80, 70), np.uint16)
        cv2.circle(instances, (30, 40), 15, number + 1, -1)
        image = (40 + 150 * (instances > 0) + rng.integers(0, 20, instances.shape)).astype(
            np.uint8
        )
        cv2.imwrite(str(tmp_path / "images" / f"{split}.png"), np.stack([image] * 3, -1))
        cv2.imwrite(str(tmp_path / "instances" / f"{split}.png"), instances)
        rows.append(f"{split},{split},fluorescence")
    (tmp_path / "split.csv").write_text("\n".join(["id,split,modality", *rows]) + "\n")
    out = tmp_path / "weights.json"
    run("learn", "--world", "nuclei", "--data", tmp_path, "--views", "flips", "--out", out)
    weights = json.loads(out.read_text())
    assert [entry["view"] for entry in weights["entries"]] == list(VIEW_SETS["flips"])
    assert sum(entry["weight"] for entry in weights["entries"]) == pytest.approx(1, abs=1e-4)
    assert weights["scores"]["gap"] <= 1e-6


@pytest.mark.slow
def test_sample_writes_fields_and_masks_that_predict_can_score(tmp_path):
    run("sample", "weeds", "--count", 2, "--out", tmp_path)
    pictures = sorted((tmp_path / "images").iterdir())
    assert [p.name for p in pictures] == [p.name for p in sorted((tmp_path / "masks").iterdir())]
    run("predict", *pictures, "--world", "weeds", "--views", "flips", "--masks",
        tmp_path / "masks", "--out", tmp_path / "out")  # fmt: skip
    for picture in pictures:
        report = json.loads((tmp_path / "out" / f"{picture.stem}.json").read_text())
        assert 0 < report["scores"]["fused"]["miou"] <= 1


def test_the_examples_of_the_weeds_world_are_test_fields():
    weeds = WORLDS["weeds"]
    for path in weeds.examples:
        seed = int(path.stem.removeprefix("weeds-"))
        assert seed in SEEDS["test"][: COUNTS["test"]]
        made = sample(seed)
        picture = read_picture(path)
        # another processor or NumPy may round a colour the other way; labels are exact
        np.testing.assert_allclose(picture.rgb.astype(int), made.rgb.astype(int), atol=1)
        mask, _ = read_mask(weeds.mask_of(path), weeds.record.palette, picture)
        np.testing.assert_array_equal(mask, made.labels)


def test_a_black_and_white_mask_of_nuclei_gets_its_border(tmp_path):
    picture = read_picture(PICTURE)
    truth, _ = NUCLEI.read_truth(NUCLEI.mask_of(PICTURE), picture)
    Image.fromarray(np.where(truth > 0, 255, 0).astype(np.uint8)).save(tmp_path / "mask.png")
    completed, notes = NUCLEI.read_truth(tmp_path / "mask.png", picture)
    np.testing.assert_array_equal(completed > 0, truth > 0)
    assert ((completed == 2) <= (truth == 2)).all(), "the rim of merged nuclei is in the true rims"
    assert (completed == 2).sum() > 0.8 * (truth == 2).sum()
    assert any("border" in note for note in notes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three fields with their masks, a picture that is broken, and one without a mask."""
    place = tmp_path_factory.mktemp("fields")
    run("sample", "weeds", "--count", 3, "--out", place)
    first, mask = (sorted((place / kind).iterdir())[0] for kind in ("images", "masks"))
    (place / "images" / "broken.png").write_text("no picture")
    (place / "masks" / "broken.png").write_bytes(mask.read_bytes())
    (place / "images" / "alone.png").write_bytes(first.read_bytes())
    return place


def table(path):
    with path.open() as file:
        return {row["Class"]: float(row["Jaccard"]) for row in csv.DictReader(file)}


@pytest.mark.slow
def test_weights_learned_on_a_folder_are_evaluated_on_it_and_broken_files_are_told(
    folder, tmp_path
):
    weights, out = tmp_path / "weights.json", tmp_path / "results"
    options = ("--data", folder, "--views", "flips", "--prior", "auto")
    _, err = run("learn", "--model", "unet-weeds", *options, "--out", weights, code=2)
    assert "broken.png" in err
    assert "alone.png" in err
    file = WeightFile.load(weights)
    assert file.views == VIEW_SETS["flips"]
    assert file.calibration["pictures"] == 3
    assert file.scores["gap"] <= 1e-6
    evaluate = ("evaluate", "--data", folder, "--weights", weights, "--out", out)
    _, err = run(*evaluate, code=2)
    assert "broken.png" in err
    assert len(list((out / "mask").iterdir())) == len(list((out / "joint").iterdir())) == 3
    scores = {name: table(out / f"scores_{name}.csv") for name in ("none", "mean", "learned")}
    for rows in scores.values():
        assert rows["Mean"] == pytest.approx(
            np.mean([rows[n] for n in WEEDS.record.palette.names])
        )
    matrices = []
    for picture in sorted((folder / "images").glob("weeds*")):
        opened = read_picture(picture)
        truth, _ = WEEDS.read_truth(folder / "masks" / picture.name, opened)
        plan, _ = WEEDS.plan(file.views, "learned", file)
        result = segment(WEEDS.record, opened, plan, truth)
        matrices.append(result.matrices[1])
        shown = np.asarray(Image.open(out / "mask" / picture.name))
        assert (shown == result.labels).mean() > 0.999
    assert scores["learned"]["Mean"] == pytest.approx(mean_iou(np.sum(matrices, 0)), abs=1e-3)
    run(*evaluate, "--background", "out", code=2)
    assert table(out / "scores_mean.csv")["Mean"] < scores["mean"]["Mean"]


@pytest.mark.slow
def test_masks_in_other_colours_are_read_by_a_palette_and_learned_on_by_class(folder, tmp_path):
    colors = {"Weed-2": [9, 200, 250], "background": [255, 255, 255], "Weed-1": [250, 10, 90]}
    (tmp_path / "palette.json").write_text(json.dumps(colors))
    masks = tmp_path / "other masks"
    masks.mkdir()
    table = np.array([colors[name] for name in WEEDS.record.palette.names], np.uint8)
    for path in (folder / "masks").glob("weeds*"):
        Image.fromarray(table[np.asarray(Image.open(path))]).save(masks / path.name)
    out = tmp_path / "weights.json"
    options = ("--palette", tmp_path / "palette.json", "--method", "adam", "--per-class")
    run("learn", "--world", "weeds", "--data", folder / "images", "--masks", masks, *options,
        "--views", "identity,hflip", "--count", 2, "--out", out)  # fmt: skip
    file = WeightFile.load(out)
    assert file.calibration["pictures"] == 2
    assert file.method == "adam"
    for name in WEEDS.record.palette.names:
        assert sum(file.weights[v][name] for v in file.views) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["learn", "--world", "nuclei", "--out", "{out}"], "--data"),
        (["learn", "--out", "{out}"], "--world"),
        (["train", "photos", "--out", "{out}"], "photos"),
        (["convert", "{here}/missing.onnx", "--out", "{out}"], "missing.onnx"),
        (["learn", "--model", "unet-moon", "--out", "{out}"], "unet-moon"),
        (["learn", "--world", "nuclei", "--model", "unet-weeds", "--out", "{out}"], "unet-weeds"),
        (["learn", "--world", "weeds", "--method", "guess", "--out", "{out}"], "guess"),
        (["learn", "--world", "weeds", "--per-class", "--out", "{out}"], "adam"),
        (["learn", "--world", "weeds", "--prior", "-2", "--out", "{out}"], "-2"),
        (["learn", "--world", "weeds", "--masks", "{here}", "--out", "{out}"], "--data"),
        (["evaluate", "--world", "weeds", "--palette", "{colors}", "--out", "{out}"], "--data"),
        (["learn", "--world", "weeds", "--out", "{here}"], "folder"),
        (["evaluate", "--world", "weeds", "--mean", "some", "--out", "{out}"], "some"),
        (["evaluate", "--weights", "{out}", "--out", "{out}"], "weights"),
        (["evaluate", "--world", "weeds", "--data", "{here}", "--out", "{here}"], "--out"),
    ],
)
def test_a_wrong_choice_is_refused_before_any_work(tmp_path, arguments, named):
    places = {"out": tmp_path / "weights.json", "here": tmp_path}
    places["colors"] = tmp_path / "colors.json"
    places["colors"].write_text('{"soil": [0, 0, 0], "weed": [0, 255, 0]}')
    _, err = run(*(argument.format(**places) for argument in arguments), code=2)
    assert named in err
    assert len(err.strip().splitlines()) == 1, err


def test_training_the_detector_writes_weights_and_card(tmp_path, monkeypatch):
    def train(out):
        out.parent.mkdir()
        shutil.copy(MODELS["weed-detector"].weights(), out)
        return [
            {"epoch": i, "loss": 1 / i, "ap": 0.1, "ap50": ap} for i, ap in ((1, 0.4), (2, 0.3))
        ]

    monkeypatch.setattr(centernet, "train", train)
    monkeypatch.setattr(centernet, "scores_of", partial(centernet.scores_of, pictures=1))
    out = tmp_path / "new" / "weights.safetensors"
    run("train", "weed-detector", "--out", out)
    card = out.with_suffix(".md").read_text()
    command = f"`python -m tta_demo train weed-detector --out {out}`"
    for told in (
        digest_of(out),
        command,
        "| 1 | 1.0000 | 0.1000 | 0.4000 |",
        "one quarter",
        "| Weed-2 |",
        "epochs",
    ):
        assert told in card
    assert "--data" in run("train", "weed-detector", "--out", "x", "--data", "y", code=2)[1]


@pytest.mark.slow
def test_classify_says_what_is_there_and_tells_what_is_no_picture(tmp_path):
    lion = Path(find_spec("gradio").origin).parent / "media_assets" / "images" / "lion.jpg"
    (tmp_path / "text.png").write_text("no picture")
    out, err = run("classify", lion, tmp_path / "text.png", "--views", "mirror", code=2)
    assert "text.png" in err
    assert out.startswith("lion.jpg: lion ")
    assert "sideways" in run("classify", lion, "--views", "sideways", code=2)[1]


@pytest.mark.slow
def test_detect_writes_the_boxes_that_the_library_finds(tmp_path):
    example = WEEDS.examples[0]
    run("detect", example, "--views", "flips", "--out", tmp_path)
    report = json.loads((tmp_path / f"{example.stem}.json").read_text())
    image = to_tensor(read_picture(example).rgb)
    found = predict_boxes(load_model("weed-detector"), image, VIEW_SETS["flips"])
    wanted = fuse_boxes([look.boxes for look in found.values()]).boxes
    assert report["size"] == list(image.shape[1:])
    assert (report["views"], report["fusion"]) == (list(VIEW_SETS["flips"]), "wbf")
    assert len(report["boxes"]) == len(wanted)
    best = report["boxes"][0]
    np.testing.assert_allclose(best["xyxy"], wanted.xyxy[0], atol=0.1)
    assert best["class"] == WEEDS.record.palette.names[wanted.labels[0]]
    assert (tmp_path / f"{example.stem}-boxes.png").stat().st_size > 1000


@pytest.mark.slow
def test_detect_finds_everyday_objects_by_looks_that_suit_them(tmp_path):
    run("detect", ASSETS / "examples" / "chelsea.jpg", "--model", "nanodet-g", "--out", tmp_path)
    report = json.loads((tmp_path / "chelsea.json").read_text())
    assert report["views"] == list(DOMAINS["natural"].views)
    assert report["boxes"][0]["class"] == "cat"
    with Image.open(tmp_path / "chelsea-boxes.png") as drawn:
        assert drawn.size == (451, 300)


@pytest.mark.slow
def test_classes_that_a_mirror_exchanges_are_exchanged_in_boxes(tmp_path):
    mirrored = ("detect", ASSETS / "examples" / "chelsea.jpg", "--model", "nanodet-g")
    mirrored += ("--views", "hflip", "--fusion", "nms", "--out")
    run(*mirrored, tmp_path / "a")
    run(*mirrored, tmp_path / "b", "--swap", "cat=dog")
    plain, swapped = (
        json.loads((tmp_path / name / "chelsea.json").read_text())["boxes"] for name in "ab"
    )
    other = {"cat": "dog", "dog": "cat"}
    assert plain[0]["class"] == "cat"
    assert [box | {"class": other.get(box["class"], box["class"])} for box in plain] == swapped
    assert "elk" in run(*mirrored, tmp_path, "--swap", "cat=elk", code=2)[1]


@pytest.mark.parametrize("command", ["predict", "detect"])
@pytest.mark.parametrize(
    ("names", "said"), [(("a/x.png", "b/X.png"), "names"), (("a/x.png",), "--out")]
)
def test_results_overwrite_neither_each_other_nor_pictures(tmp_path, command, names, said):
    for name in names:
        (tmp_path / name).parent.mkdir()
        shutil.copy(PICTURE, tmp_path / name)
    world = ("--world", "nuclei") if command == "predict" else ()
    files = [tmp_path / name for name in names]
    assert said in run(command, *files, *world, "--out", tmp_path / "a", code=2)[1]
    assert [*(tmp_path / "a").iterdir()] == [tmp_path / "a" / "x.png"]


def test_the_command_line_starts_without_what_only_some_commands_need():
    heavy = ("matplotlib", "gradio", "tta_demo.training", "tta_demo.ui")
    asked = "import sys, tta_demo.commands.app; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True)
    loaded = ast.literal_eval(done.stdout)
    assert "tta_demo.commands.train" in loaded
    assert [name for name in loaded if name.startswith(heavy)] == []


def test_nuclei_numbered_in_a_folder_are_learned_on_and_the_gain_is_printed(tmp_path):
    for kind in ("images", "instances"):
        (tmp_path / kind).mkdir()
    for example in NUCLEI.examples[:2]:
        mask = np.asarray(Image.open(NUCLEI.mask_of(example)))
        ids = cv2.connectedComponents((mask[:96, :96] > 0).astype(np.uint8))[1].astype(np.uint16)
        Image.fromarray(ids).save(tmp_path / "instances" / example.name)
        picture = Image.open(example).crop((0, 0, 96, 96))
        picture.save(tmp_path / "images" / example.name)
    weights = tmp_path / "new" / "weights.json"
    options = ("--data", tmp_path, "--world", "nuclei", "--views", "identity,hflip")
    _, err = run("learn", *options, "--out", weights)
    assert f"{NUCLEI.examples[0].stem} and 1 more: The mask numbers its objects" in err
    out, err = run("evaluate", *options, "--weights", weights, "--out", tmp_path / "results")
    assert "numbers its objects" in err
    assert "learned on 2 of these 2 pictures" in err
    gain = json.loads((tmp_path / "results" / "summary.json").read_text())["gain"]
    for key, factor in (("miou", 100), ("nll", 1)):
        assert f"{factor * gain[key]['value']:+.4f}, no interval" in out
