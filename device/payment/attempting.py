"""The second phase of the checkout: a token was tried, and settlement or the shopper decides."""

from __future__ import annotations

from dataclasses import replace

from device.payment.endings import attempt_ms, attempt_of, is_about_attempt, outcome, pay, question, reversal
from device.payment.events import CancelAsked, Decided, Interrupted, Now, Step, Tick, Timing
from device.payment.orders import pay_by_order
from device.payment.sale import Sale
from device.payment.views import Phase
from protocol.answers import Decision
from protocol.records import Action, Verdict


def decide(sale: Sale, event: Decided, now: Now, timing: Timing) -> Step:
    """Take settlement's decision; the shopper is waited for once, however often it is said."""
    decision = event.decision
    if decision.action is Action.ORDER:
        return pay_by_order(sale, decision, now)
    if decision.action is not Action.PAY or not is_about_attempt(sale, decision):
        return Step(sale)
    if decision.verdict is Verdict.APPROVED:
        return pay(sale, decision, now)
    if decision.verdict is Verdict.DECLINED:
        return _decline(sale, decision, now)
    if decision.verdict is Verdict.UNKNOWN or sale.phase is Phase.WAITING:
        return Step(sale)
    decide_by = now.monotonic_ms + timing.password_timeout_s * 1000
    return Step(replace(sale, phase=Phase.WAITING, decide_by_ms=decide_by, reason=decision.reason))


def lose_patience(sale: Sale, _event: Tick, now: Now, timing: Timing) -> Step:
    """Free the counter for the next sale when no decision comes in time."""
    if now.monotonic_ms < sale.decide_by_ms:
        return Step(sale)
    return _become_unknown(sale, now, timing, "no-decision")


def interrupt(sale: Sale, event: Interrupted, now: Now, timing: Timing) -> Step:
    """Note that nobody knows the outcome, because the terminal stops or has stopped."""
    return _become_unknown(sale, now, timing, event.reason)


def cancel(sale: Sale, _event: CancelAsked, now: Now, timing: Timing) -> Step:
    """Reverse what is under way, whether or not it was charged."""
    bodies = () if sale.reversing else (reversal(sale, "cancelled"),)
    cancelling = replace(
        sale,
        phase=Phase.CANCELLING,
        reversing=attempt_of(sale).attempt,
        reason="cancelled",
        cancelled_ms=now.monotonic_ms,
        ask_at_ms=now.monotonic_ms + timing.query_interval_s * 1000,
    )
    return Step(cancelling, bodies)


def _decline(sale: Sale, decision: Decision, now: Now) -> Step:
    declined = outcome(sale, Verdict.DECLINED, decision.reason)
    again = replace(sale, phase=Phase.GATHERING, reason=decision.reason, attempt=None, attempt_ms=attempt_ms(sale, now))
    return Step(again, (declined,))


def _become_unknown(sale: Sale, now: Now, timing: Timing, reason: str) -> Step:
    unknown = replace(
        sale,
        phase=Phase.UNKNOWN,
        reason=reason,
        ask_at_ms=now.monotonic_ms + timing.query_interval_s * 1000,
        decide_by_ms=now.monotonic_ms + timing.reverse_after_s * 1000,
        attempt_ms=attempt_ms(sale, now),
    )
    return Step(unknown, (outcome(sale, Verdict.UNKNOWN, reason),), question(sale))
