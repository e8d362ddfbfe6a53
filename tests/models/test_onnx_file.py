import io
import pickle
import threading
import time
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper
from onnx_models import MIX, channels_last, classifier, coarse, file, mixing, node

from tta_demo.models import onnx_session
from tta_demo.models.feed import IMAGENET, Feed
from tta_demo.models.onnx_file import MAX_CLASSES, OnnxModel, find_out, load_onnx
from tta_demo.models.onnx_session import MAX_BYTES, MEMORY, OnnxSession
from tta_demo.tta.predict import predict_views
from tta_demo.tta.views import VIEW_SETS

ANY = "any size (continued to multiples of 32)"
LOGITS, PROBS = "looks like logits", "looks like probabilities"
SIGMOID = node("Sigmoid", ["z"])
SOFTMAX = node("Softmax", ["z"], axis=1)


def opened(data, **changes):
    session = OnnxSession(data)
    return OnnxModel(session, replace(find_out(session), **changes))


def wanted(images, mix=MIX):
    return torch.einsum("cd,bdhw->bchw", torch.from_numpy(mix), images).softmax(1)


def smooth(height=40, width=64):
    """A picture without detail: it survives being made smaller and larger."""
    return torch.nn.functional.interpolate(torch.rand(1, 3, 3, 4), (height, width), mode="bicubic")


# What is found out


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        (mixing(), f"4 classes, {ANY}, {LOGITS}, fed RGB, 0..1"),
        (mixing((1, 3, 64, 96)), f"4 classes, 96x64 fixed (letterboxed), {LOGITS}, fed RGB, 0..1"),
        (mixing(last=SOFTMAX), f"4 classes, {ANY}, {PROBS}, fed RGB, 0..1"),
        (mixing(mix=MIX[:1], last=SIGMOID), f"2 classes, {ANY}, {PROBS}, fed RGB, 0..1"),
        (
            channels_last((1, 32, 48, 3)),
            f"4 classes, 48x32 fixed (letterboxed), {LOGITS}, fed RGB, 0..1",
        ),
        (
            mixing(("b", 1, "h", "w"), MIX[:, :1]),
            f"4 classes, {ANY}, {LOGITS}, fed grey RGB, 0..1",
        ),
        (
            classifier(),
            f"5 classes of the whole picture, 32x32 fixed (letterboxed), {LOGITS}, fed RGB, 0..1",
        ),
    ],
    ids=["free", "fixed", "softmax", "sigmoid", "last", "grey", "classes"],
)  # fmt: skip
def test_what_a_file_takes_and_gives_is_found_out(data, facts):
    assert find_out(OnnxSession(data)).sentence == facts


def test_the_first_of_several_outputs_counts_and_that_is_told():
    two = [node("Conv", ["x", "w"]), node("Neg", ["x"], "n")]
    data = file(two, (1, 3, 8, 8), {"w": MIX[:, :, None, None]}, outputs=("y", "n"))
    facts = find_out(OnnxSession(data))
    assert (facts.classes, facts.outputs) == (4, 2)
    assert "the first of 2 outputs" in facts.sentence


def test_bytes_are_fed_up_to_255():
    nodes = [node("Cast", ["x"], "f", to=TensorProto.FLOAT), node("Conv", ["f", "w"])]
    data = file(nodes, (1, 3, "h", "w"), {"w": MIX[:, :, None, None]}, kind=TensorProto.UINT8)
    model = opened(data)
    assert model.facts.feed == Feed(highest=255)
    image = torch.randint(0, 2, (1, 3, 32, 32)).float()
    torch.testing.assert_close(model(image).softmax(1), wanted(255 * image), atol=1e-4, rtol=0)


# What it answers


@pytest.mark.parametrize("size", [(32, 64), (33, 47), (5, 3)], ids=str)
@pytest.mark.parametrize(
    "data",
    [mixing(), mixing(last=SOFTMAX), channels_last((1, "h", "w", 3))],
    ids=["logits", "softmax", "last"],
)
def test_a_file_of_free_size_answers_every_size_exactly(data, size):
    images = torch.rand(2, 3, *size)
    model = opened(data)
    torch.testing.assert_close(model(images).softmax(1), wanted(images), atol=1e-5, rtol=0)


