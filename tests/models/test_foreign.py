import pytest
import torch
from torch import nn

from tta_demo.models.foreign import as_model
from tta_demo.tta.crops import predict_crops
from tta_demo.tta.predict import predict_views
from tta_demo.tta.views import VIEW_SETS

IMAGE = torch.rand(3, 21, 37)


class Fork(nn.Module):
    """A small U-Net of somebody's own: it fails on sides that are no multiples of 4."""

    def __init__(self, classes=3):
        super().__init__()
        self.down = nn.Conv2d(3, 4, 4, stride=4)
        self.up = nn.ConvTranspose2d(4, 4, 4, stride=4)
        self.out = nn.Conv2d(7, classes, 3, padding=1)
        with torch.no_grad():
            self.out.weight.mul_(20)

    def forward(self, x):
        return self.out(torch.cat([self.up(self.down(x)), x], 1))


def test_a_network_with_a_stride_sees_pictures_of_any_size():
    network = Fork().eval()
    with pytest.raises(RuntimeError, match="Sizes of tensors must match"):
        predict_views(network, IMAGE)
    stack = predict_views(as_model(network, stride=4), IMAGE, VIEW_SETS["all"])
    assert stack.log_probs.shape == (15, 3, 21, 37)
    even = IMAGE[:, :20, :36]
    wanted = predict_views(network, even).probs
    found = predict_views(as_model(network, stride=4), even).probs
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)


def test_the_picture_is_continued_at_its_right_and_bottom():
    seen = []

    def network(images):
        seen.append(images)
        return images

    answer = as_model(network, stride=16)(IMAGE[None])
    assert torch.equal(answer[0], IMAGE)
    (shown,) = seen
    assert shown.shape == (1, 3, 32, 48)
    assert torch.equal(shown[..., :21, 37:], IMAGE[None, :, :, -1:].expand(1, 3, 21, 11))


def test_a_coarser_answer_is_enlarged_over_the_picture():
    down = nn.AvgPool2d(4)
    ramp = torch.linspace(0, 1, 40).expand(1, 3, 24, 40)[..., :37]
    answer = as_model(down, stride=4)(ramp)
    assert answer.shape == (1, 3, 24, 37)
    inner = slice(4, 30)
    torch.testing.assert_close(answer[..., inner], ramp[..., inner], atol=1e-2, rtol=0)


def test_one_class_is_that_of_the_sigmoid():
    network = Fork(classes=1).eval()
    stack = predict_views(as_model(network, stride=4), IMAGE[:, :20, :36])
    wanted = network(IMAGE[None, :, :20, :36]).sigmoid()[0, 0]
    torch.testing.assert_close(stack.probs[0, 1], wanted, atol=1e-5, rtol=1e-4)


def test_a_network_computes_in_its_own_precision():
    network = Fork().double().eval()
    assert predict_views(as_model(network, stride=4), IMAGE).log_probs.dtype == torch.float32


def test_left_and_right_are_exchanged_in_a_mirror():
    network = Fork().eval()
    plain, swapped = (
        predict_views(as_model(network, 4, swap), IMAGE, ["identity", "hflip"]).probs
        for swap in ((), [(1, 2)])
    )
    assert torch.equal(swapped[0], plain[0])
    assert torch.equal(swapped[1], plain[1, [0, 2, 1]])


def test_a_classifier_is_looked_at_in_crops():
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 5)).eval()
    rgb = (IMAGE.permute(1, 2, 0) * 255).byte().numpy()
    stack = predict_crops(as_model(network, stride=32), rgb, ["center", "center-mirror"])
    assert stack.log_probs.shape == (2, 5)


def test_what_makes_no_sense_is_refused():
    network = Fork()
    with pytest.raises(ValueError, match=r"eval\(\)"):
        predict_views(as_model(network, stride=4), IMAGE)
    network.eval()
    for options in ({"stride": 0}, {"swap": [(1, 2), (2, 0)]}):
        with pytest.raises(ValueError, match="swap"):
            as_model(network, **options)
    with pytest.raises(ValueError, match="dict"):
        predict_views(as_model(lambda x: {"out": x}), IMAGE)
