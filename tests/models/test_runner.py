from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from tta_demo.models.runner import Runner
from tta_demo.models.unet import UNet

# The runner


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (5, 3), (16, 16), (17, 31), (33, 48)], ids=str)
def test_the_runner_answers_any_size_in_that_size(size, random_unet):
    network = random_unet
    logits = Runner(network, UNet.STRIDE)(torch.rand(2, 3, *size))
    assert logits.shape == (2, 3, *size)
    assert logits.isfinite().all()


def test_the_runner_changes_nothing_where_the_size_fits(random_unet):
    network = random_unet
    images = torch.rand(1, 3, 32, 48)
    with torch.no_grad():
        wanted = network(images)
    torch.testing.assert_close(Runner(network, UNet.STRIDE)(images), wanted, atol=1e-4, rtol=1e-4)


def test_padding_does_not_reach_what_a_pixel_cannot_see(toy_model):
    images = torch.rand(1, 3, 9, 14)
    with torch.no_grad():
        wanted = toy_model(images)
    got = Runner(toy_model, stride=16)(images)
    torch.testing.assert_close(got[..., :-1, :-1], wanted[..., :-1, :-1], atol=1e-5, rtol=1e-5)


def test_the_runner_puts_the_network_into_inference_mode(random_unet):
    network = random_unet.train()
    images = torch.rand(1, 3, 16, 16)
    runner = Runner(network, UNet.STRIDE)
    assert torch.equal(runner(images), runner(images))
    assert not runner(images).requires_grad
    assert not network.training


def test_threads_that_share_a_runner_get_the_same_answers(random_unet):
    runner = Runner(random_unet, UNet.STRIDE)
    images = [torch.rand(1, 3, 17 + i, 40 - i) for i in range(6)]
    alone = [runner(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(runner, images * 3))
    for i, logits in enumerate(together):
        torch.testing.assert_close(logits, alone[i % 6], atol=1e-5, rtol=1e-5)
