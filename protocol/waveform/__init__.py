"""The air interface of sound: tokens as tones, between a phone's loudspeaker and a terminal's microphone, both ways.

One module a waveform; numpy and the library of a waveform are loaded when the first token is made or listened for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

DEFAULT_WAVEFORM = "GGWAVE"


class Receiver(Protocol):
    """Hears tokens of one waveform in a stream of sound."""

    def feed(self, pcm: np.ndarray) -> list[bytes]:
        """Give the payloads that are complete with these int16 samples; one token may be given several times."""

    def flush(self) -> list[bytes]:
        """Hear the last samples to the end, as if silence followed."""

    def close(self) -> None:
        """Give the resources back; harmless when closed."""


def modulate(payload: bytes, sample_rate: int) -> np.ndarray:
    """Give the token of a payload of 1 to 64 bytes as float32 samples in [-1, 1]; raises a WaveformError."""
    from protocol.waveform import ggwave_wave  # noqa: PLC0415 - numpy is heavy, ggwave optional

    return ggwave_wave.modulate(payload, sample_rate)


def open_receiver(sample_rate: int) -> Receiver:
    """Begin to listen at this rate (16 to 192 kHz); raises a WaveformError."""
    from protocol.waveform import ggwave_wave  # noqa: PLC0415 - numpy is heavy, ggwave optional

    return ggwave_wave.GgwaveReceiver(sample_rate)
