import csv
import json
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from typer.testing import CliRunner

from tta_demo.commands.app import app
from tta_demo.evaluation.detect import evaluate_detection
from tta_demo.models.registry import MODELS, load_model
from tta_demo.pictures.reading import read_picture
from tta_demo.samples.coco import coco_pictures
from tta_demo.samples.weeds import field, plant_boxes
from tta_demo.tta.box_fusion import FUSERS
from tta_demo.tta.box_views import predict_boxes
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import to_tensor
from tta_demo.tta.views import VIEW_SETS

VIEWS = ("hflip", "rot90")
CLASSES = (1, 2)
NAMES = MODELS["weed-detector"].classes[1:]
SIZES = ((96, 128), (120, 88), (101, 115))
STAMP = {"model": "0123"}
COUNT = len(SIZES)


class Counting:
    """Counts the forward passes of a detector, and may stop as a killed process would."""

    def __init__(self, limit=None):
        self.model, self.limit, self.calls = load_model("weed-detector"), limit, 0

    def __call__(self, x):
        if self.calls == self.limit:
            raise KeyboardInterrupt
        self.calls += 1
        return self.model(x)


def annotation(number, picture, label, box):
    x1, y1, x2, y2 = map(float, box)
    bbox = [x1, y1, x2 - x1, y2 - y1]
    return {"id": number, "image_id": picture, "category_id": int(label), "bbox": bbox,
            "area": bbox[2] * bbox[3], "iscrowd": 0}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Small fields with their boxes as COCO keeps them."""
    place = tmp_path_factory.mktemp("fields")
    images, boxes = [], []
    for i, size in enumerate(SIZES):
        made = field(i, size)
        Image.fromarray(made.rgb).save(place / f"{i}.png")
        images.append({"id": i, "file_name": f"{i}.png", "height": size[0], "width": size[1]})
        truth = plant_boxes(made.plants)
        for label, box in zip(truth.labels, truth.xyxy, strict=True):
            boxes.append(annotation(len(boxes) + 1, i, label, box))
    kinds = [{"id": label, "name": name.upper()} for label, name in enumerate(NAMES, 1)]
    content = {"info": {}, "images": images, "annotations": boxes, "categories": kinds}
    (place / "boxes.json").write_text(json.dumps(content))
    return place


def evaluate(folder, out, model=None, **options):
    pictures = coco_pictures(folder, NAMES).pictures
    sources = {name: picture.read for name, picture in pictures.items()}
    options = {"views": VIEWS, "stamp": STAMP, "progress": iter} | options
    return evaluate_detection(model or Counting(), sources, classes=CLASSES, out=out, **options)


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory):
    """The folder and the outcome of a run that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole")
    return out, evaluate(folder, out)


def table(out):
    with (out / "scores.csv").open() as file:
        return {row.pop("Fusion"): [*map(float, row.values())] for row in csv.DictReader(file)}


