"""Finds places that look like a code: dense gradients, in two directions for matrix codes, in one for linear ones.

The structure tensor of squares of 8 pixels tells both apart from plain edges, which are thin, and from noise, which is
the same everywhere. It needs no sharp picture: a code that is too blurred to be read is still the busiest place of its
surroundings. One look takes about a millisecond for a million pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from device.decode.codes import Box

_SQUARE = 8
"""Pixels a side of one cell of the maps."""
_HALF = _SQUARE // 2
_PART_OF_PEAK = 0.4
"""A region reaches as far as the gradients are this strong, relative to its strongest place."""
_ABOVE_NOISE = 1.8
"""So many times the gradients of the picture's ordinary places."""
_FAINTEST = 1.5
"""Grey levels a pixel; less is not worth a look."""
_SMALLEST_CELLS = 4
_MOST_CELLS = 4000
"""A place of half a picture of 1280 x 720 is large enough to be read as it is."""
_OF_A_SIZE = 0.6
_COHERENT = 0.55
"""Of the gradients of a linear code, which all point one way, at least; 1.0 is a perfect grating."""
_SPARE_SEEDS = 4
"""The strongest place is not always the largest."""


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of pixels that may hold a code."""

    left: int
    top: int
    right: int
    bottom: int
    weight: float
    """How much there is of what a code looks like; comparable within one picture."""
    angle_deg: float | None = None
    """Direction across the bars of a linear code, -90 to 90 degrees from the rows, turning downwards; None: matrix."""

    @property
    def side(self) -> int:
        """The longer side."""
        return max(self.right - self.left, self.bottom - self.top)

    def cut(self, picture: np.ndarray, margin: int) -> np.ndarray:
        """Give the region and so many pixels around it."""
        top, left = max(0, self.top - margin), max(0, self.left - margin)
        return np.ascontiguousarray(picture[top : self.bottom + margin, left : self.right + margin])

    def box(self, picture: np.ndarray) -> Box:
        """Give its place in parts of the picture."""
        height, width = picture.shape
        return Box(self.left / width, self.top / height, self.right / width, self.bottom / height)

    def resembles(self, other: Region) -> bool:
        """Whether a hand can have moved the one to the other: they overlap, and are of a size."""
        return self.overlaps(other) and _OF_A_SIZE * self.side <= other.side <= self.side / _OF_A_SIZE

    def overlaps(self, other: Region) -> bool:
        """Whether the two share a pixel."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


@dataclass(frozen=True, slots=True)
class Regions:
    """What one picture may hold, the most promising first."""

    matrix: tuple[Region, ...] = ()
    linear: tuple[Region, ...] = ()

    @property
    def mostly_matrix(self) -> bool:
        """Whether the most promising place of all looks like a matrix code."""
        return bool(self.matrix) and not (self.linear and self.linear[0].weight > self.matrix[0].weight)


def find_regions(picture: np.ndarray, most: int = 3) -> Regions:
    """Give up to `most` places of each kind."""
    if min(picture.shape) < 4 * _SQUARE:
        return Regions()
    tensor = _Tensor.of(picture)
    crossing, along = tensor.crossing(), tensor.along()
    matrix = [_region(cells, picture) for cells in _components(crossing, most + _SPARE_SEEDS)]
    linear = [_linear_region(cells, tensor, picture) for cells in _components(along, most + _SPARE_SEEDS)]
    return Regions(
        tuple(sorted(matrix, key=_matrix_merit, reverse=True)[:most]),
        tuple(sorted((region for region in linear if region), key=lambda region: region.weight, reverse=True)[:most]),
    )


def main_direction(picture: np.ndarray) -> float | None:
    """Give the direction across most edges of the picture, as `Region.angle_deg`; None if there is none."""
    grey = picture.astype(np.float32)
    if min(grey.shape) < _HALF:
        return None
    across, down = grey[1:-1, 2:] - grey[1:-1, :-2], grey[2:, 1:-1] - grey[:-2, 1:-1]
    xx, yy, xy = (float(np.vdot(one, other)) for one, other in ((across, across), (down, down), (across, down)))
    if xx + yy == 0 or math.hypot(xx - yy, 2 * xy) < _COHERENT * (xx + yy):
        return None
    return math.degrees(math.atan2(2 * xy, xx - yy)) / 2


@dataclass(frozen=True, slots=True)
class _Cells:
    """Connected cells of a map."""

    rows: np.ndarray
    columns: np.ndarray
    weight: float


