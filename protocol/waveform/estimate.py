"""What the pilots tell: noise, the sender's clock, and the channel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from protocol.waveform.forms import BODY, CARRIER_HZ, NATIVE_HZ, PREAMBLE, Band, Direction, Form, body_start
from protocol.waveform.layout import Layout, layout
from protocol.waveform.middle import median, median_of

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


_AT_ONCE = 16
"""Clock offsets that are tried at once, which bounds the memory."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Clock offsets from the first on, a step apart."""

    first: float
    step: float
    count: int

    @property
    def offsets(self) -> np.ndarray:
        """All of them."""
        return self.first + self.step * np.arange(self.count)


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
    carriers = smooth(median(power, axis=0), _SMOOTHED) / np.float32(0.6931)
    symbols = median(power / carriers, axis=1) / np.float32(0.6931)
    model = carriers[None, :] * symbols[:, None]
    loud = power > _LOUD * model
    louder: np.ndarray = np.where(loud, power, model)
    return louder


def sharpen(products: np.ndarray, drawn: Layout, grid: Grid, stretch: float) -> tuple[float, float]:
    """Find the offset from a clock's stretch that makes pilots and preamble agree; give it and how well they do.

    `products` are received values times the conjugate of what was sent, 0 where it is unknown, in units of the noise;
    a row for each symbol, and one more for the preamble.
    """
    sounded = _sounded(drawn.form, drawn.band, drawn.direction)
    turned = products.ravel()[sounded.cells] * sounded.turns(grid.first)
    step = sounded.turns(grid.step)
    total = np.abs(stretch + grid.offsets)
    likely = np.where(total > _FASTEST, 0, 1 - total / (4 * _FASTEST))
    _, inside = _delays()
    scores = np.zeros(grid.count)
    best = -1
    response = np.ones(TAPS, np.float32)
    for begin in range(0, grid.count, _AT_ONCE):
        piece = slice(begin, min(begin + _AT_ONCE, grid.count))
        power = _responses(turned, step, sounded.borders, piece.stop - begin)
        scores[piece] = np.sum(power[:, inside] ** 2, axis=1) * likely[piece]
        highest = int(scores[: piece.stop].argmax())
        if highest >= begin:
            best, response = highest, power[highest - begin]
    sharpness = float(response[inside].max() / (median_of(response) + 1e-30))
    return _between(grid.offsets, scores, best), sharpness


def _responses(turned: np.ndarray, step: np.ndarray, borders: np.ndarray, count: int) -> np.ndarray:
    """Give the power of each tap, a row for each of so many offsets; leave `turned` at the offset that follows them."""
    rows = np.empty((count, len(turned)), np.complex64)
    for row in rows:
        row[:] = turned
        turned *= step
    paths = np.fft.ifft(np.add.reduceat(rows, borders, axis=1), TAPS)
    power: np.ndarray = paths.real**2 + paths.imag**2
    return power


def channel(products: np.ndarray, counts: np.ndarray, band: Band, strictness: float = 3.0) -> Channel:
    """Estimate the channel from known values: sums of received times conjugate of sent, and what they count."""
    gains = products / np.maximum(counts, np.float32(0.25))
    paths = np.fft.ifft(gains, TAPS)
    power = paths.real**2 + paths.imag**2
    outside, inside = _delays()
    floor = median_of(power[outside]) / 0.6931 + 1e-30
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

    def turns(self, offset: float) -> np.ndarray:
        """Give the phases that undo a clock offset."""
        turns: np.ndarray = np.exp(2j * np.pi * offset * self.cycles).astype(np.complex64)
        return turns


@cache
def _sounded(form: Form, band: Band, direction: Direction) -> _Sounded:
    """A symbol's phase is that of its middle, the sweep's that of when it passes a carrier."""
    known = np.vstack([layout(band, direction, form).pilots, np.ones(band.carriers, bool)])
    carriers, rows = np.nonzero(known.T)
    seconds = (np.array([body_start(symbol) for symbol in form.symbols]) + BODY / 2) / NATIVE_HZ
    times = np.vstack([np.repeat(seconds[:, None], band.carriers, axis=1), _sweep_times(band, direction)[None, :]])
    hertz = (band.first_bin + carriers) * CARRIER_HZ
    borders = np.searchsorted(carriers, np.arange(band.carriers))
    return _Sounded((rows * band.carriers + carriers).astype(np.uint16), borders, times[rows, carriers] * hertz)


def _sweep_times(band: Band, direction: Direction) -> np.ndarray:
    """When the preamble passes each carrier, in seconds after its middle."""
    part = np.arange(band.carriers) / band.carriers - 0.5
    times: np.ndarray = part * (PREAMBLE / NATIVE_HZ) * (1 if direction is Direction.TOKEN else -1)
    return times


@cache
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
