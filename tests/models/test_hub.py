import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import transformers as tr
from hub_models import KINDS, NAMES, save
from hub_server import REVISION, instead_of_the_hub
from transformers.models.detr.image_processing_pil_detr import DetrImageProcessorPil
from transformers.models.rt_detr.image_processing_pil_rt_detr import RTDetrImageProcessorPil
from transformers.models.segformer.image_processing_pil_segformer import SegformerImageProcessorPil
from transformers.models.yolos.image_processing_pil_yolos import YolosImageProcessorPil

from tta_demo.models.domains import DOMAINS
from tta_demo.models.hub import HUB_MENU, hub_model
from tta_demo.models.hub_files import MAX_HUB_BYTES
from tta_demo.models.registry import load_model
from tta_demo.pictures.palettes import Palette, numbered_palette
from tta_demo.pictures.reading import Picture
from tta_demo.tasks.classify import classify
from tta_demo.tasks.detect import detect
from tta_demo.tasks.segment import segment
from tta_demo.tta.crops import CROP_SETS
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import to_tensor

ALL = [(task, kind) for task, kinds in KINDS.items() for kind in kinds]
VIEWS = ("identity", "hflip", "rot90", "zoom0.5")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Returns the folder of a kind of model and the network itself, written once."""
    done = {}

    def of(kind):
        if kind not in done:
            folder = tmp_path_factory.mktemp("hub") / kind
            done[kind] = folder, save(folder, kind)
        return done[kind]

    return of


def rgb(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(("task", "kind"), ALL)
def test_a_folder_becomes_a_record_with_its_names(saved, task, kind):
    folder, _ = saved(kind)
    record = hub_model(str(folder), task)
    names = ("sky", "sea", "sand", "sea 3")
    assert record.classes == (("background", *names) if task == "detect" else names)
    assert (record.task, record.name, record.domain in DOMAINS) == (task, kind, True)
    assert str(folder) not in record.summary + record.source
    assert hub_model(str(folder), task) is record, "a second visitor would load it once more"


@pytest.mark.parametrize("kind", KINDS["segment"])
@pytest.mark.parametrize("size", [(40, 90), (64, 64)])
def test_segmenters_go_the_whole_way(saved, kind, size):
    record = hub_model(str(saved(kind)[0]), "segment")
    result = segment(record, Picture.of(rgb(*size)), Plan(VIEWS))
    assert result.labels.shape == size
    assert load_model(record)(torch.rand(2, 3, *size)).shape == (2, len(NAMES), *size)
    assert result.report()["model"]["digest"] == record.digest


@pytest.mark.parametrize("kind", KINDS["detect"])
def test_detectors_go_the_whole_way(saved, kind):
    record = hub_model(str(saved(kind)[0]), "detect")
    result = detect(record, Picture.of(rgb(40, 90)), Plan(VIEWS, "wbf"))
    assert len(result.one_look) > 0
    assert set(result.boxes.labels) <= {1, 2, 3, 4}
    assert (result.boxes.xyxy <= (90, 40, 90, 40)).all()
    result.findings()


@pytest.mark.parametrize("kind", KINDS["classify"])
def test_classifiers_go_the_whole_way(saved, kind):
    record = hub_model(str(saved(kind)[0]), "classify")
    result = classify(record, Picture.of(rgb(40, 90)), Plan(CROP_SETS["ten-crop"]))
    assert sum(share for _, share in result.top()) == pytest.approx(1, abs=1e-3)


def test_a_segmenter_answers_as_with_its_own_processor(saved):
    folder, network = saved("segformer")
    pixels = rgb(64, 64)
    reader = SegformerImageProcessorPil.from_pretrained(folder)
    with torch.no_grad():
        logits = network(**reader(pixels, return_tensors="pt")).logits
    expected = F.interpolate(logits, (64, 64), mode="bilinear")
    found = load_model(hub_model(str(folder), "segment"))(to_tensor(pixels)[None])
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("kind", "reader", "size"),
    [
        ("yolos", YolosImageProcessorPil, (64, 96)),
        ("detr", DetrImageProcessorPil, (64, 96)),
        ("rt_detr", RTDetrImageProcessorPil, (64, 96)),
    ],
)
def test_a_detector_answers_as_with_its_own_processor(saved, kind, reader, size):
    folder, network = saved(kind)
    pixels, reader = rgb(*size), reader.from_pretrained(folder)
    with torch.no_grad():
        answer = network(reader(pixels, return_tensors="pt")["pixel_values"])
    (told,) = reader.post_process_object_detection(answer, 0.05, target_sizes=[size])
    order = told["scores"].argsort(descending=True, stable=True)
    found = load_model(hub_model(str(folder), "detect"))(to_tensor(pixels)[None])[0]
    assert len(found) > 1
    corners = told["boxes"][order].numpy().clip(0, (96, 64, 96, 64))
    np.testing.assert_allclose(found.scores, told["scores"][order][: len(found)], atol=1e-4)
    np.testing.assert_allclose(found.xyxy, corners[: len(found)], atol=0.05)
    assert (found.labels == told["labels"][order][: len(found)].numpy() + 1).all()


@pytest.mark.parametrize("kind", KINDS["classify"])
def test_a_classifier_is_shown_crops_of_its_own_size(saved, kind):
    folder, network = saved(kind)
    config = json.loads((folder / "preprocessor_config.json").read_text())
    mean, std = (torch.tensor(config[f"image_{x}"]).view(3, 1, 1) for x in ("mean", "std"))
    side = {"resnet": 224, "vit": 96}[kind]
    crops = torch.rand(2, 3, 224, 224)
    small = F.interpolate(crops, (side, side), mode="bilinear", antialias=True)
    with torch.no_grad():
        expected = network((small - mean) / std).logits
    found = load_model(hub_model(str(folder), "classify"))(crops)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_a_view_that_zooms_out_stays_small_in_front_of_the_network(saved):
    model = load_model(hub_model(str(saved("segformer")[0]), "segment"))
    sight = model._sight.for_picture((50, 98))
    # half of 46 x 90, which are about as many pixels as 64 x 64
    assert sight.place(torch.rand(1, 3, 25, 49)).window == (0, 23, 0, 45)
    turned = sight.place(torch.rand(1, 3, 98, 50)).shown.shape[-2:]
    assert turned == sight.place(torch.rand(1, 3, 50, 98)).shown.shape[-2:][::-1]


def test_other_weights_in_the_same_folder_are_another_model(tmp_path):
    save(tmp_path, "resnet")
    before = hub_model(str(tmp_path), "classify").digest
    network = tr.AutoModelForImageClassification.from_pretrained(tmp_path)
    torch.nn.init.ones_(network.classifier[1].bias)
    network.save_pretrained(tmp_path)
    assert hub_model(str(tmp_path), "classify").digest != before


def test_classes_get_other_names_and_colours(saved, tmp_path):
    folder = str(saved("segformer")[0])
    mine = Palette(tuple("abcd"), ((0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 3, 3)))
    assert hub_model(folder, "segment", mine).classes == tuple("abcd")
    with pytest.raises(ValueError, match=r"3 classes, segformer 4"):
        hub_model(folder, "segment", numbered_palette(3))
    save(tmp_path, "segformer")
    config = json.loads((tmp_path / "config.json").read_text())
    config["palette"] = [list(color) for color in mine.colors]
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert hub_model(str(tmp_path), "segment").palette.colors == mine.colors


# what is refused


def broken(folder, wrong):
    """Writes a segmenter's folder with something wrong."""
    save(folder, "segformer")
    weights, config = folder / "model.safetensors", folder / "config.json"
    said = json.loads(config.read_text())
    if wrong == "no weights":
        weights.unlink()
    elif wrong == "a pickle alone":
        weights.unlink()
        (folder / "pytorch_model.bin").write_bytes(pickle.dumps({}))
    elif wrong == "in pieces":
        weights.rename(folder / "model-00001-of-00002.safetensors")
        (folder / "model.safetensors.index.json").write_text("{}")
    elif wrong == "no config":
        config.unlink()
    elif wrong == "no preprocessor":
        (folder / "preprocessor_config.json").unlink()
    elif wrong == "no JSON":
        (folder / "preprocessor_config.json").write_text("{")
    elif wrong == "a strange size":
        save(folder, "segformer", size={"height": -1, "width": "wide"})
    elif wrong == "a strange mean":
        save(folder, "segformer", image_mean=[1, 2])
    elif wrong == "too large":
        with weights.open("r+b") as file:
            file.truncate(MAX_HUB_BYTES + 1)
    elif wrong == "code of its own":
        said |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config"}}
        (folder / "mine.py").write_text("raise SystemExit('it ran')")
    elif wrong == "of no task":
        said["architectures"] = ["SegformerModel"]
    elif wrong == "timm":
        said |= {"model_type": "detr", "use_timm_backbone": True, "backbone": "resnet50"}
    elif wrong == "3,000 classes":
        said["id2label"] = {str(n): f"c{n}" for n in range(3000)}
        said["label2id"] = {f"c{n}": n for n in range(3000)}
    if wrong in ("code of its own", "of no task", "timm", "3,000 classes"):
        config.write_text(json.dumps(said))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("no weights", "no model.safetensors"),
        ("a pickle alone", "pytorch_model.bin"),
        ("in pieces", "several files"),
        ("no config", "config.json"),
        ("no preprocessor", "preprocessor_config.json"),
        ("no JSON", "fed"),
        ("a strange size", "size .*wide"),
        ("a strange mean", r"\(1.0, 2.0\)"),
        ("too large", "600 MB are the limit"),
        ("code of its own", "config.json"),
        ("of no task", "SegformerModel"),
        ("timm", "timm"),
        ("3,000 classes", "3,000 classes"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(tmp_path, wrong, said):
    broken(tmp_path, wrong)
    with pytest.raises(ValueError, match=said) as refused:
        hub_model(str(tmp_path), "segment")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("task", "kind"), ALL)
