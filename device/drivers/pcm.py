"""Sound as numbers: conversions between float and 16-bit samples, rates, and WAV files."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Int16 = NDArray[np.int16]

_FULL_SCALE: Final = 32767
_LONGEST_WAV_S: Final = 600


def to_int16(samples: NDArray[Any]) -> Int16:
    """Turn float samples in [-1, 1] into 16-bit ones, cutting what is louder; 16-bit samples stay as they are."""
    if samples.dtype == np.int16:
        return samples.astype(np.int16, copy=False)
    clipped = np.clip(np.nan_to_num(samples), -1.0, 1.0)
    whole: Int16 = np.rint(clipped * _FULL_SCALE).astype(np.int16)
    return whole


def to_float(samples: NDArray[Any]) -> Float:
    """Turn 16-bit samples into float ones in [-1, 1]."""
    return (samples.astype(np.float32) / _FULL_SCALE).astype(np.float32)


def on_all_channels(pcm: Int16, channels: int) -> Int16:
    """Put the same 16-bit samples on several channels."""
    return np.repeat(pcm, channels)


def resample(samples: Float, from_hz: int, to_hz: int) -> Float:
    """Change the rate of a whole piece, with a sharp filter at the lower of the two half rates."""
    if from_hz == to_hz or len(samples) == 0:
        return samples
    wanted = max(1, round(len(samples) * to_hz / from_hz))
    spectrum = np.fft.rfft(samples)
    fitted = np.zeros(wanted // 2 + 1, dtype=spectrum.dtype)
    kept = min(len(spectrum), len(fitted))
    fitted[:kept] = spectrum[:kept]
    return (np.fft.irfft(fitted, wanted) * (wanted / len(samples))).astype(np.float32)


def read_wav(path: Path) -> tuple[Int16, int]:
    """Read a WAV file of 16-bit samples and give its first channel and rate; raises ValueError for any other."""
    try:
        with wave.open(str(path), "rb") as file:
            if file.getsampwidth() != np.dtype(np.int16).itemsize:
                raise ValueError(f"{path}: only WAV files of 16-bit samples are read")
            if file.getnframes() > _LONGEST_WAV_S * file.getframerate():
                raise ValueError(f"{path}: longer than {_LONGEST_WAV_S} seconds")
            pcm = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
            return pcm[:: file.getnchannels()].astype(np.int16), file.getframerate()
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path}: not a WAV file: {error}") from error


def write_wav(path: Path, samples: NDArray[Any], rate_hz: int) -> None:
    """Write a mono WAV file of 16-bit samples."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(to_int16(samples).astype("<i2").tobytes())
