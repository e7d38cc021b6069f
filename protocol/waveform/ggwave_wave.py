"""A second waveform: ggwave's AUDIBLE_FAST, 1.9 to 6.4 kHz, six tones at a time.

Payloads of 16 bytes, the size of a wallet token, go in ggwave's fixed-length mode: 1.28 s, no markers, heard even when
the start is cut off. Other lengths go in its variable mode, which needs 0.8 s more for markers. A receiver listens for
both.

ggwave works at 48 kHz on frames of 1024 samples, loses what does not fill one, and allows four instances in a process;
a receiver takes two, and a sender one for the time of the call.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

import numpy as np

from protocol.waveform.errors import SampleRate, TooManyReceivers, WaveformUnavailable
from protocol.waveform.ggwave_frame import CHECK_BYTES, seal, unseal
from protocol.waveform.resample import Resampler

NAME = "GGWAVE"
NATIVE_HZ = 48_000
LOWEST_HZ = 16_000
HIGHEST_HZ = 192_000
TOKEN_BYTES = 16
"""Payloads of this length go in fixed mode."""

_FRAME = 1024
_FIXED_LENGTH = TOKEN_BYTES + CHECK_BYTES
_VARIABLE_LENGTH = -1
_AUDIBLE_FAST = 1
_PROTOCOLS = 12
_INT16, _FLOAT32 = 4, 5
_MOST_INSTANCES = 4
_VOLUME = 50
_PEAK = 0.95
_ENOUGH_SILENCE = 16 * _FRAME
_one_at_a_time = threading.Lock()
"""ggwave keeps its instances and switches in variables of the process."""


def modulate(payload: bytes, sample_rate: int) -> np.ndarray:
    """Give the token as float32 samples in [-1, 1]; raises any WaveformError."""
    _check_rate(sample_rate)
    frame = seal(bytes(payload))
    length = _FIXED_LENGTH if len(frame) == _FIXED_LENGTH else _VARIABLE_LENGTH
    library = _library()
    instance = _open(library, length)
    try:
        with _one_at_a_time:
            encoded = library.encode(frame, protocolId=_AUDIBLE_FAST, volume=_VOLUME, instance=instance)
    finally:
        _close(library, [instance])
    samples = np.frombuffer(encoded, np.float32)
    if sample_rate != NATIVE_HZ:
        resampler = Resampler(NATIVE_HZ, sample_rate)
        samples = np.concatenate([resampler.push(samples), resampler.flush()])
    scaled: np.ndarray = samples * np.float32(_PEAK / np.abs(samples).max())
    return scaled


class GgwaveReceiver:
    """Hears tokens in a stream of int16 samples; not for several threads. `close` gives its two instances back."""

    def __init__(self, sample_rate: int) -> None:
        _check_rate(sample_rate)
        self._library = _library()
        self._instances: list[Any] = []
        self._finalizer = weakref.finalize(self, _close, self._library, self._instances)
        try:
            for length in (_FIXED_LENGTH, _VARIABLE_LENGTH):
                self._instances.append(_open(self._library, length))
        except TooManyReceivers:
            self.close()
            raise
        self._resampler = None if sample_rate == NATIVE_HZ else Resampler(sample_rate, NATIVE_HZ)
        self._waiting = np.zeros(0, np.int16)

    def feed(self, pcm: np.ndarray) -> list[bytes]:
        """Give the payloads that are complete with these samples; one token can be given several times in a row."""
        if not self._instances:
            return []
        samples = pcm if self._resampler is None else _as_int16(self._resampler.push(pcm))
        samples = np.concatenate([self._waiting, samples])
        whole = len(samples) - len(samples) % _FRAME
        self._waiting = samples[whole:].copy()
        return [payload for start in range(0, whole, _FRAME) for payload in self._hear(samples[start : start + _FRAME])]

    def flush(self) -> list[bytes]:
        """Hear the last samples to the end, as if silence followed."""
        silence = np.zeros(_ENOUGH_SILENCE, np.int16)
        return self.feed(silence)

    def close(self) -> None:
        """Give the instances back; harmless when closed. A closed receiver hears nothing."""
        self._finalizer()

    def _hear(self, frame: np.ndarray) -> list[bytes]:
        piece = frame.tobytes()
        heard = [self._library.decode(instance, piece) for instance in self._instances]
        payloads = [unseal(bytes(frame)) for frame in heard if frame]
        return [payload for payload in payloads if payload is not None]


def _library() -> Any:
    try:
        import ggwave  # noqa: PLC0415 - an optional package, which has to be built
    except ImportError as missing:
        raise WaveformUnavailable(NAME, "ggwave") from missing
    return ggwave


def _open(library: Any, length: int) -> Any:
    with _one_at_a_time:
        library.disableLog()
        for protocol in range(_PROTOCOLS):
            library.rxToggleProtocol(protocol, int(protocol == _AUDIBLE_FAST))
        parameters = library.getDefaultParameters()
        parameters.update(payloadLength=length, sampleFormatInp=_INT16, sampleFormatOut=_FLOAT32)
        instance = library.init(parameters)
    if instance is None or instance < 0:
        raise TooManyReceivers(_MOST_INSTANCES)
    return instance


def _close(library: Any, instances: list[Any]) -> None:
    with _one_at_a_time:
        while instances:
            library.free(instances.pop())


def _check_rate(sample_rate: int) -> None:
    if not LOWEST_HZ <= sample_rate <= HIGHEST_HZ:
        raise SampleRate(sample_rate, LOWEST_HZ, HIGHEST_HZ)


def _as_int16(samples: np.ndarray) -> np.ndarray:
    whole: np.ndarray = np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
    return whole
