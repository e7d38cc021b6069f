"""Looks closely at one sighting of a preamble: clock, form, and what can be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from protocol.waveform.carriers import (
    SOUNDED,
    WINDOW,
    Clock,
    cell_level,
    received,
    sent_preamble,
    sounding_start,
    starts,
)
from protocol.waveform.detector import Sighting
from protocol.waveform.estimate import Grid, noise_power, sharpen
from protocol.waveform.forms import CARRIER_HZ, SHORT, Band, Direction, Form
from protocol.waveform.layout import Layout, layout
from protocol.waveform.middle import median
from protocol.waveform.mixer import highest_hz
from protocol.waveform.reading import (
    Heard,
    Taken,
    decided,
    residual,
    sounding_weight,
    spell,
    with_channel,
    with_spelling,
)

Windows = Callable[[np.ndarray, int], np.ndarray]
"""Gives stretches of the stream that begin at these places and have this many samples, one a row."""

_GLANCE = Grid(-2700e-6, 180e-6, 31)
"""Tokens that can be read are sharp even between two of these steps: 20 dB below the noise they reach hundreds."""
_COARSE = Grid(-2700e-6, 60e-6, 91)
"""From any of the detector's clocks to any other: echoes can make it choose the wrong one."""
_FINE = Grid(-60e-6, 10e-6, 13)
_FULL = Grid(-1320e-6, 20e-6, 133)
_BLUNT = 16.0
"""Few stretches of noise are sharper."""
_SHARP = 60.0
"""The clock of such a sighting needs no second search over the whole range."""
_UNSPELLED = 3.0
"""Below this score no length is spelled."""
_LIKELY = 0.8
"""A form is tried if it is spelled nearly as well as any other."""
_FAR = 100e-6
"""A clock that turns out to be further off than this is worth a second look with windows of the right length."""


@dataclass(frozen=True, slots=True)
class Air:
    """One band of a stream, and who is listened for in it."""

    windows: Windows
    band: Band
    direction: Direction
    usable: int
    """Carriers below half the rate of the sound; the others are silent."""

    def drawn(self, form: Form) -> Layout:
        """Give the map of a form."""
        return layout(self.band, self.direction, form)


@dataclass(frozen=True, slots=True)
class Tuned:
    """A sighting whose clock is known."""

    sighting: Sighting
    stretch: float
    sharpness: float
    """Highest path over the median; noise alone seldom reaches 14."""


@dataclass(frozen=True, slots=True)
class Reception:
    """One token, and how well it was received."""

    payload: bytes = field(repr=False)
    form: Form
    band: Band
    snr_db: float
    """Signal over noise within the band; ends at about 12 dB, where the distortion of the clipped sender counts."""
    stretch: float
    """By how much the sender's second is longer than ours."""


class Listener:
    """Attends to sightings in one band of a stream."""

    def __init__(self, windows: Windows, band: Band, direction: Direction, rate_hz: int) -> None:
        self._air = Air(windows, band, direction, _usable(band, rate_hz))

    def tune(self, sighting: Sighting) -> Tuned | None:
        """Find the sender's clock from the inner symbols; None if this is nothing."""
        if glance(self._air, sighting) < _BLUNT:
            return None
        tuned = tune(self._air, sighting)
        return tuned if tuned.sharpness >= _BLUNT else None

    def attempt(self, tuned: Tuned, form: Form) -> Reception | None:
        """Give what was received if this is a token of this form."""
        if form is not SHORT:
            tuned = refine(self._air, tuned, form)
        heard = hear(self._air, tuned, form)
        told = spell(heard)
        own = next(spelled for spelled in told if spelled.form is form)
        if own.score < _UNSPELLED or own.score < _LIKELY * told[0].score:
            return None
        heard = with_spelling(heard, own)
        payload = decided(heard, own.length)
        if payload is None:
            return None
        return Reception(payload, form, self._air.band, heard.snr_db(), tuned.stretch)


def glance(air: Air, sighting: Sighting) -> float:
    """Give the sharpness of a sighting from a third of the clocks."""
    return _sharpened(air, air.drawn(SHORT), Tuned(sighting, sighting.stretch, 0.0), _GLANCE).sharpness


def tune(air: Air, sighting: Sighting) -> Tuned:
    """Find the sender's clock from the inner symbols, which all forms share."""
    drawn = air.drawn(SHORT)
    tuned = _sharpened(air, drawn, Tuned(sighting, sighting.stretch, 0.0), _COARSE)
    if abs(tuned.stretch - sighting.stretch) > _FAR:
        tuned = _sharpened(air, drawn, tuned, _FULL)
    return tuned


def refine(air: Air, tuned: Tuned, form: Form) -> Tuned:
    """Find the clock more exactly with all symbols of a form."""
    return _sharpened(air, air.drawn(form), tuned, _FINE if tuned.sharpness > _SHARP else _FULL)


def hear(air: Air, tuned: Tuned, form: Form) -> Heard:
    """Give cells, noise and channel of a form."""
    drawn = air.drawn(form)
    taken = _taken(air, drawn, tuned)
    ones = np.ones_like(taken.cells)
    weights = drawn.pilots.astype(np.float32)
    first = with_channel(drawn, taken, noise_power(taken.cells), weights, ones)
    return with_channel(drawn, first.taken, residual(first, drawn.pilots, ones), weights, ones)


def _taken(air: Air, drawn: Layout, tuned: Tuned) -> Taken:
    """Cut a token out of the stream."""
    band = air.band
    clock = Clock(tuned.sighting.centre, tuned.stretch)
    begins = starts(drawn.bodies, clock)
    values = received(air.windows(begins, WINDOW), begins, drawn.bodies, band, clock)
    begin = sounding_start(clock)
    window = air.windows(np.array([begin]), SOUNDED)
    sounding = received(window, np.array([begin]), np.zeros(1), band, clock)[0]
    sounding = sounding / sent_preamble(band, air.direction) * np.float32(cell_level(band))
    cells = values * np.conj(drawn.turns)
    cells[:, air.usable :] = 0
    sounding[air.usable :] = 0
    return Taken(cells, sounding)


def _usable(band: Band, rate_hz: int) -> int:
    return min(band.carriers, int((highest_hz(rate_hz) - band.first_hz) / CARRIER_HZ))


def _sharpened(air: Air, drawn: Layout, tuned: Tuned, grid: Grid) -> Tuned:
    taken = _taken(air, drawn, tuned)
    noise = noise_power(taken.cells)
    products = np.empty((len(taken.cells) + 1, air.band.carriers), np.complex64)
    products[:-1] = taken.cells / np.sqrt(noise) * drawn.pilots
    products[-1] = taken.sounding / np.sqrt(median(noise, axis=0)) * sounding_weight(air.band, air.direction)
    offset, sharpness = sharpen(products, drawn, grid, tuned.stretch)
    return replace(tuned, stretch=tuned.stretch + offset, sharpness=sharpness)