def test_a_model_of_another_task_is_refused(saved, task, kind):
    other = {"segment": "classify", "classify": "detect", "detect": "segment"}[task]
    with pytest.raises(ValueError, match=f"made to {task} .*, not to {other}"):
        hub_model(str(saved(kind)[0]), other)


@pytest.mark.parametrize(
    ("harm", "said"), [("cut", "cannot be loaded"), ("headless", "lacks"), ("NaN", "NaN")]
)
def test_damaged_weights_are_refused_when_they_are_loaded(tmp_path, harm, said):
    network = save(tmp_path, "segformer")
    path = tmp_path / "model.safetensors"
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif harm == "NaN":
        torch.nn.init.constant_(network.decode_head.classifier.bias, float("nan"))
        network.save_pretrained(tmp_path)
    else:
        kept = {k: v for k, v in network.state_dict().items() if "classifier" not in k}
        network.save_pretrained(tmp_path, state_dict=kept)
    record = hub_model(str(tmp_path), "segment")
    with pytest.raises(ValueError, match=said) as refused:
        segment(record, Picture.of(rgb(40, 90)))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["resnet50", "a/b/c", "../x", "https://example.org/x", ""])
def test_what_is_no_name_is_refused_without_asking_anybody(name):
    with pytest.raises(ValueError, match="OWNER/MODEL"):
        hub_model(name, "segment")


