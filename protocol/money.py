"""Amounts: integers of minor units with an ISO 4217 code. No float touches an amount."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from protocol import currencies

LARGEST_MINOR = 10**13 - 1
"""No single amount is larger; 13 digits are also what an EMVCo code can carry."""

_DECIMAL = re.compile(r"(-?)(\d{1,15})(?:\.(\d{1,4}))?", re.ASCII)


class MoneyProblem(ValueError):
    """An amount that is none."""


class CurrencyMismatch(MoneyProblem):
    """Amounts of two currencies met."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency in minor units (fen, cents); may be negative."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        currencies.by_code(self.currency)
        if type(self.minor) is not int:
            raise MoneyProblem("an amount is an integer of minor units")
        if abs(self.minor) > LARGEST_MINOR:
            raise MoneyProblem(f"an amount has at most {LARGEST_MINOR} minor units")

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __str__(self) -> str:
        return f"{self.decimal} {self.currency}"

    @property
    def decimal(self) -> str:
        """The amount as decimal text in major units, "12.30", with all digits of the currency."""
        exponent = currencies.by_code(self.currency).exponent
        digits = f"{abs(self.minor):0{exponent + 1}d}"
        sign = "-" if self.minor < 0 else ""
        return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} do not add")
        return other.minor


def parse_decimal(text: str, currency: str) -> Money:
    """Read decimal text in major units ("12.3"); MoneyProblem for exponents, a plus sign, or too many decimals."""
    exponent = currencies.by_code(currency).exponent
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise MoneyProblem("an amount is written in digits with at most one decimal point, for example 12.30")
    sign, whole, fraction = match.group(1), match.group(2), match.group(3) or ""
    if len(fraction) > exponent:
        raise MoneyProblem(f"{currency} has {exponent} decimals, not {len(fraction)}")
    minor = int(whole + fraction.ljust(exponent, "0"))
    return Money(-minor if sign else minor, currency)


def total(amounts: Sequence[Money], currency: str) -> Money:
    """Add up amounts of one currency; zero for none."""
    return sum(amounts, Money(0, currency))


def allocate(minor: int, ratios: Sequence[int]) -> tuple[int, ...]:
    """Share an amount by ratios so that the shares add up to it exactly.

    Largest remainder: every share is floored, and what is left goes one by one to the largest fractions, ties in listed
    order. A negative amount is shared as its absolute value.
    """
    whole = sum(ratios)
    if whole <= 0 or any(ratio < 0 for ratio in ratios):
        raise MoneyProblem("ratios are not negative and at least one is positive")
    if minor < 0:
        return tuple(-share for share in allocate(-minor, ratios))
    shares = [minor * ratio // whole for ratio in ratios]
    by_fraction = sorted(range(len(ratios)), key=lambda index: -(minor * ratios[index] % whole))
    for index in by_fraction[: minor - sum(shares)]:
        shares[index] += 1
    return tuple(shares)
