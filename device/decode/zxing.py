"""The first opinion: zxing-cpp."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import zxingcpp

from device.decode.codes import Box, Code
from device.decode.symbologies import SYMBOLOGIES

if TYPE_CHECKING:
    from zxingcpp import Barcode, BarcodeFormats

_NAMES = {zxing: symbology.name for symbology in SYMBOLOGIES.values() for zxing in symbology.zxing}
_DIGITS_OF_UPCA = 12


def zxing_look(
    gray: np.ndarray, symbologies: frozenset[str], *, hasty: bool = False, one_level: bool = False
) -> list[Code]:
    """Give what zxing-cpp sees of these symbologies; hastily, at half the price: no inverted and no large codes.

    With `one_level`, one threshold divides dark from light all over the picture, which suits a small one in even light.
    Asked for QR codes, zxing-cpp gives Micro QR codes as well, which are left out unless they were asked for.
    """
    if not symbologies:
        return []
    found = zxingcpp.read_barcodes(
        gray,
        formats=_formats(symbologies),
        text_mode=zxingcpp.TextMode.Plain,
        try_invert=not hasty,
        try_downscale=not hasty,
        binarizer=zxingcpp.Binarizer.GlobalHistogram if one_level else zxingcpp.Binarizer.LocalAverage,
    )
    height, width = gray.shape
    codes = [_code(barcode, width, height) for barcode in found]
    return [code for code in codes if code is not None and code.symbology in symbologies]


@cache
def _formats(symbologies: frozenset[str]) -> BarcodeFormats:
    names = _first_names(symbologies)
    return zxingcpp.BarcodeFormats([getattr(zxingcpp.BarcodeFormat, name) for name in names])


def _first_names(symbologies: Iterable[str]) -> list[str]:
    """Name the format that stands for each symbology with all its variants."""
    return sorted(name for symbology in symbologies for name in SYMBOLOGIES[symbology].zxing[:1])


def _code(barcode: Barcode, width: int, height: int) -> Code | None:
    name = _NAMES.get(barcode.format.name)
    raw = bytes(barcode.bytes)
    if name is None or not raw:
        return None
    if name == "EAN13" and len(raw) == _DIGITS_OF_UPCA:
        raw = b"0" + raw
    corners = barcode.position
    points = [
        (corner.x, corner.y)
        for corner in (corners.top_left, corners.top_right, corners.bottom_right, corners.bottom_left)
    ]
    aim = barcode.symbology_identifier or SYMBOLOGIES[name].aim
    return Code(name, raw, aim, Box.around(points, width, height), barcode.text)
