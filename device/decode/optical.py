"""Pixels become readings: single pictures by `read_still`, a stream of them by `OpticalDecoder`.

zxing-cpp looks first. zbar gives the second opinion where zxing-cpp finds nothing, and its vote on linear codes, which
are never believed at one look. A zbar assertion can end the process, so this runs in a process that may die: the
camera's own (`device.decode.camera_process`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from device.decode.ballot import Ballot
from device.decode.budget import Budget
from device.decode.codes import Code
from device.decode.linear import COMMON_ITF, ask_the_bars, believable, poll, poll_place
from device.decode.pictures import reduced, scaled
from device.decode.regions import find_regions
from device.decode.rescue import Rescue
from device.decode.scene import Scene
from device.decode.symbologies import LINEAR, MATRIX
from device.decode.zbar import zbar_look
from device.decode.zxing import zxing_look
from device.ports import Reading, Source

QR = frozenset({"QR"})



RETAIL_ITF = frozenset({14})
"""Digits of ITF codes on outer boxes of goods. ITF has no start worth the name: a part of a code reads as a code."""

LARGEST_PIXELS = 64_000_000
_SMALLEST_SIDE = 8
"""No code is smaller, and the decoders are not asked about less."""
_STILL_PIXELS = 4_000_000
_LINEAR_MS = 150.0
_MATRIX_MS = 250.0
"""Processor time of `read_still` for all looks at linear codes, and at one place of a matrix code."""
_SECOND_OPINION_PIXELS = 1_000_000
"""zbar takes a tenth of a second for a million pixels; larger pictures are reduced for it."""

Look = Callable[[np.ndarray, frozenset[str]], list[Code]]
"""One decoder, asked for some symbologies."""


class NotAPicture(ValueError):
    """An array that is not height x width of uint8, or of a size that nobody can read."""


@dataclass(frozen=True, slots=True)
class OpticalReading(Reading):
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


def read_still(gray: np.ndarray, *, itf_digits: frozenset[int] = COMMON_ITF, at_ms: int = 0) -> list[OpticalReading]:
    """Give every code of one picture (uint8, height x width), in half a second or so; NotAPicture for others."""
    picture = _checked(gray)
    if min(picture.shape) < _SMALLEST_SIDE:
        return []
    codes = believable(zxing_look(picture, MATRIX | LINEAR), itf_digits)
    matrix = [code for code in codes if not code.linear]
    ballot = Ballot(lifetime_ms=0)
    ballot.add(codes, 0)
    if not codes:
        matrix = zbar_look(reduced(picture, _STILL_PIXELS), QR)
    if not matrix or ballot.is_open():
        ask_the_bars(picture, codes, ballot)
        poll(picture, ballot, itf_digits, Budget(_LINEAR_MS))
    if not matrix and not ballot.elected():
        matrix = _search(picture, ballot, itf_digits)
    return [_reading(code, "", at_ms) for code in _distinct([*matrix, *_whole(ballot.elected())])]


def _whole(linear: Sequence[Code]) -> list[Code]:
    """Leave out what the edge of the picture cuts, if a whole code is in view: that is the one held up."""
    inside = [code for code in linear if not code.box.is_at_edge()]
    return inside or list(linear)


def _search(picture: np.ndarray, ballot: Ballot, itf_digits: frozenset[int]) -> list[Code]:
    """Look harder at the places that look like a code."""
    regions = find_regions(picture)
    for region in regions.linear[:2]:
        poll_place(picture, region, ballot, itf_digits, Budget(_LINEAR_MS))
    if ballot.elected():
        return []
    for region in regions.matrix[:2]:
        codes = Rescue().look(picture, region, QR, Budget(_MATRIX_MS))
        if codes:
            return codes
    return []


class OpticalDecoder:
    """Gives each code of a stream of pictures once, as long as it stays in view.

    Not for several threads. What one picture costs is bounded: a cheap look for QR codes at each, one further kind of
    look when that finds nothing, zbar at one in four of those; pictures that do not change are looked at less and less.
    """

    AWAY_MS = 1500
    """A code that was out of view for so long is a new reading when it comes back."""
    _VOTE_MS = 1000
    _RESTLESS_LOOKS = 12
    """So many looks at an unchanged picture before it is looked at less often."""
    _REST = 5
    """An unchanged picture gets one look in so many: it may just be coming into focus."""

    def __init__(self, device: str = "", *, itf_digits: frozenset[int] = RETAIL_ITF) -> None:
        self._device = device
        self._itf_digits = itf_digits
        self._scene = Scene()
        self._ballot = Ballot(self._VOTE_MS)
        self._held: dict[tuple[str, bytes], _Held] = {}
        self._turn = 0
        self._unchanged = 0

    def feed(self, gray: np.ndarray, at_ms: int | None = None) -> list[OpticalReading]:
        """Give the codes that have newly come into view; NotAPicture for anything but uint8 of height x width."""
        picture = _checked(gray)
        now = time.monotonic_ns() // 1_000_000 if at_ms is None else at_ms
        if min(picture.shape) < _SMALLEST_SIDE:
            return []
        if self._may_rest(picture):
            self._keep(now)
            return []
        seen, looked_for = self._look(picture, now)
        fresh = [code for code in _distinct(seen) if self._is_fresh(code, now)]
        self._age(seen, looked_for, now)
        return [_reading(code, self._device, now) for code in fresh]

    def rearm(self) -> None:
        """Deliver again what is in view, for example because a sale has just begun."""
        self._held.clear()
        self._ballot.clear()
        self._unchanged = 0

    def _may_rest(self, picture: np.ndarray) -> bool:
        self._unchanged = 0 if self._scene.changed(picture) else self._unchanged + 1
        return self._unchanged > self._RESTLESS_LOOKS and self._unchanged % self._REST != 0

    def _look(self, picture: np.ndarray, now: int) -> tuple[list[Code], frozenset[str]]:
        """Look for QR codes, then for one further group, in turns; give the codes and what was looked for."""
        turn = self._turn
        self._turn += 1
        codes = zxing_look(picture, QR)
        if codes and turn % 4 != 0:
            return codes, QR
        group = LINEAR if turn % 2 == 0 else MATRIX - QR
        codes += self._believed(picture, zxing_look(picture, group), zxing_look, now)
        if not codes and turn % 4 == 3:  # noqa: PLR2004 - the last of four
            second = QR if turn % 8 == 3 else LINEAR  # noqa: PLR2004 - zbar is dear: its groups in turns as well
            reduced = reduced(picture, _SECOND_OPINION_PIXELS)
            return self._believed(reduced, zbar_look(reduced, second), zbar_look, now), QR | group
        return codes, QR | group

    def _believed(self, picture: np.ndarray, codes: Sequence[Code], look: Look, now: int) -> list[Code]:
        """Leave out the linear codes that the votes do not bear out; those in doubt get a second look at once."""
        matrix = [code for code in codes if not code.linear]
        linear = [code for code in believable(codes, self._itf_digits) if code.linear]
        if not linear:
            return matrix
        self._ballot.add(linear, now)
        if any(code.key not in self._held for code in linear):
            again = look(scaled(picture, 0.75), frozenset(code.symbology for code in linear))
            self._ballot.add(believable(again, self._itf_digits), now)
        keys = {code.key for code in linear}
        elected = [code for code in self._ballot.elected() if code.key in keys]
        return [*matrix, *elected]

    def _is_fresh(self, code: Code, now: int) -> bool:
        held = self._held.get(code.key)
        return held is None or (held.missed and now - held.seen_ms > self.AWAY_MS)

    def _age(self, seen: Sequence[Code], looked_for: frozenset[str], now: int) -> None:
        """Remember what is in view; forget what was looked for in vain and has been away for long enough."""
        for code in seen:
            self._held[code.key] = _Held(now)
        keys = {code.key for code in seen}
        for key, held in list(self._held.items()):
            if key not in keys and key[0] in looked_for:
                held.missed = True
            if held.missed and now - held.seen_ms > self.AWAY_MS:
                del self._held[key]

    def _keep(self, now: int) -> None:
        """What was in view of a picture that does not change is in view still."""
        for held in self._held.values():
            if not held.missed:
                held.seen_ms = now


@dataclass(slots=True)
class _Held:
    """A code in view."""

    seen_ms: int
    missed: bool = False
    """It was looked for since, and not found."""


def _checked(gray: np.ndarray) -> np.ndarray:
    if not isinstance(gray, np.ndarray) or gray.dtype != np.uint8 or gray.ndim != 2:  # noqa: PLR2004
        shape, dtype = getattr(gray, "shape", None), getattr(gray, "dtype", type(gray).__name__)
        raise NotAPicture(f"a picture is a uint8 array of height x width, this is {dtype} of shape {shape}")
    if not 0 < gray.size <= LARGEST_PIXELS:
        raise NotAPicture(
            f"a picture of {gray.shape[1]} x {gray.shape[0]} pixels cannot be read: "
            f"at least one, at most {LARGEST_PIXELS // 1_000_000} million"
        )
    return np.ascontiguousarray(gray)


def _distinct(codes: Sequence[Code]) -> list[Code]:
    return list({code.key: code for code in codes}.values())


def _reading(code: Code, device: str, at_ms: int) -> OpticalReading:
    return OpticalReading(Source.OPTICAL, device, code.symbology, code.raw, at_ms, code.aim, code.text)


