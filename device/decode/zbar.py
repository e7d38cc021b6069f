"""The second opinion: zbar, through the bindings of pyzbar.

zbar guesses a character set and changes binary payloads, unless it is asked for plain bytes; pyzbar's own `decode` does
not ask. A zbar too old to be asked is believed for ASCII only. A failed assertion inside zbar ends the whole process,
which is one reason why optical decoding lives in the camera's own process.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from device.decode.codes import Box, Code
from device.decode.symbologies import SYMBOLOGIES
from device.gs1.gtin import expand_upce

log = logging.getLogger(__name__)

_LUMA = 808466521
"""The four letters Y800: one byte a pixel."""
_ENABLE = 0
_BINARY = 4
"""ZBAR_CFG_BINARY of zbar 0.23.1 and later; pyzbar does not name it."""
_EVERY_SYMBOLOGY = 0


def zbar_look(gray: np.ndarray, symbologies: frozenset[str]) -> list[Code]:
    """Give what zbar sees; nothing where pyzbar or libzbar0 is not installed."""
    wrapper = _bindings()
    if wrapper is None or not symbologies:
        return []
    with _scanner(wrapper) as scanner, _image(wrapper, gray) as image:
        exact = _choose(wrapper, scanner, symbologies)
        wrapper.zbar_scan_image(scanner, image)
        height, width = gray.shape
        codes = [_code(wrapper, symbol, width, height) for symbol in _symbols(wrapper, image)]
    return [code for code in codes if code is not None and (exact or code.raw.isascii())]


@cache
def _bindings() -> Any:
    """Load pyzbar once; None, with one warning, where it or its library is missing."""
    try:
        from pyzbar import wrapper  # noqa: PLC0415 - loading fails where libzbar0 is missing
    except ImportError as missing:
        log.warning("no second opinion on codes: %s; install the Debian package libzbar0", missing)
        return None
    return wrapper


@cache
def _names() -> dict[int, str]:
    wrapper = _bindings()
    return {
        int(wrapper.ZBarSymbol[zbar]): symbology.name for symbology in SYMBOLOGIES.values() for zbar in symbology.zbar
    }


@contextmanager
def _scanner(wrapper: Any) -> Iterator[Any]:
    scanner = wrapper.zbar_image_scanner_create()
    try:
        yield scanner
    finally:
        wrapper.zbar_image_scanner_destroy(scanner)


@contextmanager
def _image(wrapper: Any, gray: np.ndarray) -> Iterator[Any]:
    height, width = gray.shape
    pixels = np.ascontiguousarray(gray)
    image = wrapper.zbar_image_create()
    try:
        wrapper.zbar_image_set_format(image, _LUMA)
        wrapper.zbar_image_set_size(image, width, height)
        wrapper.zbar_image_set_data(image, ctypes.c_void_p(pixels.ctypes.data), pixels.size, None)
        yield image
    finally:
        wrapper.zbar_image_destroy(image)


def _choose(wrapper: Any, scanner: Any, symbologies: Iterable[str]) -> bool:
    """Enable these symbologies alone; tell whether QR codes come as exact bytes."""
    wrapper.zbar_image_scanner_set_config(scanner, _EVERY_SYMBOLOGY, _ENABLE, 0)
    for name in symbologies:
        for zbar in SYMBOLOGIES[name].zbar:
            if zbar != "UPCA":  # left off, UPC-A comes as the EAN-13 that it is
                wrapper.zbar_image_scanner_set_config(scanner, wrapper.ZBarSymbol[zbar], _ENABLE, 1)
    refused = wrapper.zbar_image_scanner_set_config(scanner, wrapper.ZBarSymbol.QRCODE, _BINARY, 1)
    return not refused


def _symbols(wrapper: Any, image: Any) -> Iterator[Any]:
    symbol = wrapper.zbar_image_first_symbol(image)
    while symbol:
        yield symbol
        symbol = wrapper.zbar_symbol_next(symbol)


def _code(wrapper: Any, symbol: Any, width: int, height: int) -> Code | None:
    name = _names().get(symbol.contents.type)
    raw = ctypes.string_at(wrapper.zbar_symbol_get_data(symbol), wrapper.zbar_symbol_get_data_length(symbol))
    if name is None or not raw:
        return None
    if name == "UPCE":
        raw = expand_upce(raw.decode("ascii")).encode("ascii")
    points = [
        (wrapper.zbar_symbol_get_loc_x(symbol, index), wrapper.zbar_symbol_get_loc_y(symbol, index))
        for index in range(wrapper.zbar_symbol_get_loc_size(symbol))
    ]
    return Code(name, raw, SYMBOLOGIES[name].aim, Box.around(points, width, height))
