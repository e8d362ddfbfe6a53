import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tta_demo.models.checkpoint import FEED, load_checkpoint, read_checkpoint
from tta_demo.models.feed import PLAIN
from tta_demo.models.unet import UNet


@pytest.fixture
def state(random_unet):
    return random_unet.state_dict()


def changed(state, **tensors):
    names = {name.replace("_", "."): tensor for name, tensor in tensors.items()}
    return OrderedDict(state) | names


# What fits


@pytest.mark.parametrize("ending", [".pth", ".pt", ".safetensors"])
def test_a_bare_checkpoint_of_any_ending_is_read(tmp_path, random_unet, state, ending):
    path = tmp_path / f"own{ending}"
    (save_file if ending == ".safetensors" else torch.save)(dict(state), path)
    image = torch.rand(1, 3, 32, 48)
    with torch.no_grad():
        torch.testing.assert_close(read_checkpoint(path)(image), random_unet(image))


@pytest.mark.parametrize("wrapper", ["model_state_dict", "state_dict"])
def test_a_checkpoint_of_training_is_unwrapped(tmp_path, random_unet, state, wrapper):
    torch.save({wrapper: state, "epoch": 3, "optimizer": {"lr": 0.1}}, tmp_path / "own.pth")
    image = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        wanted = random_unet(image)
        torch.testing.assert_close(read_checkpoint(tmp_path / "own.pth")(image), wanted)


def test_what_parallel_training_writes_before_the_names_and_missing_counters_do_no_harm(
    tmp_path, state
):
    kept = {k: v for k, v in state.items() if not k.endswith("batches_tracked")}
    torch.save({f"module.{name}": tensor for name, tensor in kept.items()}, tmp_path / "own.pth")
    read = read_checkpoint(tmp_path / "own.pth").state_dict()
    assert all(torch.equal(read[name], tensor) for name, tensor in kept.items())


def test_counters_of_other_names_and_shapes_do_no_harm(tmp_path, state):
    odd = ("e1.x.num_batches_tracked", "e1.conv.conv.1.num_batches_tracked")
    torch.save(state | dict.fromkeys(odd, torch.zeros(7)), tmp_path / "own.pth")
    read_checkpoint(tmp_path / "own.pth")


@pytest.mark.parametrize(("classes", "width"), [(1, 4), (2, 3), (7, 8)])
def test_width_and_classes_are_read_from_the_shapes(tmp_path, classes, width):
    torch.save(UNet(classes, width).half().state_dict(), tmp_path / "own.pth")
    network = read_checkpoint(tmp_path / "own.pth")
    assert network.outputs.weight.shape[:2] == (classes, width)
    assert network.outputs.weight.dtype == torch.float32
    logits = load_checkpoint(tmp_path / "own.pth")(torch.rand(1, 3, 20, 30))
    assert logits.shape == (1, max(2, classes), 20, 30)


def test_blue_comes_first_unless_corrected(tmp_path, random_unet, state):
    torch.save(state, tmp_path / "own.pth")
    image = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        straight, swapped = random_unet(image), random_unet(image.flip(1))
    assert FEED.order == "BGR"
    close = {"atol": 1e-3, "rtol": 1e-3}
    torch.testing.assert_close(load_checkpoint(tmp_path / "own.pth")(image), swapped, **close)
    model = load_checkpoint(tmp_path / "own.pth", feed=PLAIN)
    torch.testing.assert_close(model(image), straight, **close)


def test_one_score_is_the_second_class(tmp_path):
    torch.save(UNet(1, 4).state_dict(), tmp_path / "own.pth")
    network, image = read_checkpoint(tmp_path / "own.pth"), torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        wanted = network(image.flip(1)).sigmoid()[:, 0]
    got = load_checkpoint(tmp_path / "own.pth")(image).softmax(1)[:, 1]
    torch.testing.assert_close(got, wanted, atol=1e-4, rtol=0)


