"""One picture, looked at until its codes are read or some hundred milliseconds of processor time are gone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from device.decode.ballot import Ballot
from device.decode.budget import Budget
from device.decode.codes import Code
from device.decode.doubt import confirmed
from device.decode.linear import ask_the_bars, poll, poll_place
from device.decode.pictures import reduced
from device.decode.readings import SMALLEST_SIDE, OpticalReading, checked, distinct, reading_of
from device.decode.regions import Regions, find_regions
from device.decode.rescue import QR, Rescue
from device.decode.wanted import COMMON_ITF, Wanted
from device.decode.zbar import zbar_look
from device.decode.zxing import zxing_look

_SECOND_OPINION_PIXELS = 4_000_000
"""zbar takes a tenth of a second for a million pixels; larger pictures are reduced for it."""
_LINEAR_MS = 200.0
_MATRIX_MS = 300.0, 100.0
"""Processor time for all looks at linear codes, and at the first and second place of a matrix code."""


def read_still(
    gray: np.ndarray,
    *,
    itf_digits: frozenset[int] = COMMON_ITF,
    at_ms: int = 0,
    symbologies: Iterable[str] | None = None,
) -> list[OpticalReading]:
    """Give every code of one picture (uint8, height x width), in less than a second; NotAPicture for others.

    `symbologies` are names of `SELECTABLE`, all of them unless told; UnknownSymbology for others.
    """
    picture = checked(gray)
    wanted = Wanted.of(symbologies, itf_digits)
    if min(picture.shape) < SMALLEST_SIDE:
        return []
    return [reading_of(code, "", at_ms) for code in distinct(_Search(picture, wanted).codes())]


class _Search:
    """The looks at one picture, the dear ones only while the cheap ones leave a question."""

    def __init__(self, picture: np.ndarray, wanted: Wanted) -> None:
        self._picture = picture
        self._wanted = wanted
        self._ballot = Ballot(lifetime_ms=0)

    def codes(self) -> list[Code]:
        """Give every code that may be believed."""
        seen, regions = self._first_look(), None
        matrix = [code for code in seen if not code.linear]
        if not seen:
            regions = find_regions(self._picture)
            matrix = self._search_matrix(regions) if regions.mostly_matrix else []
        if not matrix or self._ballot.is_open():
            self._poll(seen)
        if matrix or self._ballot.elected():
            return [*matrix, *_whole(self._ballot.elected())]
        return self._search(regions)

    def _first_look(self) -> list[Code]:
        """Take what zxing-cpp sees, and what zbar sees where that is nothing."""
        everything = self._wanted.matrix | self._wanted.linear
        seen = confirmed(self._picture, self._wanted.believable(zxing_look(self._picture, everything)))
        self._ballot.add(seen, 0)
        return seen or zbar_look(reduced(self._picture, _SECOND_OPINION_PIXELS), self._wanted.matrix & QR)

    def _poll(self, seen: Sequence[Code]) -> None:
        """Let further looks at the whole picture vote on linear codes."""
        ask_the_bars(self._picture, seen, self._ballot)
        poll(self._picture, self._ballot, self._wanted, Budget(_LINEAR_MS))
        ask_the_bars(self._picture, self._ballot.doubtful(), self._ballot)

    def _search(self, searched: Regions | None) -> list[Code]:
        """Look harder at the places that look like a code; matrix codes were `searched` for where they are likely."""
        regions = searched or find_regions(self._picture)
        for region in regions.linear[:2]:
            poll_place(self._picture, region, self._ballot, self._wanted, Budget(_LINEAR_MS))
        if self._ballot.elected() or (searched and searched.mostly_matrix):
            return _whole(self._ballot.elected())
        return self._search_matrix(regions)

    def _search_matrix(self, regions: Regions) -> list[Code]:
        for region, milliseconds in zip(regions.matrix, _MATRIX_MS, strict=False):
            codes = Rescue(self._wanted.matrix).look(self._picture, region, Budget(milliseconds))
            if codes:
                return codes
        return []


def _whole(linear: Sequence[Code]) -> list[Code]:
    """Leave out what the edge of the picture cuts, if a whole code is in view: that is the one held up."""
    inside = [code for code in linear if not code.box.is_at_edge()]
    return inside or list(linear)
