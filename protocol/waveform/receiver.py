"""Hears tokens in a stream of sound: any chunk size, any usual rate, several tokens at once.

    samples -> Mixer -> Tape -> Detector -> sightings -> Listener -> payloads

A sighting is looked at when the sound of each form that it may be the middle of is complete: short, normal, long. Work
is bounded by a budget in the stream's own time, memory by the tape, and what is heard depends on the samples alone,
not on how they are cut into chunks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from protocol.waveform.budget import Budget
from protocol.waveform.carriers import EARLY
from protocol.waveform.detector import BLOCK, Detector, Sighting
from protocol.waveform.detector import HOP as DETECTOR_HOP
from protocol.waveform.errors import SampleRate
from protocol.waveform.forms import BANDS, FORMS, LONG, NATIVE_HZ, PREAMBLE, SHORT, SYMBOL, Band, Direction, Form
from protocol.waveform.listener import Listener, Reception, Tuned
from protocol.waveform.mixer import HOP, STREAM_HZ, Mixer
from protocol.waveform.tape import Tape

LOWEST_HZ: Final = 16_000
HIGHEST_HZ: Final = 192_000
_KEPT: Final = 3 * STREAM_HZ // 2
"""The longest token, 1.40 s, from the slowest clock, and a hop."""
_PIECE_S: Final = 0.1
_STRETCH: Final = 0.0025
_SAME: Final = 120
"""10 ms: two sightings nearer than that are one."""
_ECHO: Final = 2400
"""200 ms: the same payload within that is an echo."""
_MOST_SIGHTINGS: Final = 24
_CLEAR: Final = 12.0
"""A sighting of this height is a preamble for the eye, too: noise, voices and music seldom look so."""
_PLAIN: Final = 60.0
_SEEN: Final = 8.0
"""Pilots as sharp as this behind a preamble as high as that are a token's: unread ones 24 dB below voices reach both,
music and knocks do not."""
_WORK_A_SECOND: Final = 8.0
_WORK_AT_ONCE: Final = 24.0
_COST: Final = {"tune": 0.4, "short": 1.0, "normal": 2.0, "long": 4.0}
"""In units of about 5 ms on a desktop."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A sighting, and the form that is next to be complete."""

    sighting: Sighting
    form: Form
    tuned: Tuned | None = None

    @property
    def due(self) -> int:
        """Place of the stream by which all samples of the form are there."""
        reach = (PREAMBLE // 2 + self.form.half * SYMBOL) * STREAM_HZ / NATIVE_HZ
        stretch = self.tuned.stretch if self.tuned else _STRETCH
        return int(self.sighting.centre + reach * (1 + stretch)) - EARLY + 1


class _Ear:
    """Hears one band."""

    def __init__(self, band: Band, direction: Direction, rate_hz: int) -> None:
        self._tape = Tape(_KEPT, HOP)
        self._detector = Detector(band, direction, rate_hz)
        self._listener = Listener(self._tape.windows, band, direction, rate_hz)
        self._looked = 0
        self._waiting: list[_Waiting] = []
        self._delivered: list[tuple[float, bytes]] = []
        self._budget = Budget(_WORK_A_SECOND, _WORK_AT_ONCE, STREAM_HZ)
        self.unread = 0
        self.torn = 0
        self.preambles = 0

    @property
    def hearing(self) -> bool:
        """Tell whether something is being followed that is probably a token."""
        return any(
            each.sighting.height >= _CLEAR if each.tuned is None else each.tuned.sharpness >= _PLAIN
            for each in self._waiting
        )

    def hear(self, stream: np.ndarray) -> list[Reception]:
        """Take one hop of the stream."""
        self._tape.append(stream)
        if self._tape.end >= self._looked + BLOCK:
            self._look()
        heard: list[Reception] = []
        for waiting in [waiting for waiting in self._waiting if waiting.due <= self._tape.end]:
            if waiting in self._waiting:
                heard += self._attend(waiting)
        return heard

    def _look(self) -> None:
        seen = self._detector.look(self._tape.read(self._looked, BLOCK), self._looked)
        self._looked += DETECTOR_HOP
        for sighting in seen:
            near = [other for other in self._waiting if abs(other.sighting.centre - sighting.centre) < _SAME]
            if all(sighting.height > other.sighting.height for other in near):
                self._waiting = [other for other in self._waiting if other not in near]
                self._waiting.append(_Waiting(sighting, SHORT))
                self.preambles += sighting.height >= _CLEAR and not near
        self._waiting = sorted(self._waiting, key=lambda waiting: -waiting.sighting.height)[:_MOST_SIGHTINGS]

    def _attend(self, waiting: _Waiting) -> list[Reception]:
        """Try one form of a sighting; what remains to be tried waits on."""
        self._waiting.remove(waiting)
        tuned = waiting.tuned or self._tuned(waiting)
        if tuned is None or not self._budget.spend(_COST[waiting.form.name], self._tape.end):
            return []
        reception = self._listener.attempt(tuned, waiting.form)
        if reception is not None:
            return self._delivery(waiting.sighting.centre, reception)
        if waiting.form is LONG:
            self.unread += 1
            self.torn += tuned.sharpness >= _PLAIN and waiting.sighting.height >= _SEEN
        else:
            following = FORMS[FORMS.index(waiting.form) + 1]
            self._waiting.append(replace(waiting, form=following, tuned=tuned))
        return []

    def _delivery(self, centre: float, reception: Reception) -> list[Reception]:
        """Give a token unless an echo of the same token has given it already."""
        self._waiting = [other for other in self._waiting if abs(other.sighting.centre - centre) >= _SAME]
        payload = reception.payload
        again = any(payload == other and abs(centre - place) < _ECHO for place, other in self._delivered)
        self._delivered = [*self._delivered, (centre, payload)][-_MOST_SIGHTINGS:]
        return [] if again else [reception]

    def _tuned(self, waiting: _Waiting) -> Tuned | None:
        if not self._budget.spend(_COST["tune"], self._tape.end):
            return None
        return self._listener.tune(waiting.sighting)


class TokenReceiver:
    """Hears all forms in all bands that the rate carries; not for several threads."""

    def __init__(self, sample_rate: int, direction: Direction = Direction.TOKEN) -> None:
        if not LOWEST_HZ <= sample_rate <= HIGHEST_HZ:
            raise SampleRate(sample_rate, LOWEST_HZ, HIGHEST_HZ)
        self._rate_hz = sample_rate
        bands = tuple(band for band in BANDS if band.centre_hz < sample_rate / 2 - band.width_hz / 4)
        self._mixer = Mixer(sample_rate, bands)
        self._ears = [_Ear(band, direction, sample_rate) for band in bands]
        self._closed = False
        self.last: Reception | None = None
        """The newest token with its signal-to-noise ratio."""

    def feed(self, pcm: np.ndarray) -> list[bytes]:
        """Give the payloads that are complete with these int16 samples, each once."""
        if self._closed:
            return []
        heard: list[bytes] = []
        piece = int(self._rate_hz * _PIECE_S)
        for start in range(0, len(pcm), piece):
            streams = self._mixer.push(pcm[start : start + piece])
            if streams is not None:
                heard += self._hear(streams)
        return heard

    @property
    def unread(self) -> int:
        """Preambles with pilots of which no form could be read: many of them are a sign of jamming or collisions."""
        return sum(ear.unread for ear in self._ears)

    @property
    def torn(self) -> int:
        """Of the unread ones, those that were surely tokens."""
        return sum(ear.torn for ear in self._ears)

    @property
    def preambles(self) -> int:
        """Clear preambles so far, echoes among them, whether or not a token was read around them."""
        return sum(ear.preambles for ear in self._ears)

    @property
    def hearing(self) -> bool:
        """Tell whether a token is probably being heard now: from its middle on, until it is read or given up."""
        return any(ear.hearing for ear in self._ears)

    def flush(self) -> list[bytes]:
        """Hear the last samples to the end, as if silence followed."""
        return self.feed(np.zeros(self._rate_hz // 2, np.int16))

    def close(self) -> None:
        """Stop; a closed receiver hears nothing. Harmless when closed."""
        self._closed = True

    def _hear(self, streams: np.ndarray) -> list[bytes]:
        heard: list[bytes] = []
        for start in range(0, streams.shape[1], HOP):
            for ear, stream in zip(self._ears, streams, strict=True):
                for reception in ear.hear(stream[start : start + HOP]):
                    self.last = reception
                    heard.append(reception.payload)
        return heard
