"""Test-time augmentation: look several times, undo each change, combine the answers."""

from tta_demo.learning.fit import Fit, fit
from tta_demo.learning.module import LearnableTTA
from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.registry import MODELS, load_model
from tta_demo.pictures.reading import read_picture
from tta_demo.tta.fusion import FUSIONS, fuse
from tta_demo.tta.predict import ViewStack, predict_views, to_tensor
from tta_demo.tta.views import DOMAINS, VIEW_SETS, VIEWS

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
