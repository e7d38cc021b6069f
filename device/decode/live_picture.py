"""Pictures for whoever looks through the camera: small, few, and with codes made too coarse to be read.

Nothing is made while nobody looks, and nothing is kept.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from PIL import Image

from device.decode.camera_wire import LARGEST_JPEG, WATCH_S, Watch
from device.decode.regions import Region, find_regions
from device.decode.witness import place_of
from device.sight import Figures, LiveView, Mark, Place

_EVERY_MS: Final = 250
_NARROWEST, _WIDEST = 160, 1920
_QUALITIES: Final = (75, 50, 25)
_WHITE: Final = 250
_BLACK: Final = 16
_STRIDE: Final = 4
_MOST_PLACES: Final = 8
_CELLS: Final = 8
"""A veiled place has so many cells along its longer side; the smallest code has 21 modules."""
_SMALLEST_CELL: Final = 6
_MARGIN: Final = 0.12
_MARGIN_LINEAR: Final = 0.45
"""Parts of a place's longer side that are veiled around it: its quiet zone, or the digits below the bars."""


class LivePicture:
    """Makes pictures of one camera for `WATCH_S` after each order, four a second at most."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._order = Watch(0, veiled=True)
        self._until_ms = 0
        self._shown_ms = 0
        self._frames = 0
        self._counted_ms = 0
        self._counted_frames = 0

    def order(self, watch: Watch, now: int) -> None:
        """Somebody looks."""
        self._order = watch
        self._until_ms = now + int(WATCH_S * 1000)

    def is_due(self, now: int) -> bool:
        """Whether the next picture should be made; to be asked at each picture, which is counted."""
        self._frames += 1
        if now >= self._until_ms:
            return False
        return now - self._shown_ms >= _EVERY_MS

    def make(self, picture: np.ndarray, marks: Sequence[Mark], picture_ms: float, now: int) -> LiveView:
        """Give the picture with its marks and figures."""
        order = self._order
        height, width = picture.shape
        shown = _reduced(picture, min(max(order.width, _NARROWEST), _WIDEST))
        if order.veiled:
            shown = veiled(shown, [*(mark.place for mark in marks), *_suspicious(picture)])
        self._shown_ms = now
        figures = _figures(picture, self._pace(now), picture_ms)
        return LiveView(self._device, now, width, height, tuple(marks), figures, _jpeg(shown))

    def _pace(self, now: int) -> float:
        """Count the pictures a second since the last one that was shown."""
        passed_ms, frames = now - self._counted_ms, self._frames - self._counted_frames
        self._counted_ms, self._counted_frames = now, self._frames
        return round(1000 * frames / passed_ms, 1) if 0 < passed_ms < WATCH_S * 1000 else 0.0


def veiled(picture: np.ndarray, places: Iterable[Place]) -> np.ndarray:
    """Give the picture with these places in coarse squares."""
    height, width = picture.shape
    canvas = Image.fromarray(picture.copy())
    for place in places:
        left, top = max(0, int(place.left * width)), max(0, int(place.top * height))
        right, bottom = min(width, int(place.right * width) + 1), min(height, int(place.bottom * height) + 1)
        if right <= left or bottom <= top:
            continue
        cell = max(_SMALLEST_CELL, -(-max(right - left, bottom - top) // _CELLS))
        cut = canvas.crop((left, top, right, bottom))
        coarse = cut.resize((-(-cut.width // cell), -(-cut.height // cell)), Image.Resampling.BOX)
        canvas.paste(coarse.resize(cut.size, Image.Resampling.NEAREST), (left, top))
    return np.asarray(canvas)


def _suspicious(picture: np.ndarray) -> list[Place]:
    """Give every place that may be a code, with what belongs to it."""
    regions = find_regions(picture, most=_MOST_PLACES)
    return [_with_margin(region, picture) for region in (*regions.matrix, *regions.linear)]


def _with_margin(region: Region, picture: np.ndarray) -> Place:
    place = place_of(region.box(picture))
    height, width = picture.shape
    margin = region.side * (_MARGIN if region.angle_deg is None else _MARGIN_LINEAR)
    across, down = margin / width, margin / height
    return Place(place.left - across, place.top - down, place.right + across, place.bottom + down)


def _reduced(picture: np.ndarray, width: int) -> np.ndarray:
    if picture.shape[1] <= width:
        return picture
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX))


def _jpeg(picture: np.ndarray) -> bytes:
    """Give a JPEG of at most `LARGEST_JPEG` bytes."""
    while True:
        for quality in _QUALITIES:
            file = io.BytesIO()
            Image.fromarray(picture).save(file, "JPEG", quality=quality)
            if file.tell() <= LARGEST_JPEG:
                return file.getvalue()
        picture = _reduced(picture, picture.shape[1] // 2)


def _figures(picture: np.ndarray, pace: float, picture_ms: float) -> Figures:
    grains = picture[::_STRIDE, ::_STRIDE]
    return Figures(
        brightness=round(float(grains.mean())),
        burnt_out=round(float((grains >= _WHITE).mean()), 3),
        dark=round(float((grains <= _BLACK).mean()), 3),
        frames_per_second=pace,
        picture_ms=round(picture_ms, 1),
    )
