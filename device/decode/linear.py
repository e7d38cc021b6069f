"""Linear codes of one picture: several looks vote, and what is tilted is turned first.

zxing-cpp scans along rows and columns, so a code held at an angle needs one rotation by the direction of its bars.
Looks at other sizes and sharpness make other mistakes: what several of them agree on is believed
(`device.decode.ballot`). For article numbers the bars themselves are asked as well (`device.decode.barlook`), and count
as two looks: they are another kind of evidence than widths between edges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from device.decode.ballot import Ballot
from device.decode.barlook import bar_look
from device.decode.budget import Budget
from device.decode.codes import Box, Code
from device.decode.deblur import Blur, Deblurrer
from device.decode.pictures import blurred, reduced, rotated, scaled, sharpened
from device.decode.regions import Region
from device.decode.rescue import margin
from device.decode.wanted import Wanted
from device.decode.zbar import zbar_look
from device.decode.zxing import zxing_look

_POLL_PIXELS = 2_000_000
_UPRIGHT_DEG = 3.0
"""Less tilt is no trouble for the decoders."""
_LARGEST_PLACE = 600_000
"""Pixels of one place."""
_LEAST_LOOKS = 3

Look = Callable[[], list[Code]]
Looks = Iterator[tuple[str, Look]]
"""The decoder that looks, and its look."""


def poll(picture: np.ndarray, ballot: Ballot, wanted: Wanted, budget: Budget) -> None:
    """Take further looks at the whole picture until the vote is clear."""
    _count(_whole_looks(reduced(picture, _POLL_PIXELS), wanted.linear), ballot, wanted, budget)


def poll_place(picture: np.ndarray, region: Region, ballot: Ballot, wanted: Wanted, budget: Budget) -> None:
    """Take looks at one place with its bars upright until the vote is clear, or nothing was seen by the cheap ones."""
    place = upright(picture, region)

    def looks() -> Looks:
        for kind, look in _place_looks(place, wanted.linear):
            yield kind, partial(_looked_at, region.box(picture), look)

    _count(looks(), ballot, wanted, budget)


def ask_the_bars(picture: np.ndarray, codes: Sequence[Code], ballot: Ballot, at_ms: int = 0) -> None:
    """Let the bars of article numbers vote."""
    for code in {code.key: code for code in codes if code.linear}.values():
        seen = bar_look(picture, code)
        ballot.add(seen, at_ms, "bars")
        ballot.add(seen, at_ms, "bars")


def upright(picture: np.ndarray, region: Region, most_pixels: int = _LARGEST_PLACE) -> np.ndarray:
    """Cut out the region and turn it until its bars stand upright."""
    place = reduced(region.cut(picture, margin(region)), most_pixels)
    angle = region.angle_deg or 0.0
    return rotated(place, angle) if abs(angle) > _UPRIGHT_DEG else place


def _count(looks: Looks, ballot: Ballot, wanted: Wanted, budget: Budget) -> None:
    for number, (kind, look) in enumerate(looks):
        if not budget.allows(1):
            return
        ballot.add(wanted.believable(look()), 0, kind)
        if number + 1 >= _LEAST_LOOKS and ballot.elected() and not ballot.is_open():
            return


def _whole_looks(picture: np.ndarray, linear: frozenset[str]) -> Looks:
    yield "zbar", lambda: zbar_look(picture, linear)
    yield "zxing", lambda: zxing_look(scaled(picture, 0.75), linear)
    yield "zxing", lambda: zxing_look(scaled(picture, 1.5), linear)
    yield "zxing", lambda: zxing_look(blurred(picture, 1.0), linear)
    yield "zbar", lambda: zbar_look(scaled(picture, 0.75), linear)
    yield "zbar", lambda: zbar_look(scaled(picture, 1.5), linear)
    yield "zxing", lambda: zxing_look(sharpened(scaled(picture, 2), 2, 150), linear)
    yield "zxing", lambda: zxing_look(scaled(picture[1:, 1:], 0.9), linear)


def _place_looks(place: np.ndarray, linear: frozenset[str]) -> Looks:
    yield "zxing", lambda: zxing_look(place, linear)
    yield "zbar", lambda: zbar_look(place, linear)
    yield "zxing", lambda: zxing_look(sharpened(scaled(place, 2), 2, 150), linear)
    yield "zxing", lambda: zxing_look(scaled(place, 0.75), linear)
    yield "zbar", lambda: zbar_look(scaled(place, 1.5), linear)
    yield "zxing", lambda: zxing_look(scaled(place, 1.5), linear)
    yield "zxing", lambda: zxing_look(blurred(place, 1.0), linear)
    yield "zbar", lambda: zbar_look(scaled(place, 0.5), linear)
    for blur in (Blur(1.2), Blur(1.8, noise=0.02), Blur(1.0, 4.0, 0.0)):
        yield "zxing", partial(_deblurred, place, blur, zxing_look, linear)
        yield "zbar", partial(_deblurred, place, blur, zbar_look, linear)


def _deblurred(
    place: np.ndarray,
    blur: Blur,
    look: Callable[[np.ndarray, frozenset[str]], list[Code]],
    linear: frozenset[str],
) -> list[Code]:
    return look(Deblurrer(place).sharp(blur), linear)


def _looked_at(box: Box, look: Look) -> list[Code]:
    return [code.at(box) for code in look()]