def test_a_page_for_everybody_takes_the_menu_alone(saved):
    for name in (str(saved("segformer")[0]), "somebody/something", HUB_MENU["detect"][0]):
        with pytest.raises(ValueError, match="not offered"):
            hub_model(name, "segment", menu_only=True)


def test_without_transformers_what_to_install_is_told(saved, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ValueError, match="pip install"):
        hub_model(str(saved("segformer")[0]), "segment")


# with a Hub


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A Hub with a model, and an empty cache."""
    models = {"me/tiny": tmp_path / "tiny"}
    save(models["me/tiny"], "segformer")
    with instead_of_the_hub(monkeypatch, models, tmp_path / "cache") as hub:
        yield hub


def test_a_model_comes_once_and_serves_without_a_network(hub, tmp_path):
    told = []
    record = hub_model("me/tiny", "segment", progress=lambda *step: told.append(step))
    weights = tmp_path / "tiny" / "model.safetensors"
    size = weights.stat().st_size
    assert (told[0], told[-1]) == ((0, size), (size, size))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert REVISION[:12] in record.source
    assert record.digest == hub_model(str(tmp_path / "tiny"), "segment").digest
    assert load_model(record)(torch.rand(1, 3, 40, 90)).shape == (1, 4, 40, 90)
    assert hub_model("me/tiny", "segment") is record
    assert hub.fetched.count("model.safetensors") == 1
    hub.shutdown()
    hub.server_close()
    assert hub_model("me/tiny", "segment") is record


def test_what_is_too_large_is_refused_before_it_is_downloaded(hub):
    hub.sizes["model.safetensors"] = MAX_HUB_BYTES + 1
    with pytest.raises(ValueError, match="600 MB are the limit"):
        hub_model("me/tiny", "segment")
    assert hub.fetched == []


def test_a_model_of_another_task_is_refused_before_its_weights_come(hub):
    with pytest.raises(ValueError, match="not to detect"):
        hub_model("me/tiny", "detect")
    assert "model.safetensors" not in hub.fetched


def test_an_unknown_name_is_told(hub):
    with pytest.raises(ValueError, match="no model me/nothing"):
        hub_model("me/nothing", "segment")


def test_without_a_network_and_a_cache_one_sentence_is_said(hub):
    hub.shutdown()
    hub.server_close()
    for name in ("me/tiny", HUB_MENU["segment"][0]):
        with pytest.raises(ValueError, match="Hub cannot be reached") as refused:
            hub_model(name, "segment")
        assert "\n" not in str(refused.value)


def test_the_menu_has_no_name_twice():
    names = [name for names in HUB_MENU.values() for name in names]
    assert len(set(names)) == len(names)
    assert not any(Path(name).exists() for name in names)
