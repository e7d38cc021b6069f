"""Listens to one microphone: samples wait in a short queue, and a thread of its own decodes them."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from device.decode.acoustic import AcousticDecoder
from device.drivers.base import Microphone, Samples
from device.ports import Reading

log = logging.getLogger(__name__)

_LONGEST_QUEUE = 64
"""Pieces; more than a second of sound behind, the oldest piece is dropped."""
_JOIN_S = 2.0


class _Rearm:
    """Stands in the queue where a sale begins."""


_REARM = _Rearm()


class Ears:
    """Hears payment tokens in what one microphone delivers."""

    def __init__(self, microphone: Microphone, deliver: Callable[[Reading], None]) -> None:
        self._microphone = microphone
        self._deliver = deliver
        self._pieces: queue.Queue[Samples | _Rearm | None] = queue.Queue(_LONGEST_QUEUE)
        self._thread: threading.Thread | None = None
        self._decoder: AcousticDecoder | None = None
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

    def _take(self, samples: Samples) -> None:
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
        log.debug("%s: decoding is behind; a piece of sound is dropped", self._microphone.name)

    def _run(self) -> None:
        while (piece := self._pieces.get()) is not None:
            if isinstance(piece, _Rearm):
                if self._decoder is not None:
                    self._decoder.rearm()
                continue
            for token in self._decoder_for(piece.rate_hz).feed(piece.pcm, piece.at_ms):
                self._deliver(token.reading())
        if self._decoder is not None:
            self._decoder.close()

    def _decoder_for(self, rate_hz: int) -> AcousticDecoder:
        if self._decoder is None or rate_hz != self._rate_hz:
            if self._decoder is not None:
                self._decoder.close()
            self._decoder, self._rate_hz = AcousticDecoder(rate_hz, self._microphone.name), rate_hz
        return self._decoder
