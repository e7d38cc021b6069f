"""How one payment is shared: six parties, in hundredths of a percent, frozen into the terms of each payment.

A share without its party goes to the merchant: the guide's when no clerk signed in, the store's when the terminal
stands in none, the third party's when the settings name none. Shares follow the largest remainder (`money.allocate`).
A refund shares what was refunded *so far* and takes what earlier refunds left of it, so that a full refund leaves
nothing anywhere. A discount that platform or brand pays for is shared like money of the shopper; one of the merchant
is simply not received.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from protocol.money import allocate
from settlement.config import Settings

MERCHANT, PLATFORM, STORE, GUIDE, MALL, THIRD = "merchant", "platform", "store", "guide", "mall", "third"
COUPON_FUNDING = "coupon-funding"


class Share(msgspec.Struct, frozen=True, array_like=True):
    """An account and its part in basis points."""

    account: str
    basis_points: int


class Funding(msgspec.Struct, frozen=True, array_like=True):
    """An account that pays a discount."""

    account: str
    minor: int


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a payment was agreed on: nothing about it changes when the rule does."""

    version: str
    merchant: str
    shares: tuple[Share, ...]
    fundings: tuple[Funding, ...] = ()

    def to_json(self) -> str:
        """Write the terms for the database."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Terms:
        """Read terms of the database."""
        return msgspec.json.decode(text, type=cls)


def make_terms(settings: Settings, terminal: str, guide: str | None, fundings: tuple[Funding, ...]) -> Terms:
    """Freeze the rule for one payment at a terminal."""
    rule = settings.splits
    merchant = settings.merchant_of(terminal)
    basis_points = {
        f"{MERCHANT}:{merchant}": rule.merchant,
        PLATFORM: rule.platform,
        _named(STORE, settings.store_of(terminal)): rule.store,
        _named(GUIDE, guide): rule.guide,
        MALL: rule.mall,
        _named(THIRD, rule.third_party): rule.third,
    }
    orphaned = sum(basis_points.pop(party, 0) for party in (STORE, GUIDE, THIRD))
    basis_points[f"{MERCHANT}:{merchant}"] += orphaned
    shares = tuple(Share(account, part) for account, part in basis_points.items() if part)
    return Terms(version=rule.version, merchant=merchant, shares=shares, fundings=fundings)


def pay_legs(terms: Terms, source: str, paid: int) -> dict[str, int]:
    """Give what each account gets (positive) or gives (negative) when the shopper pays; the sum is zero."""
    gross = paid + sum(funding.minor for funding in terms.fundings)
    legs = {share.account: minor for share, minor in zip(terms.shares, _shared(terms, gross), strict=True)}
    legs[source] = legs.get(source, 0) - paid
    for funding in terms.fundings:
        legs[funding.account] = legs.get(funding.account, 0) - funding.minor
    return legs


def refund_legs(terms: Terms, source: str, paid: int, before: int, amount: int) -> dict[str, int]:
    """Give what each account gets or gives back when `amount` of `paid` is refunded after `before` already was."""
    then, now = _undone(terms, source, paid, before), _undone(terms, source, paid, before + amount)
    return {account: now[account] - then[account] for account in now}


def account_of(party: str, name: str) -> str:
    """Name the account of one holder of a party, such as a guide."""
    return f"{party}:{name}"


def party_of(account: str) -> str:
    """Give the party of an account, "merchant" of "merchant:Jade Tea House"."""
    return account.partition(":")[0]


def by_party(balances: Mapping[str, int]) -> dict[str, int]:
    """Add balances up by party."""
    together: dict[str, int] = {}
    for account, minor in balances.items():
        together[party_of(account)] = together.get(party_of(account), 0) + minor
    return together


def _named(party: str, name: str | None) -> str:
    return account_of(party, name) if name else party


def _shared(terms: Terms, gross: int) -> tuple[int, ...]:
    return allocate(gross, [share.basis_points for share in terms.shares])


def _undone(terms: Terms, source: str, paid: int, refunded: int) -> dict[str, int]:
    """Give what all refunds up to `refunded` have moved."""
    returned = [funding.minor * refunded // paid for funding in terms.fundings]
    legs = {
        share.account: -minor
        for share, minor in zip(terms.shares, _shared(terms, refunded + sum(returned)), strict=True)
    }
    legs[source] = legs.get(source, 0) + refunded
    for funding, minor in zip(terms.fundings, returned, strict=True):
        legs[funding.account] = legs.get(funding.account, 0) + minor
    return legs