@pytest.mark.parametrize("last", [None, SIGMOID], ids=["logit", "probability"])
def test_one_score_stands_for_two_classes(last):
    images = torch.rand(1, 3, 32, 32)
    one = torch.einsum("d,bdhw->bhw", torch.from_numpy(MIX[0]), images).sigmoid()
    got = opened(mixing(mix=MIX[:1], last=last))(images).softmax(1)
    torch.testing.assert_close(got, torch.stack([1 - one, one], 1), atol=1e-5, rtol=0)


@pytest.mark.parametrize("letterbox", [True, False])
@pytest.mark.parametrize(
    "data",
    [mixing((1, 3, 64, 96)), coarse((1, 3, 64, 96)), channels_last((1, 64, 96, 3))],
    ids=["full", "coarse", "last"],
)
@pytest.mark.parametrize("size", [(40, 64), (64, 40), (200, 100), (64, 96)], ids=str)
def test_a_file_of_fixed_size_answers_pictures_of_all_sizes(data, size, letterbox):
    image = smooth(*size)
    got = opened(data, letterbox=letterbox)(image).softmax(1)
    assert got.shape == (1, 4, *size)
    assert (got - wanted(image)).abs().mean() < 0.03


@pytest.mark.parametrize("data", [mixing((1, 3, 64, 96)), coarse((1, 3, 64, 96)), mixing()],
                         ids=["fixed", "coarse", "free"])  # fmt: skip
def test_quarter_turns_come_back_right(data):
    image = smooth(48, 80)[0]
    stack = predict_views(opened(data), image, VIEW_SETS["d4"])
    labels = wanted(image[None])[0].argmax(0)
    for name, found in zip(stack.views, stack.log_probs.argmax(1), strict=True):
        assert (found == labels).float().mean() > 0.95, name


def test_a_smaller_look_stays_smaller_within_a_fixed_size():
    session = OnnxSession(mixing((1, 3, 64, 64)))
    model = OnnxModel(session, find_out(session)).for_picture((100, 100))
    assert model._frame.place(torch.rand(1, 3, 50, 50)).window == (16, 48, 16, 48)
    assert model._frame.place(torch.rand(1, 3, 150, 150)).window == (0, 64, 0, 64)


FEEDS = [Feed(highest=255), IMAGENET, Feed(order="BGR"), Feed(255, (1, 2, 3), (4, 5, 6), "BGR")]


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.sentence)
def test_the_feed_can_be_corrected(feed):
    images = torch.rand(1, 3, 32, 32)
    mean, std = (np.float32(x)[:, None, None] for x in (feed.mean, feed.std))
    values = (images.numpy() * feed.highest - mean) / std
    values = values[:, ::-1] if feed.order == "BGR" else values
    got = opened(mixing(), feed=feed)(images).softmax(1)
    torch.testing.assert_close(got, wanted(torch.from_numpy(values.copy())), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    "wrong", [{"highest": 2}, {"order": "GBR"}, {"std": (1, 1, 0)}, {"mean": (1,)}], ids=str
)
def test_a_feed_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Feed(**wrong)


def test_grey_pictures_are_fed_their_brightness_in_either_order():
    images = torch.rand(1, 3, 32, 32)
    grey = (images * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1, keepdim=True)
    for order in ("RGB", "BGR"):
        model = opened(mixing((1, 1, "h", "w"), MIX[:, :1]), feed=Feed(order=order))
        got = model(images).softmax(1)
        torch.testing.assert_close(got, wanted(grey, MIX[:, :1].copy()), atol=1e-5, rtol=0)


def test_scores_of_whole_pictures_are_one_row_each():
    model = opened(classifier())
    images = smooth(64, 64).repeat(2, 1, 1, 1)
    logits = model(images)
    weights = torch.linspace(-1, 1, 15).reshape(3, 5)
    torch.testing.assert_close(logits.softmax(1), (images.mean((2, 3)) @ weights).softmax(1),
                               atol=0.01, rtol=0)  # fmt: skip


