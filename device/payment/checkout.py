"""The state machine that takes one sale to its end.

    GATHERING   --token, online-->    AUTHORISING --approved--> PAID
    GATHERING   --token, offline-->   PAID
    GATHERING   --phone's order-->    PAID
    GATHERING   --cancel-->           CANCELLED,   --deadline--> UNPAID
    AUTHORISING --declined-->         GATHERING,   --pending-->  WAITING,   --no decision--> UNKNOWN
    AUTHORISING, WAITING, UNKNOWN --cancel--> CANCELLING --reversed or declined--> CANCELLED
    UNKNOWN     --approved-->         PAID,        --declined-->  UNPAID,   --reversed-->    UNPAID

`advance` is a pure function: it gives the next sale and what has to be written and asked. Whoever runs it writes first
and shows the next sale afterwards, so nothing is visible before it is durable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from device.payment.events import (
    CancelAsked,
    ChallengeShown,
    CouponGranted,
    Decided,
    Event,
    GoodsAdded,
    Interrupted,
    MemberKnown,
    Now,
    Step,
    Tick,
    Timing,
    TokenPresented,
)
from device.payment.sale import Attempt, Sale
from device.payment.views import Phase
from protocol.answers import Decision
from protocol.money import Money
from protocol.records import (
    Action,
    Body,
    ChallengeOpened,
    Intent,
    Line,
    Mode,
    Outcome,
    Result,
    Reversal,
    SaleClosed,
    Verdict,
)

DECLINED_LATE = "declined-late"
"""Reason word of a sale that was accepted offline and declined afterwards: the merchant bears it."""


def advance(sale: Sale, event: Event, now: Now, timing: Timing) -> Step:
    """Give what follows from an event; events that mean nothing in the present phase change nothing."""
    handler = _HANDLERS.get((sale.phase, type(event)))
    return handler(sale, event, now, timing) if handler else Step(sale)


def next_tick_ms(sale: Sale) -> int | None:
    """Give the monotonic time at which the sale wants a Tick; None if it waits for no time."""
    if sale.phase is Phase.GATHERING:
        return sale.deadline_ms
    if sale.phase in (Phase.AUTHORISING, Phase.WAITING):
        return sale.decide_by_ms
    if sale.phase in (Phase.UNKNOWN, Phase.CANCELLING):
        return sale.ask_at_ms
    return None


# gathering


def _add_goods(sale: Sale, event: GoodsAdded, _now: Now, _timing: Timing) -> Step:
    if sale.asked is not None:
        return Step(sale.noticing("goods-not-wanted"))
    return Step(replace(sale, lines=_added(sale.lines, event.line), notice="goods-added"))


def _added(lines: tuple[Line, ...], new: Line) -> tuple[Line, ...]:
    for place, line in enumerate(lines):
        if line.code == new.code:
            more = replace(line, quantity=line.quantity + new.quantity, amount=line.amount + new.amount)
            return (*lines[:place], more, *lines[place + 1 :])
    return (*lines, new)


def _take_coupon(sale: Sale, event: CouponGranted, _now: Now, _timing: Timing) -> Step:
    if event.coupon.coupon in sale.coupon_ids:
        return Step(sale.noticing("coupon-taken"))
    taken = replace(sale, coupons=(*sale.coupons, event.coupon), notice="coupon-taken")
    return Step(taken) if taken.due.minor > 0 else Step(sale.noticing("coupon-too-large"))


def _know_member(sale: Sale, event: MemberKnown, _now: Now, _timing: Timing) -> Step:
    known = replace(sale, member=event.member, notice="member-taken")
    return Step(known) if known.due.minor > 0 else Step(sale.noticing("member-refused"))


def _show_challenge(sale: Sale, event: ChallengeShown, _now: Now, _timing: Timing) -> Step:
    opened = ChallengeOpened(
        sale=sale.sale,
        amount=sale.due,
        nonce=event.nonce,
        coupons=sale.coupon_ids,
        member=sale.member.member if sale.member else None,
        guide=sale.guide or None,
    )
    return Step(replace(sale, nonce=event.nonce, challenge=event.challenge), (opened,))


def _try_token(sale: Sale, event: TokenPresented, now: Now, timing: Timing) -> Step:
    attempt = Attempt(event.attempt, event.scheme, sale.due, event.mode, event.began_ms)
    intent = Intent(
        sale=sale.sale,
        attempt=event.attempt,
        amount=sale.due,
        scheme=event.scheme,
        token=event.token,
        mode=event.mode,
        coupons=sale.coupon_ids,
        lines=sale.lines,
        nonce=sale.nonce or None,
        member=sale.member.member if sale.member else None,
        guide=sale.guide or None,
    )
    trying = replace(
        sale,
        phase=Phase.AUTHORISING,
        attempt=attempt,
        attempts=(*sale.attempts, event.attempt),
        decide_by_ms=now.monotonic_ms + timing.decision_timeout_s * 1000,
        reason="",
        notice="",
    )
    if event.mode is Mode.ONLINE:
        return Step(trying, (intent,))
    paid = _close(replace(trying, payment=event.attempt), Result.PAID, "", now)
    return Step(paid.sale, (intent, _outcome(trying, Verdict.APPROVED, ""), *paid.bodies))


def _pay_by_order(sale: Sale, event: Decided, now: Now, _timing: Timing) -> Step:
    decision = event.decision
    if decision.action is not Action.ORDER or decision.verdict is not Verdict.APPROVED:
        return Step(sale)
    if decision.amount != sale.due:
        return _undo_order(sale, decision)
    order = Attempt(decision.subject, "tillwave", decision.amount, Mode.ONLINE, now.monotonic_ms)
    undone: tuple[Body, ...] = ()
    if sale.attempt is not None and sale.phase is not Phase.GATHERING:
        undone = (Reversal(sale=sale.sale, attempt=sale.attempt.attempt, reason="paid-by-order"),)
    paying = replace(
        sale,
        attempt=order,
        attempts=(*sale.attempts, decision.subject),
        payment=decision.subject,
        payer=decision.payer,
    )
    closed = _close(paying, Result.PAID, "", now)
    return Step(closed.sale, (_outcome(paying, Verdict.APPROVED, "", Action.ORDER), *undone, *closed.bodies))


def _cancel_unpaid(sale: Sale, _event: CancelAsked, now: Now, _timing: Timing) -> Step:
    return _close(sale, Result.CANCELLED, "cancelled", now)


def _expire(sale: Sale, _event: Tick, now: Now, _timing: Timing) -> Step:
    if now.monotonic_ms < sale.deadline_ms:
        return Step(sale)
    return _close(sale, Result.UNPAID, sale.reason or "deadline", now)


def _interrupt_gathering(sale: Sale, event: Interrupted, now: Now, _timing: Timing) -> Step:
    return _close(sale, Result.UNPAID, event.reason, now)


# authorising and waiting for the shopper


def _decide(sale: Sale, event: Decided, now: Now, timing: Timing) -> Step:
    decision = event.decision
    if decision.action is Action.ORDER:
        return _pay_by_order(sale, event, now, timing)
    if not _is_about_attempt(sale, decision):
        return Step(sale)
    if decision.verdict is Verdict.APPROVED:
        return _pay(sale, decision, now)
    if decision.verdict is Verdict.DECLINED:
        return _decline(sale, decision, now)
    decide_by = now.monotonic_ms + timing.password_timeout_s * 1000
    return Step(replace(sale, phase=Phase.WAITING, decide_by_ms=decide_by, reason=decision.reason))


def _pay(sale: Sale, decision: Decision, now: Now) -> Step:
    paying = replace(sale, payment=decision.subject, payer=decision.payer)
    closed = _close(paying, Result.PAID, "", now)
    return Step(closed.sale, (_outcome(paying, Verdict.APPROVED, ""), *closed.bodies))


def _decline(sale: Sale, decision: Decision, now: Now) -> Step:
    declined = _outcome(sale, Verdict.DECLINED, decision.reason)
    again = replace(
        sale, phase=Phase.GATHERING, reason=decision.reason, attempt=None, attempt_ms=_attempt_ms(sale, now)
    )
    return Step(again, (declined,))


def _lose_patience(sale: Sale, _event: Tick, now: Now, timing: Timing) -> Step:
    if now.monotonic_ms < sale.decide_by_ms:
        return Step(sale)
    return _become_unknown(sale, now, timing, "no-decision")


def _interrupt_attempt(sale: Sale, event: Interrupted, now: Now, timing: Timing) -> Step:
    return _become_unknown(sale, now, timing, event.reason)


def _become_unknown(sale: Sale, now: Now, timing: Timing, reason: str) -> Step:
    unknown = replace(
        sale,
        phase=Phase.UNKNOWN,
        reason=reason,
        ask_at_ms=now.monotonic_ms + timing.query_interval_s * 1000,
        decide_by_ms=now.monotonic_ms + timing.reverse_after_s * 1000,
        attempt_ms=_attempt_ms(sale, now),
    )
    return Step(unknown, (_outcome(sale, Verdict.UNKNOWN, reason),), _question(sale))


def _cancel_attempt(sale: Sale, _event: CancelAsked, now: Now, timing: Timing) -> Step:
    reversal = () if sale.reversing else (_reversal(sale, "cancelled"),)
    cancelling = replace(
        sale,
        phase=Phase.CANCELLING,
        reversing=_attempt(sale).attempt,
        reason="cancelled",
        ask_at_ms=now.monotonic_ms + timing.query_interval_s * 1000,
    )
    return Step(cancelling, reversal)


# unknown and cancelling: being resolved


def _resolve(sale: Sale, event: Decided, now: Now, _timing: Timing) -> Step:
    decision = event.decision
    if decision.action is Action.ORDER:
        return _undo_order(sale, decision)
    if not _is_about_attempt(sale, decision):
        return Step(sale)
    if decision.action is Action.REVERSE and decision.verdict is Verdict.APPROVED:
        return _close_reversed(sale, Action.REVERSE, now)
    if decision.verdict is Verdict.DECLINED and decision.action is Action.PAY:
        return _close_reversed(sale, Action.PAY, now)
    if decision.verdict is Verdict.APPROVED and not sale.reversing:
        return _pay(sale, decision, now)
    return Step(sale)


def _close_reversed(sale: Sale, action: Action, now: Now) -> Step:
    if action is Action.REVERSE:
        outcome = _outcome(sale, Verdict.APPROVED, sale.reason, Action.REVERSE)
    else:
        outcome = _outcome(sale, Verdict.DECLINED, sale.reason)
    result = Result.CANCELLED if sale.phase is Phase.CANCELLING else Result.UNPAID
    closed = _close(sale, result, sale.reason, now)
    return Step(closed.sale, (outcome, *closed.bodies))


def _ask_again(sale: Sale, _event: Tick, now: Now, timing: Timing) -> Step:
    if now.monotonic_ms < sale.ask_at_ms:
        return Step(sale)
    asking = replace(sale, ask_at_ms=now.monotonic_ms + timing.query_interval_s * 1000)
    if sale.phase is Phase.UNKNOWN and not sale.reversing and now.monotonic_ms >= sale.decide_by_ms:
        giving_up = replace(asking, reversing=_attempt(sale).attempt)
        return Step(giving_up, (_reversal(sale, sale.reason),))
    return Step(asking, (), _question(asking))


def _wait_anew(sale: Sale, _event: Interrupted, now: Now, timing: Timing) -> Step:
    """Set the times anew: monotonic time does not survive a restart."""
    waiting = replace(
        sale,
        ask_at_ms=now.monotonic_ms + timing.query_interval_s * 1000,
        decide_by_ms=now.monotonic_ms + timing.reverse_after_s * 1000,
    )
    return Step(waiting, (), _question(waiting))


# ended


def _hear_late(sale: Sale, event: Decided, _now: Now, _timing: Timing) -> Step:
    decision = event.decision
    if decision.action is Action.ORDER:
        return _undo_order(sale, decision)
    if _is_about_attempt(sale, decision) and decision.action is Action.PAY and _is_late_decline(sale, decision):
        return Step(replace(sale, reason=DECLINED_LATE), (_outcome(sale, Verdict.DECLINED, decision.reason),))
    return Step(sale)


def _is_late_decline(sale: Sale, decision: Decision) -> bool:
    accepted_offline = sale.phase is Phase.PAID and _attempt(sale).mode is Mode.OFFLINE
    return accepted_offline and decision.verdict is Verdict.DECLINED and sale.reason != DECLINED_LATE


def _undo_order(sale: Sale, decision: Decision) -> Step:
    """Send back a phone's payment for a sale that it does not pay, once."""
    settled = decision.verdict is not Verdict.APPROVED or decision.subject in (sale.payment, *sale.undone)
    if settled:
        return Step(sale)
    undone = replace(sale, undone=(*sale.undone, decision.subject))
    return Step(undone, (Reversal(sale=sale.sale, attempt=decision.subject, reason="sale-ended"),))


