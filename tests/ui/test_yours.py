"""A visitor's own model: read, corrected, refused, and nobody else's."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from browser import needs_chromium, numbers, open_tab, settled, told, upload, visit
from PIL import Image

from onnx_models import MIX, classifier, file, mixing, node
from tta_demo.models.own import own_model
from tta_demo.models.unet import UNet
from tta_demo.pictures.palettes import index_png
from tta_demo.pictures.reading import read_picture
from tta_demo.tasks.segment import segment
from tta_demo.tta.plan import Plan
from tta_demo.tta.views import VIEW_SETS