def test_a_file_is_loaded_from_its_path(tmp_path):
    (tmp_path / "own.onnx").write_bytes(mixing())
    model = load_onnx(tmp_path / "own.onnx")
    assert model.facts.classes == 4
    assert model.facts.seconds > 0


# What goes wrong


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("data.pkl", b"x")
    return buffer.getvalue()


def far():
    model = helper.make_model(helper.make_graph(
        [node("Conv", ["x", "w"])], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 3, 8, 8))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        initializer=[TensorProto(name="w", data_type=1, dims=[4, 3, 1, 1], data_location=1)],
    ))  # fmt: skip
    model.graph.initializer[0].external_data.add(key="location", value="/etc/passwd")
    return model.SerializeToString()


CUSTOM = file(
    [helper.make_node("Fancy", ["x"], ["y"], domain="of.mine")], (1, 3, 8, 8),
    opset=[helper.make_opsetid("of.mine", 1)],
)  # fmt: skip
MANY = np.zeros((3000, 3), np.float32)
BAD = {
    "empty": (b"", "no whole ONNX file"),
    "corrupt": (mixing()[:-20], "no whole ONNX file|cannot be opened"),
    "noise": (np.random.default_rng(0).bytes(2000), "no whole ONNX file"),
    "zip": (zipped(), "zip archive"),
    "pickle": (pickle.dumps({"a": 1}), "pickle"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(50), "HDF5"),
    "far": (far(), "another file"),
    "custom": (CUSTOM, "operator .* Fancy"),
    "unknown": (file([node("Nonsense", ["x"])], (1, 3, 8, 8)), "operator .* Nonsense"),
    "rank": (file([node("Relu", ["x"])], (1, 10)), "1 x 10, no picture"),
    "sequence": (file([node("Relu", ["x"])], (1, 3, "t", "h", "w")), "1 x 3 x any x any x any"),
    "channels": (file([node("Relu", ["x"])], (1, 7, 8, 8)), "1 or 3 channels, not 7"),
    "batch": (file([node("Relu", ["x"])], (4, 3, 8, 8)), "one picture at a time"),
    "half": (file([node("Relu", ["x"])], (1, 3, 8, "w")), "both height and width"),
    "text": (file([node("Identity", ["x"])], (1, 3, 8, 8), kind=TensorProto.STRING, outputs=()),
             "cannot be opened|no picture"),
    "labels": (mixing((1, 3, 8, 8), last=node("ReduceMax", ["z"], axes=[1], keepdims=0)),
               "1 x 8 x 8: scores of every"),
    "single": (mixing((1, 3, 8, 8), last=node("ReduceMean", ["z"], keepdims=0)),
               "a single number"),
    "many": (mixing((1, 3, 8, 8), MANY), "3,000 classes are too many"),
    "nan": (mixing((1, 3, 8, 8), last=node("Log", ["z"])), "NaN"),
    "vector": (file([node("GlobalAveragePool", ["x"])], (1, 3, 32, 32)), "no map of a picture"),
    "fails": (mixing((1, 3, "h", "w"), last=node("Slice", ["z", "w", "w"])),
              "cannot be opened|fails on a picture"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_in_one_sentence(name):
    data, said = BAD[name]
    with pytest.raises(ValueError, match=said) as caught:
        find_out(OnnxSession(data))
    assert len(str(caught.value)) < 350
    assert "\n" not in str(caught.value)


def test_a_file_that_is_too_large_is_refused_before_it_is_read():
    with pytest.raises(ValueError, match="150 MB"):
        OnnxSession(bytes(MAX_BYTES + 1))


def test_as_many_classes_as_are_allowed_are_fine():
    most = MAX_CLASSES["segment"]
    facts = find_out(OnnxSession(mixing((1, 3, 8, 8), np.zeros((most, 3), np.float32))))
    assert facts.classes == most


def test_nan_in_a_later_answer_is_refused_too():
    root = mixing((1, 3, 32, 32), np.float32([[1, 1, 1]]), node("Sqrt", ["z"]))
    model = opened(root, feed=Feed(mean=(1, 1, 1)))
    with pytest.raises(ValueError, match="NaN"):
        model(torch.zeros(1, 3, 32, 32))


def test_a_slow_pass_can_be_stopped():
    shapes = {"i": (64, 3, 1, 1), "w": (64, 64, 9, 9), "o": (2, 64, 1, 1)}
    weights = {name: np.full(shape, 1e-4, np.float32) for name, shape in shapes.items()}
    nodes = [node("Conv", ["x", "i"], "h0")]
    nodes += [node("Conv", [f"h{i}", "w"], f"h{i + 1}", pads=[4] * 4) for i in range(40)]
    nodes.append(node("Conv", ["h40", "o"]))
    session = OnnxSession(file(nodes, (1, 3, "h", "w"), weights))
    image = np.zeros((1, 3, 512, 512), np.float32)
    caught = []

    def work():
        try:
            session.run(image)
        except ValueError as error:
            caught.append(str(error))

    thread = threading.Thread(target=work)
    begun = time.monotonic()
    thread.start()
    time.sleep(0.3)
    session.stop()
    thread.join(30)
    assert caught == ["the model was stopped"]
    assert time.monotonic() - begun < 30
    session.run(np.zeros((1, 3, 8, 8), np.float32))  # and it works again


def giant(kernel, count):
    """A file of one long operation, whose kernel is made while it runs."""
    nodes = [
        node("ConstantOfShape", ["s"], "k"),
        node("Conv", ["x", "k"], "z", pads=[kernel // 2] * 4),
        node("Conv", ["z", "o"]),
    ]
    shapes = {"s": np.array([count, 3, kernel, kernel]), "o": np.ones((2, count, 1, 1), "f4")}
    return file(nodes, (1, 3, "h", "w"), shapes)


def test_nobody_waits_for_an_operation_that_has_no_end(monkeypatch):
    session = OnnxSession(giant(63, 256))
    monkeypatch.setattr(onnx_session, "SECONDS", 0.3)
    monkeypatch.setattr(onnx_session, "GRACE", 0.1)
    image = np.zeros((1, 3, 192, 192), np.float32)
    with pytest.raises(ValueError, match=r"takes more than 0\.3 seconds for a picture: export"):
        session.run(image)
    with pytest.raises(ValueError, match="has still not ended"):
        session.run(image)


def greedy(*nodes, **tensors):
    """A file of a few hundred bytes that adds the largest number of `big` to its answer."""
    rest = [node("ReduceMax", ["big"], "r", keepdims=0), node("Add", ["z", "r"])]
    weights = {"w": MIX[:, :, None, None], **tensors}
    return file([*nodes, node("Conv", ["x", "w"], "z"), *rest], (1, 3, "h", "w"), weights)


def test_a_small_file_cannot_take_all_the_memory():
    numbers = np.array([2 * MEMORY // 4])
    data = greedy(node("ConstantOfShape", ["s"], "big"), s=numbers)
    assert len(data) < 1000
    with pytest.raises(ValueError, match="takes more than 3 GB of memory for a picture: export"):
        find_out(OnnxSession(data))


def test_a_small_file_cannot_take_all_the_time(monkeypatch):
    monkeypatch.setattr(onnx_session, "SECONDS", 0.3)
    grow = node("Expand", ["one", "s"], "0")
    chain = [node("MatMul", [str(n), "0"], str(n + 1)) for n in range(500)]
    last = node("Identity", ["500"], "big")
    square = {"one": np.float32([0.01]), "s": np.array([500, 500])}
    begun = time.perf_counter()
    session = OnnxSession(greedy(grow, *chain, last, **square))  # no folding of constants
    with pytest.raises(ValueError, match=r"takes more than 0\.3 seconds for a picture: export"):
        find_out(session)
    assert time.perf_counter() - begun < 5
