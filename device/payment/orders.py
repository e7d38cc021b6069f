"""Orders that shoppers pay on their phones, for the challenge of a sale."""

from __future__ import annotations

from dataclasses import replace

from device.payment.endings import close, outcome, reversal
from device.payment.events import Now, Step
from device.payment.sale import Attempt, Sale
from device.payment.views import Phase
from protocol.answers import Decision
from protocol.records import Action, Body, Mode, Result, Reversal, Verdict


def pay_by_order(sale: Sale, decision: Decision, now: Now) -> Step:
    """End a sale that a phone has paid; a token under way is reversed. Sent back unless it pays what is due now."""
    if decision.verdict is not Verdict.APPROVED:
        return Step(sale)
    if decision.amount != sale.due or decision.subject in sale.undone:
        return undo_order(sale, decision, "amount-changed")
    undone: tuple[Body, ...] = () if sale.phase is Phase.GATHERING else (reversal(sale, "paid-by-order"),)
    paying = replace(
        sale,
        attempt=Attempt(decision.subject, "tillwave", decision.amount, Mode.ONLINE, now.monotonic_ms),
        attempts=(*sale.attempts, decision.subject),
        payment=decision.subject,
        payer=decision.payer,
    )
    closed = close(paying, Result.PAID, "", now)
    return Step(closed.sale, (outcome(paying, Verdict.APPROVED, "", Action.ORDER), *undone, *closed.bodies))


def undo_order(sale: Sale, decision: Decision, reason: str = "sale-ended") -> Step:
    """Send back a phone's payment for a sale that it does not pay, once."""
    settled = decision.verdict is not Verdict.APPROVED or decision.subject in (sale.payment, *sale.undone)
    if settled:
        return Step(sale)
    undone = replace(sale, undone=(*sale.undone, decision.subject))
    return Step(undone, (Reversal(sale=sale.sale, attempt=decision.subject, reason=reason),))