# shared


def _attempt(sale: Sale) -> Attempt:
    assert sale.attempt is not None, "a sale in this phase has an attempt"
    return sale.attempt


def _is_about_attempt(sale: Sale, decision: Decision) -> bool:
    return sale.attempt is not None and decision.subject == sale.attempt.attempt


def _question(sale: Sale) -> tuple[tuple[str, Action], ...]:
    return ((_attempt(sale).attempt, Action.REVERSE if sale.reversing else Action.PAY),)


def _attempt_ms(sale: Sale, now: Now) -> int:
    return now.monotonic_ms - sale.attempt.began_ms if sale.attempt else 0


def _reversal(sale: Sale, reason: str) -> Reversal:
    return Reversal(sale=sale.sale, attempt=_attempt(sale).attempt, reason=reason)


def _outcome(sale: Sale, verdict: Verdict, reason: str, action: Action = Action.PAY) -> Outcome:
    attempt = _attempt(sale)
    return Outcome(
        sale=sale.sale,
        subject=attempt.attempt,
        action=action,
        verdict=verdict,
        amount=attempt.amount,
        reason=reason,
        mode=attempt.mode,
    )


_FINAL_PHASES = {Result.PAID: Phase.PAID, Result.UNPAID: Phase.UNPAID, Result.CANCELLED: Phase.CANCELLED}


