from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gradio
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from efficientnet_lite_pytorch import EfficientNet
from sklearn.datasets import load_sample_image

from tta_demo.learning.fit import fit
from tta_demo.models.efficientnet import CLASSIFIERS, load_classifier
from tta_demo.pictures.reading import read_picture
from tta_demo.tasks import classify as classification
from tta_demo.tasks.classify import CropCache, classify, predict_crops
from tta_demo.tta.crops import CROP, CROP_SETS, cut
from tta_demo.tta.fusion import FUSIONS, POOLS, fuse
from tta_demo.tta.predict import ViewStack

LITE0 = "efficientnet-lite0"
RECORD = CLASSIFIERS[LITE0]
PHOTOS = Path(gradio.__file__).parent / "media_assets" / "images"


class Counting:
    """A model that counts its calls and the crops that it was shown."""

    def __init__(self, model):
        self.model, self.calls, self.crops = model, 0, 0

    def __call__(self, crops):
        self.calls += 1
        self.crops += len(crops)
        return self.model(crops)


@pytest.fixture
def toy(seed):
    """Logits `(B, 6)` that look at every part of the crop differently: no symmetry at all."""
    matrix = 0.3 * torch.randn(3 * 7 * 7, 6)
    return lambda crops: F.adaptive_avg_pool2d(crops, 7).flatten(1) @ matrix


@pytest.fixture
def counting(toy):
    return Counting(toy)


@pytest.fixture
def small(toy, monkeypatch):
    """The toy model in the place of the real one, with a cache of its own; counts its calls."""
    model = Counting(toy)
    monkeypatch.setattr(classification, "load_classifier", lambda *_: model)
    monkeypatch.setattr(classification, "ANSWERS", CropCache())
    return model


