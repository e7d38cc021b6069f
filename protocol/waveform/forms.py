"""The shapes of a token: bands, directions and forms, and the times that all of them share.

Lengths of time are counted in samples at 48 kHz, the native rate. Time zero of a token is the middle of its preamble;
symbol -1 ends where the preamble begins, symbol 0 begins where it ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from protocol.waveform.errors import PayloadLength

VERSION: Final = 1
NATIVE_HZ: Final = 48_000
BODY: Final = 2048
"""Samples of a symbol without its prefix: carriers are 23.4375 Hz apart."""
PREFIX: Final = 384
"""8 ms of cyclic prefix."""
RAMP: Final = 48
"""Samples by which neighbouring symbols fade into each other."""
SYMBOL: Final = PREFIX + BODY
PREAMBLE: Final = 4096
CARRIER_HZ: Final = NATIVE_HZ / BODY


@dataclass(frozen=True, slots=True)
class Band:
    """A row of carriers."""

    name: str
    code: int
    first_bin: int
    """Number of the lowest carrier, in multiples of CARRIER_HZ."""
    carriers: int
    centre_hz: int
    """What a receiver mixes down to zero; a multiple of 50 Hz."""
    crest: float
    """Peak of a symbol over its root mean square: what is louder is clipped."""

    @property
    def first_hz(self) -> float:
        """Frequency of the lowest carrier."""
        return self.first_bin * CARRIER_HZ

    @property
    def width_hz(self) -> float:
        """From the lowest carrier to just above the highest."""
        return self.carriers * CARRIER_HZ


AUDIBLE: Final = Band("audible", 0, 52, 384, 5700, 1.8)
"""1.2 to 10.2 kHz."""
HIGH: Final = Band("high", 1, 640, 192, 17_250, 2.4)
"""15.0 to 19.5 kHz, which few people hear; for quiet shops, and microphones that hear it."""
BANDS: Final = (AUDIBLE, HIGH)


class Direction(Enum):
    """Who speaks. The two differ in the preamble and in every cell, so that nobody hears an echo of itself."""

    TOKEN = 0
    """From the phone to the terminal."""
    CHALLENGE = 1
    """From the terminal to the phone."""


@dataclass(frozen=True, slots=True)
class Form:
    """A length of token: so many symbols before and as many after the preamble."""

    name: str
    code: int
    half: int
    """Symbols on each side of the preamble."""
    shortest: int
    longest: int
    """Bytes of payload."""

    @property
    def symbols(self) -> range:
        """Numbers of the symbols."""
        return range(-self.half, self.half)

    @property
    def samples(self) -> int:
        """Air time at the native rate."""
        return 2 * self.half * SYMBOL + PREAMBLE + RAMP

    @property
    def lengths(self) -> range:
        """Every length of payload."""
        return range(self.shortest, self.longest + 1)

    def check(self, length: int) -> None:
        """Raise PayloadLength unless a payload of this length fits."""
        if length not in self.lengths:
            raise PayloadLength(length, self.shortest, self.longest)


SHORT: Final = Form("short", 1, 4, 8, 24)
"""0.49 s."""
NORMAL: Final = Form("normal", 2, 9, 8, 64)
"""1.00 s."""
LONG: Final = Form("long", 3, 13, 65, 192)
"""1.40 s."""
FORMS: Final = (SHORT, NORMAL, LONG)


def form_for(length: int, band: Band) -> Form:
    """Give the quickest form for a payload; with the high band's fewer carriers the normal one instead of the short."""
    if length > NORMAL.longest:
        return LONG
    return SHORT if band is AUDIBLE and length <= SHORT.longest else NORMAL


def body_start(symbol: int) -> int:
    """Where the body of a symbol begins, in samples from the middle of the preamble."""
    half = PREAMBLE // 2
    return (half if symbol >= 0 else -half) + symbol * SYMBOL + PREFIX
