import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from sklearn.datasets import load_sample_image

from tta_demo.models.efficientnet import load_efficientnet
from tta_demo.models.registry import MODELS, load_model
from tta_demo.tta.crops import CROP, CROP_SETS, cut

LITE0 = "efficientnet-lite0"
RECORD = MODELS[LITE0]

KNOWN = {0: "tench", 1: "goldfish", 207: "golden retriever", 281: "tabby", 285: "Egyptian cat"}
KNOWN |= {340: "zebra", 985: "daisy", 999: "toilet tissue", 468: "taxi", 291: "lion"}
KNOWN |= {134: "crane (bird)", 517: "crane (machine)", 263: "Pembroke Welsh corgi"}


@pytest.mark.parametrize(("place", "name"), KNOWN.items(), ids=str)
def test_a_well_known_class_has_its_place(place, name):
    assert RECORD.classes[place] == name


def test_a_thousand_classes_have_different_names_and_synsets_in_order():
    assert len({name.casefold() for name in RECORD.classes}) == 1000
    assert sorted(set(RECORD.synsets)) == list(RECORD.synsets)  # ImageNet's order is this one
    assert RECORD.synsets[0] == "n01440764"
    assert RECORD.synsets[999] == "n15075141"
    assert all(name == name.strip() and name for name in RECORD.classes)


def test_the_folded_classifier_is_the_network_of_the_package():
    crops = cut(load_sample_image("china.jpg"), CROP_SETS["mirror"])
    package = EfficientNet.from_pretrained(LITE0, weights_path=str(RECORD.weights())).eval()
    with torch.no_grad():
        wanted = package((255 * crops - 127) / 128)
    got = load_model(LITE0, "cpu")(crops)
    torch.testing.assert_close(got, wanted, atol=1e-3, rtol=0)


def test_loading_and_running_is_quiet(capfd, recwarn):
    load_efficientnet(RECORD.weights())(torch.zeros(1, 3, CROP, CROP))
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
