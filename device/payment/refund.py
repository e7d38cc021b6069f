"""Money goes back to the shopper: online only, by the payment's id, approved by a supervisor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import msgspec

from device.payment.errors import BadRequest, TooLate
from device.payment.sale import DECLINED_LATE, Sale
from device.payment.views import Phase, RefundRequest, RefundView
from protocol.answers import Decision
from protocol.money import Money
from protocol.records import Action, Body, Mode, Outcome, Refund, Verdict


@dataclass(frozen=True, slots=True)
class RefundState:
    """A refund as the terminal knows it; `verdict` stays UNKNOWN until settlement has decided."""

    refund: str
    register: str
    request: str
    sale: str
    payment: str
    amount: Money
    supervisor: str
    opened_ms: int
    """Wall time."""
    verdict: Verdict = Verdict.UNKNOWN
    reason: str = ""
    ask_at_ms: int = 0
    """Monotonic, when settlement is asked again."""

    @property
    def is_final(self) -> bool:
        """Tell whether settlement has decided."""
        return self.verdict in (Verdict.APPROVED, Verdict.DECLINED)


def refuse_wrong_refund(request: RefundRequest, sale: Sale, running: Iterable[RefundState]) -> None:
    """Raise BadRequest or TooLate unless so much of this payment can still go back."""
    if sale.phase is not Phase.PAID or sale.payment != request.payment:
        raise TooLate("only a payment that was approved can be refunded")
    if sale.reason == DECLINED_LATE:
        raise TooLate("this payment was accepted offline and declined afterwards; nothing can go back")
    if request.amount.currency != sale.currency or request.amount.minor <= 0:
        raise BadRequest(f"a refund is an amount above zero in {sale.currency}")
    promised = sum(refund.amount.minor for refund in running if refund.payment == request.payment)
    left = sale.due.minor - sale.refunded_minor - promised
    if request.amount.minor > left:
        raise BadRequest(f"of this payment {Money(left, sale.currency)} can still be refunded")


def refund_body(refund: RefundState) -> Refund:
    """Give the record that asks settlement for the refund."""
    return Refund(
        refund=refund.refund,
        sale=refund.sale,
        payment=refund.payment,
        amount=refund.amount,
        supervisor=refund.supervisor,
    )


def settle_refund(refund: RefundState, sale: Sale, decision: Decision) -> tuple[RefundState, Sale, tuple[Body, ...]]:
    """Give the states and records that follow from settlement's decision; no records if nothing follows."""
    if refund.is_final or decision.verdict not in (Verdict.APPROVED, Verdict.DECLINED):
        return refund, sale, ()
    settled = replace(refund, verdict=decision.verdict, reason=decision.reason)
    if decision.verdict is Verdict.APPROVED:
        sale = replace(sale, refunded_minor=sale.refunded_minor + refund.amount.minor)
    outcome = Outcome(
        sale=refund.sale,
        subject=refund.refund,
        action=Action.REFUND,
        verdict=decision.verdict,
        amount=refund.amount,
        reason=decision.reason,
        mode=Mode.ONLINE,
    )
    return settled, sale, (outcome,)


def refund_view(refund: RefundState) -> RefundView:
    """Show a refund to the register."""
    return RefundView(
        refund=refund.refund,
        register=refund.register,
        request=refund.request,
        payment=refund.payment,
        amount=refund.amount,
        state=refund.verdict.name.lower(),
        reason=refund.reason,
    )


def write_refund(refund: RefundState) -> bytes:
    """Write a refund for the journal's table of states."""
    return msgspec.json.encode(refund)


def read_refund(data: bytes) -> RefundState:
    """Read what `write_refund` wrote."""
    return msgspec.json.decode(data, type=RefundState)
