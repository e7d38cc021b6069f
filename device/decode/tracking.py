"""Follows the places that look like a code from picture to picture, and spends processor time where one stays.

What passes by gets a short look. What stays in view and is not read gets more, and other guesses at each picture, for
some seconds; then it is taken for a pattern that is no code, and gets little until it leaves.
"""

from __future__ import annotations

import numpy as np

from device.decode.budget import Budget
from device.decode.codes import Code
from device.decode.regions import Region
from device.decode.rescue import Rescue, margin
from device.decode.stacking import Stack
from device.decode.symbologies import MATRIX

_PASSING_MS = 2.0
"""Processor time for a place that was not there in the picture before."""
_PATIENCE = 60
"""Pictures in a row that get more looks."""
_DEEP = 4
"""Pictures that make a mean worth a look: of fewer, the noise stays."""


class MatrixTrack:
    """The most promising place of a matrix code."""

    def __init__(self, matrix: frozenset[str] = MATRIX) -> None:
        self._last: Region | None = None
        self._rescue = Rescue(matrix, brief=True)
        self._stack = Stack()
        self._stack_rescue = Rescue(matrix, brief=True)
        self._stayed = 0

    def look(self, picture: np.ndarray, region: Region, budget: Budget) -> list[Code]:
        """Look again at a place in this picture, as long as it is worth it."""
        self._follow(region)
        worth_it = 0 < self._stayed <= _PATIENCE
        codes = self._look(picture, region, budget) if worth_it else self._glance(picture, region)
        if codes:
            self._stayed = 0
        return codes

    def lose(self) -> None:
        """There is nothing to follow, or it was read without help."""
        self._last = None
        self._begin()

    def _look(self, picture: np.ndarray, region: Region, budget: Budget) -> list[Code]:
        """Look at this picture, or in turns at the mean of the last ones, which hides the noise of each."""
        self._stack.add(picture, region, margin(region))
        mean = self._stack.mean() if self._stack.depth >= _DEEP and self._stayed % 2 else None
        if mean is None:
            return self._rescue.look(picture, region, budget)
        return [code.at(region.box(picture)) for code in self._stack_rescue.look_at(mean, budget)]

    def _glance(self, picture: np.ndarray, region: Region) -> list[Code]:
        return self._rescue.look(picture, region, Budget(_PASSING_MS))

    def _begin(self) -> None:
        self._stayed = 0
        self._rescue.restart()
        self._stack.clear()
        self._stack_rescue.restart()

    def _follow(self, region: Region) -> None:
        if self._last is not None and self._last.resembles(region):
            self._stayed += 1
        else:
            self._begin()
        self._last = region
