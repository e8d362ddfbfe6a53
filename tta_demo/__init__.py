"""Test-time augmentation: look several times, undo each change, combine the answers."""

from tta_demo.fusion import FUSIONS, fuse
from tta_demo.learnable import LearnableTTA
from tta_demo.learned import Fit, fit
from tta_demo.models.registry import MODELS, load_model
from tta_demo.pictures import read_picture
from tta_demo.predict import ViewStack, predict_views, to_tensor
from tta_demo.views import DOMAINS, VIEW_SETS, VIEWS
from tta_demo.weight_file import WeightFile

__all__ = [
    "DOMAINS",
    "FUSIONS",
    "MODELS",
    "VIEWS",
    "VIEW_SETS",
    "Fit",
    "LearnableTTA",
    "ViewStack",
    "WeightFile",
    "fit",
    "fuse",
    "load_model",
    "predict_views",
    "read_picture",
    "to_tensor",
]
