"""Listens to one microphone: samples wait in a short queue, and a thread of its own decodes them."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from device.decode.acoustic import AcousticDecoder, Hearing
from device.decode.attention import Attention
from device.decode.disturbance import JammingSettings, Sound
from device.decode.sound_meter import SoundMeter
from device.drivers.base import Microphone, Samples
from device.ports import Reading
from protocol.waveform import DEFAULT_WAVEFORM, open_receiver
from protocol.waveform.errors import WaveformError

log = logging.getLogger(__name__)

_LONGEST_QUEUE = 64
"""Pieces; more than a second of sound behind, the oldest piece is dropped."""
_JOIN_S = 2.0


def _log_trouble(waveform: str, trouble: str) -> None:
    log.error("%s: %s", waveform, trouble or "heard again")


def _tell_nobody(_device: str, _sound: Sound) -> None:
    pass


class _Rearm:
    """Stands in the queue where a sale begins."""


_REARM = _Rearm()


@dataclass(frozen=True, slots=True)
class Earshot:
    """How one microphone and its decoder are doing."""

    device: str
    rate_hz: int
    """0 before the first piece."""
    heard: int
    unread: int
    """Tokens delivered, and sounds that began as one and could not be read, since the rate was last set."""
    last: Hearing | None
    overruns: int
    """Gaps that the sound card told of."""
    dropped: int
    """Pieces that were not decoded in time."""


class Ears:
    """Hears payment tokens in what one microphone delivers.

    `complain(waveform, trouble)` is told of a waveform that cannot be heard, with an empty text once it can; the others
    are heard all the same. `tell(device, sound)` is told, from a thread, what else the microphone notices.
    """

    def __init__(
        self,
        microphone: Microphone,
        deliver: Callable[[Reading], None],
        waveforms: tuple[str, ...] = (DEFAULT_WAVEFORM,),
        complain: Callable[[str, str], None] = _log_trouble,
        *,
        tell: Callable[[str, Sound], None] = _tell_nobody,
        jamming: JammingSettings = JammingSettings(),  # noqa: B008 - frozen
    ) -> None:
        self._microphone = microphone
        self._deliver = deliver
        self._waveforms = waveforms
        self._complain = complain
        self._troubled: set[str] = set()
        self._meter: SoundMeter | None = None
        self._dropped = 0
        self._pieces: queue.Queue[Samples | _Rearm | None] = queue.Queue(_LONGEST_QUEUE)
        self._thread: threading.Thread | None = None
        self._decoder: AcousticDecoder | None = None
        self._tell = tell
        self._jamming = jamming
        self._attention: Attention | None = None
        self._deaf_until_ms = 0
        self._rate_hz = 0

    def start(self) -> None:
        """Start microphone and decoder."""
        if self._thread is not None:
            return
        self._thread = threading.Thread(target=self._run, name=f"ears {self._microphone.name}", daemon=True)
        self._thread.start()
        self._microphone.listen(self._take)
        self._microphone.start()

    def stop(self) -> None:
        """End both."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._microphone.stop()
        self._put(None)
        thread.join(_JOIN_S)

    def rearm(self) -> None:
        """Hear a token again that is still being played: a new sale has begun."""
        self._put(_REARM)

    def deafen(self, until_ms: int) -> None:
        """Judge nothing but tokens until then (CLOCK_MONOTONIC): the terminal itself plays."""
        self._deaf_until_ms = until_ms

    def measure(self, meter: SoundMeter | None) -> None:
        """Let a meter see every piece as well, until None takes its place."""
        self._meter = meter

    def earshot(self) -> Earshot:
        """Tell how microphone and decoder are doing; from any thread."""
        decoder = self._decoder
        return Earshot(
            device=self._microphone.name,
            rate_hz=self._rate_hz,
            heard=decoder.heard if decoder else 0,
            unread=decoder.unread if decoder else 0,
            last=decoder.last if decoder else None,
            overruns=self._microphone.overruns,
            dropped=self._dropped,
        )

    def _take(self, samples: Samples) -> None:
        meter = self._meter
        if meter is not None:
            meter.take(samples.pcm, samples.rate_hz)
        self._put(samples)

    def _put(self, piece: Samples | _Rearm | None) -> None:
        while True:
            try:
                self._pieces.put_nowait(piece)
            except queue.Full:
                self._drop_oldest()
            else:
                return

    def _drop_oldest(self) -> None:
        try:
            self._pieces.get_nowait()
        except queue.Empty:
            return
        self._dropped += 1
        log.debug("%s: decoding is behind; a piece of sound is dropped", self._microphone.name)

    def _run(self) -> None:
        while (piece := self._pieces.get()) is not None:
            try:
                self._hear(piece)
            except Exception:  # whatever a library throws must not leave the terminal deaf
                log.exception("%s: unexpected error while listening, which begins anew", self._microphone.name)
                self._close_decoder()
        self._close_decoder()

    def _hear(self, piece: Samples | _Rearm) -> None:
        if isinstance(piece, _Rearm):
            if self._decoder is not None:
                self._decoder.rearm()
            return
        decoder = self._decoder_for(piece.rate_hz)
        for token in decoder.feed(piece.pcm, piece.at_ms):
            self._deliver(token.reading())
        self._attend(decoder, piece)

    def _close_decoder(self) -> None:
        decoder, self._decoder = self._decoder, None
        if decoder is not None:
            decoder.close()

    def _attend(self, decoder: AcousticDecoder, piece: Samples) -> None:
        if self._attention is None:
            self._attention = Attention(piece.rate_hz, self._jamming)
        samples = np.frombuffer(piece.pcm[: len(piece.pcm) // 2 * 2], "<i2")
        is_deaf = piece.at_ms < self._deaf_until_ms
        for sound in self._attention.follow(samples, decoder, deaf=is_deaf):
            self._tell(self._microphone.name, sound)

    def _begin_anew(self) -> None:
        """End what another rate has begun to tell."""
        if self._attention is not None:
            for sound in self._attention.end():
                self._tell(self._microphone.name, sound)
        self._attention = None

    def _decoder_for(self, rate_hz: int) -> AcousticDecoder:
        if self._decoder is None or rate_hz != self._rate_hz:
            self._close_decoder()
            self._begin_anew()
            usable = tuple(waveform for waveform in self._waveforms if self._can_hear(waveform, rate_hz))
            self._decoder, self._rate_hz = AcousticDecoder(rate_hz, self._microphone.name, usable), rate_hz
        return self._decoder

    def _can_hear(self, waveform: str, rate_hz: int) -> bool:
        try:
            open_receiver(rate_hz, waveform).close()
        except WaveformError as error:
            self._troubled.add(waveform)
            self._complain(waveform, str(error))
            return False
        if waveform in self._troubled:
            self._troubled.discard(waveform)
            self._complain(waveform, "")
        return True
