"""Kinds of pictures: which views make sense depends on what a picture shows."""

from dataclasses import dataclass

from tta_demo.tta.views import VIEW_SETS

__all__ = ["DOMAINS", "Domain"]


@dataclass(frozen=True)
class Domain:
    """A kind of picture and the views that make sense for it."""

    label: str
    summary: str
    views: tuple[str, ...]


DOMAINS: dict[str, Domain] = {
    "natural": Domain(
        "Natural photo",
        "left and right are alike, up and down are not; things are near or far",
        ("identity", "hflip", "zoom0.5", "zoom0.75"),
    ),
    "aerial": Domain("Aerial / top-down", "no direction is special", VIEW_SETS["d4"]),
    "microscopy": Domain("Microscopy", "no direction is special", VIEW_SETS["d4"]),
    "medical": Domain(
        "Medical slice", "mirroring keeps anatomy plausible; turning does not", VIEW_SETS["flips"]
    ),
    "text": Domain("Text", "mirrored or turned letters are no letters", VIEW_SETS["none"]),
}
