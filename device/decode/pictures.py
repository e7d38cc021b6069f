"""Operations on grey pictures (uint8, height x width), by Pillow where it is fast."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

_GREY = 128


def scaled(picture: np.ndarray, factor: float) -> np.ndarray:
    """Resize by cubic interpolation."""
    height, width = picture.shape
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def reduced(picture: np.ndarray, pixels: int) -> np.ndarray:
    """Give the picture, made smaller if it has more than so many pixels."""
    return picture if picture.size <= pixels else scaled(picture, (pixels / picture.size) ** 0.5)


def blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Blur by a Gaussian of so many pixels."""
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(sigma)))


def sharpened(picture: np.ndarray, radius: float, percent: int) -> np.ndarray:
    """Raise what differs from its surroundings of so many pixels (unsharp mask)."""
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.UnsharpMask(radius, percent, 0)))


def rotated(picture: np.ndarray, degrees: float) -> np.ndarray:
    """Turn against the clock, as far as needed without losing a corner; new corners are grey."""
    image = Image.fromarray(picture)
    return np.asarray(image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=_GREY))


def stretched(picture: np.ndarray) -> np.ndarray:
    """Use the whole range of grey levels; a few outliers may burn out."""
    low, high = (float(level) for level in np.percentile(picture[::2, ::2], (0.5, 99.5)))
    if high - low < 1:
        return picture
    levels = np.clip((np.arange(256) - low) * (255 / (high - low)), 0, 255)
    stretch: np.ndarray = levels.astype(np.uint8)[picture]
    return stretch


def evened(picture: np.ndarray, radius: float) -> np.ndarray:
    """Make two levels of it, relative to the mean of the surroundings: a threshold that follows shadow and glare."""
    image = Image.fromarray(picture)
    smooth = np.asarray(image.filter(ImageFilter.GaussianBlur(0.8))).astype(np.int16)
    around = np.asarray(image.filter(ImageFilter.GaussianBlur(radius))).astype(np.int16)
    return np.where(smooth > around - 3, np.uint8(255), np.uint8(0))
