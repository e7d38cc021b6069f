"""North American coupons: AI 8110 of manufacturers, AI 8112 of positive offer files (grammar: GS1 Syntax Dictionary).

Numbers announce their own length by a digit before them (VLI). The words of faults are those of GS1's linter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from device.gs1 import dates, gtin
from device.gs1.problems import BadCoupon

_COMPANY_DIGITS = 6
"""A company prefix, serial or retailer number has so many digits more than its VLI says."""
_OFFER_DIGITS = 6
_FAMILY_DIGITS = 3
_DATE_DIGITS = 6
_NO_COMPANY = "9"
"""VLI of a further requirement that is about the coupon's own company."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """What must be bought: the value in units that `code` names (pieces, cents, ...)."""

    value: int
    code: int
    family: str
    company: str = ""
    """Company prefix, empty for the coupon's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManufacturerCoupon:
    """The value of AI 8110."""

    company: str
    offer: str = field(repr=False)
    save_value: int
    requirements: tuple[Requirement, ...]
    """One to three."""
    additional_rule: int | None = None
    """How the second requirement joins the first."""
    expires: str = ""
    """YYMMDD, empty for never."""
    starts: str = ""
    serial: str = field(default="", repr=False)
    retailer: str = ""
    save_value_code: int = 0
    applies_to: int = 0
    """Which of the requirements the value is taken from."""
    store_coupon: int = 0
    do_not_multiply: bool = False

    def is_expired(self, today: date) -> bool:
        """Tell whether its last day is over."""
        return bool(self.expires) and dates.read_date(self.expires, today) < today

    def has_begun(self, today: date) -> bool:
        """Tell whether its first day has come."""
        return not self.starts or dates.read_date(self.starts, today) <= today


@dataclass(frozen=True, slots=True, kw_only=True)
class PositiveOffer:
    """The value of AI 8112: what it is worth stands in the file of the offer."""

    format_code: int
    funder: str
    offer: str = field(repr=False)
    serial: str = field(repr=False)


def read_manufacturer_coupon(text: str) -> ManufacturerCoupon:
    """Read the value of AI 8110; BadCoupon if it is none."""
    digits = _Digits(text)
    company = digits.counted("gcp", "0123456", _COMPANY_DIGITS)
    offer = digits.take(_OFFER_DIGITS, "truncated-offer-code")
    save_value = int(digits.counted("save-value", "12345"))
    first = _requirement(digits, "1st")
    rule, second = _second(digits) if digits.skip("1") else (None, None)
    third = _further(digits, "3rd") if digits.skip("2") else None
    expires = _date(digits, "expiration") if digits.skip("3") else ""
    starts = _date(digits, "start") if digits.skip("4") else ""
    if expires and starts and _is_before(expires, starts):
        raise BadCoupon("expiration-before-start")
    serial = digits.counted("serial-number", "0123456789", _COMPANY_DIGITS) if digits.skip("5") else ""
    retailer = digits.counted("retailer-gcp-or-gln", "1234567", _COMPANY_DIGITS) if digits.skip("6") else ""
    kind, applies_to, store, multiply = _miscellany(digits) if digits.skip("9") else (0, 0, 0, 0)
    digits.end()
    return ManufacturerCoupon(
        company=company,
        offer=offer,
        save_value=save_value,
        requirements=tuple(each for each in (first, second, third) if each),
        additional_rule=rule,
        expires=expires,
        starts=starts,
        serial=serial,
        retailer=retailer,
        save_value_code=kind,
        applies_to=applies_to,
        store_coupon=store,
        do_not_multiply=bool(multiply),
    )


def read_positive_offer(text: str) -> PositiveOffer:
    """Read the value of AI 8112; BadCoupon if it is none."""
    digits = _Digits(text)
    format_code = digits.code("format-code", "01")
    funder = digits.counted("funder", "0123456", _COMPANY_DIGITS)
    offer = digits.take(_OFFER_DIGITS, "truncated-offer-code")
    serial = digits.counted("serial-number", "0123456789", _COMPANY_DIGITS)
    digits.end()
    return PositiveOffer(format_code=format_code, funder=funder, offer=offer, serial=serial)


class _Digits:
    """Digits that are read from left to right."""

    def __init__(self, text: str) -> None:
        if text and not gtin.is_digits(text):
            raise BadCoupon("non-digit-character")
        self._rest = text

    def take(self, count: int, fault: str) -> str:
        """Take so many digits."""
        taken, self._rest = self._rest[:count], self._rest[count:]
        if len(taken) < count:
            raise BadCoupon(fault)
        return taken

    def code(self, name: str, possible: str) -> int:
        """Take one digit that must be one of those."""
        digit = self.take(1, f"missing-{name}")
        if digit not in possible:
            raise BadCoupon(f"invalid-{name}")
        return int(digit)

    def counted(self, name: str, possible: str, more: int = 0) -> str:
        """Take a length, and so many digits and `more`."""
        length = self.take(1, f"missing-{name}-vli")
        if length not in possible:
            raise BadCoupon(f"invalid-{name}-length")
        return self.take(int(length) + more, f"truncated-{name}")

    def skip(self, digit: str) -> bool:
        """Pass over the digit that introduces a field, if it is there."""
        found = self._rest.startswith(digit)
        self._rest = self._rest[found:]
        return found

    def end(self) -> None:
        """See that nothing is left."""
        if self._rest:
            raise BadCoupon("excess-data")


def _requirement(digits: _Digits, which: str) -> Requirement:
    value = int(digits.counted(f"{which}-purchase-requirement", "12345"))
    code = digits.code(f"{which}-purchase-requirement-code", "012349")
    return Requirement(value, code, digits.take(_FAMILY_DIGITS, f"truncated-{which}-purchase-family-code"))


def _second(digits: _Digits) -> tuple[int, Requirement]:
    rule = digits.code("additional-purchase-rules-code", "0123")
    return rule, _further(digits, "2nd")


def _further(digits: _Digits, which: str) -> Requirement:
    own = _requirement(digits, which)
    if digits.skip(_NO_COMPANY):
        return own
    company = digits.counted(f"{which}-purchase-gcp", "0123456", _COMPANY_DIGITS)
    return Requirement(own.value, own.code, own.family, company)


def _date(digits: _Digits, which: str) -> str:
    text = digits.take(_DATE_DIGITS, f"too-short-for-{which}-date")
    if not dates.is_date(text):
        raise BadCoupon(f"invalid-{which}-date")
    return text


def _is_before(expires: str, starts: str) -> bool:
    """Compare two dates of one coupon, whose years are less than half a century apart."""
    years = (int(expires[:2]) - int(starts[:2])) % 100
    return years >= 50 or (years == 0 and expires < starts)  # noqa: PLR2004


def _miscellany(digits: _Digits) -> tuple[int, int, int, int]:
    return (
        digits.code("save-value-code", "01256"),
        digits.code("save-value-applies-to-item", "012"),
        digits.code("store-coupon-flag", "0123456789"),
        digits.code("dont-multiply-flag", "01"),
    )
