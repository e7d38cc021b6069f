"""What one look at a picture gives: codes with their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from device.decode.symbologies import SYMBOLOGIES


@dataclass(frozen=True, slots=True)
class Box:
    """A place in a picture, in parts of its width and height."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, points: Sequence[tuple[int, int]], width: int, height: int) -> Box:
        """Enclose points given in pixels; the whole picture if there are none."""
        if not points:
            return cls(0.0, 0.0, 1.0, 1.0)
        across = [x / width for x, _ in points]
        down = [y / height for _, y in points]
        return cls(min(across), min(down), max(across), max(down))

    def is_at_edge(self, nearness: float = 0.01) -> bool:
        """Whether it reaches the edge of the picture, which may cut off a part."""
        return min(self.left, self.top, 1 - self.right, 1 - self.bottom) < nearness

    def touches(self, other: Box) -> bool:
        """Whether the two share a point."""
        return (
            self.left <= other.right
            and other.left <= self.right
            and self.top <= other.bottom
            and other.top <= self.bottom
        )


@dataclass(frozen=True, slots=True)
class Code:
    """One code as one decoder saw it at one look."""

    symbology: str
    raw: bytes
    aim: str
    box: Box
    text: str = ""
    """What the decoder takes the bytes for where they are not UTF-8; empty if it has no opinion."""

    @property
    def key(self) -> tuple[str, bytes]:
        """What makes two sightings the same code."""
        return self.symbology, self.raw

    @property
    def linear(self) -> bool:
        """Whether the code needs a second look."""
        return SYMBOLOGIES[self.symbology].linear

    def at(self, box: Box) -> Code:
        """Give the same code, seen at another place."""
        return replace(self, box=box)

    def __repr__(self) -> str:
        """Name everything but the payload, which may be a token."""
        return f"<Code {self.symbology}, {len(self.raw)} bytes>"
