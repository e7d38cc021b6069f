"""Looks closely at one sighting of a preamble: clock, channel, length, bits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

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
from protocol.waveform.convolution import code_of, decode, encode
from protocol.waveform.detector import Sighting
from protocol.waveform.estimate import Channel, channel, noise_power, sharpen, smooth
from protocol.waveform.forms import CARRIER_HZ, FORMS, SHORT, Band, Direction, Form
from protocol.waveform.frame import CHECK_BYTES, payload_of
from protocol.waveform.layout import Layout, layout, lengths_heard_in, words
from protocol.waveform.mixer import highest_hz

Windows = Callable[[np.ndarray, int], np.ndarray]
"""Gives stretches of the stream that begin at these places and have this many samples, one a row."""

_WIDE = 17
"""Carriers over which the noise that the channel leaves is averaged."""

_COARSE = np.arange(-1320, 1321, 40) * 1e-6
_FINE = np.arange(-60, 61, 10) * 1e-6
_FULL = np.arange(-1320, 1321, 20) * 1e-6
_BLUNT = 16.0
"""Few stretches of noise are sharper."""
_SHARP = 60.0
"""The clock of such a sighting needs no second search over the whole range."""
_UNSPELLED = 3.0
"""Below this score no length is spelled."""
_LIKELY = 0.8
"""A form is tried if it is spelled nearly as well as any other."""
_VAGUE = 0.5
"""Less agreement than noise has: bits of noise agree with it at about 0.65."""
_ROUNDS = 2
_BRIEF = 32
"""Bytes; longer payloads are tried again only once, for they take long."""
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
class Taken:
    """A token cut out of the stream."""

    cells: np.ndarray
    """Turned back, so that a pilot is the channel's gain."""
    sounding: np.ndarray
    """What the preamble says of the channel's gains, in the same units."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Cells of one form with what is known of noise and channel."""

    drawn: Layout
    taken: Taken
    """In units of the noise."""
    noise: np.ndarray
    channel: Channel

    def soft(self) -> np.ndarray:
        """Give each cell turned by the conjugate channel, weighted by certainty: log-likelihoods up to a factor."""
        soft: np.ndarray = self.taken.cells * np.conj(self.channel.gains) / self.noise
        return soft

    def snr_db(self) -> float:
        """Signal over noise, averaged over the carriers."""
        gains = self.channel.gains
        power = float(np.mean(gains.real**2 + gains.imag**2)) / float(np.median(self.noise))
        return 10 * math.log10(power + 1e-9)


@dataclass(frozen=True, slots=True)
class Spelled:
    """What the spelling cells say."""

    form: Form
    length: int
    score: float
    """In standard deviations of what wrong words reach."""


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
        prepare(band, direction)

    def tune(self, sighting: Sighting) -> Tuned | None:
        """Find the sender's clock from the inner symbols; None if this is nothing."""
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


@cache
def prepare(band: Band, direction: Direction) -> None:
    """Fill the tables that all receivers of a band and direction share; a tenth of a second, once a process."""
    silence = Air(_silence, band, direction, band.carriers)
    nowhere = Tuned(Sighting(0.0, 0.0, 0.0), 0.0, 0.0)
    for form in FORMS:
        drawn = silence.drawn(form)
        for offsets in (_COARSE,) if form is SHORT else (_FINE, _FULL):
            _sharpened(silence, drawn, nowhere, offsets)
        for told in lengths_heard_in(form):
            words(band, direction, form, told)
        decode(np.zeros(code_of(form).coded_bits(8), np.float32), code_of(form))


def _silence(begins: np.ndarray, width: int) -> np.ndarray:
    return np.zeros((len(begins), width), np.complex64)


def decided(heard: Heard, length: int) -> bytes | None:
    """Decode, and use a wrong decision to hear more clearly, at most twice."""
    bits, agreement = bits_of(heard, length)
    for _ in range(_ROUNDS if length <= _BRIEF else 1):
        if agreement < _VAGUE:
            return None
        payload = accepted(bits, heard)
        if payload is not None:
            return payload
        heard = again(heard, bits, length)
        bits, agreement = bits_of(heard, length)
    return accepted(bits, heard)


def tune(air: Air, sighting: Sighting) -> Tuned:
    """Find the sender's clock from the inner symbols, which all forms share."""
    drawn = air.drawn(SHORT)
    tuned = _sharpened(air, drawn, Tuned(sighting, sighting.stretch, 0.0), _COARSE)
    if abs(tuned.stretch - sighting.stretch) > _FAR:
        tuned = _sharpened(air, drawn, tuned, _FINE)
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
    first = _with_channel(drawn, taken, noise_power(taken.cells), weights, ones)
    return _with_channel(drawn, first.taken, _residual(first, drawn.pilots, ones), weights, ones)


def spell(heard: Heard) -> list[Spelled]:
    """Give the likeliest word of each form that can be meant, likeliest first."""
    drawn = heard.drawn
    soft = heard.soft()[drawn.spelling].real
    scale = float(np.sqrt(np.sum(soft**2))) + 1e-30
    best = []
    for told in lengths_heard_in(drawn.form):
        scores = words(drawn.band, drawn.direction, drawn.form, told) @ soft
        place = int(scores.argmax())
        best.append(Spelled(told, told.lengths[place], float(scores[place]) / scale))
    return sorted(best, key=lambda spelled: -spelled.score)


def bits_of(heard: Heard, length: int) -> tuple[np.ndarray, float]:
    """Decode; give the frame's bits and how well the coded bits agree with what was heard, 0 to 1."""
    soft = coded_soft(heard, length)
    code = code_of(heard.drawn.form)
    bits = decode(soft, code)
    agreement = float(np.sum(soft * (1.0 - 2.0 * encode(bits, code))) / (np.sum(np.abs(soft)) + 1e-30))
    return bits, agreement


