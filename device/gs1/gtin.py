"""Global Trade Item Numbers: check digits, the four lengths, and UPC-E (GS1 General Specifications 7.9 and 5.2)."""

from __future__ import annotations

from device.gs1.problems import BadNumber

DIGITS = 14
LENGTHS = frozenset({8, 12, 13, 14})
_UPCE_DIGITS = 8


def check_digit(digits: str) -> str:
    """Give the check digit that belongs behind these digits."""
    weighted = (int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(digits)))
    return str((10 - sum(weighted) % 10) % 10)


def has_check_digit(digits: str) -> bool:
    """Tell whether the last digit is the check digit of the others."""
    return check_digit(digits[:-1]) == digits[-1]


def is_digits(text: str) -> bool:
    """Tell whether a text is made of the digits 0 to 9 alone."""
    return text.isascii() and text.isdigit()


def read_gtin(text: str) -> str:
    """Give the 14 digits of a GTIN of 8, 12, 13 or 14; BadNumber for another length or a wrong check digit."""
    if not is_digits(text) or len(text) not in LENGTHS:
        raise BadNumber("an article number has 8, 12, 13 or 14 digits")
    if not has_check_digit(text):
        raise BadNumber("the check digit of the article number is wrong; scan it again")
    return text.zfill(DIGITS)


def read_upce(text: str) -> str:
    """Give the 14 digits of a UPC-E number of 8 digits; BadNumber if it is none."""
    if not is_digits(text) or len(text) != _UPCE_DIGITS or text[0] not in "01":
        raise BadNumber("a UPC-E number has 8 digits and begins with 0 or 1")
    return read_gtin(expand_upce(text))


def expand_upce(digits: str) -> str:
    """Give the 13 digits of an 8-digit UPC-E number (zero suppression taken back); the check digit is not checked."""
    system, body, check = digits[0], digits[1:7], digits[7]
    last = body[5]
    if last in "012":
        middle = body[:2] + last + "0000" + body[2:5]
    elif last == "3":
        middle = body[:3] + "00000" + body[3:5]
    elif last == "4":
        middle = body[:4] + "00000" + body[4]
    else:
        middle = body[:5] + "0000" + last
    return "0" + system + middle + check
