"""The names of symbologies in this house, and what AIM (ISO/IEC 15424), zxing-cpp and zbar call them.

Article numbers of the EAN/UPC family are always given as their 13 digits, as hand scanners send them: UPC-A is EAN13
with a leading zero, UPC-E is expanded but keeps its name. EAN-8 keeps its 8 digits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Symbology:
    """One kind of code; `aim` is the identifier to assume when a decoder gives none."""

    name: str
    aim: str
    linear: bool = False
    """Read along one line, with a weak check or none: never believed at one look."""
    zxing: tuple[str, ...] = ()
    zbar: tuple[str, ...] = ()
    """Not for DataBar, whose decoder in zbar runs into its own assertions."""


SYMBOLOGIES = {
    symbology.name: symbology
    for symbology in (
        Symbology("QR", "]Q1", zxing=("QRCode", "QRCodeModel1", "QRCodeModel2"), zbar=("QRCODE",)),
        Symbology("MICROQR", "]Q1", zxing=("MicroQRCode",)),
        Symbology("RMQR", "]Q1", zxing=("RMQRCode",)),
        Symbology("AZTEC", "]z0", zxing=("Aztec", "AztecCode", "AztecRune")),
        Symbology("DATAMATRIX", "]d1", zxing=("DataMatrix",)),
        Symbology("PDF417", "]L2", zxing=("PDF417", "CompactPDF417", "MicroPDF417")),
        Symbology("MAXICODE", "]U0", zxing=("MaxiCode",)),
        Symbology("EAN13", "]E0", linear=True, zxing=("EAN13", "UPCA", "ISBN"), zbar=("EAN13", "UPCA")),
        Symbology("EAN8", "]E4", linear=True, zxing=("EAN8",), zbar=("EAN8",)),
        Symbology("UPCE", "]E0", linear=True, zxing=("UPCE",), zbar=("UPCE",)),
        Symbology("EAN2", "]E1", linear=True),
        Symbology("EAN5", "]E2", linear=True),
        Symbology("CODE128", "]C0", linear=True, zxing=("Code128",), zbar=("CODE128",)),
        Symbology("CODE39", "]A0", linear=True, zxing=("Code39", "Code39Std", "Code39Ext"), zbar=("CODE39",)),
        Symbology("CODE93", "]G0", linear=True, zxing=("Code93",), zbar=("CODE93",)),
        Symbology("CODABAR", "]F0", linear=True, zxing=("Codabar",), zbar=("CODABAR",)),
        Symbology("ITF", "]I0", linear=True, zxing=("ITF", "ITF14"), zbar=("I25",)),
        Symbology(
            "DATABAR",
            "]e0",
            linear=True,
            zxing=("DataBar", "DataBarOmni", "DataBarStk", "DataBarStkOmni", "DataBarLtd"),
        ),
        Symbology("DATABAREXP", "]e0", linear=True, zxing=("DataBarExp", "DataBarExpStk")),
        Symbology("DOTCODE", "]J0"),
        Symbology("HANXIN", "]h0"),
    )
}

LINEAR = frozenset(name for name, symbology in SYMBOLOGIES.items() if symbology.linear and symbology.zxing)
MATRIX = frozenset(name for name, symbology in SYMBOLOGIES.items() if not symbology.linear and symbology.zxing)

ARTICLE_NUMBERS = frozenset({"EAN13", "EAN8", "UPCE"})

_BY_AIM_LETTER = {
    "A": "CODE39",
    "C": "CODE128",
    "F": "CODABAR",
    "G": "CODE93",
    "I": "ITF",
    "J": "DOTCODE",
    "L": "PDF417",
    "Q": "QR",
    "U": "MAXICODE",
    "d": "DATAMATRIX",
    "e": "DATABAR",
    "h": "HANXIN",
    "z": "AZTEC",
}
_BY_AIM_OF_ARTICLES = {"0": "EAN13", "1": "EAN2", "2": "EAN5", "3": "EAN13", "4": "EAN8"}
_OTHER_AIM_LETTERS = frozenset("BDHKMNOPRSTXYZcops")
"""Registered letters of codes that this house has no name for."""
_IDENTIFIER = re.compile(rb"\][A-Za-z][0-9A-Za-z]")


def split_aim(raw: bytes) -> tuple[str, str, bytes]:
    """Split (symbology, AIM identifier, payload) of what a scanner sent; ("UNKNOWN", "", raw) without identifier."""
    match = _IDENTIFIER.match(raw)
    if match is None:
        return UNKNOWN, "", raw
    aim = match.group().decode("ascii")
    symbology = symbology_of_aim(aim)
    if symbology == UNKNOWN and aim[1] not in _OTHER_AIM_LETTERS:
        return UNKNOWN, "", raw
    return symbology, aim, raw[3:]


def symbology_of_aim(aim: str) -> str:
    """Name the symbology of an AIM identifier such as "]Q1", or "UNKNOWN"."""
    if aim[1] == "E":
        return _BY_AIM_OF_ARTICLES.get(aim[2], UNKNOWN)
    return _BY_AIM_LETTER.get(aim[1], UNKNOWN)
