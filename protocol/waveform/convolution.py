"""The convolutional code: rate 1/4, zero tail, maximum free distance; encoder and soft-decision Viterbi decoder.

Codes after Proakis, Digital Communications, table 8-2-3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from protocol.waveform.forms import LONG, Form

RATE = 4


@dataclass(frozen=True, slots=True)
class Code:
    """Constraint length and generators; the most significant bit of a generator sees the newest bit."""

    constraint: int
    generators: tuple[int, int, int, int]

    @property
    def tail(self) -> int:
        """Zeros that end every frame."""
        return self.constraint - 1

    def coded_bits(self, frame_bits: int) -> int:
        """Count the coded bits of a frame."""
        return RATE * (frame_bits + self.tail)


STRONG = Code(13, (0o11145, 0o12477, 0o15537, 0o16727))
"""For short and normal tokens: worth 0.5 dB, and few steps."""
QUICK = Code(9, (0o463, 0o535, 0o733, 0o745))
"""For long tokens, which have ten times as many steps."""


def code_of(form: Form) -> Code:
    """Give the code of a form."""
    return QUICK if form is LONG else STRONG


def encode(bits: np.ndarray, code: Code) -> np.ndarray:
    """Give the coded bits: for each bit, and for each zero of the tail, one bit a generator."""
    padded = np.concatenate([np.zeros(code.tail, np.int64), bits.astype(np.int64), np.zeros(code.tail, np.int64)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, code.constraint)[:, ::-1]
    coded: np.ndarray = (windows @ _taps(code) % 2).astype(np.uint8).ravel()
    return coded


def decode(soft: np.ndarray, code: Code) -> np.ndarray:
    """Give the frame's most likely bits; soft values are positive for a coded 0."""
    steps = len(soft) // RATE
    half = 1 << (code.constraint - 2)
    gains = _gains(soft.reshape(steps, RATE).astype(np.float32))
    branches = _branches(code)
    metric = np.full((half, 2), -1e30, np.float32)
    metric[0, 0] = 0
    survivors = np.empty((steps, half // 4), np.uint8)
    reached = np.empty((2, 2, half), np.float32)
    for step in range(steps):
        gain = gains[step][branches]
        older, newer = metric[:, 0], metric[:, 1]
        np.add(older, gain, out=reached[0, 0])
        np.subtract(newer, gain, out=reached[0, 1])
        np.subtract(older, gain, out=reached[1, 0])
        np.add(newer, gain, out=reached[1, 1])
        survivors[step] = np.packbits(reached[:, 1] > reached[:, 0])
        metric = reached.max(axis=1).reshape(half, 2)
    return _trace(survivors, code)


def _trace(survivors: np.ndarray, code: Code) -> np.ndarray:
    """Walk back from state zero; a state holds the last bits, newest on top, and has one bit in a row of survivors."""
    memory = code.constraint - 1
    mask = (1 << (memory - 1)) - 1
    state = 0
    bits = np.empty(len(survivors), np.uint8)
    for step in range(len(survivors) - 1, -1, -1):
        bits[step] = state >> (memory - 1)
        state = ((state & mask) << 1) | (int(survivors[step, state >> 3]) >> (7 - state & 7) & 1)
    return bits[: -code.tail]


def _gains(soft: np.ndarray) -> np.ndarray:
    """Give what each of the 16 output patterns adds to a metric, a row a step."""
    patterns = 1 - 2 * ((np.arange(16)[:, None] >> np.arange(RATE)[None, :]) & 1)
    gains: np.ndarray = soft @ patterns.T.astype(np.float32)
    return gains


@cache
def _taps(code: Code) -> np.ndarray:
    shifts = np.arange(code.constraint - 1, -1, -1)
    return np.array([[(generator >> shift) & 1 for generator in code.generators] for shift in shifts])


@cache
def _branches(code: Code) -> np.ndarray:
    """Which of 16 output patterns belongs to a state without its oldest bit, if the new bit and the oldest are 0.

    A new or an oldest bit of 1 gives the opposite of the pattern, because every generator sees both.
    """
    registers = np.arange(0, 1 << (code.constraint - 1), 2)
    pattern = np.zeros(registers.shape, np.int64)
    for place, generator in enumerate(code.generators):
        pattern |= (np.bitwise_count(registers & generator).astype(np.int64) & 1) << place
    return pattern