# What does not


class Evil:
    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


def refused(path):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (its words are checked)
        read_checkpoint(path)
    told = str(caught.value)
    assert path.name in told
    assert "\n" not in told
    assert len(told) < 400
    return told


def test_other_names_are_told_with_those_that_are_missing(tmp_path):
    torch.save(nn.Sequential(nn.Conv2d(3, 4, 3)).state_dict(), tmp_path / "own.pth")
    told = refused(tmp_path / "own.pth")
    assert "e1.conv.conv.0.weight" in told
    assert "2 are unknown (0.weight, 0.bias)" in told


def test_one_missing_name_is_told(tmp_path, state):
    del state["d2.up.bias"]
    torch.save(state, tmp_path / "own.pth")
    assert "1 of 118 names are missing (d2.up.bias)" in refused(tmp_path / "own.pth")


def test_another_shape_is_told_with_the_one_that_was_expected(tmp_path, state):
    torch.save(changed(state, d1_up_weight=torch.zeros(64, 31, 2, 2)), tmp_path / "own.pth")
    told = refused(tmp_path / "own.pth")
    assert "d1.up.weight is 64 x 31 x 2 x 2, expected 64 x 32 x 2 x 2" in told


def test_four_channels_of_input_are_told(tmp_path, state):
    weight = torch.zeros(4, 4, 3, 3)
    torch.save(OrderedDict(state) | {"e1.conv.conv.0.weight": weight}, tmp_path / "own.pth")
    assert "e1.conv.conv.0.weight is 4 x 4 x 3 x 3, expected 4 x 3 x 3 x 3" in refused(
        tmp_path / "own.pth"
    )


def test_weights_that_are_no_numbers_are_told(tmp_path, state):
    torch.save(changed(state, outputs_bias=torch.full((3,), torch.nan)), tmp_path / "own.pth")
    assert "NaN" in refused(tmp_path / "own.pth")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1, 2], "a list"),
        ({}, "nothing"),
        ({"weights": {"a": torch.zeros(1)}}, "more than weights (weights)"),
        (torch.zeros(3), "a Tensor"),
    ],
    ids=["list", "empty", "nested", "tensor"],
)
def test_other_contents_are_told(tmp_path, content, said):
    torch.save(content, tmp_path / "own.pth")
    assert said in refused(tmp_path / "own.pth")


OTHERS = {
    "empty": b"",
    "zip": b"PK\x03\x04 a zip",
    "png": b"\x89PNG",
    "pickle": pickle.dumps({"a": 1}),
    "zeros": b"\x00" * 100,
    "evil": pickle.dumps(Evil()),
}


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
@pytest.mark.parametrize("data", OTHERS.values(), ids=OTHERS)
def test_files_of_other_kinds_are_refused_and_never_run(tmp_path, data, ending):
    (tmp_path / f"own{ending}").write_bytes(data)
    refused(tmp_path / f"own{ending}")


def test_a_checkpoint_with_more_than_tensors_is_not_unpickled(tmp_path, state):
    torch.save({"state_dict": state, "extra": Evil()}, tmp_path / "own.pth")
    assert "state_dict()" in refused(tmp_path / "own.pth")


def test_a_whole_pickled_model_is_refused(tmp_path, random_unet):
    torch.save(random_unet, tmp_path / "own.pth")
    assert "state_dict()" in refused(tmp_path / "own.pth")


def test_a_file_cut_short_is_refused(tmp_path, state):
    torch.save(state, tmp_path / "own.pth")
    whole = (tmp_path / "own.pth").read_bytes()
    (tmp_path / "own.pth").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path / "own.pth")


# What would cost more than its size


