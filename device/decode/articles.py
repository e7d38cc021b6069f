"""Article numbers as scanners send them beside an identifier of their own: 12 digits of UPC-A, 8 of UPC-E or EAN-8."""

from __future__ import annotations

from typing import Final

from device.gs1.gtin import expand_upce, has_check_digit, is_digits

NAMES: Final = frozenset({"UPCA", "UPCE", "EANUPC"})
"""What identifiers may say that is no symbology of the house; the last one leaves open which of the family it is."""

_LENGTH: Final = {"UPCA": (12, 13), "EAN13": (13,), "EAN8": (8,), "UPCE": (8,)}
_FULL: Final = 13


class NotAnArticle(ValueError):
    """The digits are no number of that kind, or could be numbers of two kinds."""


def article_number(name: str, text: str) -> tuple[str, str]:
    """Give (symbology, digits) as AIM identifiers would bring them, UPC as 13 digits; NotAnArticle if it cannot be."""
    if not is_digits(text):
        raise NotAnArticle("it is no number")
    names = ("UPCA", "EAN8", "UPCE") if name == "EANUPC" else (name,)
    found = {read for each in names if (read := _read(each, text)) is not None}
    if len(found) != 1:
        raise NotAnArticle("it could be two numbers" if found else f"it is no number of {name}")
    return found.pop()


def _read(name: str, text: str) -> tuple[str, str] | None:
    if len(text) not in _LENGTH[name]:
        return None
    if name == "UPCE" and text[0] not in "01":
        return None
    digits = expand_upce(text) if name == "UPCE" else text
    if not has_check_digit(digits):
        return None
    return {"UPCA": "EAN13"}.get(name, name), digits.zfill(_FULL) if name == "UPCA" else digits
