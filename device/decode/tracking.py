"""Follows the places that look like a code from picture to picture, and spends processor time where one stays.

What passes by gets a short look. What stays in view and is not read gets more, and other guesses at each picture, for
some seconds; then it is taken for a pattern that is no code, and gets little until it leaves.
"""

from __future__ import annotations

import enum

import numpy as np

from device.decode.budget import Budget
from device.decode.codes import Code
from device.decode.regions import Region
from device.decode.rescue import Rescue

_PASSING_MS = 2.0
"""Processor time for a place that was not there in the picture before."""
_PATIENCE = 60
"""Pictures in a row that get more looks."""
_HINT_AFTER = 5
"""Pictures in a row of a place that is not read before something is wrong with how it is held."""
_SMALL = 80
"""Pixels a side; a code of 25 modules is read down to some 50."""
_GLARING = 0.35
"""Part of a place that is burnt out, of which a code has half as light modules."""
_BURNT_OUT = 250


class Hint(enum.Enum):
    """What keeps a code from being read, for the shopper."""

    CLOSER = "closer"
    TOO_BRIGHT = "too bright"
    NOT_READ = "code seen but not read"


class MatrixTrack:
    """The most promising place of a matrix code."""

    def __init__(self) -> None:
        self._last: Region | None = None
        self._rescue = Rescue()
        self._stayed = 0
        self.hint: Hint | None = None
        """Set while a place stays in view and is not read."""

    def look(self, picture: np.ndarray, region: Region, budget: Budget) -> list[Code]:
        """Look again at a place in this picture, as long as it is worth it."""
        self._follow(region)
        worth_it = 0 < self._stayed <= _PATIENCE
        codes = self._rescue.look(picture, region, budget if worth_it else Budget(_PASSING_MS))
        if codes:
            self._stayed = 0
        self.hint = _hint(picture, region) if self._stayed >= _HINT_AFTER else None
        return codes

    def lose(self) -> None:
        """There is nothing to follow, or it was read without help."""
        self._last = self.hint = None
        self._stayed = 0
        self._rescue.restart()

    def _follow(self, region: Region) -> None:
        if self._last is not None and self._last.resembles(region):
            self._stayed += 1
        else:
            self._stayed = 0
            self._rescue.restart()
        self._last = region


def _hint(picture: np.ndarray, region: Region) -> Hint:
    place = region.cut(picture, 0)
    if float((place >= _BURNT_OUT).mean()) > _GLARING:
        return Hint.TOO_BRIGHT
    return Hint.CLOSER if region.side < _SMALL else Hint.NOT_READ
