"""A token as sound in a file: 16-bit mono WAV at 48 kHz, of the waveform that terminals listen to."""

from __future__ import annotations

import io
import wave

SAMPLE_RATE = 48_000


def wav_of(token: bytes, *, high: bool = False) -> bytes:
    """Write a wallet token in the form that fits it, in the audible or the high band; PayloadLength if none does."""
    import numpy as np  # noqa: PLC0415 only who plays needs it

    from protocol.waveform.forms import AUDIBLE, HIGH, form_for  # noqa: PLC0415
    from protocol.waveform.playing import played  # noqa: PLC0415

    band = HIGH if high else AUDIBLE
    samples = played(token, form_for(len(token), band), SAMPLE_RATE, band)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
    return file.getvalue()
