"""Test-time augmentation: look several times, undo each change, combine the answers."""

from tta_demo.learning.fit import Fit, fit
from tta_demo.learning.module import Form, LearnableTTA
from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.domains import DOMAINS
from tta_demo.models.ensemble import Ensemble
from tta_demo.models.foreign import as_model
from tta_demo.models.registry import MODELS, load_model
from tta_demo.pictures.reading import read_picture
from tta_demo.tasks.classify import classify
from tta_demo.tasks.detect import detect
from tta_demo.tasks.full_size import segment_tiles
from tta_demo.tasks.segment import segment
from tta_demo.tta.box_fusion import fuse_boxes
from tta_demo.tta.box_views import predict_boxes
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.crops import predict_crops
from tta_demo.tta.fusion import FUSIONS, Weights, fuse
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.predict import ViewStack, predict_views, to_tensor
from tta_demo.tta.views import VIEW_SETS, VIEWS

__all__ = [
    "DOMAINS", "FUSIONS", "MODELS", "ONE_LOOK", "VIEWS", "VIEW_SETS", "Boxes", "Ensemble", "Fit",
    "Form", "LearnableTTA", "Plan", "ViewStack", "WeightFile", "Weights", "as_model", "classify",
    "detect", "fit", "fuse", "fuse_boxes", "load_model", "predict_boxes", "predict_crops",
    "predict_views", "read_picture", "segment", "segment_tiles", "to_tensor",
]  # fmt: skip
