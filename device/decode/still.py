"""One picture, looked at until its codes are read or half a second of processor time is gone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from device.decode.ballot import Ballot
from device.decode.budget import Budget
from device.decode.codes import Code
from device.decode.doubt import confirmed
from device.decode.linear import COMMON_ITF, ask_the_bars, believable, poll, poll_place
from device.decode.pictures import reduced
from device.decode.readings import SMALLEST_SIDE, OpticalReading, checked, distinct, reading_of
from device.decode.regions import find_regions
from device.decode.rescue import QR, Rescue
from device.decode.symbologies import LINEAR, MATRIX
from device.decode.zbar import zbar_look
from device.decode.zxing import zxing_look

_SECOND_OPINION_PIXELS = 4_000_000
"""zbar takes a tenth of a second for a million pixels; larger pictures are reduced for it."""
_LINEAR_MS = 150.0
_MATRIX_MS = 250.0
"""Processor time for all looks at linear codes, and at one place of a matrix code."""


def read_still(gray: np.ndarray, *, itf_digits: frozenset[int] = COMMON_ITF, at_ms: int = 0) -> list[OpticalReading]:
    """Give every code of one picture (uint8, height x width), in half a second or so; NotAPicture for others."""
    picture = checked(gray)
    if min(picture.shape) < SMALLEST_SIDE:
        return []
    codes = confirmed(picture, believable(zxing_look(picture, MATRIX | LINEAR), itf_digits))
    matrix = [code for code in codes if not code.linear]
    ballot = Ballot(lifetime_ms=0)
    ballot.add(codes, 0)
    if not codes:
        matrix = zbar_look(reduced(picture, _SECOND_OPINION_PIXELS), QR)
    if not matrix or ballot.is_open():
        ask_the_bars(picture, codes, ballot)
        poll(picture, ballot, itf_digits, Budget(_LINEAR_MS))
        ask_the_bars(picture, ballot.doubtful(), ballot)
    if not matrix and not ballot.elected():
        matrix = _search(picture, ballot, itf_digits)
    return [reading_of(code, "", at_ms) for code in distinct([*matrix, *_whole(ballot.elected())])]


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
        codes = Rescue().look(picture, region, Budget(_MATRIX_MS))
        if codes:
            return codes
    return []
