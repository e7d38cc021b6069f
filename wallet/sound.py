"""A token as sound: 16-bit mono WAV of the waveform that terminals listen to."""

from __future__ import annotations

import io
import wave

from protocol.waveform import modulate
from protocol.waveform.errors import WaveformError
from wallet.errors import NoSound

SAMPLE_RATES = (44100, 48000)
DEFAULT_RATE = 48000


def wav_of(token: bytes, sample_rate: int = DEFAULT_RATE) -> bytes:
    """Write a short token as WAV; NoSound if the waveform cannot be used."""
    import numpy as np  # noqa: PLC0415 only who plays needs it

    try:
        samples = modulate(token, sample_rate)
    except WaveformError as error:
        raise NoSound(str(error)) from error
    pcm = np.round(np.clip(samples, -1.0, 1.0) * 32767).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(sample_rate)
        writer.writeframes(pcm.tobytes())
    return file.getvalue()
