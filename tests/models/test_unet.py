import torch
import torch.nn.functional as F
from torch import nn

from tta_demo.models.unet import UNet


def block(name, inputs, outputs):
    """Parameter shapes of two 3x3 convolutions with batch norm, as tutorials write it."""
    shapes = {f"{name}.0.weight": (outputs, inputs, 3, 3), f"{name}.0.bias": (outputs,)}
    shapes |= {f"{name}.3.weight": (outputs, outputs, 3, 3), f"{name}.3.bias": (outputs,)}
    return shapes | {
        f"{name}.{i}.{kind}": (outputs,) for i in (1, 4) for kind in ("weight", "bias")
    }


TUTORIAL = {
    **block("e1.conv.conv", 3, 64),
    **block("e2.conv.conv", 64, 128),
    **block("e3.conv.conv", 128, 256),
    **block("e4.conv.conv", 256, 512),
    **block("b.conv", 512, 1024),
    "d1.up.weight": (1024, 512, 2, 2),
    "d1.up.bias": (512,),
    **block("d1.conv.conv", 1024, 512),
    "d2.up.weight": (512, 256, 2, 2),
    "d2.up.bias": (256,),
    **block("d2.conv.conv", 512, 256),
    "d3.up.weight": (256, 128, 2, 2),
    "d3.up.bias": (128,),
    **block("d3.conv.conv", 256, 128),
    "d4.up.weight": (128, 64, 2, 2),
    "d4.up.bias": (64,),
    **block("d4.conv.conv", 128, 64),
    "outputs.weight": (3, 64, 1, 1),
    "outputs.bias": (3,),
}


def trained_unet():
    """A network whose batch norms have seen something, and answer by what they have seen."""
    model = UNet(3, width=4)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.3, 2)
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    return model.eval()


def test_the_parameters_are_named_and_shaped_as_in_the_tutorial_checkpoints():
    with torch.device("meta"):
        model = UNet(classes=3, width=64)
    assert {name: tuple(p.shape) for name, p in model.named_parameters()} == TUTORIAL


def plain_forward(weights, x):
    """The tutorial network, written out; each doubling joins [up, skip] in this order."""

    def conv_block(x, name):
        for i in (0, 3):
            x = F.conv2d(x, weights[f"{name}.{i}.weight"], weights[f"{name}.{i}.bias"], padding=1)
            norm = (
                f"{name}.{i + 1}.{k}" for k in ("running_mean", "running_var", "weight", "bias")
            )
            x = F.batch_norm(x, *(weights[key] for key in norm)).relu()
        return x

    skips = []
    for name in ("e1", "e2", "e3", "e4"):
        skips.append(conv_block(x, f"{name}.conv.conv"))
        x = F.max_pool2d(skips[-1], 2)
    x = conv_block(x, "b.conv")
    for name in ("d1", "d2", "d3", "d4"):
        up = F.conv_transpose2d(x, weights[f"{name}.up.weight"], weights[f"{name}.up.bias"], 2)
        x = conv_block(torch.cat([up, skips.pop()], 1), f"{name}.conv.conv")
    return F.conv2d(x, weights["outputs.weight"], weights["outputs.bias"])


@torch.no_grad()
def test_the_network_computes_what_the_tutorial_one_does():
    model, images = trained_unet(), torch.rand(2, 3, 32, 48)
    wanted = plain_forward(model.state_dict(), images)
    torch.testing.assert_close(model(images), wanted, atol=1e-4, rtol=1e-4)


def test_folding_the_batch_norms_keeps_the_function():
    model, images = trained_unet(), torch.rand(2, 3, 32, 48)
    with torch.no_grad():
        before = model(images)
        after = model.fold()(images)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    assert before.std() > 0.1
    torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)


def test_every_parameter_gets_a_gradient():
    model = UNet(3, width=2)
    model(torch.rand(2, 3, 32, 48)).square().mean().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    assert (model.e1.conv.conv[0].weight.grad != 0).any()
    assert (model.outputs.weight.grad != 0).any()


@torch.no_grad()
def test_the_answer_depends_on_what_is_40_pixels_away():
    model, images = trained_unet(), torch.rand(1, 3, 64, 64)
    changed = images.clone()
    changed[..., 48:, 48:] = 5
    assert (model(images) - model(changed))[..., :8, :8].abs().max() > 0