def repacked(state, path, method, **changed):
    """Saves a checkpoint, and packs it again with parts of its archive changed."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(path, "w", method) as new:
        for name in old.namelist():
            new.writestr(name, changed.get(Path(name).name, old.read(name)))
    return path


def test_one_number_that_stands_for_a_network_of_gigabytes_is_refused(tmp_path):
    with torch.device("meta"):
        shapes = {name: value.shape for name, value in UNet(2, 128).state_dict().items()}
    torch.save({n: torch.zeros(()).expand(s) for n, s in shapes.items()}, tmp_path / "own.pth")
    assert (tmp_path / "own.pth").stat().st_size < 50_000
    assert "tensors that are larger than the file" in refused(tmp_path / "own.pth")


def test_a_compressed_checkpoint_is_refused(tmp_path, state):
    path = repacked(
        state | {"more": torch.zeros(3_000_000)}, tmp_path / "own.pth", zipfile.ZIP_DEFLATED
    )
    assert "is compressed" in refused(path)


def test_parts_that_lie_over_each_other_are_refused(tmp_path, state):
    path = repacked(state, tmp_path / "own.pth", zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    first = data.index(b"PK\1\2")
    for place in range(first, len(data) - 46):
        if data[place : place + 4] == b"PK\1\2":  # each as large as the archive
            struct.pack_into("<II", data, place + 20, len(data), len(data))
    path.write_bytes(data)
    assert "larger than the file" in refused(path)


def test_a_storage_shorter_than_its_tensor_is_refused(tmp_path, state):
    assert "damaged" in refused(
        repacked(state, tmp_path / "own.pth", zipfile.ZIP_STORED, **{"0": b"1234"})
    )


def test_words_that_break_off_anywhere_are_damage(tmp_path, state):
    path = tmp_path / "own.pth"
    torch.save(dict(list(state.items())[:2]), path)
    with zipfile.ZipFile(path) as archive:
        words = archive.read(next(n for n in archive.namelist() if n.endswith("data.pkl")))
    for cut in range(0, len(words), 3):
        repacked(
            dict(list(state.items())[:2]), path, zipfile.ZIP_STORED, **{"data.pkl": words[:cut]}
        )
        refused(path)


def test_many_words_about_nothing_are_refused_unread(tmp_path):
    torch.save({"epochs": list(range(300_000))}, tmp_path / "own.pth")
    assert "bytes beside its tensors" in refused(tmp_path / "own.pth")
    torch.save({str(n): torch.zeros(()) for n in range(10_001)}, tmp_path / "own.pth")
    assert "holds more than 10,000 things" in refused(tmp_path / "own.pth")
    header = b'{"' + b"x" * (1 << 20) + b'": {}}'
    for length in (len(header), 1 << 62):
        (tmp_path / "own.safetensors").write_bytes(struct.pack("<Q", length) + header)
        assert "has a header of" in refused(tmp_path / "own.safetensors")


def test_files_from_before_pytorch_1_6_are_refused_with_what_to_do(tmp_path, state):
    torch.save(state, tmp_path / "own.pth", _use_new_zipfile_serialization=False)
    assert "PyTorch 1.6 or a later one wrote: save" in refused(tmp_path / "own.pth")


@pytest.mark.parametrize(
    "tensor",
    [
        torch.zeros(3).to_sparse(),
        torch.zeros(3, device="meta"),
        torch.zeros(3, dtype=torch.complex64),
    ],
    ids=["sparse", "meta", "complex"],
)
def test_tensors_of_other_kinds_are_no_weights(tmp_path, state, tensor):
    torch.save(changed(state, outputs_bias=tensor), tmp_path / "own.pth")
    assert "more than weights (outputs.bias)" in refused(tmp_path / "own.pth")


def test_long_names_are_shown_cut(tmp_path):
    torch.save({"x" * 100_000: torch.zeros(1)}, tmp_path / "own.pth")
    refused(tmp_path / "own.pth")
    save_file({"x" * 100_000: torch.zeros(1)}, tmp_path / "own.safetensors")
    refused(tmp_path / "own.safetensors")
