"""Dates of six digits: the century lies within 49 years before and 50 years after today, day 00 ends the month."""

from __future__ import annotations

import calendar
from datetime import date

from device.gs1.problems import BadDate

_PAST_YEARS = 49
_CENTURY = 100


def is_date(digits: str, *, day_may_be_zero: bool = False) -> bool:
    """Tell whether YYMMDD can be a date in some century; every year 00 is taken for a leap year."""
    year, month, day = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    if not 1 <= month <= 12:  # noqa: PLR2004
        return False
    first = 0 if day_may_be_zero else 1
    return first <= day <= calendar.monthrange(2000 + year, month)[1]


def read_date(digits: str, today: date) -> date:
    """Give the date that YYMMDD means today; BadDate if it is none."""
    if len(digits) != len("YYMMDD") or not (digits.isascii() and digits.isdigit()):
        raise BadDate("", "a date has six digits")
    year = _year(int(digits[:2]), today.year)
    month, day = int(digits[2:4]), int(digits[4:6])
    try:
        return date(year, month, day or calendar.monthrange(year, month)[1])
    except ValueError:  # calendar.IllegalMonthError is one too
        raise BadDate("", "six digits are no date of the calendar") from None


def _year(two_digits: int, now: int) -> int:
    """Find the year with these last digits in the window around now."""
    earliest = now - _PAST_YEARS
    return earliest + (two_digits - earliest) % _CENTURY
