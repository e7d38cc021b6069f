"""One sale: its basket, what is due and why, and where it stands. Frozen; the checkout makes the next one of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from device.payment.views import DiscountView, LineView, Phase, SaleView
from protocol import money
from protocol.money import Money
from protocol.records import Line, Mode

LONGEST_BASKET = 500
LARGEST_DUE_MINOR = 10**12 - 1
"""With the decimal point these are the 13 characters that an EMVCo code has for an amount."""
DECLINED_LATE = "declined-late"
"""Reason word of a sale that was accepted offline and declined afterwards: the merchant bears it."""
ONE_AT_A_TIME = "second-token"
"""Notice word: another token came while the first was being tried. It is not charged, and both are told."""


@dataclass(frozen=True, slots=True)
class Coupon:
    """A coupon that settlement has reserved for the sale."""

    coupon: str
    label: str
    discount: Money


@dataclass(frozen=True, slots=True)
class Member:
    """The member whose card was shown."""

    member: str
    name: str
    discount_basis_points: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One payment token under way, or the order of a phone."""

    attempt: str
    scheme: str
    amount: Money
    mode: Mode
    began_ms: int
    """Monotonic, when the token was presented."""


@dataclass(frozen=True, slots=True)
class Sale:
    """A sale as the checkout knows it. Times are monotonic milliseconds unless they say otherwise."""

    sale: str
    register: str
    request: str
    asked: Money | None
    """The amount of the register; None makes the basket out of scanned goods."""
    currency: str
    opened_ms: int
    """Wall time."""
    phase: Phase = Phase.GATHERING
    lines: tuple[Line, ...] = ()
    coupons: tuple[Coupon, ...] = ()
    member: Member | None = None
    guide: str = ""
    attribution: str = ""
    """Who brought the shopper."""
    nonce: bytes = b""
    challenge: str = ""
    deadline_ms: int = 0
    """When the sale ends unpaid."""
    decide_by_ms: int = 0
    """When the running attempt becomes unknown, or a detached one is reversed."""
    ask_at_ms: int = 0
    """When settlement is asked again for the outcome, while it is unknown."""
    cancelled_ms: int = 0
    """When a sale with an attempt under way was cancelled."""
    attempt: Attempt | None = None
    attempts: tuple[str, ...] = ()
    """Ids of all attempts and of the order that paid."""
    reversing: str = ""
    """Id of the attempt whose reversal is written and not yet confirmed."""
    undone: tuple[str, ...] = ()
    """Ids of orders that came too late and are sent back."""
    seen: tuple[bytes, ...] = ()
    """SHA-256 of tokens that were presented and not tried: burned unless the sale is paid."""
    payment: str = ""
    payer: str = ""
    reason: str = ""
    notice: str = ""
    refunded_minor: int = 0
    closed_ms: int = 0
    """Wall time."""
    attempt_ms: int = 0

    @property
    def goods(self) -> Money:
        """What basket or register ask for before any reduction."""
        if self.asked is not None:
            return self.asked
        return money.total([line.amount for line in self.lines], self.currency)

    @property
    def member_discount(self) -> Money:
        """The member price, rounded down to whole minor units in favour of the store."""
        points = self.member.discount_basis_points if self.member else 0
        return Money(self.goods.minor * points // 10_000, self.currency)

    @property
    def due(self) -> Money:
        """What the shopper has to pay."""
        return self.goods - self.member_discount - money.total([each.discount for each in self.coupons], self.currency)

    @property
    def coupon_ids(self) -> tuple[str, ...]:
        """The ids of the coupons taken."""
        return tuple(coupon.coupon for coupon in self.coupons)

    @property
    def holds_the_counter(self) -> bool:
        """Tell whether the next sale has to wait for this one."""
        return self.phase in (Phase.GATHERING, Phase.AUTHORISING, Phase.WAITING)

    def noticing(self, notice: str) -> Sale:
        """Give the sale with a word about what was just presented."""
        return replace(self, notice=notice)


def view_of(sale: Sale) -> SaleView:
    """Show a sale to register and pages."""
    paid_by = sale.attempt if sale.payment else None
    return SaleView(
        sale=sale.sale,
        register=sale.register,
        request=sale.request,
        phase=sale.phase,
        amount=sale.due,
        lines=tuple(LineView(line.code, line.label, line.quantity, line.amount) for line in sale.lines),
        discounts=_discounts(sale),
        member=sale.member.name if sale.member else "",
        challenge=sale.challenge if sale.phase is Phase.GATHERING else "",
        reason=sale.reason,
        notice=sale.notice,
        scheme=paid_by.scheme if paid_by else "",
        payer=sale.payer,
        payment=sale.payment,
        offline=paid_by is not None and paid_by.mode is Mode.OFFLINE,
        refunded=Money(sale.refunded_minor, sale.currency),
        opened_ms=sale.opened_ms,
        closed_ms=sale.closed_ms,
        attempt_ms=sale.attempt_ms,
    )


def write_sale(sale: Sale) -> bytes:
    """Write a sale for the journal's table of sales."""
    return msgspec.json.encode(sale)


def read_sale(data: bytes) -> Sale:
    """Read what `write_sale` wrote."""
    return msgspec.json.decode(data, type=Sale)


def _discounts(sale: Sale) -> tuple[DiscountView, ...]:
    member = (DiscountView("member", sale.member_discount),) if sale.member_discount.minor else ()
    return member + tuple(DiscountView(coupon.label, coupon.discount) for coupon in sale.coupons)
