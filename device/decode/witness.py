"""Remembers what the looks at a stream of pictures found and did not find, and says why a code is not read.

What stays in view without being read is worth a hint after a moment. What stays much longer is a pattern of the shop
and no code: it is remembered, so that it does not trouble every shopper.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from device.decode.codes import Box, Code
from device.decode.regions import Region, Regions
from device.sight import Hint, Mark, Place

_HINT_AFTER: Final = 5
_HINT_AFTER_MS: Final = 400
_HINT_BY_MS: Final = 1500
"""Looks in vain, and time, before something is wrong with how a place is held; a resting picture gets few looks."""
_PATTERN_AFTER_MS: Final = 12_000
_PATTERN_FORGOTTEN_MS: Final = 60_000
_MOST_PATTERNS: Final = 4
_MOST_MISSED: Final = 1
"""Looks that may miss a place in between."""
_KEPT_MS: Final = 1500
"""A code that was read has its mark for so long after the last look that saw it."""
_MOST_MARKS: Final = 16
_SMALL: Final = 80
_SMALL_LINEAR: Final = 130
"""Pixels a side; a code of 25 modules is read down to some 50, an article number has 95 modules and its quiet zones."""
_LARGE: Final = 0.45
"""Part of the picture's shorter side: a place of this size that an edge of the picture cuts is too near."""
_GLARING: Final = 0.35
"""Part of a place that is burnt out, of which a code has half as light modules."""
_BURNT_OUT: Final = 250
_DARK: Final = 60
"""Grey levels that the lightest parts of a place must reach."""
_GRAINS: Final = 0.02
"""So small a part of lighter pixels is the noise of the sensor."""
_SLANTED: Final = 0.62
"""Shorter through longer side of a place; matrix codes are square."""
_RESTLESS: Final = 0.16
"""Parts of its side by which a place moves from picture to picture."""
_STRIDE: Final = 16
_GRAIN: Final = 2
"""Every so many pixels one is looked at, of the whole picture and of a place."""


@dataclass(slots=True)
class _Read:
    """One code that was read."""

    mark: Mark
    seen_ms: int
    missed: bool = False
    """It was looked for since, and not found."""


@dataclass(slots=True)
class _Unread:
    """One place that was looked at in vain."""

    region: Region
    since_ms: int
    looks: int = 0
    spent_ms: float = 0.0
    motion: float = 0.0
    """In parts of its side, from picture to picture."""
    hint: Hint | None = None
    missed: int = 0
    """Looks in a row that did not find the place."""

    def move(self, region: Region) -> None:
        """Follow the place."""
        shift = math.hypot(*(new - old for new, old in zip(_middle(region), _middle(self.region), strict=True)))
        self.motion = 0.6 * self.motion + 0.4 * shift / max(1, region.side)
        self.region = region
        self.missed = 0


@dataclass(slots=True)
class _Pattern:
    """A place that stays for ever."""

    region: Region
    seen_ms: int


