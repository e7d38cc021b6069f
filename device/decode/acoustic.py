"""Samples become readings: tokens of sound in the stream of a microphone."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np

from device.ports import Reading, Source
from protocol.waveform import DEFAULT_WAVEFORM, Receiver, open_receiver
from protocol.waveform.errors import WaveformError
from protocol.waveform.receiver import TokenReceiver

_PIECE: Final = 48_000
"""Samples handed on at a time, which bounds the memory for a long recording."""


@dataclass(frozen=True, slots=True)
class HeardToken:
    """One token out of the sound."""

    payload: bytes = field(repr=False)
    waveform: str
    device: str
    at_ms: int
    """CLOCK_MONOTONIC in milliseconds when the last sample of the piece arrived that completed it."""

    def reading(self) -> Reading:
        """Give it as what the rest of the terminal knows."""
        return Reading(Source.ACOUSTIC, self.device, self.waveform, self.payload, self.at_ms)


@dataclass(frozen=True, slots=True)
class Hearing:
    """How well the last token was heard. What it said is not in here."""

    waveform: str
    at_ms: int
    """As in HeardToken."""
    form: str = ""
    """The rest is known of our own waveform only."""
    band: str = ""
    snr_db: float | None = None
    clock_ppm: int | None = None
    """By how much the phone's clock is slower than ours, in millionths."""


class AcousticDecoder:
    """Gives each token of a stream of sound once, also if the phone plays it over and over.

    Not for several threads; `close` each. Raises a WaveformError when it is made if a waveform is unknown or its
    library is missing. Two phones at once are both heard: who asked for one token must decide about two.
    """

    AWAY_S: Final = 1.5
    """A token that was not heard for so long is a new one when it is heard again."""

    def __init__(self, sample_rate: int, device: str = "", waveforms: tuple[str, ...] = (DEFAULT_WAVEFORM,)) -> None:
        self._sample_rate = sample_rate
        self._device = device
        self._receivers: dict[str, Receiver] = {}
        self._open(waveforms)
        self._half_sample = b""
        self._samples = 0
        """Length of the stream so far: its clock does not care how fast it is fed."""
        self._last_heard: dict[bytes, int] = {}
        self.last: Hearing | None = None
        self.heard = 0
        """Tokens delivered so far."""
        self.read = 0
        """Tokens heard so far, the repeated ones too."""

    def feed(self, pcm: np.ndarray | bytes | bytearray | memoryview, at_ms: int | None = None) -> list[HeardToken]:
        """Give the tokens that are complete with these samples.

        Takes any number of int16 samples, or of bytes of signed 16-bit little-endian mono. No sound is an error; an
        array of another type is a TypeError.
        """
        samples = self._samples_of(pcm)
        now = time.monotonic_ns() // 1_000_000 if at_ms is None else at_ms
        heard = []
        for start in range(0, len(samples), _PIECE):
            piece = samples[start : start + _PIECE]
            self._samples += len(piece)
            for waveform, receiver in self._receivers.items():
                heard += self._new(waveform, receiver, receiver.feed(piece), now)
        return heard

    @property
    def unread(self) -> int:
        """Sounds that began as a token and could not be read; many of them are a sign of jamming or of collisions."""
        return sum(receiver.unread for receiver in self._ours)

    @property
    def torn(self) -> int:
        """Of the unread ones, those that were surely tokens."""
        return sum(receiver.torn for receiver in self._ours)

    @property
    def preambles(self) -> int:
        """Clear beginnings of tokens so far, read or not."""
        return sum(receiver.preambles for receiver in self._ours)

    @property
    def hearing(self) -> bool:
        """Tell whether a token is probably being heard now."""
        return any(receiver.hearing for receiver in self._ours)

    def flush(self) -> list[HeardToken]:
        """Give the tokens that end with the last sample of a recording."""
        now = time.monotonic_ns() // 1_000_000
        return [
            token
            for waveform, receiver in self._receivers.items()
            for token in self._new(waveform, receiver, receiver.flush(), now)
        ]

    def rearm(self) -> None:
        """Deliver again what is being played, for example because a sale has just begun."""
        self._last_heard.clear()

    def close(self) -> None:
        """Stop listening; harmless when closed. A closed decoder hears nothing."""
        for receiver in self._receivers.values():
            receiver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _ours(self) -> list[TokenReceiver]:
        return [receiver for receiver in self._receivers.values() if isinstance(receiver, TokenReceiver)]

    def _open(self, waveforms: tuple[str, ...]) -> None:
        try:
            for waveform in waveforms:
                self._receivers[waveform] = open_receiver(self._sample_rate, waveform)
        except WaveformError:
            self.close()
            raise

    def _samples_of(self, pcm: np.ndarray | bytes | bytearray | memoryview) -> np.ndarray:
        if isinstance(pcm, np.ndarray):
            if pcm.ndim != 1 or pcm.dtype.kind != "i" or pcm.dtype.itemsize != 2:  # noqa: PLR2004 - int16 in any order
                raise TypeError(f"sound is an int16 array of one dimension, this is {pcm.dtype} of shape {pcm.shape}")
            return pcm.astype(np.int16)
        joined = self._half_sample + bytes(pcm)
        whole = len(joined) - len(joined) % 2
        self._half_sample = joined[whole:]
        return np.frombuffer(joined[:whole], "<i2").astype(np.int16)

    def _new(self, waveform: str, receiver: Receiver, payloads: list[bytes], now: int) -> list[HeardToken]:
        """Leave out what was heard a moment ago, but note how well it was heard."""
        if payloads:
            self.last = _hearing(waveform, receiver, now)
        away = round(self.AWAY_S * self._sample_rate)
        new = [
            payload
            for payload in dict.fromkeys(payloads)
            if payload not in self._last_heard or self._samples - self._last_heard[payload] > away
        ]
        self._last_heard = {
            payload: at for payload, at in self._last_heard.items() if self._samples - at <= away
        } | dict.fromkeys(payloads, self._samples)
        self.heard += len(new)
        self.read += len(payloads)
        return [HeardToken(payload, waveform, self._device, now) for payload in new]


def _hearing(waveform: str, receiver: Receiver, now: int) -> Hearing:
    reception = receiver.last if isinstance(receiver, TokenReceiver) else None
    if reception is None:
        return Hearing(waveform, now)
    return Hearing(
        waveform,
        now,
        form=reception.form.name,
        band=reception.band.name,
        snr_db=round(reception.snr_db, 1),
        clock_ppm=round(1e6 * reception.stretch),
    )
