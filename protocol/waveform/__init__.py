"""The air interface of sound: tokens as tones, between a phone's loudspeaker and a terminal's microphone, both ways.

One module a waveform; numpy and the library of a waveform are loaded when the first token is made or listened for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

DEFAULT_WAVEFORM = "TILLWAVE"


class Receiver(Protocol):
    """Hears tokens of one waveform in a stream of sound."""

    def feed(self, pcm: np.ndarray) -> list[bytes]:
        """Give the payloads that are complete with these int16 samples; one token may be given several times."""

    def flush(self) -> list[bytes]:
        """Hear the last samples to the end, as if silence followed."""

    def close(self) -> None:
        """Give the resources back; harmless when closed."""


def modulate(payload: bytes, sample_rate: int) -> np.ndarray:
    """Give the token of a payload of 8 to 64 bytes, 1.0 s, as float32 samples in [-1, 1]; raises a WaveformError."""
    return _made(payload, "NORMAL", sample_rate)


def modulate_short(payload: bytes, sample_rate: int) -> np.ndarray:
    """Give the token of a payload of 8 to 24 bytes in 0.5 s; as `modulate`."""
    return _made(payload, "SHORT", sample_rate)


def modulate_long(payload: bytes, sample_rate: int) -> np.ndarray:
    """Give the token of a payload of 65 to 192 bytes in 1.4 s; as `modulate`."""
    return _made(payload, "LONG", sample_rate)


def open_receiver(sample_rate: int) -> Receiver:
    """Begin to listen at this rate (16 to 192 kHz); raises a WaveformError."""
    from protocol.waveform.receiver import TokenReceiver  # noqa: PLC0415 - numpy is heavy

    return TokenReceiver(sample_rate)


def _made(payload: bytes, form: str, sample_rate: int) -> np.ndarray:
    from protocol.waveform import forms, playing  # noqa: PLC0415 - numpy is heavy

    return playing.played(payload, getattr(forms, form), sample_rate)
