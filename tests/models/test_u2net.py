from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tta_demo.models.registry import MODELS, load_model
from tta_demo.models.u2net import SIDE, U2Net, load_u2net, read_u2net
from tta_demo.training.u2net import convert, rounded

RECORD = MODELS["u2net-p"]
RUN = np.load(Path(__file__).with_name("u2net-p.npz"))  # by `python .ci/renew u2net_reference`


@pytest.fixture(scope="module")
def network():
    return read_u2net(RECORD.weights())


def probabilities(network):
    with torch.no_grad():
        return network(torch.from_numpy(RUN["pixels"])[None] / 255).sigmoid()[0, 0].numpy()


def test_the_reference_run_saw_something():
    assert 0.1 < (RUN["of_file"] > 0.5).mean() < 0.9
    assert RUN["of_file"].min() < 0.01
    assert RUN["of_file"].max() > 0.99


def test_the_network_answers_as_onnxruntime_does_with_the_same_weights(network):
    np.testing.assert_allclose(probabilities(network), RUN["of_rounded"], atol=1e-4, rtol=0)


def test_rounding_the_weights_changed_next_to_nothing(network):
    found = probabilities(network)
    assert np.abs(found - RUN["of_file"]).mean() < 1e-3
    assert np.array_equal(found > 0.5, RUN["of_file"] > 0.5)


def test_every_parameter_gets_a_gradient():
    network = U2Net(width=4, middle=2)
    network(torch.rand(1, 3, 64, 96)).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("size", [(1, 1), (33, 48), (70, 31)], ids=str)
def test_any_size_is_answered_in_that_size(size):
    logits = U2Net(width=8, middle=4).eval()(torch.rand(2, 3, *size))
    assert logits.shape == (2, 1, *size)
    assert logits.isfinite().all()


def test_weights_survive_the_file_but_for_their_rounding(tmp_path):
    network = U2Net(width=8, middle=4)
    with torch.no_grad():
        network.down[0].enter.weight.mul_(1e-6)  # far below what float16 alone could hold
    save_file(rounded(network), tmp_path / "small.safetensors")
    again = read_u2net(tmp_path / "small.safetensors").state_dict()
    for name, wanted in network.state_dict().items():
        largest = wanted.abs().max()
        torch.testing.assert_close(again[name], wanted, atol=1e-3 * largest, rtol=1e-3)


def test_the_file_is_small_and_of_float16():
    assert RECORD.weights().stat().st_size < 3_000_000
    weights = load_file(RECORD.weights())
    assert {t.dtype for name, t in weights.items() if name.endswith("weight")} == {torch.float16}


def test_the_card_names_the_makers_the_licence_and_the_digest():
    card = RECORD.weights().with_suffix(".md").read_text()
    assert "Apache" in card
    assert RECORD.digest in card
    licence = RECORD.weights().with_name("LICENSE-u2net.txt").read_text()
    assert "Apache License" in licence
    assert "Version 2.0" in licence


def test_another_file_is_not_converted(tmp_path):
    (tmp_path / "u2netp.onnx").write_bytes(b"something else")
    with pytest.raises(ValueError, match="SHA-256"):
        convert(tmp_path / "u2netp.onnx", tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def test_the_model_answers_in_the_pictures_size_with_two_classes():
    model = load_u2net(RECORD.weights())
    logits = model(torch.rand(1, 3, 45, 70))
    assert logits.shape == (1, 2, 45, 70)
    torch.testing.assert_close(logits.exp().sum(1), torch.ones(1, 45, 70), atol=1e-4, rtol=0)
    assert load_model("u2net-p").side == SIDE
