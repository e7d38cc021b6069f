"""Changes the sample rate of a stream, by any ratio, in pieces of any length.

A windowed sinc in polyphase form: for each position between two input samples that can occur there is one row of taps.
"""

from __future__ import annotations

from math import ceil, gcd

import numpy as np

_HALF_WIDTH = 16
"""Zero crossings of the sinc on each side; 0.3 ms of delay at 48 kHz."""
_KAISER_BETA = 8.0
_PASS = 0.95
"""Edge of the pass band, as a part of the lower of the two Nyquist frequencies."""
_PIECE = 65_536
"""Samples worked on at a time, which bounds the memory for a long input."""


class Resampler:
    """One stream from one rate to another; keeps what the next piece needs."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        common = gcd(from_hz, to_hz)
        self._phases = to_hz // common
        self._step = from_hz // common
        cutoff = min(1.0, to_hz / from_hz)
        self._half = ceil(_HALF_WIDTH / cutoff)
        self._taps = _polyphase(self._phases, self._half, cutoff * _PASS)
        self._waiting = np.zeros(self._half - 1, np.float32)
        self._place = 0
        """Where the next output lies after the first sample that is its own, in parts of 1 / phases."""

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Take samples of the first rate, give those of the second that are complete, as float32."""
        if self._phases == self._step:
            return samples.astype(np.float32)
        pieces = [self._push(samples[start : start + _PIECE]) for start in range(0, len(samples), _PIECE)]
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)

    def flush(self) -> np.ndarray:
        """Give the samples that wait for their successors, as if silence followed."""
        return self.push(np.zeros(self._half, np.float32))

    def _push(self, samples: np.ndarray) -> np.ndarray:
        waiting = np.concatenate([self._waiting, samples.astype(np.float32)])
        width = self._taps.shape[1]
        usable = (len(waiting) - width + 1) * self._phases - self._place
        count = max(0, -(-usable // self._step))
        places = self._place + self._step * np.arange(count, dtype=np.int64)
        starts, phases = np.divmod(places, self._phases)
        self._place += self._step * count
        spent = min(self._place // self._phases, len(waiting))
        self._place -= spent * self._phases
        self._waiting = waiting[spent:]
        if not count:
            return np.zeros(0, np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(waiting, width)[starts]
        output: np.ndarray = np.einsum("ij,ij->i", windows, self._taps[phases])
        return output


def _polyphase(phases: int, half: int, cutoff: float) -> np.ndarray:
    """Make a row of 2 * half taps for each phase; every row passes a constant unchanged."""
    offsets = np.arange(1 - half, half + 1)[None, :] - np.arange(phases)[:, None] / phases
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1 - (offsets / half) ** 2, 0, 1)))
    taps = np.sinc(cutoff * offsets) * window
    scaled: np.ndarray = (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
    return scaled
