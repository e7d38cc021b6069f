"""The air interface of sound: tokens between a phone's loudspeaker and a terminal's microphone, both ways.

Our own waveform is in forms, frame, convolution, layout, modulator (what is sent) and mixer, detector, carriers,
estimate, listener, receiver (how it is heard); docs/waveform.md specifies it. ggwave is a second waveform that can be
switched on. numpy and ggwave are loaded when the first token is made or listened for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from protocol.waveform.errors import UnknownWaveform

if TYPE_CHECKING:
    import numpy as np

TILLWAVE = "TILLWAVE"
GGWAVE = "GGWAVE"
WAVEFORMS = (TILLWAVE, GGWAVE)
DEFAULT_WAVEFORM = TILLWAVE


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


def modulate_high(payload: bytes, sample_rate: int) -> np.ndarray:
    """Give a normal token at 15 to 19.5 kHz, for quiet shops; rates from 42.8 kHz on; as `modulate`."""
    from protocol.waveform.forms import HIGH, NORMAL  # noqa: PLC0415 - with what follows
    from protocol.waveform.playing import played  # noqa: PLC0415 - numpy is heavy

    return played(payload, NORMAL, sample_rate, HIGH)


def modulate_challenge(payload: bytes, sample_rate: int) -> np.ndarray:
    """Give what a terminal plays to a phone, 8 to 64 bytes; no terminal hears it. As `modulate`."""
    from protocol.waveform.forms import NORMAL, Direction  # noqa: PLC0415 - with what follows
    from protocol.waveform.playing import played  # noqa: PLC0415 - numpy is heavy

    return played(payload, NORMAL, sample_rate, direction=Direction.CHALLENGE)


def modulate_challenge_high(payload: bytes, sample_rate: int) -> np.ndarray:
    """Give what a terminal plays to a phone at 15 to 19.5 kHz; as `modulate_challenge` and `modulate_high`."""
    from protocol.waveform.forms import HIGH, NORMAL, Direction  # noqa: PLC0415 - with what follows
    from protocol.waveform.playing import played  # noqa: PLC0415 - numpy is heavy

    return played(payload, NORMAL, sample_rate, HIGH, Direction.CHALLENGE)


def open_receiver(sample_rate: int, waveform: str = DEFAULT_WAVEFORM) -> Receiver:
    """Begin to listen for tokens at this rate (16 to 192 kHz); raises a WaveformError."""
    if waveform == GGWAVE:
        from protocol.waveform.ggwave_wave import GgwaveReceiver  # noqa: PLC0415 - an optional library

        return GgwaveReceiver(sample_rate)
    if waveform != TILLWAVE:
        raise UnknownWaveform(waveform, WAVEFORMS)
    from protocol.waveform.receiver import TokenReceiver  # noqa: PLC0415 - numpy is heavy

    return TokenReceiver(sample_rate)


def _made(payload: bytes, form: str, sample_rate: int) -> np.ndarray:
    from protocol.waveform import forms, playing  # noqa: PLC0415 - numpy is heavy

    return playing.played(payload, getattr(forms, form), sample_rate)
