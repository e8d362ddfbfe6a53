import pytest
import torch

from tta_demo.models.sized import Sized
from tta_demo.tta.predict import look
from tta_demo.tta.views import VIEWS


class Seen:
    """A model that remembers the sizes that it was shown, and answers the first two channels."""

    def __init__(self):
        self.sizes = []

    def __call__(self, images):
        self.sizes.append(tuple(images.shape[-2:]))
        return images[:, :2]


@pytest.mark.parametrize(
    ("size", "shown"),
    [((40, 80), (16, 32)), ((80, 40), (32, 16)), ((10, 5), (32, 16)), ((1, 1), (32, 32))],
)
def test_the_longer_side_of_what_is_shown_is_always_the_same(size, shown):
    seen = Seen()
    logits = Sized(seen, 32)(torch.rand(1, 3, *size))
    assert seen.sizes == [shown]
    assert logits.shape == (1, 2, *size)


def test_a_picture_of_the_models_own_size_gets_the_models_own_answer():
    image = torch.rand(1, 3, 20, 32)
    got = Sized(lambda x: x[:, :2], 32)(image)
    torch.testing.assert_close(got.exp(), image[:, :2].softmax(1))


def test_probabilities_are_enlarged_and_not_logits():
    edge = torch.zeros(1, 3, 1, 2)
    edge[..., 1] = 50  # sure of the other class: halfway between is one half, whatever the logit
    model = Sized(lambda x: torch.cat([100 * x[:, :1] - 2500, torch.zeros_like(x[:, :1])], 1), 2)
    enlarged = model.for_picture((1, 4))(torch.nn.functional.interpolate(edge, (1, 4)))
    assert enlarged.exp()[0, 0, 0].tolist() == pytest.approx([0, 0.25, 0.75, 1], abs=1e-3)


@pytest.mark.parametrize(
    ("view", "shown"),
    [("identity", (16, 32)), ("zoom0.5", (8, 16)), ("zoom1.5", (24, 48)), ("rot90", (32, 16))],
)
def test_a_zoomed_view_stays_zoomed_in_front_of_the_network(view, shown):
    seen = Seen()
    found = look(Sized(seen, 32), torch.rand(3, 50, 100), VIEWS[view])
    assert seen.sizes == [shown]
    assert found.labels.shape == (50, 100)
