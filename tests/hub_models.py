"""Tiny models of transformers with random weights, each in a folder of its own."""

import json

import torch
import transformers as tr

NAMES = {0: "sky", 1: "sea", 2: "sand", 3: "sea"}  # a name twice, as COCO's have "N/A"
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
HALVES = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
LABELS = {"id2label": NAMES, "label2id": {name: i for i, name in NAMES.items()}}

RESNET = {
    "embedding_size": 8, "hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1],
    "layer_type": "basic",
}  # fmt: skip
LAYERS = {"num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}


def _segformer():
    sizes = {"hidden_sizes": [8, 8, 8, 8], "depths": [1] * 4, "decoder_hidden_size": 8}
    config = tr.SegformerConfig(**sizes, num_attention_heads=[1] * 4, **LABELS)
    return tr.SegformerForSemanticSegmentation(config), {
        "size": 64,
        "do_normalize": True,
    } | IMAGENET


def _deeplab():
    config = tr.MobileNetV2Config(depth_multiplier=0.25, output_stride=8, **LABELS)
    square = {"height": 65, "width": 65}
    said = {"size": {"shortest_edge": 65}, "crop_size": square, "do_center_crop": True}
    return tr.MobileNetV2ForSemanticSegmentation(config), said | HALVES


def _dpt():
    """It takes squares alone."""
    config = tr.DPTConfig(
        hidden_size=8, image_size=64, patch_size=16, backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[8] * 4, fusion_hidden_size=8, use_auxiliary_head=False,
        **LAYERS | {"num_hidden_layers": 4}, **LABELS,
    )  # fmt: skip
    return tr.DPTForSemanticSegmentation(config), {"size": {"height": 64, "width": 64}} | HALVES


def _resnet():
    config = tr.ResNetConfig(**RESNET, **LABELS)
    return tr.ResNetForImageClassification(config), {"size": 224, "crop_pct": 0.875} | IMAGENET


def _vit():
    config = tr.ViTConfig(hidden_size=8, image_size=96, patch_size=16, **LAYERS, **LABELS)
    return tr.ViTForImageClassification(config), {"size": {"height": 96, "width": 96}} | HALVES


def _yolos():
    config = tr.YolosConfig(
        hidden_size=8, image_size=[64, 96], patch_size=16, num_detection_tokens=5, **LAYERS,
        **LABELS,
    )  # fmt: skip
    return tr.YolosForObjectDetection(config), {"size": 64, "max_size": 96} | IMAGENET


def _detr():
    backbone = tr.ResNetConfig(**RESNET, out_features=["stage4"])
    config = tr.DetrConfig(
        backbone_config=backbone, d_model=16, encoder_layers=1, decoder_layers=1, num_queries=5,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16,
        decoder_ffn_dim=16, **LABELS,
    )  # fmt: skip
    sides = {"shortest_edge": 64, "longest_edge": 96}
    return tr.DetrForObjectDetection(config), {"size": sides} | IMAGENET


def _rt_detr():
    """It takes multiples of 32, and scores every class for itself."""
    stages = ["stage2", "stage3", "stage4"]
    config = tr.RTDetrConfig(
        backbone_config=tr.RTDetrResNetConfig(**RESNET, out_features=stages), d_model=16,
        encoder_hidden_dim=16, encoder_in_channels=[8] * 3, decoder_in_channels=[16] * 3,
        num_queries=5, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=16, decoder_ffn_dim=16,
        encoder_attention_heads=2, decoder_attention_heads=2, **LABELS,
    )  # fmt: skip
    said = {"size": {"height": 64, "width": 96}, "do_normalize": False}
    network = tr.RTDetrForObjectDetection(config)
    for head in network.model.decoder.class_embed:
        torch.nn.init.zeros_(head.bias)  # so that it finds something
    return network, said


KINDS = {
    "segment": {"segformer": _segformer, "deeplab": _deeplab, "dpt": _dpt},
    "classify": {"resnet": _resnet, "vit": _vit},
    "detect": {"yolos": _yolos, "detr": _detr, "rt_detr": _rt_detr},
}


def save(folder, kind, **changed):
    """Writes a model's files and returns it, ready for inference."""
    make = next(kinds[kind] for kinds in KINDS.values() if kind in kinds)
    torch.manual_seed(0)
    network, said = make()
    network.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(said | changed))
    return network.eval()
