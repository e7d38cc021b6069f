"""A look of another kind at an article number that a decoder has seen: its bars compared as a whole.

Where the decoders have found a code, its ends are known well enough to try all the ends nearby. Several bands across
the bars must give the same number, with certainty, and none another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from device.decode.bars import EAN8, EAN13, UPCE, Layout, Match, match
from device.decode.codes import Box, Code
from device.decode.pictures import rotated
from device.decode.regions import main_direction
from device.decode.symbologies import SYMBOLOGIES

_LAYOUTS = {layout.name: layout for layout in (EAN13, EAN8, UPCE)}
_BANDS = (0.5, 0.35, 0.65, 0.25, 0.75)
_SIGMAS = (0.45, 0.8)
_REACH = 4.0
"""Modules by which the ends that a decoder gave may be wrong."""
_STEP = 0.36
_LIKE, _WEAKEST, _MARGIN = 0.8, 0.55, 0.02
_ENOUGH_BANDS = 2
_UPRIGHT_DEG = 0.5
_NARROWEST = 32


def bar_look(picture: np.ndarray, code: Code) -> list[Code]:
    """Give the number that the bars at the place of this code show; nothing where that is not certain."""
    layout = _LAYOUTS.get(code.symbology)
    if layout is None:
        return []
    counted = Counter(found for band in _bands(picture, code.box) if (found := _read(band, layout)))
    if len(counted) != 1:
        return []
    digits, bands = counted.popitem()
    if bands < _ENOUGH_BANDS:
        return []
    return [Code(layout.name, digits.encode("ascii"), SYMBOLOGIES[layout.name].aim, code.box)]


def _read(band: tuple[np.ndarray, float, float], layout: Layout) -> str | None:
    profile, start, end = band
    module = (end - start) / layout.modules
    reach = np.arange(-_REACH, _REACH, _STEP) * module
    readings = [match(profile, layout, start + reach, end + reach, sigma) for sigma in _SIGMAS]
    certain = [reading for reading in readings if reading is not None and _is_certain(reading)]
    return max(certain, key=lambda reading: reading.likeness).digits if certain else None


def _is_certain(reading: Match) -> bool:
    return reading.likeness > _LIKE and reading.weakest > _WEAKEST and reading.margin > _MARGIN


def _bands(picture: np.ndarray, box: Box) -> Iterator[tuple[np.ndarray, float, float]]:
    """Give profiles across the bars, in both directions, with the probable ends of the code."""
    height, width = picture.shape
    left, right = box.left * width, box.right * width
    top, bottom = box.top * height, box.bottom * height
    thickness = max(bottom - top, 6.0)
    margin = int(max(right - left, thickness) * 0.12) + 4
    cut = picture[max(0, int(top) - 2) : int(top + thickness) + 3, max(0, int(left) - margin) : int(right) + margin]
    angle = main_direction(cut)
    if angle is None:
        return
    turned = rotated(np.ascontiguousarray(cut), angle) if abs(angle) > _UPRIGHT_DEG else cut
    if turned.shape[1] < _NARROWEST:
        return
    start = min(left, float(margin)) + (turned.shape[1] - cut.shape[1]) / 2
    end = start + right - left
    for part in _BANDS:
        middle = round(part * turned.shape[0])
        profile = turned[max(0, middle - 1) : middle + 2].mean(axis=0, dtype=np.float32)
        yield profile, start, end
