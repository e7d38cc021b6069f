"""The checks that components of elements are put to, by their names in the GS1 Syntax Dictionary.

Not checked, because no sale depends on them and their lists change: country codes, company prefixes, package and media
types, and the check letters of global model numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from device.gs1 import coupons, dates, gtin
from device.gs1.problems import BadCoupon
from protocol import currencies


def holds(name: str, value: str) -> bool:
    """Tell whether a component passes the check of this name."""
    return _CHECKS[name](value)


def is_time(digits: str) -> bool:
    """Tell whether HHMM is a time of a day."""
    return digits[:2] < "24" and digits[2:] < "60"


def _whole_date(digits: str) -> bool:
    return dates.is_date(digits)


def _date_or_month(digits: str) -> bool:
    return dates.is_date(digits, day_may_be_zero=True)


def _long_date(digits: str) -> bool:
    return dates.is_date(digits[2:]) and digits[:2] in ("18", "19", "20", "21") and not _is_common_century(digits)


def _is_common_century(digits: str) -> bool:
    """Tell whether it is the 29th of February of a century without one."""
    return digits[2:] == "000229" and digits[:2] != "20"


def _currency(digits: str) -> bool:
    try:
        currencies.by_numeric(digits)
    except currencies.UnknownCurrency:
        return False
    return True


def _piece_of_total(digits: str) -> bool:
    return "00" < digits[:2] <= digits[2:]


def _percent_encoding(text: str) -> bool:
    return re.fullmatch(r"(?:[^%]|%[0-9A-Fa-f]{2})*", text) is not None


def _iban(text: str) -> bool:
    if re.fullmatch(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{1,30}", text) is None:
        return False
    turned = text[4:] + text[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


def _place_in_sequence(text: str) -> bool:
    match = re.fullmatch(r"([1-9])/([1-9])", text)
    return match is not None and match[1] <= match[2]


def _coupon(text: str) -> bool:
    try:
        coupons.read_manufacturer_coupon(text)
    except BadCoupon:
        return False
    return True


def _positive_offer(text: str) -> bool:
    try:
        coupons.read_positive_offer(text)
    except BadCoupon:
        return False
    return True


_CHECKS: Mapping[str, Callable[[str], bool]] = {
    "couponcode": _coupon,
    "couponposoffer": _positive_offer,
    "csum": gtin.has_check_digit,
    "hasnondigit": lambda text: not gtin.is_digits(text),
    "hh": lambda digits: digits < "24",
    "hhmi": is_time,
    "hyphen": lambda text: text == "-",
    "iban": _iban,
    "importeridx": lambda text: re.fullmatch(r"[-0-9A-Z_a-z]", text) is not None,
    "iso4217": _currency,
    "iso5218": lambda digit: digit in "0129",
    "latitude": lambda digits: int(digits) <= 180 * 10**7,
    "longitude": lambda digits: int(digits) <= 360 * 10**7,
    "mi": lambda digits: digits < "60",
    "nonzero": lambda digits: int(digits) > 0,
    "nozeroprefix": lambda digits: digits == "0" or not digits.startswith("0"),
    "pcenc": _percent_encoding,
    "pieceoftotal": _piece_of_total,
    "posinseqslash": _place_in_sequence,
    "ss": lambda digits: digits < "60",
    "winding": lambda digit: digit in "019",
    "yesno": lambda digit: digit in "01",
    "yymmd0": _date_or_month,
    "yymmdd": _whole_date,
    "yyyymmdd": _long_date,
    "zero": lambda digit: digit == "0",
}
