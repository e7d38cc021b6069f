"""Pixels become readings: single pictures by `read_still`, a stream of them by `OpticalDecoder`.

The way of a picture: has it changed at all (`scene`); a cheap look for QR codes (`zxing`); where could a code be
(`regions`); a matrix code there gets its blur taken back (`rescue`, `deblur`), a linear one is turned upright and read
several times (`linear`), its bars compared as a whole (`bars`, `barlook`) and believed by vote (`ballot`). Processor
time is bounded at every step (`budget`). zbar gives the second opinion; an assertion in it can end the process, so this
runs in a process that may die: the camera's own (`device.decode.camera_process`).
"""

from __future__ import annotations

from device.decode.readings import LARGEST_PIXELS, NotAPicture, OpticalReading
from device.decode.still import read_still
from device.decode.stream import OpticalDecoder
from device.decode.wanted import COMMON_ITF, RETAIL_ITF, SELECTABLE, UnknownSymbology
from device.sight import Hint

__all__ = [
    "COMMON_ITF",
    "LARGEST_PIXELS",
    "RETAIL_ITF",
    "SELECTABLE",
    "Hint",
    "NotAPicture",
    "OpticalDecoder",
    "OpticalReading",
    "UnknownSymbology",
    "read_still",
]
