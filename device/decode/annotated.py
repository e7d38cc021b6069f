"""Pictures with what was found drawn into them: codes with kind and text, and unread places with the reason.

They show payloads, which may be payment tokens: for the technician's own files, never for a page.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from device.decode.readings import SMALLEST_SIDE, checked
from device.decode.regions import Region, find_regions
from device.decode.witness import hint_of, place_of
from device.ports import Reading
from device.sight import Hint, LiveView, Mark, Place, PlacedReading

_READ: Final = (40, 215, 130)
_UNREAD: Final = (250, 180, 40)
_INK: Final = (8, 14, 16)
_MOST_PLACES: Final = 3
_LONGEST: Final = 48
_WORTH: Final = 0.15
"""Of the weight of the strongest place; less is the edge of a card, or a line of text."""
_WHY: Final = {
    Hint.CLOSER: "too small",
    Hint.FARTHER: "too near, cut by the edge",
    Hint.TILT: "held at a slant",
    Hint.TOO_BRIGHT: "burnt out",
    Hint.TOO_DARK: "too dark",
    Hint.HOLD_STILL: "moves too fast",
    Hint.NOT_READ: "seen but not readable",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One place of a picture, with what is said of it."""

    place: Place
    label: str = field(repr=False)
    is_read: bool


def why(hint: Hint | None) -> str:
    """Say a hint in words for technicians."""
    return _WHY[hint] if hint is not None else "looks like a code, is not read"


def findings_of(picture: np.ndarray, readings: Iterable[Reading]) -> list[Finding]:
    """Give what was read in a picture, and the places that look like a code and were not."""
    read = [reading for reading in readings if isinstance(reading, PlacedReading) and reading.place is not None]
    found = [Finding(reading.place, _label(reading), is_read=True) for reading in read if reading.place is not None]
    if min(checked(picture).shape) < SMALLEST_SIDE:
        return found
    unread = _unread(picture, [one.place for one in found])
    return found + [
        Finding(place_of(region.box(picture)), why(hint_of(picture, region)), is_read=False) for region in unread
    ]


def findings_of_view(view: LiveView, readings: Sequence[PlacedReading]) -> list[Finding]:
    """Give what the decoder of a camera made of a picture; `readings` are all that came from it so far."""
    return [_finding(mark, readings) for mark in view.marks]


def annotated(picture: np.ndarray, findings: Iterable[Finding]) -> Image.Image:
    """Give a copy of the picture, in colour, with frames and labels."""
    canvas = Image.fromarray(checked(picture)).convert("RGB")
    draw = ImageDraw.Draw(canvas)
    size = max(11, canvas.height // 40)
    font = ImageFont.load_default(size)
    for finding in sorted(findings, key=lambda one: one.is_read):
        colour = _READ if finding.is_read else _UNREAD
        place, (width, height) = finding.place, canvas.size
        left, top = min(place.left, place.right) * width, min(place.top, place.bottom) * height
        right, bottom = max(place.left, place.right) * width, max(place.top, place.bottom) * height
        draw.rectangle((left, top, right, bottom), outline=colour, width=max(2, size // 6))
        _write(draw, finding.label, (left, top, bottom), font, colour)
    return canvas


def picture_of(view: LiveView) -> np.ndarray:
    """Give the grey picture of a live view."""
    return np.asarray(Image.open(io.BytesIO(view.jpeg), formats=("JPEG",)).convert("L"))


def printable(text: str) -> str:
    """Show control characters instead of obeying them: the content of a code must not steer a screen."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in text)


def _finding(mark: Mark, readings: Sequence[PlacedReading]) -> Finding:
    if not mark.symbology:
        looks = f", {mark.looks} looks, {mark.spent_ms:.0f} ms" if mark.looks else ""
        return Finding(mark.place, why(mark.hint) + looks, is_read=False)
    for reading in reversed(readings):
        is_it = (reading.symbology, len(reading.raw)) == (mark.symbology, mark.length)
        if is_it and reading.place is not None and reading.place.touches(mark.place):
            return Finding(mark.place, _label(reading), is_read=True)
    return Finding(mark.place, f"{mark.symbology} {mark.length} bytes", is_read=True)


def _unread(picture: np.ndarray, read: Sequence[Place]) -> list[Region]:
    regions = find_regions(picture, most=_MOST_PLACES)
    both = (*regions.matrix, *regions.linear)
    least = _WORTH * max((region.weight for region in both), default=0.0)
    taken = list(read)
    found = []
    for region in both:
        place = place_of(region.box(picture))
        if region.weight >= least and not any(place.touches(other) for other in taken):
            taken.append(place)
            found.append(region)
    return found


def _label(reading: Reading) -> str:
    text = printable(reading.text)
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return f"{reading.symbology} {text}".encode("latin-1", "backslashreplace").decode("latin-1")


def _write(
    draw: ImageDraw.ImageDraw,
    text: str,
    where: tuple[float, float, float],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    colour: tuple[int, int, int],
) -> None:
    """Write a label above its frame, or below where there is no room."""
    left, top, bottom = where
    width, height = draw.im.size
    across, down = draw.textbbox((0, 0), text, font=font)[2:]
    x = max(0.0, min(left, width - across - 6))
    y = top - down - 6 if top >= down + 6 else min(bottom, height - down - 6)
    draw.rectangle((x, y, x + across + 6, y + down + 6), fill=colour)
    draw.text((x + 3, y + 2), text, fill=_INK, font=font)
