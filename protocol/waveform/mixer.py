"""From samples of any usual rate to a complex stream of 12 kHz around the middle of a band.

Overlapping blocks of 40 ms are cut out in the frequency domain, which filters, mixes and changes the rate at once. The
stream lies on a grid of 20 ms from the first sample on, so what is heard does not depend on how the sound is fed.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from protocol.waveform.forms import Band
from protocol.waveform.resample import Resampler

STREAM_HZ: Final = 12_000
_BLOCKS_A_SECOND: Final = 50
HOP: Final = STREAM_HZ // _BLOCKS_A_SECOND
"""Samples of the stream that one block adds."""
DELAY: Final = HOP // 2
"""The stream ends so many of its samples before the end of the sound."""
_BIN_HZ: Final = 25
_PASS_HZ: Final = 100
_EDGE_HZ: Final = 450
"""Beyond the carriers all passes for 100 Hz, then less and less."""


class Mixer:
    """Cuts one or more bands out of a stream of sound."""

    def __init__(self, sample_rate: int, bands: tuple[Band, ...]) -> None:
        self._resampler = Resampler(sample_rate, 48_000) if sample_rate % _BLOCKS_A_SECOND else None
        self.rate_hz = 48_000 if self._resampler else sample_rate
        self._hop = self.rate_hz // _BLOCKS_A_SECOND
        self._masks = [_mask(band, self.rate_hz) for band in bands]
        self._waiting = np.zeros(self._hop // 2, np.float32)
        """A quarter of a block of silence before the first sample, so that the stream starts with it."""

    def push(self, pcm: np.ndarray) -> np.ndarray | None:
        """Take int16 samples; give what they complete, (bands, samples) as complex64, or None."""
        samples = pcm.astype(np.float32) if self._resampler is None else self._resampler.push(pcm)
        self._waiting = np.concatenate([self._waiting, samples * np.float32(1 / 32768)])
        count = len(self._waiting) // self._hop - 1
        if count < 1:
            return None
        halves = self._waiting[: (count + 1) * self._hop].reshape(count + 1, self._hop)
        spectra = np.fft.rfft(np.concatenate([halves[:-1], halves[1:]], axis=1))
        self._waiting = self._waiting[count * self._hop :].copy()
        return np.stack([self._cut(spectra, first, mask) for first, mask in self._masks])

    def _cut(self, spectra: np.ndarray, first: int, mask: np.ndarray) -> np.ndarray:
        """Move the bins from `first` on to the middle, and keep the half of each block that no neighbour spoils."""
        middle = np.zeros((len(spectra), 2 * HOP), np.complex64)
        half = len(mask) // 2
        present = min(len(mask), spectra.shape[1] - first)
        np.multiply(spectra[:, first + half : first + present], mask[half:present], out=middle[:, : present - half])
        np.multiply(spectra[:, first : first + half], mask[:half], out=middle[:, -half:])
        stream = np.fft.ifft(middle)
        return np.ascontiguousarray(stream[:, HOP // 2 : HOP // 2 + HOP]).ravel()


def highest_hz(rate_hz: int) -> float:
    """Give the highest frequency that is kept whole of sound at this rate."""
    return rate_hz / 2 - _EDGE_HZ - 2 * _BIN_HZ


def _mask(band: Band, rate_hz: int) -> tuple[int, np.ndarray]:
    """Give the first bin and the gains of an even number of bins around the band's middle."""
    half = 200
    hertz = band.centre_hz + (np.arange(2 * half) - half) * _BIN_HZ
    upper = min(band.first_hz + band.width_hz + _PASS_HZ, highest_hz(rate_hz))
    outside = np.maximum(band.first_hz - _PASS_HZ - hertz, hertz - upper)
    gains = np.cos(np.pi / 2 * np.clip(outside / _EDGE_HZ, 0, 1)) ** 2
    scale = 2 * STREAM_HZ / rate_hz
    return band.centre_hz // _BIN_HZ - half, (gains * scale).astype(np.float32)
