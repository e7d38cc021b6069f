"""How one payment is shared: six parties, in hundredths of a percent, frozen into the terms of each payment.

A share without its party goes to the merchant: the guide's when no clerk signed in, the store's when the terminal
stands in none, the third party's when the settings name none, and no partner of theirs brought the shopper. Shares
follow the largest remainder (`money.allocate`);
then limits hold: a party gets nothing of a payment below its minimum, its fixed part on top, and no more than its cap.
The merchant has the rest, and pays the fees of acquirer and platform out of it, rounded half up. Nothing goes below
zero: fixed parts and fees end, in the order of the parties, where the merchant's part ends.

A refund shares what was refunded *so far* in the proportion of what each party got, and takes what earlier refunds left
of it, so that a full refund leaves nothing anywhere. A discount that platform or brand pays for is shared like money of
the shopper; one of the merchant is simply not received.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from protocol.money import allocate
from settlement.config import WHOLE, Fee, Limits, Settings

MERCHANT, PLATFORM, STORE, GUIDE, MALL, THIRD = "merchant", "platform", "store", "guide", "mall", "third"
ACQUIRER = "acquirer"
COUPON_FUNDING = "coupon-funding"


class Share(msgspec.Struct, frozen=True, array_like=True):
    """An account and its part in basis points; `fixed`, `cap` and `minimum` in minor units."""

    account: str
    basis_points: int
    fixed: int = 0
    cap: int | None = None
    minimum: int = 0


class Charged(msgspec.Struct, frozen=True, array_like=True):
    """A fee of the merchant: to whom, basis points of the payment, and minor units for each payment."""

    account: str
    basis_points: int
    fixed: int


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
    fees: tuple[Charged, ...] = ()

    @property
    def owner(self) -> str:
        """The merchant's account: it has what is left, and pays the fees."""
        return account_of(MERCHANT, self.merchant)

    def to_json(self) -> str:
        """Write the terms for the database."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Terms:
        """Read terms of the database."""
        return msgspec.json.decode(text, type=cls)


def make_terms(
    settings: Settings,
    terminal: str,
    guide: str | None,
    fundings: tuple[Funding, ...],
    scheme: str = "",
    *,
    attribution: str | None = None,
) -> Terms:
    """Freeze the rule for one payment at a terminal; without a scheme nobody charges a fee.

    The third party is the partner who brought the shopper, if the rule names one such.
    """
    rule = settings.splits
    merchant = settings.merchant_of(terminal)
    limits = {str(party): bounds for party, bounds in rule.limits.items()}
    holders = {
        PLATFORM: (PLATFORM, rule.platform),
        STORE: (_named(STORE, settings.store_of(terminal)), rule.store),
        GUIDE: (_named(GUIDE, guide), rule.guide),
        MALL: (MALL, rule.mall),
        THIRD: (_named(THIRD, attribution if attribution in rule.partners else rule.third_party), rule.third),
    }
    shares = [
        _share(account, part, limits.get(party, Limits()))
        for party, (account, part) in holders.items()
        if account not in (STORE, GUIDE, THIRD)
    ]
    rest = WHOLE - sum(share.basis_points for share in shares)
    owner = Share(account_of(MERCHANT, merchant), rest)
    return Terms(
        version=rule.version,
        merchant=merchant,
        shares=(owner, *(share for share in shares if share.basis_points or share.fixed)),
        fundings=fundings,
        fees=_fees(settings, scheme),
    )


def pay_legs(terms: Terms, source: str, paid: int) -> dict[str, int]:
    """Give what each account gets (positive) or gives (negative) when the shopper pays; the sum is zero."""
    legs = _received(terms, _gross(terms, paid))
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


def _share(account: str, basis_points: int, limits: Limits) -> Share:
    return Share(account, basis_points, limits.fixed, limits.cap, limits.minimum)


def _fees(settings: Settings, scheme: str) -> tuple[Charged, ...]:
    acquirer, platform = settings.fees.acquirer.get(scheme, Fee()), settings.fees.platform.get(scheme, Fee())
    fees = ((account_of(ACQUIRER, scheme), acquirer), (PLATFORM, platform))
    return tuple(
        Charged(account, fee.basis_points, fee.fixed) for account, fee in fees if fee.basis_points or fee.fixed
    )


def _gross(terms: Terms, paid: int) -> int:
    return paid + sum(funding.minor for funding in terms.fundings)


def _received(terms: Terms, gross: int) -> dict[str, int]:
    """Give what each account gets of a payment, fees included."""
    parts = allocate(gross, [share.basis_points for share in terms.shares])
    received = {terms.owner: 0}
    for share, minor in zip(terms.shares, parts, strict=True):
        received[share.account] = received.get(share.account, 0) + minor
    for share, minor in zip(terms.shares, parts, strict=True):
        if share.account != terms.owner:
            _move(received, terms.owner, share.account, _limited(share, minor, gross) - minor)
    for fee in terms.fees:
        _move(received, terms.owner, fee.account, (gross * fee.basis_points + WHOLE // 2) // WHOLE + fee.fixed)
    return received


def _limited(share: Share, minor: int, gross: int) -> int:
    if gross < share.minimum:
        return 0
    fixed = minor + share.fixed
    return fixed if share.cap is None else min(fixed, share.cap)


def _move(received: dict[str, int], owner: str, account: str, minor: int) -> None:
    """Move what the owner has of it; a negative amount goes back to the owner."""
    moved = min(minor, received[owner])
    received[owner] -= moved
    received[account] = received.get(account, 0) + moved


def _undone(terms: Terms, source: str, paid: int, refunded: int) -> dict[str, int]:
    """Give what all refunds up to `refunded` have moved."""
    returned = [funding.minor * refunded // paid for funding in terms.fundings]
    received = _received(terms, _gross(terms, paid))
    back = allocate(refunded + sum(returned), list(received.values()))
    legs = {account: -minor for account, minor in zip(received, back, strict=True)}
    legs[source] = legs.get(source, 0) + refunded
    for funding, minor in zip(terms.fundings, returned, strict=True):
        legs[funding.account] = legs.get(funding.account, 0) + minor
    return legs