def picture(height=64, width=80, seed=0):
    """Large blots of colour, so that crops of it differ."""
    blots = np.random.default_rng(seed).integers(0, 256, (8, 10, 3), np.uint8)
    return np.kron(blots, np.ones((height // 8, width // 10, 1), np.uint8))


# A stack of crops


def test_a_stack_holds_the_log_probabilities_of_each_crop_alone(toy):
    names = CROP_SETS["all"]
    stack = predict_crops(toy, picture(), names)
    assert stack.views == names
    for name, row in zip(names, stack.log_probs, strict=True):
        wanted = toy(cut(picture(), [name])).softmax(1)[0].log()
        torch.testing.assert_close(row, wanted, atol=1e-5, rtol=0)


# Of these widths, the middle of the resized picture stands exactly in the middle.
@pytest.mark.parametrize("size", [(256, 300), (64, 80), (80, 60), (120, 120)], ids=str)
@pytest.mark.parametrize("name", ["mirror", "ten-crop", "d4"])
@pytest.mark.parametrize("fusion", ["mean", "gmean", "max", "median", "vote", "confidence"])
def test_the_fused_answer_to_a_mirrored_picture_is_that_to_the_picture(toy, name, fusion, size):
    rgb = picture(*size)
    there, mirrored = (predict_crops(toy, x, CROP_SETS[name]) for x in (rgb, rgb[:, ::-1]))
    assert (there.probs[0] - mirrored.probs[0]).abs().max() > 0.02, "the model is symmetric"
    torch.testing.assert_close(fuse(there, fusion), fuse(mirrored, fusion), atol=2e-3, rtol=0)


def test_the_five_crops_alone_are_no_mirrored_set(toy):
    there, mirrored = (
        fuse(predict_crops(toy, x, CROP_SETS["five-crop"]), "mean")
        for x in (picture(), picture()[:, ::-1])
    )
    assert (there - mirrored).abs().max() > 0.02


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_the_fused_d4_answer_to_a_turned_square_is_that_to_the_square(toy, turns):
    rgb = picture(80, 80)
    there, turned = (
        fuse(predict_crops(toy, x, CROP_SETS["d4"]), "mean") for x in (rgb, np.rot90(rgb, turns))
    )
    torch.testing.assert_close(there, turned, atol=2e-3, rtol=0)


def test_the_geometric_mean_is_the_softmax_of_the_mean_logits(toy):
    names = CROP_SETS["ten-crop"]
    wanted = toy(cut(picture(), names)).mean(0).softmax(0)
    stack = predict_crops(toy, picture(), names)
    torch.testing.assert_close(fuse(stack, "gmean"), wanted, atol=1e-5, rtol=0)
    assert (fuse(stack, "mean") - wanted).abs().max() > 1e-3


def test_prediction_leaves_nothing_for_autograd():
    layer = torch.nn.Linear(3, 4)
    stack = predict_crops(lambda x: layer(x.mean((2, 3))), picture(), ["center"])
    assert not stack.log_probs.requires_grad
    assert not stack.log_probs.is_inference(), "the learner could not train on it"


@pytest.mark.parametrize(
    "model", [lambda x: x, lambda x: x.mean((2, 3))[:1], lambda x: x.mean((1, 2, 3))]
)
def test_logits_of_another_shape_are_refused(model):
    with pytest.raises(ValueError, match=r"logits have shape .* for 2 crops"):
        predict_crops(model, picture(), ["center", "top-left"])


# Learned weights


def planted(weights, pictures=6000, classes=4, seed=0):
    """Stacks `(V, C)` and class ids drawn from the views' mixture with these weights."""
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.full(classes, 0.5), (pictures, len(weights)))
    mixed = np.einsum("v,nvc->nc", weights, probs)
    labels = [np.array(rng.choice(classes, p=p / p.sum())) for p in mixed]
    names = CROP_SETS["five-crop"][: len(weights)]
    return [ViewStack(names, torch.from_numpy(p).clamp_min(1e-7).log()) for p in probs], labels


def test_planted_weights_are_found_on_stacks_of_one_answer_a_picture():
    found = fit(*planted([0.6, 0.3, 0.1, 0.0]))
    assert found.pixels == 6000
    assert found.gap <= 1e-6
    np.testing.assert_allclose(found.weights, [0.6, 0.3, 0.1, 0.0], atol=0.04)


@pytest.mark.parametrize("per_class", [False, True])
@pytest.mark.parametrize("pool", POOLS)
def test_weights_of_every_form_are_learned_on_crops_and_fuse_them(per_class, pool):
    stacks, labels = planted([0.7, 0.2, 0.1], pictures=300)
    method = "adam" if per_class or pool == "log" else "exact"
    weights = fit(stacks, labels, method, per_class=per_class, pool=pool).weights
    assert weights.shape == ((3, 4) if per_class else (3,))

    def loss(fusion, *learned):
        pairs = zip(stacks, labels, strict=True)
        return -np.mean([fuse(s, fusion, *learned)[int(y)].log().item() for s, y in pairs])

    even = loss("mean" if pool == "linear" else "gmean")
    assert loss("learned", torch.from_numpy(weights).float(), pool) < even


# From a picture to an answer


def test_the_fused_answer_is_that_of_its_stack(small):
    names = CROP_SETS["ten-crop"]
    fresh = predict_crops(small, picture(), names)
    for fusion in set(FUSIONS) - {"none", "learned"}:
        answer = classify(LITE0, picture(), names, fusion)
        assert answer.views == names
        torch.testing.assert_close(answer.probs, fuse(fresh, fusion), atol=5e-3, rtol=0)
        torch.testing.assert_close(answer.one_look, fresh.probs[0], atol=5e-3, rtol=0)


@pytest.mark.parametrize("names", [("top-left",), ("top-left", "center"), ("center",)], ids=str)
def test_no_fusion_is_the_middle_whatever_is_chosen(small, names):
    answer = classify(LITE0, picture(), names, "none")
    wanted = predict_crops(small, picture()).probs[0]
    torch.testing.assert_close(answer.probs, wanted, atol=5e-3, rtol=0)
    assert torch.equal(answer.probs, answer.one_look)
    assert answer.views == names


def test_learned_weights_weigh_the_crops_in_the_order_of_the_views(small):
    names = ("top-left", "center", "bottom-right")
    for place in range(3):
        answer = classify(LITE0, picture(), names, "learned", torch.eye(3)[place])
        torch.testing.assert_close(answer.probs, answer.stack.probs[place], atol=2e-3, rtol=0)


def test_weights_per_class_and_crop_take_each_class_from_its_own_crop(small):
    weights = torch.zeros(2, 6)
    weights[0, :3], weights[1, 3:] = 1, 1
    answer = classify(LITE0, picture(), ("center", "top-left"), "learned", weights)
    scores = torch.cat([answer.stack.probs[0, :3], answer.stack.probs[1, 3:]])
    torch.testing.assert_close(answer.probs, scores / scores.sum())


def test_the_likeliest_classes_come_first_with_their_probabilities(small):
    answer = classify(LITE0, picture(), CROP_SETS["five-crop"])
    probs = answer.probs.tolist()
    assert answer.top(3) == sorted(enumerate(probs), key=lambda pair: -pair[1])[:3]
    assert len(answer.top(100)) == 6
    own = answer.stack.probs[1].tolist()
    assert answer.view_top("top-left", 1) == [(own.index(max(own)), max(own))]


def test_agreement_is_the_share_of_crops_with_the_fused_first_choice(small):
    answer = classify(LITE0, picture(), CROP_SETS["ten-crop"])
    first = answer.top(1)[0][0]
    firsts = [answer.view_top(name, 1)[0][0] for name in answer.views]
    assert answer.agreement == pytest.approx(firsts.count(first) / 10)
    assert 0 < answer.agreement < 1, "this picture tests nothing"
    assert classify(LITE0, picture()).agreement == 1


def test_another_fusion_costs_no_pass_and_another_crop_one_crop(small):
    names = CROP_SETS["five-crop"]
    classify(LITE0, picture(), names)
    assert (small.calls, small.crops) == (1, 5)
    classify(LITE0, picture().copy(), names[::-1], "gmean")
    assert (small.calls, small.crops) == (1, 5)
    classify(LITE0, picture(), (*names, "center-mirror"))
    assert (small.calls, small.crops) == (2, 6)
    classify(LITE0, picture(seed=1), ("top-left",))  # and the middle, as one look
    assert (small.calls, small.crops) == (3, 8)


@pytest.mark.parametrize(
    "changed",
    [
        {"views": ()},
        {"views": ("centre",)},
        {"views": ("center", "center")},
        {"fusion": "average"},
        {"fusion": "learned"},
        {"weights": torch.tensor([1.0])},
        {"fusion": "learned", "weights": torch.tensor([0.5, 0.5])},
        {"fusion": "learned", "weights": torch.tensor([1.0]), "pool": "cubic"},
        {"rgb": picture()[..., 0]},
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(small, changed):
    with pytest.raises(ValueError, match=r"crop|fusion|weights|pool|rgb"):
        classify(**{"model": LITE0, "rgb": picture()} | changed)


def test_a_crop_that_was_not_looked_at_has_no_answer(small):
    with pytest.raises(ValueError, match="top-left"):
        classify(LITE0, picture()).view_top("top-left")


# The cache


def test_the_cache_tells_pictures_shapes_and_models_apart(counting):
    cache, rgb = CropCache(), picture()
    changed = rgb.copy()
    changed[0, 0, 0] ^= 1
    for digest, pixels in [("a", rgb), ("a", changed), ("b", rgb), ("a", rgb.reshape(80, 64, 3))]:
        cache.stack(counting, digest, pixels, ["center"])
        cache.stack(counting, digest, pixels, ["center"])
    assert counting.calls == 4


def test_the_cache_keeps_its_limit_and_drops_what_was_used_longest_ago(counting):
    cache = CropCache(limit=3 * 2 * 6)  # three answers of six classes in half precision
    for name in ("center", "top-left", "top-right"):
        cache.stack(counting, "toy", picture(), [name])
    cache.stack(counting, "toy", picture(), ["center"])  # now top-left is the oldest
    cache.stack(counting, "toy", picture(), ["darker"])
    assert cache.nbytes == cache.limit
    assert counting.crops == 4
    cache.stack(counting, "toy", picture(), ["center", "top-right", "darker"])
    assert counting.crops == 4
    cache.stack(counting, "toy", picture(), ["top-left"])
    assert counting.crops == 5


def test_more_crops_than_the_cache_holds_are_given_but_not_kept(counting):
    cache = CropCache(limit=20)
    stack = cache.stack(counting, "toy", picture(), CROP_SETS["ten-crop"])
    assert len(stack.log_probs) == 10
    assert cache.nbytes <= 20


def test_a_cached_answer_keeps_no_other_answers_in_memory(toy):
    cache = CropCache()
    stack = cache.stack(toy, "toy", picture(), CROP_SETS["ten-crop"])
    assert stack.log_probs.dtype == torch.float16
    kept = [answer.untyped_storage().nbytes() for answer in cache._answers.values()]
    assert sum(kept) == cache.nbytes == 10 * 2 * 6


def test_many_threads_get_the_answers_of_one(toy):
    cache, pictures = CropCache(limit=200), [picture(seed=seed) for seed in range(4)]
    names = CROP_SETS["mirror"]

    def run(number):
        return cache.stack(toy, "toy", pictures[number % 4], names).log_probs

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(run, range(32)))
    for number, answer in enumerate(answers):
        wanted = predict_crops(toy, pictures[number % 4], names).log_probs
        torch.testing.assert_close(answer.float(), wanted, atol=5e-3, rtol=0)
    assert cache.nbytes == sum(answer.nbytes for answer in cache._answers.values())


# The built-in classifier

KNOWN = {0: "tench", 1: "goldfish", 207: "golden retriever", 281: "tabby", 285: "Egyptian cat"}
KNOWN |= {340: "zebra", 985: "daisy", 999: "toilet tissue", 468: "taxi", 291: "lion"}
KNOWN |= {134: "crane (bird)", 517: "crane (machine)", 263: "Pembroke Welsh corgi"}


@pytest.mark.parametrize(("place", "name"), KNOWN.items(), ids=str)
def test_a_well_known_class_has_its_place(place, name):
    assert RECORD.names[place] == name


def test_a_thousand_classes_have_different_names_and_synsets_in_order():
    assert len({name.casefold() for name in RECORD.names}) == 1000
    assert sorted(set(RECORD.synsets)) == list(RECORD.synsets)  # ImageNet's order is this one
    assert RECORD.synsets[0] == "n01440764"
    assert RECORD.synsets[999] == "n15075141"
    assert all(name == name.strip() and name for name in RECORD.names)


def test_the_folded_classifier_is_the_network_of_the_package():
    crops = cut(load_sample_image("china.jpg"), CROP_SETS["mirror"])
    package = EfficientNet.from_pretrained(LITE0, weights_path=str(RECORD.path)).eval()
    with torch.no_grad():
        wanted = package((255 * crops - 127) / 128)
    got = load_classifier(LITE0, "cpu")(crops)
    torch.testing.assert_close(got, wanted, atol=1e-3, rtol=0)


def test_loading_and_running_is_quiet(capfd, recwarn):
    load_classifier(LITE0, "cpu")(torch.zeros(1, 3, CROP, CROP))
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list


def test_a_classifier_is_loaded_once():
    assert load_classifier(LITE0, "cpu") is load_classifier(LITE0, "cpu")


@pytest.mark.parametrize("arguments", [("resnet",), (LITE0, "abacus")], ids=str)
def test_an_unknown_classifier_or_device_is_refused(arguments):
    with pytest.raises(ValueError, match=arguments[-1]):
        load_classifier(*arguments)


def photo(name):
    path = PHOTOS / name
    return read_picture(path).rgb if path.exists() else load_sample_image(name)


SHOWN = {"cheetah.jpg": 293, "cheetah1.jpg": 293, "lion.jpg": 291, "flower.jpg": 985}


@pytest.mark.parametrize("views", ["center", "ten-crop", "all"])
@pytest.mark.parametrize(("name", "place"), SHOWN.items(), ids=str)
def test_the_classifier_sees_what_is_in_a_photograph(name, place, views):
    answer = classify(LITE0, photo(name), CROP_SETS[views], device="cpu")
    assert answer.top(1)[0][0] == place, [(RECORD.names[i], p) for i, p in answer.top()]


@pytest.mark.parametrize("views", ["center", "ten-crop"])
def test_the_classifier_takes_the_summer_palace_for_a_palace_in_five_guesses(views):
    answer = classify(LITE0, photo("china.jpg"), CROP_SETS[views], device="cpu")
    assert RECORD.names.index("palace") in dict(answer.top())
