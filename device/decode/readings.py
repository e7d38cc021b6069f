"""What optical decoding takes and gives: pictures of one kind, readings with exact bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from device.decode.codes import Code
from device.decode.witness import place_of
from device.ports import Reading, Source
from device.sight import PlacedReading

LARGEST_PIXELS = 64_000_000
SMALLEST_SIDE = 8
"""No code is smaller, and the decoders are not asked about less."""


class NotAPicture(ValueError):
    """An array that is not height x width of uint8, or of a size that nobody can read."""


@dataclass(frozen=True, slots=True)
class OpticalReading(PlacedReading):
    """A reading with the decoder's opinion on the character set, which does not travel further than this process."""

    decoded: str = ""

    @property
    def text(self) -> str:
        """The payload as text: UTF-8 where it is, else what the code or the decoder says, else Latin-1."""
        try:
            return self.raw.decode("utf-8")
        except UnicodeDecodeError:
            return self.decoded or self.raw.decode("latin-1")

    __repr__ = Reading.__repr__


def checked(gray: np.ndarray) -> np.ndarray:
    """Give the picture, contiguous; NotAPicture for what is none."""
    if not isinstance(gray, np.ndarray) or gray.dtype != np.uint8 or gray.ndim != 2:  # noqa: PLR2004
        shape, dtype = getattr(gray, "shape", None), getattr(gray, "dtype", type(gray).__name__)
        raise NotAPicture(f"a picture is a uint8 array of height x width, this is {dtype} of shape {shape}")
    if not 0 < gray.size <= LARGEST_PIXELS:
        raise NotAPicture(
            f"a picture of {gray.shape[1]} x {gray.shape[0]} pixels cannot be read: "
            f"at least one, at most {LARGEST_PIXELS // 1_000_000} million"
        )
    return np.ascontiguousarray(gray)


def distinct(codes: Sequence[Code]) -> list[Code]:
    """Leave out repetitions."""
    return list({code.key: code for code in codes}.values())


def reading_of(code: Code, device: str, at_ms: int) -> OpticalReading:
    """Make a reading of a code that may be believed."""
    return OpticalReading(
        Source.OPTICAL, device, code.symbology, code.raw, at_ms, code.aim, place=place_of(code.box), decoded=code.text
    )
