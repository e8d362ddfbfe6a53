import pickle
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from tta_demo.models.registry import MODELS
from tta_demo.samples.weeds import sample
from tta_demo.serving.zero_gpu import borrow_gpu
from tta_demo.tasks.looking import hand_over, look_here, looks_at

MODEL = MODELS["unet-weeds"]
VIEWS = ["identity", "hflip"]


@pytest.fixture
def lent(monkeypatch):
    """What was looked at on a card that is lent: as in another process, all of it is pickled."""
    calls = []

    def lend(function):
        def away(*given):
            calls.append(given)
            return pickle.loads(pickle.dumps(function(*pickle.loads(pickle.dumps(given)))))

        return away

    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=lambda duration: lend))
    yield calls
    hand_over()


def looked(model):
    rgb = sample(4).rgb[:64, :64]
    return [one.log_probs for one in looks_at(model, rgb, VIEWS)]


def test_all_missing_looks_go_to_the_card_in_one_call_and_come_back_the_same(lent):
    here = looked(MODEL)
    borrow_gpu()
    away = looked(MODEL)
    assert len(lent) == 1
    assert all(torch.equal(one, other) for one, other in zip(here, away, strict=True))


def test_a_model_of_somebodys_own_looks_here(lent):
    borrow_gpu()
    assert len(looked(replace(MODEL, name="mine"))) == len(VIEWS)
    assert not lent


def test_nothing_changes_where_no_card_is_lent(monkeypatch):
    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=lambda duration: lambda f: f))
    borrow_gpu()
    from tta_demo.tasks import looking

    assert looking._looking is look_here
