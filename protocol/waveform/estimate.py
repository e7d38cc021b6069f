"""What the pilots tell: noise, the sender's clock, and the channel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from protocol.waveform.forms import BODY, CARRIER_HZ, NATIVE_HZ, PREAMBLE, Band, Direction, Form, body_start
from protocol.waveform.layout import Layout, layout

TAPS = 512
"""Delays that an estimate of the channel distinguishes: 43 ms."""
_FIRST_DELAY_S = -0.002
_LAST_DELAY_S = 0.016
_FASTEST = 1700e-6
"""Clocks and walking shoppers stay below this."""
_QUIETEST = 1e-12
_SMOOTHED = 9
_LOUD = 6.0
"""A cell so many times above the noise model is a beep or a knock."""


@dataclass(frozen=True, slots=True)
class Channel:
    """An estimate of the way from loudspeaker to microphone, in units of the noise."""

    gains: np.ndarray
    """One complex number a carrier."""
    evidence: float
    """Energy of the paths above what noise alone gives; grows with certainty."""


def noise_power(cells: np.ndarray) -> np.ndarray:
    """Model the power of cells as (carrier) times (symbol), and more where a cell sticks out."""
    power = cells.real**2 + cells.imag**2 + np.float32(_QUIETEST)
    carriers = smooth(np.median(power, axis=0), _SMOOTHED) / np.float32(0.6931)
    symbols = np.median(power / carriers, axis=1) / np.float32(0.6931)
    model = carriers[None, :] * symbols[:, None]
    loud = power > _LOUD * model
    louder: np.ndarray = np.where(loud, power, model)
    return louder


def sharpen(products: np.ndarray, drawn: Layout, offsets: np.ndarray, stretch: float) -> tuple[float, float]:
    """Find the offset from a clock's stretch that makes pilots and preamble agree; give it and how well they do.

    `products` are received values times the conjugate of what was sent, 0 where it is unknown, in units of the noise;
    a row for each symbol, and one more for the preamble.
    """
    sounded = _sounded(drawn.form, drawn.band, drawn.direction)
    turns = _turns(drawn.form, drawn.band, drawn.direction, tuple(float(offset) for offset in offsets))
    summed = np.add.reduceat(products.ravel()[sounded.cells] * turns, sounded.borders, axis=1)
    paths = np.fft.ifft(summed, TAPS)
    power = paths.real**2 + paths.imag**2
    _, inside = _delays()
    scores = np.sum(power[:, inside] ** 2, axis=1)
    total = np.abs(stretch + offsets)
    scores *= np.where(total > _FASTEST, 0, 1 - total / (4 * _FASTEST))
    best = int(scores.argmax())
    sharpness = float(power[best, inside].max() / (np.median(power[best]) + 1e-30))
    return _between(offsets, scores, best), sharpness


def channel(products: np.ndarray, counts: np.ndarray, band: Band, strictness: float = 3.0) -> Channel:
    """Estimate the channel from known values: sums of received times conjugate of sent, and what they count."""
    gains = products / np.maximum(counts, np.float32(0.25))
    paths = np.fft.ifft(gains, TAPS)
    power = paths.real**2 + paths.imag**2
    outside, inside = _delays()
    floor = float(np.median(power[outside])) / 0.6931 + 1e-30
    kept = np.zeros(TAPS, np.float32)
    kept[inside] = np.maximum(0, 1 - strictness * floor / (power[inside] + np.float32(1e-30)))
    smooth = np.fft.fft(paths * kept)[: band.carriers]
    evidence = float(np.sum(np.maximum(0, power[inside] / floor - 6)))
    return Channel(smooth.astype(np.complex64), evidence)


def _between(offsets: np.ndarray, scores: np.ndarray, best: int) -> float:
    """Place the top of a parabola through the best score and its neighbours."""
    if not 0 < best < len(offsets) - 1:
        return float(offsets[best])
    left, top, right = (float(score) for score in scores[best - 1 : best + 2])
    bend = left - 2 * top + right
    shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
    return float(offsets[best] + shift * (offsets[1] - offsets[0]))


@dataclass(frozen=True, slots=True)
class _Sounded:
    """The pilots and the preamble, which come as one more row of cells, in the order of their carriers."""

    cells: np.ndarray
    borders: np.ndarray
    """Where each carrier's cells begin."""
    cycles: np.ndarray
    """By how much a clock offset of 1 turns each."""


@cache
def _sounded(form: Form, band: Band, direction: Direction) -> _Sounded:
    """A symbol's phase is that of its middle, the sweep's that of when it passes a carrier."""
    known = np.vstack([layout(band, direction, form).pilots, np.ones(band.carriers, bool)])
    carriers, rows = np.nonzero(known.T)
    seconds = (np.array([body_start(symbol) for symbol in form.symbols]) + BODY / 2) / NATIVE_HZ
    times = np.vstack([np.repeat(seconds[:, None], band.carriers, axis=1), _sweep_times(band, direction)[None, :]])
    hertz = (band.first_bin + carriers) * CARRIER_HZ
    borders = np.searchsorted(carriers, np.arange(band.carriers))
    return _Sounded(rows * band.carriers + carriers, borders, times[rows, carriers] * hertz)


@lru_cache(maxsize=16)
def _turns(form: Form, band: Band, direction: Direction, offsets: tuple[float, ...]) -> np.ndarray:
    """Give the phases that undo clock offsets."""
    cycles = np.array(offsets)[:, None] * _sounded(form, band, direction).cycles[None, :]
    turns: np.ndarray = np.exp(2j * np.pi * cycles).astype(np.complex64)
    return turns


def _sweep_times(band: Band, direction: Direction) -> np.ndarray:
    """When the preamble passes each carrier, in seconds after its middle."""
    part = np.arange(band.carriers) / band.carriers - 0.5
    times: np.ndarray = part * (PREAMBLE / NATIVE_HZ) * (1 if direction is Direction.TOKEN else -1)
    return times


@lru_cache(maxsize=1)
def _delays() -> tuple[np.ndarray, np.ndarray]:
    """Which taps hold noise alone, and which may hold a path."""
    step = BODY / NATIVE_HZ / TAPS
    delays = np.arange(TAPS) * step
    delays[TAPS // 2 :] -= BODY / NATIVE_HZ
    inside = (delays >= _FIRST_DELAY_S) & (delays <= _LAST_DELAY_S)
    return np.nonzero(~inside)[0], np.nonzero(inside)[0]


def smooth(values: np.ndarray, width: int) -> np.ndarray:
    """Average over neighbouring carriers; nothing becomes less than a small part of the largest."""
    half = width // 2
    padded = np.concatenate([values[half:0:-1], values, values[-2 : -half - 2 : -1]])
    total = np.cumsum(np.concatenate([[0.0], padded]))
    mean = (total[width:] - total[:-width]) / width
    floored: np.ndarray = np.maximum(mean, _QUIETEST + 1e-7 * float(mean.max())).astype(np.float32)
    return floored
