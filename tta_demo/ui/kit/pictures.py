"""Pictures as the browser takes them."""

import base64

import cv2
import numpy as np
from torch import Tensor

__all__ = ["as_rgb", "data_url", "png_url"]


def as_rgb(images: Tensor) -> np.ndarray:
    """Returns images `(..., 3, H, W)` with values 0..1 as `(..., H, W, 3)` uint8.

    Example:
        >>> import torch
        >>> as_rgb(torch.tensor([0, 0.5, 1]).reshape(3, 1, 1))
        array([[[  0, 128, 255]]], dtype=uint8)
    """
    return (255 * images).round().byte().movedim(-3, -1).numpy()


def data_url(rgb: np.ndarray) -> str:
    """Returns a picture `(H, W, 3)` uint8 as an address that holds it."""
    _, jpeg = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg.tobytes()).decode()}"


def png_url(rgb: np.ndarray) -> str:
    """Returns the same without loss, for pictures in which single pixels count."""
    _, png = cv2.imencode(".png", rgb[..., ::-1])
    return f"data:image/png;base64,{base64.b64encode(png.tobytes()).decode()}"
