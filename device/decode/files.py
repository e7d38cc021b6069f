"""Files become readings: pictures and recordings, for the command line and for whoever checks what was shown or played.

FileRefused
+-- UnreadableFile    missing, a folder, torn, or of a kind that is not read
+-- OversizeFile      more pixels or more sound than anybody shows to a counter
"""

from __future__ import annotations

import itertools
import warnings
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, UnidentifiedImageError

from device.decode.acoustic import AcousticDecoder
from device.decode.optical import LARGEST_PIXELS, read_still
from device.ports import Reading
from protocol.waveform.receiver import LOWEST_HZ

PICTURE_FORMATS: Final = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""Nothing that starts another program, as PostScript does."""
LONGEST_S: Final = 3600
_LONGEST_COMPLAINT: Final = 200
_PIECE_FRAMES: Final = 48_000
_BYTES_OF_WIDTH_24: Final = 3


class FileRefused(ValueError):
    """A file that cannot be read; the text says why, without its name."""


class UnreadableFile(FileRefused):
    """Not a picture and not a recording, or a torn one."""


class OversizeFile(FileRefused):
    """Too large to be honest."""


def read_file(path: Path) -> list[Reading]:
    """Give every code of a picture, or every token of a WAV file; FileRefused, or a WaveformError."""
    try:
        if path.exists() and not path.is_file():
            raise UnreadableFile("not a file")
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise UnreadableFile(f"cannot be opened: {error.strerror}") from error
    if not head:
        raise UnreadableFile("the file is empty")
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return read_recording(path)
    return list(read_still(load_picture(path)))


def load_picture(path: Path) -> np.ndarray:
    """Load a picture as uint8 luma, transparency on white; FileRefused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd metadata, and about sizes that are checked here
            with Image.open(path, formats=PICTURE_FORMATS) as picture:
                _check_size(picture)
                return _luma(picture)
    except FileRefused:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableFile(
            f"neither a WAV file nor a picture that is read here ({', '.join(PICTURE_FORMATS)})"
        ) from error
    except Image.DecompressionBombError as error:
        raise OversizeFile(_too_many_pixels()) from error
    except Exception as error:  # Pillow's plugins raise anything about hostile files
        raise UnreadableFile(f"the picture is torn or broken: {_plain(error)}") from error


def read_recording(path: Path) -> list[Reading]:
    """Give every token of a WAV file of whole-number samples; FileRefused, or a WaveformError."""
    pieces = recorded_pieces(path)
    first, rate_hz = next(pieces, (np.zeros(0, np.int16), LOWEST_HZ))
    heard = []
    with AcousticDecoder(rate_hz) as decoder:
        for piece, _ in itertools.chain([(first, rate_hz)], pieces):
            heard += decoder.feed(piece, at_ms=0)
        heard += decoder.flush()
    return [token.reading() for token in heard]


def recorded_pieces(path: Path, frames: int = _PIECE_FRAMES) -> Iterator[tuple[np.ndarray, int]]:
    """Give a WAV file of whole-number samples piece by piece as int16 mono, each with the rate; FileRefused."""
    try:
        with wave.open(str(path), "rb") as recording:
            rate_hz = recording.getframerate()
            if recording.getnframes() > LONGEST_S * rate_hz:
                raise OversizeFile(f"the recording is longer than {LONGEST_S} seconds")
            while data := recording.readframes(frames):
                yield _mono(data, recording.getsampwidth(), recording.getnchannels()), rate_hz
    except OSError as error:
        raise UnreadableFile(f"cannot be opened: {error.strerror}") from error
    except (wave.Error, EOFError) as error:
        raise UnreadableFile(f"the WAV file is torn, or not of whole-number samples: {error}") from error


def _check_size(picture: Image.Image) -> None:
    if picture.width * picture.height > LARGEST_PIXELS:
        raise OversizeFile(_too_many_pixels())


def _too_many_pixels() -> str:
    return f"the picture has more than {LARGEST_PIXELS // 1_000_000} million pixels"


def _plain(error: Exception) -> str:
    """Give what a library says without control characters, which it may quote from the file, and not at length."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(error))[:_LONGEST_COMPLAINT]


def _luma(picture: Image.Image) -> np.ndarray:
    if picture.has_transparency_data:
        colours = picture.convert("RGBA")
        paper = Image.new("RGBA", colours.size, "white")
        paper.alpha_composite(colours)
        picture = paper
    if picture.mode.startswith("I;16"):
        return (np.asarray(picture) >> 8).astype(np.uint8)
    return np.asarray(picture.convert("L"))


def _mono(data: bytes, width: int, channels: int) -> np.ndarray:
    """Give int16 samples, the mean of all channels."""
    whole = len(data) - len(data) % (width * channels)
    if width == 1:
        samples = (np.frombuffer(data[:whole], np.uint8).astype(np.int32) - 128) << 8
    elif width == _BYTES_OF_WIDTH_24:
        octets = np.frombuffer(data[:whole], np.uint8).reshape(-1, 3)
        samples = octets[:, 1].astype(np.int32) | (octets[:, 2].astype(np.int8).astype(np.int32) << 8)
    else:
        samples = np.frombuffer(data[:whole], f"<i{width}").astype(np.int64) >> (8 * (width - 2))
    mono: np.ndarray = samples.reshape(-1, channels).mean(axis=1).astype(np.int16)
    return mono
