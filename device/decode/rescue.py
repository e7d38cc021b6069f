"""Further looks at a place that looks like a matrix code but was not read: sharper, evened out, with blur taken back.

The place as it is may hold any symbology; what is made of it is searched for QR codes alone, whose error correction
leaves no room for chance.

The steps are ordered by how often they help for their price. Nobody knows how a hand moved, so the guesses of motion go
round the compass. They are many: a still picture takes what its budget allows, a stream goes on with the next guess at
the next picture. The stream goes round the best of them only: the next picture may be a better one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from device.decode.budget import Budget
from device.decode.codes import Code
from device.decode.deblur import Blur, Deblurrer
from device.decode.doubt import confirmed
from device.decode.pictures import blurred, evened, scaled, sharpened, stretched
from device.decode.regions import Region
from device.decode.symbologies import MATRIX
from device.decode.zbar import zbar_look
from device.decode.zxing import zxing_look

QR = frozenset({"QR"})
_FIRST_GUESSES = (
    Blur(1.3),
    Blur(1.9, noise=0.02),
    Blur(1.0, noise=0.02),
)
_EVEN_GUESS = Blur(1.3)
_COMPASS = (0.0, 90.0, 30.0, 120.0, 60.0, 150.0)
_LATER_GUESSES = (
    Blur(2.5, noise=0.02),
    *(Blur(1.7, 4.0, angle, 0.01) for angle in _COMPASS),
    *(Blur(1.0, 5.5, angle, 0.03) for angle in _COMPASS),
    *(Blur(1.0, 2.5, angle, 0.03) for angle in _COMPASS),
    *(Blur(2.2, 2.5, angle, 0.03) for angle in _COMPASS),
    *(Blur(1.6, 7.0, angle) for angle in _COMPASS),
    *(Blur(1.7, 2.5, angle, 0.01) for angle in _COMPASS),
    *(Blur(0.8, 7.0, angle, 0.03) for angle in _COMPASS),
)
_ALWAYS = 1 + len(_FIRST_GUESSES)
"""So many looks at every picture."""
_EVEN_RADIUS = 20
_FINER = 1.6
"""zxing-cpp judges dark and light in squares of a fixed number of pixels: a finer picture gives it narrower ones."""
_LARGEST_DOUBLED = 640
"""Pixels a side: a larger place has modules enough, and is looked at as it is."""
_PIXELS_PER_MS = 30_000
"""How much of a picture one step handles in a millisecond, on the safe side; only to begin no step that is too dear."""

Look = Callable[[], list[Code]]
Sharpener = Callable[[Blur], np.ndarray]


class Rescue:
    """The looks at one place, in turn, as long as the budget lasts; goes on where it stopped."""

    def __init__(self, matrix: frozenset[str] = MATRIX, *, brief: bool = False) -> None:
        self._matrix = matrix
        self._brief = brief
        self._turn = 0

    def look(self, picture: np.ndarray, region: Region, budget: Budget) -> list[Code]:
        """Give what the first successful look sees: the best guesses at each picture, then the next of the others."""
        if not budget.allows(_price_ms(region.side + 2 * margin(region))):
            return []
        codes = self.look_at(region.cut(picture, margin(region)), budget)
        return [code.at(region.box(picture)) for code in codes]

    def look_at(self, place: np.ndarray, budget: Budget) -> list[Code]:
        """Look at a place that was cut out, or made of several pictures; the boxes of its codes lie in the place."""
        price_ms = _price_ms(max(place.shape))
        if max(place.shape) > _LARGEST_DOUBLED:
            place = scaled(place, _LARGEST_DOUBLED / max(place.shape))
        steps = list(_steps(place, self._matrix, brief=self._brief))
        others = max(1, len(steps) - _ALWAYS)
        for number in range(len(steps)):
            if not budget.allows(price_ms):
                break
            step = number if number < _ALWAYS else _ALWAYS + self._turn % others
            self._turn += number >= _ALWAYS
            before_ms = budget.left_ms
            codes = steps[step]()
            price_ms = max(price_ms, before_ms - budget.left_ms)
            if codes:
                return [code for code in codes if not code.linear]
        return []

    def restart(self) -> None:
        """Begin with the most promising step again, at another place."""
        self._turn = 0


def _price_ms(side: int) -> float:
    return 1 + min(side, _LARGEST_DOUBLED) ** 2 / _PIXELS_PER_MS


def margin(region: Region) -> int:
    """Give the pixels around a region that the quiet zone and faded edges may take."""
    return max(12, region.side // 6)


def _steps(place: np.ndarray, matrix: frozenset[str], *, brief: bool) -> Iterator[Look]:
    """Give the looks, the most promising first; the transform is made when a look first needs it."""
    prepared: list[Deblurrer] = []

    def sharp(blur: Blur) -> np.ndarray:
        if not prepared:
            prepared.append(Deblurrer(place))
        return prepared[0].sharp(blur)

    def seen(change: Callable[[], np.ndarray]) -> Look:
        return lambda: zxing_look(change(), QR)

    def deblurred(blur: Blur) -> Look:
        return seen(lambda: sharp(blur))

    yield lambda: confirmed(place, zxing_look(place, matrix))
    if not matrix >= QR:
        return
    yield from (deblurred(blur) for blur in _FIRST_GUESSES)
    yield seen(lambda: evened(sharp(_EVEN_GUESS), _EVEN_RADIUS))
    yield seen(lambda: sharpened(scaled(blurred(stretched(place), 0.7), 2), 3, 300))
    yield from (deblurred(blur) for blur in _LATER_GUESSES)
    yield seen(lambda: blurred(stretched(place), 1.2))
    yield seen(lambda: evened(sharp(_LATER_GUESSES[0]), _EVEN_RADIUS))
    if brief:
        return
    yield from (partial(_otherwise, sharp, blur) for blur in _FIRST_GUESSES)
    yield lambda: zbar_look(scaled(place, 2), QR)
    yield from (partial(_second_opinion, sharp, blur) for blur in _FIRST_GUESSES)
    yield from (partial(_otherwise, sharp, blur) for blur in sorted(_LATER_GUESSES, key=_amount))
    yield from (partial(_second_opinion, sharp, blur) for blur in _LATER_GUESSES)


def _otherwise(sharp: Sharpener, blur: Blur) -> list[Code]:
    """Look once more at a picture whose blur was taken back, with other ideas of what is dark."""
    picture = sharp(blur)
    return zxing_look(picture, QR, one_level=True) or zxing_look(scaled(picture, _FINER), QR)


def _amount(blur: Blur) -> float:
    """Order by how much is taken back: the less, the more often another idea of what is dark helps."""
    return blur.sigma + blur.motion


def _second_opinion(sharp: Sharpener, blur: Blur) -> list[Code]:
    return zbar_look(sharp(blur), QR)