def reference(folder, fuser, views):
    """What pycocotools gives for our fused boxes: AP, AP50, AR100."""
    found = []
    with redirect_stdout(StringIO()):
        coco = COCO(folder / "boxes.json")
        for i, image in coco.imgs.items():
            rgb = read_picture(folder / image["file_name"]).rgb
            looks = predict_boxes(Counting(), to_tensor(rgb), views)
            plan = Plan(views, fuser)
            fused = plan.fuse_boxes({name: look.boxes for name, look in looks.items()}).boxes
            for score, label, box in zip(fused.scores, fused.labels, fused.xyxy, strict=True):
                found.append(annotation(0, i, label, box) | {"score": float(score)})
        run = COCOeval(coco, coco.loadRes(found), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run.stats[[0, 1, 8]]


@pytest.mark.parametrize("fuser", FUSERS)
def test_the_table_equals_that_of_coco(whole, folder, fuser):
    row = table(whole[0])[fuser]
    views = ("identity",) if fuser == "none" else VIEWS
    np.testing.assert_allclose(row, reference(folder, fuser, views), atol=2e-6)
    assert 0.1 < row[0] < row[1] <= 1


def test_the_summary_tells_the_scores_and_the_settings(whole):
    out, outcome = whole
    summary = json.loads((out / "summary.json").read_text())
    assert summary["stamp"] == STAMP | {"views": list(VIEWS), "classes": list(CLASSES)}
    assert (summary["pictures"], summary["failures"]) == (COUNT, {})
    assert summary["scores"]["wbf"]["ap"] == outcome.scores["wbf"].ap
    assert list(summary["scores"]) == list(table(out)) == list(FUSERS)


def test_a_finished_run_costs_no_forward_pass(whole, folder):
    model = Counting(limit=0)
    assert evaluate(folder, whole[0], model) == whole[1]


@pytest.mark.parametrize("calls", [0, 4, 6])
def test_a_run_that_was_cut_off_goes_on_where_it_was(whole, folder, tmp_path, calls):
    with pytest.raises(KeyboardInterrupt):
        evaluate(folder, tmp_path, Counting(limit=calls))
    model = Counting()
    assert evaluate(folder, tmp_path, model) == whole[1]
    passes = len(VIEWS) + 1  # the original as well
    assert model.calls == passes * (COUNT - calls // passes)
    assert (tmp_path / "boxes.jsonl").read_bytes() == (whole[0] / "boxes.jsonl").read_bytes()


def test_a_run_of_other_settings_is_refused_with_what_differs(whole, folder):
    with pytest.raises(ValueError, match=r"views was .*choose another --out"):
        evaluate(folder, whole[0], views=VIEW_SETS["flips"])
    with pytest.raises(ValueError, match="model was 0123"):
        evaluate(folder, whole[0], stamp={"model": "4567"})


def test_a_tilt_is_refused_before_any_work(folder, tmp_path):
    with pytest.raises(ValueError, match=r"tilt\+10"):
        evaluate(folder, tmp_path, Counting(limit=0), views=("identity", "tilt+10"))
    assert not list(tmp_path.iterdir())


def test_without_a_true_box_the_table_is_empty_and_the_json_is_valid(tmp_path):
    source = {"a": lambda: (np.zeros((32, 32, 3), np.uint8), Boxes.empty())}
    evaluate_detection(Counting(), source, VIEWS, CLASSES, tmp_path, STAMP, progress=iter)
    assert (tmp_path / "scores.csv").read_text().splitlines()[1] == "none,,,"
    summary = json.loads((tmp_path / "summary.json").read_text(), parse_constant=pytest.fail)
    assert summary["scores"]["none"] == {"ap": None, "ap50": None, "recall": None}


# The command


def run(*arguments):
    return CliRunner().invoke(app, ["evaluate-boxes", *map(str, arguments)])


@pytest.fixture
def with_broken(folder, tmp_path):
    """The folder with links to its files, one of which is broken."""
    place = tmp_path / "data"
    place.mkdir()
    for path in folder.iterdir():
        (place / path.name).symlink_to(path)
    broken = place / "1.png"
    broken.unlink()
    broken.write_text("no picture")
    return place


def test_a_broken_file_is_told_and_left_out_until_it_is_mended(
    with_broken, whole, folder, tmp_path
):
    arguments = ("--data", with_broken, "--out", tmp_path / "out", "--views", "hflip,rot90")
    done = run(*arguments)
    assert done.exit_code == 2
    assert "1.png is not a picture" in done.stderr
    assert f"({COUNT - 1} pictures)" in done.stdout
    assert list(json.loads((tmp_path / "out/summary.json").read_text())["failures"]) == ["1.png"]
    (with_broken / "1.png").write_bytes((folder / "1.png").read_bytes())
    assert run(*arguments).exit_code == 0
    for fuser, row in table(tmp_path / "out").items():  # in another order of pictures, maybe
        np.testing.assert_allclose(row, table(whole[0])[fuser], atol=2e-6)


def test_where_no_picture_can_be_read_that_is_the_failure(with_broken, tmp_path):
    for path in with_broken.glob("*.png"):
        path.unlink()
    done = run("--data", with_broken, "--out", tmp_path / "out")
    assert "none of 3 pictures could be read; 0.png" in str(done.exception)


def test_a_count_takes_the_first_pictures(folder, tmp_path):
    options = ("--out", tmp_path, "--views", "none", "--model", "weed-detector", "--count", 1)
    assert "(1 pictures)" in run("--data", folder, *options).stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--model", "unet-weeds"], "'unet-weeds' is unknown: choose one of weed-detector"),
        (["--views", "sideways"], "sideways"),
        (["--out", "{data}/out"], "where pictures or masks are"),
    ],
)
def test_a_wrong_choice_is_refused_before_any_work(folder, tmp_path, arguments, told):
    given = [word.format(data=folder) for word in arguments]
    done = run("--data", folder, "--out", tmp_path / "out", *given)
    assert isinstance(done.exception, ValueError)
    assert told in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_without_pictures_they_are_asked_for(tmp_path):
    done = run("--out", tmp_path)
    assert done.exit_code == 2
    assert "--data" in done.stderr
