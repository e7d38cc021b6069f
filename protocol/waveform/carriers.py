"""From the stream to cells: the spectrum of each symbol at exactly the carriers, wherever a clock has moved them.

A chirp transform (Bluestein) has no grid of its own: a sender whose clock is off, or who walks, needs no resampling.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from protocol.waveform.forms import BODY, CARRIER_HZ, NATIVE_HZ, PREAMBLE, Band, Direction
from protocol.waveform.mixer import STREAM_HZ
from protocol.waveform.modulator import preamble

WINDOW = BODY * STREAM_HZ // NATIVE_HZ
_KEPT_BY_CLIPPING = 0.93
EARLY = 24
"""Samples of the stream, 2 ms, by which a window begins in the prefix: a path may come before the highest."""
SOUNDED = (PREAMBLE + 192) * STREAM_HZ // NATIVE_HZ + 2 * EARLY
"""Samples of the stream with the preamble and its first echoes, 4 ms."""


def cell_level(band: Band) -> float:
    """Give what a cell of modulus 1 is received as where the preamble is received as it was sent."""
    return _KEPT_BY_CLIPPING * WINDOW * math.sqrt(2 / band.carriers) / band.crest


@dataclass(frozen=True, slots=True)
class Clock:
    """The sender's time on the receiver's stream."""

    centre: float
    """The preamble's middle, in samples of the stream."""
    stretch: float
    """By how much the sender's second is longer."""


def starts(bodies: np.ndarray, clock: Clock) -> np.ndarray:
    """Where the window of each symbol begins in the stream; `bodies` are native samples after the preamble's middle."""
    return np.floor(clock.centre + (1 + clock.stretch) * bodies * (STREAM_HZ / NATIVE_HZ) - EARLY).astype(np.int64)


def received(windows: np.ndarray, begins: np.ndarray, bodies: np.ndarray, band: Band, clock: Clock) -> np.ndarray:
    """Give the value of every cell, (symbols, carriers); the phase of a path is that of its delay after the centre.

    `windows` holds a row of samples a symbol, the first of each at `begins` in the stream; `bodies` as in `starts`.
    """
    width = windows.shape[1]
    before, chirp, after = _chirps(band, clock.stretch, width)
    spectra = np.fft.fft(windows * before, len(chirp))
    values = np.fft.ifft(spectra * chirp)[:, width - 1 : width - 1 + band.carriers] * after
    hertz = (band.first_bin + np.arange(band.carriers)) * CARRIER_HZ
    late = (begins - clock.centre) / STREAM_HZ / (1 + clock.stretch) - bodies / NATIVE_HZ
    cycles = band.centre_hz * begins / STREAM_HZ % 1.0
    turns = np.exp(-2j * np.pi * (late[:, None] * hertz[None, :] - cycles[:, None])).astype(np.complex64)
    turned: np.ndarray = values * turns
    return turned


def sounding_start(clock: Clock) -> int:
    """Where the window of the preamble begins in the stream."""
    return int(np.floor(clock.centre - (1 + clock.stretch) * (PREAMBLE / 2) * (STREAM_HZ / NATIVE_HZ) - EARLY))


@cache
def sent_preamble(band: Band, direction: Direction) -> np.ndarray:
    """Give the preamble's spectrum at the carriers, in the units of received cells."""
    samples = preamble(band, direction)
    folded = np.pad(samples, (0, -len(samples) % BODY)).reshape(-1, BODY).sum(axis=0)
    spectrum = np.fft.fft(np.roll(folded, -PREAMBLE // 2))[band.first_bin : band.first_bin + band.carriers]
    scaled: np.ndarray = (2 * STREAM_HZ / NATIVE_HZ * spectrum).astype(np.complex64)
    return scaled


@lru_cache(maxsize=32)
def _chirps(band: Band, stretch: float, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    first = 2 * np.pi * (band.first_hz / (1 + stretch) - band.centre_hz) / STREAM_HZ
    step = 2 * np.pi * CARRIER_HZ / (1 + stretch) / STREAM_HZ
    length = 1 << (width + band.carriers - 2).bit_length()
    inside, outside = np.arange(width), np.arange(band.carriers)
    between = np.arange(-(width - 1), band.carriers)
    before = np.exp(-1j * (first * inside + step / 2 * inside**2)).astype(np.complex64)
    chirp = np.fft.fft(np.exp(0.5j * step * between**2), length).astype(np.complex64)
    after = np.exp(-0.5j * step * outside**2).astype(np.complex64)
    return before, chirp, after