def coded_soft(heard: Heard, length: int) -> np.ndarray:
    """Sum up the slots of each coded bit."""
    drawn = heard.drawn
    data = heard.soft()[drawn.data]
    slots = np.empty(2 * len(data), np.float32)
    slots[0::2], slots[1::2] = data.real, data.imag
    count = code_of(drawn.form).coded_bits(8 * (length + CHECK_BYTES))
    scattered = slots[drawn.order]
    padded = np.zeros(-(-len(scattered) // count) * count, np.float32)
    padded[: len(scattered)] = scattered
    summed: np.ndarray = padded.reshape(-1, count).sum(axis=0)
    return summed


def again(heard: Heard, bits: np.ndarray, length: int, trust: float = 0.8) -> Heard:
    """Use a decision as if its cells were pilots: noise and channel become clearer."""
    drawn = heard.drawn
    sent = sent_cells(drawn, encode(bits, code_of(drawn.form)), length)
    weights = np.where(drawn.data, np.float32(trust), np.float32(1))
    noise = _residual(heard, np.ones_like(drawn.data), sent)
    return _with_channel(drawn, heard.taken, noise, weights, sent)


def with_spelling(heard: Heard, spelled: Spelled) -> Heard:
    """Use the spelling cells as pilots."""
    drawn = heard.drawn
    sent = np.ones(heard.taken.cells.shape, np.complex64)
    row = words(drawn.band, drawn.direction, drawn.form, spelled.form)[spelled.length - spelled.form.shortest]
    sent[drawn.spelling] = row
    known = drawn.pilots | drawn.spelling
    noise = _residual(heard, known, sent)
    return _with_channel(drawn, heard.taken, noise, known.astype(np.float32), sent)


def sent_cells(drawn: Layout, coded: np.ndarray, length: int) -> np.ndarray:
    """Give what a sender fills in, without the turns."""
    slots = np.empty(len(drawn.order), np.float32)
    slots[drawn.order] = 1.0 - 2.0 * coded[np.arange(len(slots)) % len(coded)]
    sent = np.ones(drawn.turns.shape, np.complex64)
    sent[drawn.data] = (slots[0::2] + 1j * slots[1::2]) * np.float32(0.70710678)
    sent[drawn.spelling] = words(drawn.band, drawn.direction, drawn.form, drawn.form)[length - drawn.form.shortest]
    return sent


def accepted(bits: np.ndarray, heard: Heard) -> bytes | None:
    """Give the payload if the check agrees."""
    return payload_of(bits, heard.drawn.form, heard.drawn.direction)


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
    cells = values * np.conj(drawn.turns).astype(np.complex64)
    cells[:, air.usable :] = 0
    sounding[air.usable :] = 0
    return Taken(cells, sounding)


def _usable(band: Band, rate_hz: int) -> int:
    return min(band.carriers, int((highest_hz(rate_hz) - band.first_hz) / CARRIER_HZ))


def _sharpened(air: Air, drawn: Layout, tuned: Tuned, offsets: np.ndarray) -> Tuned:
    taken = _taken(air, drawn, tuned)
    noise = noise_power(taken.cells)
    products = np.empty((len(taken.cells) + 1, air.band.carriers), np.complex64)
    products[:-1] = taken.cells / np.sqrt(noise) * drawn.pilots
    products[-1] = taken.sounding / np.sqrt(np.median(noise, axis=0)) * sounding_weight(air.band, air.direction)
    offset, sharpness = sharpen(products, drawn, offsets, tuned.stretch)
    return replace(tuned, stretch=tuned.stretch + offset, sharpness=sharpness)


@cache
def sounding_weight(band: Band, direction: Direction) -> np.ndarray:
    """How much the preamble counts at each carrier, a pilot being 1."""
    power = np.abs(sent_preamble(band, direction)) ** 2
    return np.asarray(power * (WINDOW / SOUNDED / cell_level(band) ** 2), np.float32)


def _with_channel(drawn: Layout, taken: Taken, noise: np.ndarray, weights: np.ndarray, sent: np.ndarray) -> Heard:
    """Estimate the channel in units of a noise that is the same for all symbols, weighted by how quiet each cell is."""
    carriers = np.median(noise, axis=0)
    scale = np.float32(1) / np.sqrt(carriers)
    quiet = np.minimum(1, carriers / noise) * weights
    scaled = Taken(taken.cells * scale, taken.sounding * scale)
    importance = sounding_weight(drawn.band, drawn.direction)
    products = np.sum(scaled.cells * np.conj(sent) * quiet, axis=0) + scaled.sounding * importance
    estimate = channel(products, np.sum(quiet * np.abs(sent) ** 2, axis=0) + importance, drawn.band)
    return Heard(drawn, scaled, noise / carriers, estimate)


def _residual(heard: Heard, known: np.ndarray, sent: np.ndarray) -> np.ndarray:
    """Model the noise from what the channel does not explain; unknown cells by the model of the known ones."""
    rest = heard.taken.cells - heard.channel.gains[None, :] * sent
    power = rest.real**2 + rest.imag**2 + np.float32(1e-9)
    masked = np.where(known, power, np.nan)
    carriers = smooth(np.nanmedian(masked, axis=0), _WIDE) / np.float32(0.6931)
    symbols = np.nanmedian(masked / carriers, axis=1) / np.float32(0.6931)
    model = carriers[None, :] * symbols[:, None]
    total = heard.taken.cells.real**2 + heard.taken.cells.imag**2
    gain = heard.channel.gains.real**2 + heard.channel.gains.imag**2
    loud = total > 6.0 * (model + gain[None, :])
    return np.where(loud, total, model).astype(np.float32)
