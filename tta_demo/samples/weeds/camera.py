"""The light over a field, and the camera that takes its picture."""

import cv2
import numpy as np
from numpy.random import Generator

from tta_demo.samples.weeds.soil import Scene

__all__ = ["lit", "noise_level", "photograph"]


def noise_level(difficulty: float) -> float:
    """Returns roughly the sensor noise's deviation at mid grey, in 0..1 intensities."""
    return 0.006 + 0.025 * difficulty**1.5


def shadow(
    caster: np.ndarray, ground_height: np.ndarray, sun: tuple[float, float], thickness: float
) -> np.ndarray:
    """Returns `(H, W)` bool, true where `caster` hides the sun; heights are in pixels.

    The caster is very low where nothing casts; light passes beneath its `thickness`.
    """
    azimuth, elevation = sun
    rise = float(np.tan(elevation))
    tallest = float(caster.max() - np.percentile(ground_height[::8, ::8], 20))
    steps = int(np.clip(tallest / rise / 1.5, 3, 26)) + 1
    pad = int(1.5 * steps) + 1
    height, width = caster.shape
    padded = cv2.copyMakeBorder(caster, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    hidden = np.zeros(caster.shape, bool)
    above = np.empty_like(caster)
    for step in range(1, steps + 1):
        far = 1.5 * step
        top = pad + round(far * float(np.sin(azimuth)))
        left = pad + round(far * float(np.cos(azimuth)))
        np.subtract(padded[top : top + height, left : left + width], ground_height, out=above)
        low = far * rise + 0.4
        hidden |= (above >= low) & (above <= low + 1.5 * rise + thickness)
    return hidden


def lit(scene: Scene, sun: tuple[float, float], rng: Generator, difficulty: float) -> np.ndarray:
    """Returns linear light `(H, W, 3)` at the pixel centres: sun, shadows, sky and gloss."""
    height, slope_x, slope_y, gloss = scene.layers[3:]
    leaves = gloss > 0
    below = np.float32(-999)
    dim = shadow(np.where(leaves, height, below), height, sun, 3.0)
    dim |= shadow(np.where(leaves, below, height), height, sun, 999.0)
    dim = dim.astype(np.float32)
    haze = 0.5 * difficulty * rng.random()
    sunlight = (1 - cv2.GaussianBlur(dim, (0, 0), 0.7 + 3 * haze)) * np.float32(1 - 0.6 * haze)
    flat, up = np.cos(sun[1]), np.sin(sun[1])
    to_sun = np.float32([flat * np.cos(sun[0]), flat * np.sin(sun[0]), up])
    length = np.sqrt(1 + slope_x * slope_x + slope_y * slope_y)
    facing = np.maximum((to_sun[2] - to_sun[0] * slope_x - to_sun[1] * slope_y) / length, 0)
    # a leaf lets light through, so that its far side is not black
    direct = np.where(leaves, 0.78 * facing + np.float32(0.2), facing) * sunlight
    sky = np.float32(0.21 + 0.6 * haze) / (1 + hollow(height)) / length
    half = to_sun + np.float32([0, 0, 1])
    half /= np.float32(np.linalg.norm(half))
    shine = np.maximum((half[2] - half[0] * slope_x - half[1] * slope_y) / length, 0)
    for _ in range(5):
        shine *= shine
    shine = gloss * (0.2 * sunlight * shine + 0.03 * sky)
    tints = ((1.06, 0.86), (1.0, 0.97), (0.88, 1.14))
    light = [
        albedo * (warm * direct + cool * sky) + shine
        for albedo, (warm, cool) in zip(scene.layers[:3], tints, strict=True)
    ]
    tent = np.float32([1, 2, 1]) / 4
    return np.dstack([cv2.sepFilter2D(plane, -1, tent, tent)[1::2, 1::2] for plane in light])


def hollow(height: np.ndarray) -> np.ndarray:
    """Returns `(H, W)`, how deep each place lies below its surroundings, about 0..3."""
    near = cv2.blur(cv2.blur(height, (7, 7)), (7, 7))
    wide = cv2.blur(cv2.blur(height, (23, 23)), (23, 23))
    return 0.16 * np.maximum(near - height, 0) + 0.12 * np.maximum(wide - height, 0)


def photograph(
    light: np.ndarray, height: np.ndarray, rng: Generator, difficulty: float
) -> np.ndarray:
    """Returns the uint8 picture of `(H, W, 3)` linear light: lens, exposure, noise, tone."""
    light = lens(light, height, rng, difficulty)
    dusk = max(difficulty - 0.4, 0) / 0.6 * rng.random()
    light *= rng.uniform(0.15, 0.21) * (1 - 0.58 * dusk) / light.mean()
    balance = rng.normal(0, 0.03 + 0.05 * difficulty, 3) + dusk * np.array([-0.15, 0.0, 0.25])
    balance[1] *= 0.3
    light *= np.exp(balance).astype(np.float32)
    level = noise_level(difficulty)
    grain = rng.standard_normal(light.shape, np.float32)
    # the sensor has one colour per pixel: the camera's interpolation smears colour noise
    grain = 1.7 * grey(grain) + 1.1 * cv2.blur(grain, (3, 3))
    # mid grey is 0.2 of full light, and there the tone curve's slope is about 1
    light += np.float32(level) * np.sqrt(5 * np.maximum(light, 0) + np.float32(0.05)) * grain
    tone = np.power(np.clip(light, 0, 1), np.float32(1 / 2.2))
    # a camera's curve: deeper shadows, softer highlights
    tone += np.float32(0.7 * (1 - difficulty)) * (tone - cv2.GaussianBlur(tone, (0, 0), 1.0))
    tone = tone + np.float32((1.1 - 0.7 * difficulty) * (1 - dusk)) * tone * (1 - tone) * (
        tone - np.float32(0.42)
    )
    pale = grey(tone)
    tone = pale + np.float32(rng.uniform(0.85, 1.05)) * (tone - pale)
    return np.clip(np.round(tone * 255), 0, 255).astype(np.uint8)


def grey(picture: np.ndarray) -> np.ndarray:
    """Returns the mean of the channels, `(H, W, 1)`, several times as fast as `mean`."""
    return (picture[..., :1] + picture[..., 1:2] + picture[..., 2:]) / np.float32(3)


def lens(light: np.ndarray, height: np.ndarray, rng: Generator, difficulty: float) -> np.ndarray:
    """Returns the picture out of focus away from one height and one side, and shaken."""
    rows, columns = light.shape[:2]
    y, x = np.ogrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    tilt = rng.normal(0, 0.25, 2)
    away = np.abs((height - np.float32(rng.uniform(2, 14))) / 30 + tilt[0] * x + tilt[1] * y)
    soft = 0.5 + (0.4 + 1.2 * difficulty * rng.random()) * np.minimum(away, 1)
    corner = (1 - rng.uniform(0.02, 0.16) * (x * x + y * y)).astype(np.float32)
    blurred = cv2.GaussianBlur(light, (0, 0), 0.8 + 0.9 * difficulty)
    mix = np.clip(soft - 0.45, 0, 1).astype(np.float32)[..., None]
    light = (light + mix * (blurred - light)) * corner[..., None]
    if rng.random() < 0.7 * (difficulty - 0.3):
        angle, reach = rng.uniform(0, np.pi), rng.uniform(0.8, 0.8 + 1.6 * difficulty)
        kernel = np.zeros((9, 9), np.float32)
        arm = (reach * np.array([np.cos(angle), np.sin(angle)]) * 16).astype(int)
        cv2.line(kernel, tuple(64 - arm), tuple(64 + arm), 1, 1, cv2.LINE_AA, 4)
        light = cv2.filter2D(light, -1, kernel / kernel.sum())
    return light
