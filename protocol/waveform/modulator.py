"""Makes the sound of a token, at the native rate."""

from __future__ import annotations

from functools import cache

import numpy as np

from protocol.waveform import scatter
from protocol.waveform.convolution import code_of, encode
from protocol.waveform.forms import (
    BODY,
    NATIVE_HZ,
    PREAMBLE,
    PREFIX,
    RAMP,
    SYMBOL,
    VERSION,
    Band,
    Direction,
    Form,
    body_start,
)
from protocol.waveform.frame import frame_bits
from protocol.waveform.layout import Layout, layout, stream_of, word

PEAK = 0.95
_CLIP = 1.55
"""Times the root mean square: where the rounds clip."""
_ROUNDS = 4


def token(payload: bytes, form: Form, band: Band, direction: Direction, version: int = VERSION) -> np.ndarray:
    """Give float64 samples in [-1, 1]; PayloadLength if the payload does not fit the form."""
    coded = encode(frame_bits(payload, form, direction, version), code_of(form))
    return sound(cells(coded, layout(band, direction, form), len(payload)), band, direction)


def cells(coded: np.ndarray, drawn: Layout, length: int) -> np.ndarray:
    """Fill the map with coded bits, over and over, and the spelling of the length."""
    slots = np.empty(len(drawn.order))
    slots[drawn.order] = 1.0 - 2.0 * coded[np.arange(len(slots)) % len(coded)]
    values = np.ones(drawn.turns.shape, complex)
    values[drawn.data] = (slots[0::2] + 1j * slots[1::2]) / np.sqrt(2)
    values[drawn.spelling] = spelled(drawn, length)
    turned: np.ndarray = values * drawn.turns
    return turned


def spelled(drawn: Layout, length: int) -> np.ndarray:
    """Give the signs of the spelling cells."""
    rows, carriers = np.nonzero(drawn.spelling)
    stream = stream_of(drawn.band, drawn.direction)
    return scatter.signs(word(drawn.form, length), drawn.symbols[rows], carriers, stream)


def sound(filled: np.ndarray, band: Band, direction: Direction) -> np.ndarray:
    """Give the samples of a filled map."""
    half = len(filled) // 2
    samples = np.zeros(2 * half * SYMBOL + PREAMBLE + RAMP)
    middle = half * SYMBOL + PREAMBLE // 2
    for symbol, values in zip(range(-half, half), filled, strict=True):
        start = middle + body_start(symbol) - PREFIX
        samples[start : start + SYMBOL + RAMP] += _symbol(values, band)
    start = middle - PREAMBLE // 2
    samples[start : start + PREAMBLE + RAMP] += preamble(band, direction)
    return PEAK * np.clip(samples, -1, 1)


@cache
def preamble(band: Band, direction: Direction) -> np.ndarray:
    """Give the sweep over the band: upwards for a token, downwards for a challenge; peak 1, faded at the ends."""
    seconds = np.arange(PREAMBLE + RAMP) / NATIVE_HZ
    rate = band.width_hz / (PREAMBLE / NATIVE_HZ)
    first, slope = (band.first_hz, rate) if direction is Direction.TOKEN else (band.first_hz + band.width_hz, -rate)
    sweep: np.ndarray = np.cos(2 * np.pi * (first * seconds + slope / 2 * seconds**2)) * _fades(PREAMBLE + RAMP)
    return sweep


def _symbol(values: np.ndarray, band: Band) -> np.ndarray:
    """Give one symbol with prefix and fades, peak 1."""
    body = _flattened(values, band)
    body = np.clip(body / (band.crest * _rms(body)), -1, 1)
    samples: np.ndarray = np.concatenate([body[-PREFIX:], body, body[:RAMP]]) * _fades(SYMBOL + RAMP)
    return samples


def _flattened(values: np.ndarray, band: Band) -> np.ndarray:
    """Clip the peaks and keep what stays in the band, a few times: louder from the same loudspeaker."""
    spectrum = np.zeros(BODY // 2 + 1, complex)
    within = slice(band.first_bin, band.first_bin + band.carriers)
    spectrum[within] = values
    body = np.fft.irfft(spectrum)
    for _ in range(_ROUNDS):
        limit = _CLIP * _rms(body)
        spectrum[within] = np.fft.rfft(np.clip(body, -limit, limit))[within]
        body = np.fft.irfft(spectrum)
    return body


def _rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def _fades(length: int) -> np.ndarray:
    """Rise in RAMP samples, and fall so that two neighbours add up to one."""
    rise = np.sin(np.pi / 2 * (np.arange(RAMP) + 0.5) / RAMP) ** 2
    return np.concatenate([rise, np.ones(length - 2 * RAMP), rise[::-1]])
