"""Tokens at the rate of a loudspeaker."""

from __future__ import annotations

import numpy as np

from protocol.waveform.errors import SampleRate
from protocol.waveform.forms import AUDIBLE, NATIVE_HZ, Band, Direction, Form
from protocol.waveform.modulator import token
from protocol.waveform.resample import Resampler

LOWEST_HZ = 16_000
"""Carries the part of the audible band below 8 kHz, which is enough."""
HIGHEST_HZ = 192_000


def played(
    payload: bytes, form: Form, sample_rate: int, band: Band = AUDIBLE, direction: Direction = Direction.TOKEN
) -> np.ndarray:
    """Give float32 samples in [-1, 1]; PayloadLength, or SampleRate if the rate does not carry the band."""
    lowest = LOWEST_HZ if band is AUDIBLE else int(2.2 * (band.first_hz + band.width_hz))
    if not lowest <= sample_rate <= HIGHEST_HZ:
        raise SampleRate(sample_rate, lowest, HIGHEST_HZ)
    samples = token(bytes(payload), form, band, direction)
    if sample_rate != NATIVE_HZ:
        resampler = Resampler(NATIVE_HZ, sample_rate)
        samples = np.concatenate([resampler.push(samples), resampler.flush()])
    clipped: np.ndarray = np.clip(samples, -1, 1).astype(np.float32)
    return clipped
