"""From the cells of a token to its payload: noise, channel, spelled length, decisions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from protocol.waveform.carriers import (
    SOUNDED,
    WINDOW,
    cell_level,
    sent_preamble,
)
from protocol.waveform.convolution import code_of, decode, encode
from protocol.waveform.estimate import Channel, channel, smooth
from protocol.waveform.forms import Band, Direction, Form
from protocol.waveform.frame import CHECK_BYTES, payload_of
from protocol.waveform.layout import Layout, lengths_heard_in, words
from protocol.waveform.middle import median, median_of, median_where

_WIDE = 17
"""Carriers over which the noise that the channel leaves is averaged."""
_VAGUE = 0.5
"""Silence agrees with nothing; the bits of noise agree with it at about 0.65 already, so more is left to the check."""
_ROUNDS = 2
_BRIEF = 32
"""Bytes; longer payloads are tried again only once, for they take long."""


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
        power = float(np.mean(gains.real**2 + gains.imag**2)) / median_of(self.noise)
        return 10 * math.log10(power + 1e-9)


@dataclass(frozen=True, slots=True)
class Spelled:
    """What the spelling cells say."""

    form: Form
    length: int
    score: float
    """In standard deviations of what wrong words reach."""


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
    noise = residual(heard, np.ones_like(drawn.data), sent)
    return with_channel(drawn, heard.taken, noise, weights, sent)


def with_spelling(heard: Heard, spelled: Spelled) -> Heard:
    """Use the spelling cells as pilots."""
    drawn = heard.drawn
    sent = np.ones(heard.taken.cells.shape, np.complex64)
    row = words(drawn.band, drawn.direction, drawn.form, spelled.form)[spelled.length - spelled.form.shortest]
    sent[drawn.spelling] = row
    known = drawn.pilots | drawn.spelling
    noise = residual(heard, known, sent)
    return with_channel(drawn, heard.taken, noise, known.astype(np.float32), sent)


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


@cache
def sounding_weight(band: Band, direction: Direction) -> np.ndarray:
    """How much the preamble counts at each carrier, a pilot being 1."""
    power = np.abs(sent_preamble(band, direction)) ** 2
    return np.asarray(power * (WINDOW / SOUNDED / cell_level(band) ** 2), np.float32)


def with_channel(drawn: Layout, taken: Taken, noise: np.ndarray, weights: np.ndarray, sent: np.ndarray) -> Heard:
    """Estimate the channel in units of a noise that is the same for all symbols, weighted by how quiet each cell is."""
    carriers = median(noise, axis=0)
    scale = np.float32(1) / np.sqrt(carriers)
    quiet = np.minimum(1, carriers / noise) * weights
    scaled = Taken(taken.cells * scale, taken.sounding * scale)
    importance = sounding_weight(drawn.band, drawn.direction)
    products = np.sum(scaled.cells * np.conj(sent) * quiet, axis=0) + scaled.sounding * importance
    estimate = channel(products, np.sum(quiet * np.abs(sent) ** 2, axis=0) + importance, drawn.band)
    return Heard(drawn, scaled, noise / carriers, estimate)


def residual(heard: Heard, known: np.ndarray, sent: np.ndarray) -> np.ndarray:
    """Model the noise from what the channel does not explain; unknown cells by the model of the known ones."""
    rest = heard.taken.cells - heard.channel.gains[None, :] * sent
    power = rest.real**2 + rest.imag**2 + np.float32(1e-9)
    carriers = smooth(median_where(power, known, axis=0), _WIDE) / np.float32(0.6931)
    symbols = median_where(power / carriers, known, axis=1) / np.float32(0.6931)
    model = carriers[None, :] * symbols[:, None]
    total = heard.taken.cells.real**2 + heard.taken.cells.imag**2
    gain = heard.channel.gains.real**2 + heard.channel.gains.imag**2
    loud = total > 6.0 * (model + gain[None, :])
    return np.where(loud, total, model).astype(np.float32)
