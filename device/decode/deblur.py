"""Takes back blur: a Wiener filter for a lens out of focus and a hand in motion, at twice the resolution.

Defocus is taken for a Gaussian, motion for a straight line. One transform of the picture serves every guess.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_BORDER = 16
"""Pixels that keep the opposite edges of the picture from running into each other."""


@dataclass(frozen=True, slots=True)
class Blur:
    """A guess of how the picture was blurred, in its pixels."""

    sigma: float
    """Of the Gaussian of the lens."""
    motion: float = 0.0
    """Length of the line."""
    angle_deg: float = 0.0
    """Of the line, from the rows, turning downwards."""
    noise: float = 0.05
    """Power of the noise relative to that of the picture: the higher, the more careful."""


class Deblurrer:
    """One picture, ready for several guesses."""

    def __init__(self, picture: np.ndarray) -> None:
        self._shape = picture.shape
        height, width = fast_length(picture.shape[0] + _BORDER), fast_length(picture.shape[1] + _BORDER)
        self._size = height, width
        below, right = height - picture.shape[0], width - picture.shape[1]
        border = (below // 2, below - below // 2), (right // 2, right - right // 2)
        padded = np.pad(picture.astype(np.float32), border, "edge")
        self._origin = below // 2, right // 2
        self._mean = float(padded.mean())
        self._spectrum = np.fft.rfft2(padded - self._mean)
        self._down = np.fft.fftfreq(height).astype(np.float32)[:, None]
        self._across = np.fft.rfftfreq(width).astype(np.float32)[None]
        self._square = self._down**2 + self._across**2

    def sharp(self, blur: Blur) -> np.ndarray:
        """Give the picture as it may have been, twice as wide and high."""
        transfer = np.exp((-2 * math.pi**2 * blur.sigma**2) * self._square)
        if blur.motion:
            angle = math.radians(blur.angle_deg)
            transfer *= np.sinc(blur.motion * (self._across * math.cos(angle) + self._down * math.sin(angle)))
        return self._doubled(self._spectrum * (transfer / (transfer * transfer + blur.noise)))

    def _doubled(self, spectrum: np.ndarray) -> np.ndarray:
        """Transform back, with no more detail but twice as many pixels."""
        height, width = self._size
        wide = np.zeros((2 * height, width + 1), spectrum.dtype)
        half = height // 2
        wide[:half, : width // 2] = spectrum[:half, : width // 2]
        wide[-half:, : width // 2] = spectrum[-half:, : width // 2]
        pixels = np.fft.irfft2(wide, s=(2 * height, 2 * width))
        top, left = 2 * self._origin[0], 2 * self._origin[1]
        cut = pixels[top : top + 2 * self._shape[0], left : left + 2 * self._shape[1]]
        return np.clip(cut * 4 + self._mean, 0, 255).astype(np.uint8)


def fast_length(least: int) -> int:
    """Give an even number of small factors, for which the transform is fast."""
    number = least + least % 2
    while not _is_smooth(number):
        number += 2
    return number


def _is_smooth(number: int) -> bool:
    for factor in (2, 3, 5):
        while number % factor == 0:
            number //= factor
    return number == 1
