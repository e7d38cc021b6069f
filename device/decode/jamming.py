"""Jamming: the sound around leaves no room for a token, or preambles come in masses.

Room is counted as a receiver feels it: in each of 24 bands, how much a faint token would stand out of what is heard
there. A fire alarm, a voice or a song fills some bands and leaves others; to drown a token, all of them must be filled,
and without pauses.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from device.decode.disturbance import JammingSettings, Sound

_LOWEST_HZ: Final = 1_218.75
_HIGHEST_HZ: Final = 10_195.0
_BANDS: Final = 24
_FRAME_S: Final = 0.085
_LOOK_S: Final = 0.5
_LEAST_ROOM: Final = 0.02
"""Bits for each real number that a carrier holds: a token of 16 bytes is read down to here."""
_SHARE: Final = 0.9
"""Of the looks in the time that a disturbance has to last."""
_END_S: Final = 5
_MANY_PREAMBLES: Final = 3.0
_MANY_TORN: Final = 0.5
"""In a second; a phone that plays one token after another reaches 2, and its tokens are read."""
_FULL_SCALE: Final = 32_768.0


@dataclass(frozen=True, slots=True)
class Look:
    """Half a second of sound."""

    drowned: bool
    tokens: int
    preambles: int
    torn: int


class JammingWatch:
    """Tells when jamming begins and when it ends, each once. Counts sound, not time."""

    def __init__(self, rate_hz: int, settings: JammingSettings) -> None:
        self._meter = RoomMeter(rate_hz, settings.token_dbfs)
        self._looks: deque[Look] = deque(maxlen=round(settings.after_s / _LOOK_S))
        self._clear = 0
        self._before = (0, 0, 0)
        self.state = Sound.QUIET

    def feed(self, samples: np.ndarray, tokens: int, preambles: int, torn: int, *, deaf: bool) -> Sound | None:
        """Take int16 samples and the counts so far; while `deaf`, the terminal plays itself and nothing is judged."""
        news = None
        for drowned in self._meter.feed(samples):
            counts = (tokens, preambles, torn)
            grown = tuple(now - before for now, before in zip(counts, self._before, strict=True))
            self._before = counts
            if not deaf:
                news = self._judge(Look(drowned, *grown)) or news
        return news

    def _judge(self, look: Look) -> Sound | None:
        self._looks.append(look)
        found = self._found()
        if self.state is Sound.QUIET:
            if found is Sound.QUIET:
                return None
            self._clear, self.state = 0, found
            return found
        self._clear = 0 if look.drowned or look.preambles or look.torn else self._clear + 1
        if look.tokens or self._clear >= _END_S / _LOOK_S:
            self._looks.clear()
            self.state = Sound.QUIET
            return Sound.QUIET
        return None

    def _found(self) -> Sound:
        looks = self._looks
        if len(looks) < (looks.maxlen or 0) or any(look.tokens for look in looks):
            return Sound.QUIET
        if sum(look.drowned for look in looks) >= _SHARE * len(looks):
            return Sound.NOISE
        seconds = len(looks) * _LOOK_S
        many = sum(look.preambles for look in looks) >= _MANY_PREAMBLES * seconds
        return Sound.PREAMBLES if many or sum(look.torn for look in looks) >= _MANY_TORN * seconds else Sound.QUIET


class RoomMeter:
    """Says of each half second whether a faint token would drown in it."""

    def __init__(self, rate_hz: int, token_dbfs: float) -> None:
        self._frame = 1 << round(np.log2(_FRAME_S * rate_hz))
        self._window = np.hanning(self._frame).astype(np.float32)
        hertz = np.fft.rfftfreq(self._frame, 1 / rate_hz)
        highest = min(_HIGHEST_HZ, 0.45 * rate_hz)
        self._edges = np.searchsorted(hertz, np.linspace(_LOWEST_HZ, highest, _BANDS + 1))
        width = (highest - _LOWEST_HZ) / _BANDS
        self._token = 10 ** (token_dbfs / 10) * width / (_HIGHEST_HZ - _LOWEST_HZ)
        self._scale = 2 / (self._frame * float(np.sum(self._window**2)) * _FULL_SCALE**2)
        self._frames_of_a_look = max(1, round(_LOOK_S * rate_hz / self._frame))
        self._left = np.zeros(0, np.int16)
        self._power = np.zeros(_BANDS)
        self._frames = 0

    def feed(self, samples: np.ndarray) -> list[bool]:
        """Give one answer for each half second that is complete with these samples."""
        answers = []
        waiting = np.concatenate([self._left, samples])
        whole = len(waiting) // self._frame * self._frame
        self._left = waiting[whole:].copy()
        for start in range(0, whole, self._frame):
            self._power += self._bands(waiting[start : start + self._frame])
            self._frames += 1
            if self._frames == self._frames_of_a_look:
                answers.append(self.room(self._power / self._frames) < _LEAST_ROOM)
                self._power, self._frames = np.zeros(_BANDS), 0
        return answers

    def room(self, power: np.ndarray) -> float:
        """Give the bits that a faint token could carry in each real number, over noise of these powers."""
        return float(np.mean(0.5 * np.log2(1 + self._token / (power + 1e-15))))

    def _bands(self, frame: np.ndarray) -> np.ndarray:
        spectrum = np.fft.rfft(frame * self._window)
        power = (spectrum.real**2 + spectrum.imag**2) * self._scale
        bands: np.ndarray = np.add.reduceat(power[: self._edges[-1]], self._edges[:-1])
        return bands
