"""What the counter shows to the outside: frozen pictures of sales and of itself. No token is in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from device.ports import Health
from protocol.money import Money


class Phase(Enum):
    """Where a sale stands."""

    GATHERING = "gathering"
    """Goods, coupons, member cards and payment tokens are taken."""
    AUTHORISING = "authorising"
    """A token was presented; settlement decides."""
    WAITING = "waiting"
    """The shopper is asked for a password on the phone."""
    UNKNOWN = "unknown"
    """No decision in time; it is being asked for. The next sale may begin."""
    CANCELLING = "cancelling"
    """Cancelled while a payment was under way: the payment is being reversed."""
    PAID = "paid"
    UNPAID = "unpaid"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Tell whether the sale has come to its end."""
        return self in (Phase.PAID, Phase.UNPAID, Phase.CANCELLED)


@dataclass(frozen=True, slots=True)
class LineView:
    """One line of the basket."""

    code: str
    label: str
    quantity: int
    amount: Money


@dataclass(frozen=True, slots=True)
class DiscountView:
    """One reduction: a coupon or the member price."""

    label: str
    amount: Money


@dataclass(frozen=True, slots=True)
class SaleView:
    """One sale as register, pages and slips may see it."""

    sale: str
    register: str
    request: str
    phase: Phase
    amount: Money
    """What is due: goods less discounts."""
    lines: tuple[LineView, ...]
    discounts: tuple[DiscountView, ...]
    member: str
    """How the display greets the member, empty if none."""
    challenge: str
    """Text of the dynamic QR while the phone may pay by it, else empty."""
    reason: str
    """Why the last attempt was declined, or why the sale ended so; a reason word, empty if nothing to say."""
    notice: str
    """What happened last with something presented, a word such as "coupon-taken" or "goods-unknown"; empty if nothing.
    The pages have a sentence for each."""
    scheme: str
    """Who charged the payment, empty until approved."""
    payer: str
    payment: str
    """Id of the approved payment, empty until paid; refunds name it."""
    offline: bool
    """The payment was accepted without settlement."""
    refunded: Money
    opened_ms: int
    """Wall time, milliseconds."""
    closed_ms: int
    """Wall time, 0 while it runs."""
    attempt_ms: int
    """Milliseconds from the last token presented to its outcome, 0 if none."""


@dataclass(frozen=True, slots=True)
class RefundView:
    """One refund: "unknown" until settlement has decided."""

    refund: str
    register: str
    request: str
    payment: str
    amount: Money
    state: str
    """"unknown", "approved" or "declined"."""
    reason: str


@dataclass(frozen=True, slots=True)
class DayView:
    """What was counted since the last close of day, by the terminal and by settlement."""

    paid_count: int
    paid: Money
    refunded_count: int
    refunded: Money
    settled_paid_count: int
    settled_paid: Money
    settled_refunded_count: int
    settled_refunded: Money
    open_records: int
    """Records that settlement has not receipted."""

    @property
    def agrees(self) -> bool:
        """Tell whether terminal and settlement have the same figures."""
        ours = (self.paid_count, self.paid, self.refunded_count, self.refunded)
        theirs = (self.settled_paid_count, self.settled_paid, self.settled_refunded_count, self.settled_refunded)
        return ours == theirs and not self.open_records


@dataclass(frozen=True, slots=True)
class CounterView:
    """The whole counter at a glance."""

    terminal: str
    sale: SaleView | None
    """The running sale, or the last one until the next begins."""
    last: tuple[SaleView, ...]
    """The latest sales, newest first, at most 20."""
    queue: int
    """Records not yet receipted by settlement."""
    online: bool
    in_service: bool
    trouble: str
    """Why the terminal is out of service: a reason word, empty if in service."""
    offline_allowed: bool
    devices: tuple[tuple[str, Health], ...]
    jammed: str = ""
    """What keeps tokens of sound from being heard: "noise" or "preambles"; empty if nothing."""


@dataclass(frozen=True, slots=True)
class OpenSale:
    """A register, or the cashier's page, asks for money. Without an amount, scanned goods make the basket."""

    register: str
    request: str
    amount: Money | None
    lines: tuple[LineView, ...] = ()
    """The register's basket, if it says it; the lines must add up to the amount."""
    guide: str = ""


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """A register asks for money to go back; `badge` is the text of the supervisor's card."""

    register: str
    request: str
    payment: str
    amount: Money
    badge: str

    def __repr__(self) -> str:
        """Leave out the badge."""
        return f"<RefundRequest {self.request!r} of {self.payment} over {self.amount}>"


class Desk(Protocol):
    """What the local server may ask of the counter, on the event loop; refusals are CounterProblems."""

    def view(self) -> CounterView:
        """Give the counter at a glance."""

    def subscribe(self, changed: Callable[[CounterView], None]) -> Callable[[], None]:
        """Call `changed` after every change, on the event loop; the result ends it."""

    def open_sale(self, request: OpenSale) -> SaleView:
        """Begin a sale; the same request again gives the same sale, whatever became of it."""

    def sale(self, sale: str) -> SaleView:
        """Give one sale by its id."""

    def find(self, register: str, request: str) -> SaleView:
        """Give the sale of a register's own id."""

    def cancel(self, sale: str) -> SaleView:
        """Cancel a sale; what was charged meanwhile is reversed. TooLate once it is paid."""

    def refund(self, request: RefundRequest) -> RefundView:
        """Begin a refund; the same request again gives the same refund with its present state."""

    def find_refund(self, register: str, request: str) -> RefundView:
        """Give a refund by the register's own id."""

    async def close_day(self) -> DayView:
        """Count since the last close of day, compare with settlement, and write it down."""
