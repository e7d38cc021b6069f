"""Looks for preambles: a matched filter against the noise around it, for three speeds of the sender's clock.

Cheap: a transform of 171 ms of stream forth, three back. It may err on the side of too many; what it finds is looked at
more closely before anything is decoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from protocol.waveform.forms import NATIVE_HZ, PREAMBLE, Band, Direction
from protocol.waveform.middle import median_of
from protocol.waveform.mixer import STREAM_HZ, highest_hz

BLOCK: Final = 2048
HOP: Final = 1024
"""Samples of the stream: every block looks at starts of preambles in its first half."""
STRETCHES: Final = (-0.001, 0.0, 0.001)
_SAMPLES: Final = PREAMBLE * STREAM_HZ // NATIVE_HZ
_SMOOTHED_BINS: Final = 33
_FLOOR: Final = 1e-9
"""Power of the quietest noise, far below that of rounding to 16 bits, so that nothing is divided by zero."""
_APART: Final = 120
"""10 ms: of several peaks nearer than this the strongest counts."""
_AROUND: Final = 360
"""30 ms on each side are what a peak is compared with."""
_MEDIAN_OF_MEAN: Final = 0.94
"""Median over mean of the magnitude of Gaussian noise."""
_REACH: Final = 480
_FAINT: Final = 0.2
"""A peak is an echo if another within 40 ms is five times as high."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where a preamble may be."""

    centre: float
    """Its middle, in samples of the stream."""
    stretch: float
    """By how much the sender's second is longer than ours, roughly."""
    height: float
    """Magnitude over the median around."""


class Detector:
    """Finds preambles of one band and direction in a stream."""

    def __init__(self, band: Band, direction: Direction, rate_hz: int = NATIVE_HZ, threshold: float = 4.5) -> None:
        self._references = np.stack([_reference(band, direction, stretch, rate_hz) for stretch in STRETCHES])
        self._threshold = threshold
        self._noise: np.ndarray | None = None

    def look(self, block: np.ndarray, at: int) -> list[Sighting]:
        """Give the preambles that begin in the first half of a block, which begins at `at` in the stream."""
        spectrum = np.fft.fft(block)
        noise = self._learn(spectrum)
        filtered = np.fft.ifft(self._references * (spectrum / noise))
        magnitude = np.abs(filtered[:, : HOP + _AROUND])
        highest = magnitude[:, :HOP].max(axis=0)
        unstretched = magnitude[len(STRETCHES) // 2]
        lowest = median_of(unstretched) + 1e-30
        if highest.max() < self._threshold * lowest:
            return []
        heights = highest / _floor(unstretched, lowest)
        middle = at + _SAMPLES / 2
        return [
            Sighting(middle + place, STRETCHES[magnitude[:, place].argmax()], float(heights[place]))
            for place in _peaks(heights, self._threshold)
        ]

    def _learn(self, spectrum: np.ndarray) -> np.ndarray:
        power = spectrum.real**2 + spectrum.imag**2
        half = _SMOOTHED_BINS // 2
        total = np.cumsum(np.concatenate([power[-half - 1 :], power, power[:half]]), dtype=np.float64)
        smooth = ((total[_SMOOTHED_BINS:] - total[:-_SMOOTHED_BINS]) / _SMOOTHED_BINS).astype(np.float32)
        smooth += np.float32(_FLOOR + 1e-4 * float(smooth.mean()))
        self._noise = smooth if self._noise is None else 0.7 * self._noise + 0.3 * smooth
        return self._noise


def _floor(magnitude: np.ndarray, lowest: float) -> np.ndarray:
    """Give the level that each place has to exceed: the median, or the mean around it where a knock has raised it."""
    total = np.cumsum(np.concatenate([[0.0], magnitude]))
    places = np.arange(HOP)
    left, right = np.maximum(places - _AROUND, 0), places + _AROUND
    mean = (total[right] - total[left]) / (right - left)
    floor: np.ndarray = np.maximum(lowest, _MEDIAN_OF_MEAN * mean)
    return floor


def _peaks(heights: np.ndarray, threshold: float) -> list[int]:
    places: list[int] = []
    high = np.nonzero(heights >= threshold)[0]
    for place in high[np.argsort(-heights[high], kind="stable")][:256]:
        if all(abs(place - other) > _APART for other in places) and not any(
            abs(place - other) < _REACH and heights[place] < _FAINT * heights[other] for other in places
        ):
            places.append(int(place))
    return places


def _reference(band: Band, direction: Direction, stretch: float, rate_hz: int) -> np.ndarray:
    """Give the conjugate spectrum of a preamble that begins at 0, its middle where that of an unstretched one is."""
    place = (np.arange(BLOCK) - _SAMPLES / 2) / STREAM_HZ / (1 + stretch) + PREAMBLE / NATIVE_HZ / 2
    rate = band.width_hz / (PREAMBLE / NATIVE_HZ)
    first, slope = (band.first_hz, rate) if direction is Direction.TOKEN else (band.first_hz + band.width_hz, -rate)
    cycles = first * place + slope / 2 * place**2 - band.centre_hz * np.arange(BLOCK) / STREAM_HZ
    inside = (place >= 0) & (place < PREAMBLE / NATIVE_HZ)
    spectrum = np.fft.fft(np.exp(2j * np.pi * cycles) * inside)
    hertz = np.fft.fftfreq(BLOCK, 1 / STREAM_HZ) + band.centre_hz
    within = (hertz >= band.first_hz) & (hertz <= min(band.first_hz + band.width_hz, highest_hz(rate_hz)))
    return np.asarray(np.conj(spectrum) * within, np.complex64)
