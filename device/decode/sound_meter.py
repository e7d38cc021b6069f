"""How loud a stream of sound is, in which bands, and whether it is clipped; for the technician."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

WINDOW_S: Final = 0.3
"""The last moment that is looked at: whoever asks more often than that misses no peak."""
SILENCE_DB: Final = -120.0

_LOWEST_HZ: Final = 100.0
_HIGHEST_HZ: Final = 20_000.0
_BANDS_AN_OCTAVE: Final = 3
_SPECTRUM_S: Final = 0.15
_FULL_SCALE: Final = 32_768.0
_LOUDEST: Final = 32_767
_FRESH_S: Final = 1.0
_CLIPPED: Final = 3
"""So many samples at the very end of the scale are no accident."""


@dataclass(frozen=True, slots=True)
class Levels:
    """The last moment; all levels in dB below full scale, of which a sine as loud as possible has -3 dB rms."""

    rate_hz: int
    peak_dbfs: float
    rms_dbfs: float
    is_clipped: bool
    bands_hz: tuple[int, ...]
    """Middles of bands of a third of an octave."""
    bands_dbfs: tuple[float, ...]
    """Root mean square within each band."""


class SoundMeter:
    """Keeps the last moment of a stream, and computes only when it is asked. For several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pieces: deque[np.ndarray] = deque()
        self._kept = 0
        self._rate_hz = 0
        self._taken_s = 0.0

    def take(self, pcm: bytes, rate_hz: int) -> None:
        """Take signed 16-bit little-endian mono samples; another rate begins anew."""
        piece = np.frombuffer(pcm[: len(pcm) - len(pcm) % 2], "<i2")
        with self._lock:
            if rate_hz != self._rate_hz:
                self._pieces.clear()
                self._rate_hz, self._kept = rate_hz, 0
            self._taken_s = time.monotonic()
            self._pieces.append(piece)
            self._kept += len(piece)
            while self._pieces and self._kept - len(self._pieces[0]) >= WINDOW_S * rate_hz:
                self._kept -= len(self._pieces.popleft())

    def levels(self) -> Levels | None:
        """Look at the last moment; None before the first sample, and when none has come for a second."""
        with self._lock:
            is_fresh = time.monotonic() < self._taken_s + _FRESH_S
            pieces, rate_hz = tuple(self._pieces) if is_fresh else (), self._rate_hz
        samples = np.concatenate(pieces).astype(np.float64) if pieces else np.zeros(0)
        return levels_of(samples, rate_hz) if len(samples) else None


def levels_of(samples: np.ndarray, rate_hz: int) -> Levels:
    """Measure one or more 16-bit samples, the spectrum of the newest ones."""
    numbers = samples.astype(np.float64)
    loud = np.abs(numbers)
    middles, bands = _spectrum(numbers[-max(2, round(_SPECTRUM_S * rate_hz)) :] / _FULL_SCALE, rate_hz)
    return Levels(
        rate_hz=rate_hz,
        peak_dbfs=_db((float(loud.max()) / _FULL_SCALE) ** 2),
        rms_dbfs=_db(float(np.mean(numbers**2)) / _FULL_SCALE**2),
        is_clipped=int(np.count_nonzero(loud >= _LOUDEST)) >= _CLIPPED,
        bands_hz=middles,
        bands_dbfs=bands,
    )


def _spectrum(samples: np.ndarray, rate_hz: int) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Give middles and levels of all bands that the rate carries."""
    window = np.hanning(len(samples) + 2)[1:-1]
    power = 2 * np.abs(np.fft.rfft(samples * window)) ** 2 / (len(samples) * float(np.sum(window**2)))
    hertz = np.arange(len(power)) * rate_hz / len(samples)
    half_band = 2 ** (0.5 / _BANDS_AN_OCTAVE)
    middles = []
    middle = _LOWEST_HZ * half_band
    while middle * half_band <= min(_HIGHEST_HZ * half_band, rate_hz / 2):
        middles.append(middle)
        middle *= half_band**2
    edges = np.searchsorted(hertz, [_LOWEST_HZ, *(middle * half_band for middle in middles)])
    sums = (float(power[low:high].sum()) for low, high in itertools.pairwise(edges))
    return tuple(round(middle) for middle in middles), tuple(_db(each) for each in sums)


def _db(power: float) -> float:
    return max(SILENCE_DB, round(float(10 * np.log10(power)), 1)) if power > 0 else SILENCE_DB
