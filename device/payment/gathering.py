"""The first phase of the checkout: goods, coupons, a member card, and the token or order that ends it."""

from __future__ import annotations

from dataclasses import replace

from device.payment.burning import tried
from device.payment.endings import close, outcome
from device.payment.events import (
    Attributed,
    CancelAsked,
    ChallengeShown,
    CouponGranted,
    Decided,
    GoodsAdded,
    Interrupted,
    MemberKnown,
    Now,
    Step,
    Tick,
    Timing,
    TokenPresented,
)
from device.payment.orders import pay_by_order
from device.payment.sale import LARGEST_DUE_MINOR, LONGEST_BASKET, Attempt, Sale
from device.payment.views import Phase
from protocol.records import Action, ChallengeOpened, Intent, Line, Mode, Result, Verdict


def add_goods(sale: Sale, event: GoodsAdded, _now: Now, _timing: Timing) -> Step:
    """Put an article into the basket, unless the register has said the amount."""
    if sale.asked is not None:
        return Step(sale.noticing("goods-not-wanted"))
    if sale.goods.minor + event.line.amount.minor > LARGEST_DUE_MINOR:
        return Step(sale.noticing("basket-full"))
    lines = _added(sale.lines, event.line)
    if len(lines) > LONGEST_BASKET:
        return Step(sale.noticing("basket-full"))
    return Step(replace(sale, lines=lines, notice=event.notice))


def attribute(sale: Sale, event: Attributed, _now: Now, _timing: Timing) -> Step:
    """Note who brought the shopper; the first one counts."""
    if sale.attribution not in ("", event.party):
        return Step(sale.noticing("attribution-kept"))
    return Step(replace(sale, attribution=event.party, notice="attribution-taken"))


def take_coupon(sale: Sale, event: CouponGranted, _now: Now, _timing: Timing) -> Step:
    """Take off a coupon; what is due stays above zero."""
    coupon = event.coupon
    if coupon.coupon in sale.coupon_ids:
        return Step(sale.noticing("coupon-taken"))
    if coupon.discount.minor <= 0 or coupon.discount.currency != sale.currency:
        return Step(sale.noticing("coupon-refused"))
    taken = replace(sale, coupons=(*sale.coupons, coupon), notice="coupon-taken")
    return Step(taken) if taken.due.minor > 0 else Step(sale.noticing("coupon-too-large"))


def know_member(sale: Sale, event: MemberKnown, _now: Now, _timing: Timing) -> Step:
    """Give the member price; what is due stays above zero once there are goods."""
    if not 0 <= event.member.discount_basis_points < _WHOLE:
        return Step(sale.noticing("member-refused"))
    known = replace(sale, member=event.member, notice="member-taken")
    return Step(known) if known.due.minor > 0 or not sale.goods.minor else Step(sale.noticing("member-refused"))


def show_challenge(sale: Sale, event: ChallengeShown, _now: Now, _timing: Timing) -> Step:
    """Open a challenge for what is due now."""
    opened = ChallengeOpened(
        sale=sale.sale,
        amount=sale.due,
        nonce=event.nonce,
        coupons=sale.coupon_ids,
        member=sale.member.member if sale.member else None,
        guide=sale.guide or None,
        attribution=sale.attribution or None,
    )
    return Step(replace(sale, nonce=event.nonce, challenge=event.challenge), (opened,))


def try_token(sale: Sale, event: TokenPresented, now: Now, timing: Timing) -> Step:
    """Try a token: online it waits for a decision, offline it pays."""
    attempt = Attempt(event.attempt, event.scheme, sale.due, event.mode, event.began_ms)
    trying = replace(
        sale,
        phase=Phase.AUTHORISING,
        attempt=attempt,
        attempts=(*sale.attempts, event.attempt),
        seen=tried(sale.seen, event.token),
        decide_by_ms=now.monotonic_ms + timing.decision_timeout_s * 1000,
        reason="",
        notice="",
    )
    if event.mode is Mode.ONLINE:
        return Step(trying, (_intent(sale, event),))
    paid = close(replace(trying, payment=event.attempt), Result.PAID, "", now)
    return Step(paid.sale, (_intent(sale, event), outcome(trying, Verdict.APPROVED, ""), *paid.bodies))


def hear_order(sale: Sale, event: Decided, now: Now, _timing: Timing) -> Step:
    """Take a phone's payment; decisions about earlier attempts mean nothing any more."""
    return pay_by_order(sale, event.decision, now) if event.decision.action is Action.ORDER else Step(sale)


def cancel(sale: Sale, _event: CancelAsked, now: Now, _timing: Timing) -> Step:
    """End a sale that nobody has begun to pay."""
    return close(sale, Result.CANCELLED, "cancelled", now)


def expire(sale: Sale, _event: Tick, now: Now, _timing: Timing) -> Step:
    """End a sale that nobody pays in time."""
    if now.monotonic_ms < sale.deadline_ms:
        return Step(sale)
    return close(sale, Result.UNPAID, sale.reason or "deadline", now)


def interrupt(sale: Sale, event: Interrupted, now: Now, _timing: Timing) -> Step:
    """End a sale that nobody has begun to pay when the terminal stops."""
    return close(sale, Result.UNPAID, event.reason, now)


_WHOLE = 10_000
"""Basis points of the whole."""


def _added(lines: tuple[Line, ...], new: Line) -> tuple[Line, ...]:
    for place, line in enumerate(lines):
        if (line.code, line.label) == (new.code, new.label):
            more = replace(line, quantity=line.quantity + new.quantity, amount=line.amount + new.amount)
            return (*lines[:place], more, *lines[place + 1 :])
    return (*lines, new)


def _intent(sale: Sale, event: TokenPresented) -> Intent:
    return Intent(
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
        attribution=sale.attribution or None,
    )