@dataclass(frozen=True, slots=True)
class _Tensor:
    """The structure tensor, one value a cell."""

    xx: np.ndarray
    yy: np.ndarray
    xy: np.ndarray

    @classmethod
    def of(cls, picture: np.ndarray) -> _Tensor:
        """Take the gradients of every other row of half the picture, which is enough for the sum of a cell."""
        half = np.asarray(Image.fromarray(picture).reduce(2)).astype(np.int16)
        rows, columns = (half.shape[0] - 2) // _HALF, (half.shape[1] - 2) // _HALF
        down, across = rows * _HALF, columns * _HALF
        east = (half[1 : down + 1 : 2, 2 : across + 2] - half[1 : down + 1 : 2, :across]).astype(np.float32)
        south = (half[2 : down + 2 : 2, 1 : across + 1] - half[:down:2, 1 : across + 1]).astype(np.float32)
        summing = np.repeat(np.eye(columns, dtype=np.float32), _HALF, axis=0) * (2 / _SQUARE**2)

        def sums(values: np.ndarray) -> np.ndarray:
            summed: np.ndarray = (values[::2] + values[1::2]) @ summing
            return summed

        return cls(sums(east * east), sums(south * south), sums(east * south))

    def crossing(self) -> np.ndarray:
        """How strong the gradients are in the direction in which they are weaker: nothing for plain edges."""
        xx, yy, xy = _around(self.xx), _around(self.yy), _around(self.xy)
        weaker = (xx + yy - np.hypot(xx - yy, 2 * xy)) / 2
        strength: np.ndarray = np.sqrt(np.maximum(weaker, 0))
        return strength

    def along(self) -> np.ndarray:
        """How strong the gradients are where they point one way over more than the width of an edge."""
        energy = self.xx + self.yy
        difference, mixed = _around(self.xx - self.yy), _around(2 * self.xy)
        coherence = np.hypot(difference, mixed) / np.maximum(_around(energy), 1e-3)
        return np.where(coherence > _COHERENT, np.sqrt(_thinnest(energy)), 0.0)


def _around(values: np.ndarray) -> np.ndarray:
    """Give the mean of each cell and the eight around it."""
    padded = np.pad(values, 1, mode="edge")
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    mean: np.ndarray = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9
    return mean


def _thinnest(values: np.ndarray) -> np.ndarray:
    """Remove what is thinner than three cells, as the edges of plain things are."""
    return _extreme(_extreme(values, np.minimum), np.maximum)


def _extreme(values: np.ndarray, pick: np.ufunc) -> np.ndarray:
    padded = np.pad(values, 1, mode="edge")
    rows = pick(pick(padded[:-2], padded[1:-1]), padded[2:])
    extreme: np.ndarray = pick(pick(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])
    return extreme


def _components(strength: np.ndarray, most: int) -> list[_Cells]:
    """Grow regions from the strongest cells that no region has taken yet."""
    free = strength.copy()
    floor = max(_FAINTEST, _ABOVE_NOISE * float(np.median(strength)))
    found = []
    for _ in range(most):
        seed = int(free.argmax())
        peak = float(free.flat[seed])
        if peak < floor:
            break
        cells = _grow(free, seed, max(floor, _PART_OF_PEAK * peak))
        rows, columns = np.divmod(cells, free.shape[1] + 1)
        weight = float(strength[rows, columns].sum())
        free[rows, columns] = 0
        if len(cells) >= _SMALLEST_CELLS:
            found.append(_Cells(rows, columns, weight))
    return found


def _grow(strength: np.ndarray, seed: int, least: float) -> np.ndarray:
    """Give the flat indices of the cells around the seed that are at least so strong."""
    width = strength.shape[1] + 1  # one empty column keeps the rows apart
    inside = bytearray(np.pad(strength >= least, ((1, 1), (0, 1))).tobytes())
    first = seed // (width - 1) * width + seed % (width - 1) + width
    open_cells, taken = [first], [first]
    inside[first] = 0
    while open_cells and len(taken) < _MOST_CELLS:
        cell = open_cells.pop()
        for neighbour in (cell - width, cell + width, cell - 1, cell + 1):
            if inside[neighbour]:
                inside[neighbour] = 0
                open_cells.append(neighbour)
                taken.append(neighbour)
    cells: np.ndarray = np.array(taken) - width
    return cells


def _region(cells: _Cells, picture: np.ndarray, angle_deg: float | None = None) -> Region:
    height, width = picture.shape
    return Region(
        int(cells.columns.min()) * _SQUARE,
        int(cells.rows.min()) * _SQUARE,
        min(width, (int(cells.columns.max()) + 1) * _SQUARE + 2),
        min(height, (int(cells.rows.max()) + 1) * _SQUARE + 2),
        cells.weight,
        angle_deg,
    )


def _linear_region(cells: _Cells, tensor: _Tensor, picture: np.ndarray) -> Region | None:
    place = cells.rows, cells.columns
    difference = float((tensor.xx[place] - tensor.yy[place]).sum())
    mixed = float(2 * tensor.xy[place].sum())
    energy = float((tensor.xx[place] + tensor.yy[place]).sum())
    if math.hypot(difference, mixed) < _COHERENT * energy:
        return None
    return _region(cells, picture, math.degrees(math.atan2(mixed, difference)) / 2)


def _matrix_merit(region: Region) -> float:
    """Matrix codes are compact: a line of text is not."""
    width, height = region.right - region.left, region.bottom - region.top
    return region.weight * min(width, height) / max(width, height)
