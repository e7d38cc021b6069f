"""Whether a picture shows something else than the one before."""

from __future__ import annotations

import numpy as np

_STEP = 8
"""Every so many pixels one is compared."""
_BLOCK = 4
"""Compared pixels are averaged in squares of so many a side, which lets noise cancel out."""
_DIFFERENCE = 10.0
"""Grey levels by which the mean of one square must differ."""


class Scene:
    """The gist of the last different picture."""

    def __init__(self) -> None:
        self._last: np.ndarray | None = None

    def changed(self, picture: np.ndarray) -> bool:
        """Whether the picture differs from the last that did; slow drift adds up until it does."""
        gist = _gist(picture)
        last = self._last
        if last is not None and last.shape == gist.shape and float(np.abs(gist - last).max()) < _DIFFERENCE:
            return False
        self._last = gist
        return True


def _gist(picture: np.ndarray) -> np.ndarray:
    samples = picture[_STEP // 2 :: _STEP, _STEP // 2 :: _STEP]
    rows, columns = samples.shape[0] // _BLOCK * _BLOCK, samples.shape[1] // _BLOCK * _BLOCK
    if not rows or not columns:
        return picture.astype(np.float32)
    cut = samples[:rows, :columns].astype(np.uint16)
    bands = cut[0::_BLOCK] + cut[1::_BLOCK] + cut[2::_BLOCK] + cut[3::_BLOCK]
    squares = bands[:, 0::_BLOCK] + bands[:, 1::_BLOCK] + bands[:, 2::_BLOCK] + bands[:, 3::_BLOCK]
    means: np.ndarray = squares.astype(np.float32) / _BLOCK**2
    return means