class Witness:
    """What one camera has in view, in words for people."""

    def __init__(self) -> None:
        self._size = (1, 1)
        self._read: dict[tuple[str, bytes], _Read] = {}
        self._unread: _Unread | None = None
        self._patterns: list[_Pattern] = []
        self._is_dark = False

    @property
    def hint(self) -> Hint | None:
        """What keeps a code from being read that has been in view for some pictures."""
        if self._unread is not None and self._unread.hint is not None:
            return self._unread.hint
        return Hint.TOO_DARK if self._is_dark and not self._read else None

    @property
    def places(self) -> tuple[Place, ...]:
        """Where that code is."""
        unread = self._unread
        return (self._place(unread.region),) if unread is not None and unread.hint is not None else ()

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What was read, and the place that is looked at in vain."""
        read = tuple(each.mark for each in self._read.values())[-_MOST_MARKS:]
        unread = self._unread
        if unread is None:
            return read
        failed = Mark(
            self._place(unread.region), hint=unread.hint, looks=unread.looks, spent_ms=round(unread.spent_ms, 1)
        )
        return (*read, failed)

    def saw(
        self,
        picture: np.ndarray,
        codes: Sequence[Code],
        regions: Regions,
        now: int,
        *,
        looked_for: frozenset[str],
        spent_ms: float,
    ) -> None:
        """Take what one look at a picture gave, what the whole of it was searched for, and its processor time."""
        self._size = picture.shape[0], picture.shape[1]
        self._is_dark = not codes and _is_dark(picture)
        for read in self._read.values():
            read.missed = read.missed or not codes or read.mark.symbology in looked_for
        for code in codes:
            self._read[code.key] = _Read(Mark(place_of(code.box), code.symbology, len(code.raw)), now)
        self._read = {key: read for key, read in self._read.items() if now - read.seen_ms <= _KEPT_MS}
        region = promising(regions)
        if codes or (region is not None and self._was_read(region)):
            self._unread = None
        elif region is None:
            self._miss()
        else:
            self._follow(picture, region, now, spent_ms)

    def keep(self, now: int) -> None:
        """Learn that the picture has not changed."""
        for read in self._read.values():
            if not read.missed:
                read.seen_ms = now

    def _follow(self, picture: np.ndarray, region: Region, now: int, spent_ms: float) -> None:
        unread = self._unread
        if unread is None or not unread.region.resembles(region):
            unread = self._unread = _Unread(region, now)
        unread.move(region)
        unread.looks += 1
        unread.spent_ms += spent_ms
        stayed_ms = now - unread.since_ms
        is_sure = stayed_ms >= (_HINT_AFTER_MS if unread.looks > _HINT_AFTER else _HINT_BY_MS)
        is_pattern = self._is_pattern(region, now, stayed_ms)
        unread.hint = hint_of(picture, region, unread.motion) if is_sure and not is_pattern else None

    def _miss(self) -> None:
        if self._unread is not None:
            self._unread.missed += 1
            if self._unread.missed > _MOST_MISSED:
                self._unread = None

    def _is_pattern(self, region: Region, now: int, stayed_ms: int) -> bool:
        """Whether the place is one that stays for ever; it is remembered as long as it is seen now and then."""
        self._patterns = [one for one in self._patterns if now - one.seen_ms <= _PATTERN_FORGOTTEN_MS]
        for pattern in self._patterns:
            if pattern.region.resembles(region) and _is_same_place(pattern.region, region):
                pattern.seen_ms = now
                return True
        if stayed_ms < _PATTERN_AFTER_MS:
            return False
        self._patterns = [*self._patterns, _Pattern(region, now)][-_MOST_PATTERNS:]
        return True

    def _was_read(self, region: Region) -> bool:
        place = self._place(region)
        return any(read.mark.place.touches(place) for read in self._read.values())

    def _place(self, region: Region) -> Place:
        height, width = self._size
        return Place(region.left / width, region.top / height, region.right / width, region.bottom / height)


def promising(regions: Regions) -> Region | None:
    """Give the place that most likely holds a code."""
    linear = regions.linear[0] if regions.linear else None
    matrix = regions.matrix[0] if regions.matrix else None
    if linear is not None and (matrix is None or linear.weight > matrix.weight):
        return linear
    return matrix


def place_of(box: Box) -> Place:
    """Give a decoder's place for people."""
    return Place(box.left, box.top, box.right, box.bottom)


def hint_of(picture: np.ndarray, region: Region, motion: float = 0.0) -> Hint:
    """Say what is most likely wrong with a place that is not read; `motion` in parts of its side a picture."""
    pixels = picture[region.top : region.bottom : _GRAIN, region.left : region.right : _GRAIN]
    return _light(pixels) or _distance(picture, region) or _posture(region, motion) or Hint.NOT_READ


def _light(pixels: np.ndarray) -> Hint | None:
    if float((pixels >= _BURNT_OUT).mean()) > _GLARING:
        return Hint.TOO_BRIGHT
    return Hint.TOO_DARK if float((pixels >= _DARK).mean()) < _GRAINS else None


def _distance(picture: np.ndarray, region: Region) -> Hint | None:
    if region.box(picture).is_at_edge():
        return Hint.FARTHER if region.side > _LARGE * min(picture.shape) else None
    return Hint.CLOSER if region.side < (_SMALL if region.angle_deg is None else _SMALL_LINEAR) else None


def _posture(region: Region, motion: float) -> Hint | None:
    if motion > _RESTLESS:
        return Hint.HOLD_STILL
    width, height = region.right - region.left, region.bottom - region.top
    is_slanted = region.angle_deg is None and min(width, height) < _SLANTED * max(width, height)
    return Hint.TILT if is_slanted else None


def _is_dark(picture: np.ndarray) -> bool:
    """Whether nothing in the picture is light enough to be read."""
    return float((picture[::_STRIDE, ::_STRIDE] >= _DARK).mean()) < _GRAINS


def _is_same_place(one: Region, other: Region) -> bool:
    """Whether two regions differ by less than a hand moves."""
    return math.dist(_middle(one), _middle(other)) < one.side / 8


def _middle(region: Region) -> tuple[float, float]:
    return (region.left + region.right) / 2, (region.top + region.bottom) / 2
