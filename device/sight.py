"""What a camera tells people of what it sees: hints for the shopper, marks for the technician."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from device.ports import Reading


class Hint(Enum):
    """What keeps a code from being read."""

    CLOSER = "closer"
    FARTHER = "farther"
    TILT = "tilt"
    """The code is held at a slant to the camera."""
    TOO_BRIGHT = "too-bright"
    TOO_DARK = "too-dark"
    HOLD_STILL = "hold-still"
    NOT_READ = "not-read"
    """A code is seen and nothing is known to be wrong with how it is held."""


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle of a picture, in parts of its width and height."""

    left: float
    top: float
    right: float
    bottom: float

    def touches(self, other: Place) -> bool:
        """Whether the two share a point."""
        return (
            self.left <= other.right
            and other.left <= self.right
            and self.top <= other.bottom
            and other.top <= self.bottom
        )

    def is_near(self, other: Place, nearness: float) -> bool:
        """Whether no side is further than `nearness` from the same side of the other."""
        return (
            max(
                abs(self.left - other.left),
                abs(self.top - other.top),
                abs(self.right - other.right),
                abs(self.bottom - other.bottom),
            )
            <= nearness
        )


@dataclass(frozen=True, slots=True)
class Guidance:
    """What one camera would say to the shopper now; without a hint there is nothing to say."""

    device: str
    hint: Hint | None = None
    places: tuple[Place, ...] = ()
    """Where something was seen that is not read."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One place of a picture: a code that was read, or a place that looks like one and was not."""

    place: Place
    symbology: str = ""
    """Of a code that was read; empty: not read."""
    length: int = 0
    """Bytes of a code that was read."""
    hint: Hint | None = None
    """Why it was not read, as far as that is known."""
    looks: int = 0
    """Pictures in a row in which the place was looked at in vain."""
    spent_ms: float = 0.0
    """Processor time of these looks."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How a picture is exposed, and what the work on it costs."""

    brightness: int
    """Mean grey level, 0 to 255."""
    burnt_out: float
    """Part of the pixels that are white, 0 to 1."""
    dark: float
    """Part of the pixels that are nearly black, 0 to 1."""
    frames_per_second: float
    picture_ms: float
    """Processor time of the decoder for this picture."""


@dataclass(frozen=True, slots=True)
class LiveView:
    """One picture of a camera for whoever looks, with what the decoder made of it."""

    device: str
    at_ms: int
    """CLOCK_MONOTONIC in milliseconds when the picture was decoded."""
    width: int
    height: int
    """Of the camera's picture; the JPEG may be smaller."""
    marks: tuple[Mark, ...]
    figures: Figures
    jpeg: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PlacedReading(Reading):
    """A reading of a camera, with its place in the picture."""

    place: Place | None = None

    __repr__ = Reading.__repr__
