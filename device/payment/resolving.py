"""The last phases of the checkout: an unknown outcome is asked for and then reversed; an ended sale hears late news."""

from __future__ import annotations

from dataclasses import replace

from device.payment.endings import attempt_of, close, is_about_attempt, outcome, pay, question, reversal
from device.payment.events import Decided, Interrupted, Now, Step, Tick, Timing
from device.payment.orders import undo_order
from device.payment.sale import DECLINED_LATE, Sale
from device.payment.views import Phase
from protocol.answers import Decision
from protocol.records import Action, Mode, Outcome, Result, Verdict


def resolve(sale: Sale, event: Decided, now: Now, _timing: Timing) -> Step:
    """Take what settlement says about an unknown or cancelled payment; once it is being reversed, it cannot pay."""
    decision = event.decision
    if decision.action is Action.ORDER:
        return undo_order(sale, decision)
    if not is_about_attempt(sale, decision):
        return Step(sale)
    if decision.action is Action.REVERSE:
        return _close_reversed(sale, now) if decision.verdict is Verdict.APPROVED else Step(sale)
    if decision.verdict is Verdict.DECLINED:
        return _close_declined(sale, decision, now)
    if decision.verdict is Verdict.APPROVED and not sale.reversing:
        return pay(sale, decision, now)
    return Step(sale)


def ask_again(sale: Sale, _event: Tick, now: Now, timing: Timing) -> Step:
    """Ask for the outcome, and reverse the payment when it stays unknown for too long."""
    if now.monotonic_ms < sale.ask_at_ms:
        return Step(sale)
    asking = replace(sale, ask_at_ms=now.monotonic_ms + timing.query_interval_s * 1000)
    if sale.phase is Phase.UNKNOWN and not sale.reversing and now.monotonic_ms >= sale.decide_by_ms:
        giving_up = replace(asking, reversing=attempt_of(sale).attempt)
        return Step(giving_up, (reversal(sale, sale.reason),))
    return Step(asking, (), question(asking))


def wait_anew(sale: Sale, _event: Interrupted, now: Now, timing: Timing) -> Step:
    """Set the times anew: monotonic time does not survive a restart."""
    waiting = replace(
        sale,
        ask_at_ms=now.monotonic_ms + timing.query_interval_s * 1000,
        decide_by_ms=now.monotonic_ms + timing.reverse_after_s * 1000,
    )
    return Step(waiting, (), question(waiting))


def hear_late(sale: Sale, event: Decided, _now: Now, _timing: Timing) -> Step:
    """Send a late order back; note that a payment accepted offline was declined, which the merchant bears."""
    decision = event.decision
    if decision.action is Action.ORDER:
        return undo_order(sale, decision)
    if is_about_attempt(sale, decision) and decision.action is Action.PAY and _is_late_decline(sale, decision):
        return Step(replace(sale, reason=DECLINED_LATE), (outcome(sale, Verdict.DECLINED, decision.reason),))
    return Step(sale)


def _close_reversed(sale: Sale, now: Now) -> Step:
    return _close(sale, sale.reason, now, outcome(sale, Verdict.APPROVED, sale.reason, Action.REVERSE))


def _close_declined(sale: Sale, decision: Decision, now: Now) -> Step:
    reason = sale.reason if sale.phase is Phase.CANCELLING else decision.reason
    return _close(sale, reason, now, outcome(sale, Verdict.DECLINED, decision.reason))


def _close(sale: Sale, reason: str, now: Now, body: Outcome) -> Step:
    result = Result.CANCELLED if sale.phase is Phase.CANCELLING else Result.UNPAID
    closed = close(sale, result, reason, now)
    return Step(closed.sale, (body, *closed.bodies))


def _is_late_decline(sale: Sale, decision: Decision) -> bool:
    accepted_offline = sale.phase is Phase.PAID and attempt_of(sale).mode is Mode.OFFLINE
    return accepted_offline and decision.verdict is Verdict.DECLINED and sale.reason != DECLINED_LATE
