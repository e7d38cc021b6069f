"""Small matrix codes are believed only where they stand alone: parts of a damaged QR code read as a Micro QR code.

The smallest of them have no more than a checksum of some bits, and only a quiet zone of two modules tells them from
their surroundings.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from device.decode.codes import Code
from device.decode.regions import Region, find_regions

_WEAK = frozenset({"MICROQR", "RMQR", "MAXICODE"})
_MUCH_LARGER = 1.4
_CELL = 16
"""Pixels by which a region may be too large on both sides together."""


def confirmed(picture: np.ndarray, codes: Sequence[Code]) -> list[Code]:
    """Leave out small matrix codes that are a part of a larger place of the same kind."""
    if not any(code.symbology in _WEAK for code in codes):
        return list(codes)
    places = find_regions(picture).matrix
    return [code for code in codes if code.symbology not in _WEAK or not _is_part(code, picture, places)]


def _is_part(code: Code, picture: np.ndarray, places: Sequence[Region]) -> bool:
    height, width = picture.shape
    box = code.box
    side = max((box.right - box.left) * width, (box.bottom - box.top) * height)
    return any(place.box(picture).touches(box) and place.side > _MUCH_LARGER * side + _CELL for place in places)
