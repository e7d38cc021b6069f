"""The mean of several pictures of one place: the noise of a sensor does not survive it, what the shopper holds does.

From picture to picture a hand shifts the code by some pixels. The shift is found where the two look most alike: by the
peak of their correlation, through a Fourier transform.
"""

from __future__ import annotations

import numpy as np

from device.decode.deblur import fast_length
from device.decode.regions import Region

_MOST = 8
"""Pictures that count; a hand turns and tilts over more."""
_ALIKE = 0.3
"""Correlation of two pictures of the same code, at least: noise as strong as the code still leaves a half."""
_SLOW = 5
"""Pixels from picture to picture; what moves faster is blurred in another way each time, and has no mean."""
_NEAR = 24
"""Pixels by which a place may seem to have moved that has not: its edges tremble in noise."""
_LARGEST_PIXELS = 90_000
"""A larger place has pixels enough for each module, and would cost too much."""


class Stack:
    """Pictures of one place, laid one upon the other."""

    def __init__(self) -> None:
        self._sum: np.ndarray | None = None
        self._depth = 0
        self._place = 0, 0
        self._centre = 0.0, 0.0

    @property
    def depth(self) -> int:
        """How many pictures the mean is of."""
        return self._depth

    def clear(self) -> None:
        """Begin anew at another place."""
        self._sum, self._depth = None, 0

    def add(self, picture: np.ndarray, region: Region, margin: int) -> None:
        """Lay this picture of the place over the others; begin anew if it shows something else."""
        if self._sum is None or not self._lay(picture, region):
            self._begin(picture, region, margin)

    def mean(self) -> np.ndarray | None:
        """Give the mean picture; None of less than two."""
        if self._sum is None or self._depth < 2:  # noqa: PLR2004
            return None
        return (self._sum / self._depth + 0.5).astype(np.uint8)

    def _begin(self, picture: np.ndarray, region: Region, margin: int) -> None:
        self.clear()
        cut = region.cut(picture, margin)
        if cut.size <= _LARGEST_PIXELS:
            self._sum, self._depth = cut.astype(np.float32), 1
            self._place = max(0, region.top - margin), max(0, region.left - margin)
            self._centre = _centre(region)

    def _lay(self, picture: np.ndarray, region: Region) -> bool:
        """Add the picture where it fits best; tell whether it fits at all."""
        assert self._sum is not None
        down, across = (round(now - before) for now, before in zip(_centre(region), self._centre, strict=True))
        cut = _cut(picture, self._place, self._sum.shape) if max(abs(down), abs(across)) <= _NEAR else None
        if cut is None:
            return False
        shift, likeness = _shift(self._sum, cut)
        place = self._place[0] + shift[0], self._place[1] + shift[1]
        cut = _cut(picture, place, self._sum.shape)
        if cut is None or likeness < _ALIKE or max(abs(shift[0]), abs(shift[1])) > _SLOW:
            return False
        self._take(cut, place, region)
        return True

    def _take(self, cut: np.ndarray, place: tuple[int, int], region: Region) -> None:
        assert self._sum is not None
        if self._depth == _MOST:
            self._sum *= (_MOST - 1) / _MOST
            self._depth -= 1
        self._sum += cut
        self._depth += 1
        self._place, self._centre = place, _centre(region)


def _centre(region: Region) -> tuple[float, float]:
    return (region.top + region.bottom) / 2, (region.left + region.right) / 2


def _cut(picture: np.ndarray, place: tuple[int, int], shape: tuple[int, ...]) -> np.ndarray | None:
    """Give the pixels from this place on; None where the picture ends before."""
    top, left = place
    bottom, right = top + shape[0], left + shape[1]
    inside = top >= 0 and left >= 0 and bottom <= picture.shape[0] and right <= picture.shape[1]
    return picture[top:bottom, left:right].astype(np.float32) if inside else None


def _shift(total: np.ndarray, cut: np.ndarray) -> tuple[tuple[int, int], float]:
    """Give how far the cut must be moved (down, across) to show what the others show, and how alike they are then."""
    window = np.hanning(total.shape[0])[:, None] * np.hanning(total.shape[1])[None]
    one, other = (((values - values.mean()) * window).astype(np.float32) for values in (total, cut))
    size = fast_length(one.shape[0]), fast_length(one.shape[1])
    correlation = np.fft.irfft2(np.conj(np.fft.rfft2(one, size)) * np.fft.rfft2(other, size), s=size)
    peak = int(correlation.argmax())
    energy = float(np.sqrt(np.vdot(one, one) * np.vdot(other, other)))
    down, across = (
        far if far <= length // 2 else far - length
        for far, length in zip(divmod(peak, correlation.shape[1]), correlation.shape, strict=True)
    )
    return (down, across), float(correlation.flat[peak]) / max(energy, 1e-6)
