import pickle
from dataclasses import replace

import pytest
import torch

from tta_demo.models.portable import portable
from tta_demo.models.registry import MODELS, load_model
from tta_demo.tta.predict import predict_views

SWAPPING = replace(MODELS["unet-weeds-small"], swap=(("Weed-1", "Weed-2"),))


@pytest.mark.parametrize("record", [SWAPPING, MODELS["u2net-p"]], ids=["swap", "for picture"])
def test_a_model_that_travelled_looks_as_the_loaded_one(record):
    image, views = torch.rand(3, 40, 52), ["identity", "hflip", "zoom0.5"]
    wanted = predict_views(load_model(record), image, views).log_probs
    for model in (portable(record), pickle.loads(pickle.dumps(portable(record)))):
        assert torch.equal(predict_views(model, image, views).log_probs, wanted)