def _close(sale: Sale, result: Result, reason: str, now: Now) -> Step:
    paid = result is Result.PAID
    amount = sale.due if paid else Money(0, sale.currency)
    closed = SaleClosed(sale=sale.sale, register=sale.register, request=sale.request, result=result, amount=amount)
    ended = replace(
        sale,
        phase=_FINAL_PHASES[result],
        reason=reason,
        notice="",
        closed_ms=now.wall_ms,
        reversing="",
        attempt_ms=_attempt_ms(sale, now) if paid else sale.attempt_ms,
    )
    return Step(ended, (closed,))


_Handler = Callable[[Sale, Any, Now, Timing], Step]
_HANDLERS: dict[tuple[Phase, type], _Handler] = {
    (Phase.GATHERING, GoodsAdded): _add_goods,
    (Phase.GATHERING, CouponGranted): _take_coupon,
    (Phase.GATHERING, MemberKnown): _know_member,
    (Phase.GATHERING, ChallengeShown): _show_challenge,
    (Phase.GATHERING, TokenPresented): _try_token,
    (Phase.GATHERING, Decided): _pay_by_order,
    (Phase.GATHERING, CancelAsked): _cancel_unpaid,
    (Phase.GATHERING, Tick): _expire,
    (Phase.GATHERING, Interrupted): _interrupt_gathering,
    (Phase.AUTHORISING, Decided): _decide,
    (Phase.AUTHORISING, Tick): _lose_patience,
    (Phase.AUTHORISING, CancelAsked): _cancel_attempt,
    (Phase.AUTHORISING, Interrupted): _interrupt_attempt,
    (Phase.WAITING, Decided): _decide,
    (Phase.WAITING, Tick): _lose_patience,
    (Phase.WAITING, CancelAsked): _cancel_attempt,
    (Phase.WAITING, Interrupted): _interrupt_attempt,
    (Phase.UNKNOWN, Decided): _resolve,
    (Phase.UNKNOWN, Tick): _ask_again,
    (Phase.UNKNOWN, CancelAsked): _cancel_attempt,
    (Phase.UNKNOWN, Interrupted): _wait_anew,
    (Phase.CANCELLING, Decided): _resolve,
    (Phase.CANCELLING, Tick): _ask_again,
    (Phase.CANCELLING, Interrupted): _wait_anew,
    (Phase.PAID, Decided): _hear_late,
    (Phase.UNPAID, Decided): _hear_late,
    (Phase.CANCELLED, Decided): _hear_late,
}
