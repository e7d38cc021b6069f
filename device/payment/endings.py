"""What every phase of the checkout shares: the records it writes, and how a sale ends."""

from __future__ import annotations

from dataclasses import replace

from device.payment.burning import burned
from device.payment.events import Now, Step
from device.payment.sale import ONE_AT_A_TIME, Attempt, Sale
from device.payment.views import Phase
from protocol.answers import Decision
from protocol.money import Money
from protocol.records import Action, Outcome, Result, Reversal, SaleClosed, Verdict

_FINAL_PHASES = {Result.PAID: Phase.PAID, Result.UNPAID: Phase.UNPAID, Result.CANCELLED: Phase.CANCELLED}


def close(sale: Sale, result: Result, reason: str, now: Now) -> Step:
    """End a sale; tokens that were presented and not tried are burned unless it is paid."""
    paid = result is Result.PAID
    amount = sale.due if paid else Money(0, sale.currency)
    closed = SaleClosed(sale=sale.sale, register=sale.register, request=sale.request, result=result, amount=amount)
    ended = replace(
        sale,
        phase=_FINAL_PHASES[result],
        reason=reason,
        notice=sale.notice if sale.notice == ONE_AT_A_TIME else "",
        closed_ms=now.wall_ms,
        reversing="",
        attempt_ms=attempt_ms(sale, now) if paid else sale.attempt_ms,
    )
    return Step(ended, (closed,) if paid else (*burned(sale, reason), closed))


def pay(sale: Sale, decision: Decision, now: Now) -> Step:
    """End a sale whose attempt was approved."""
    paying = replace(sale, payment=decision.subject, payer=decision.payer)
    closed = close(paying, Result.PAID, "", now)
    return Step(closed.sale, (outcome(paying, Verdict.APPROVED, ""), *closed.bodies))


def attempt_of(sale: Sale) -> Attempt:
    """Give the attempt that a sale in this phase has."""
    assert sale.attempt is not None, "a sale in this phase has an attempt"
    return sale.attempt


def is_about_attempt(sale: Sale, decision: Decision) -> bool:
    """Tell whether a decision is about the sale's attempt; an approval of another amount is not."""
    if sale.attempt is None or decision.subject != sale.attempt.attempt:
        return False
    is_payment = decision.action is Action.PAY and decision.verdict is Verdict.APPROVED
    return not is_payment or decision.amount == sale.attempt.amount


def attempt_ms(sale: Sale, now: Now) -> int:
    """Give how long the attempt has taken; 0 if it began before the machine started anew."""
    return max(0, now.monotonic_ms - sale.attempt.began_ms) if sale.attempt else 0


def outcome(sale: Sale, verdict: Verdict, reason: str, action: Action = Action.PAY) -> Outcome:
    """State what became of the attempt."""
    attempt = attempt_of(sale)
    return Outcome(
        sale=sale.sale,
        subject=attempt.attempt,
        action=action,
        verdict=verdict,
        amount=attempt.amount,
        reason=reason,
        mode=attempt.mode,
    )


def reversal(sale: Sale, reason: str) -> Reversal:
    """Undo the attempt."""
    return Reversal(sale=sale.sale, attempt=attempt_of(sale).attempt, reason=reason)


def question(sale: Sale) -> tuple[tuple[str, Action], ...]:
    """Ask what became of the attempt, or of its reversal."""
    return ((attempt_of(sale).attempt, Action.REVERSE if sale.reversing else Action.PAY),)
