"""The state machine that takes one sale to its end.

    GATHERING   --token, online-->    AUTHORISING --approved--> PAID
    GATHERING   --token, offline-->   PAID
    GATHERING   --phone's order-->    PAID
    GATHERING   --cancel-->           CANCELLED,   --deadline--> UNPAID
    AUTHORISING --declined-->         GATHERING,   --pending-->  WAITING,   --no decision--> UNKNOWN
    AUTHORISING, WAITING --phone's order--> PAID (and the token is reversed)
    GATHERING, AUTHORISING, WAITING --token that is not tried--> the same; burned at UNPAID or CANCELLED
    AUTHORISING, WAITING, UNKNOWN --cancel--> CANCELLING --reversed or declined--> CANCELLED
    UNKNOWN     --approved-->         PAID,        --declined-->  UNPAID,   --reversed-->    UNPAID

`advance` is a pure function: it gives the next sale and what has to be written and asked. Whoever runs it writes first
and shows the next sale afterwards, so nothing is visible before it is durable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from device.payment import attempting, burning, gathering, resolving
from device.payment.events import (
    Attributed,
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
    TokenSeen,
)
from device.payment.sale import Sale
from device.payment.views import Phase


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


_Handler = Callable[[Sale, Any, Now, Timing], Step]
_HANDLERS: dict[tuple[Phase, type], _Handler] = {
    (Phase.GATHERING, GoodsAdded): gathering.add_goods,
    (Phase.GATHERING, Attributed): gathering.attribute,
    (Phase.GATHERING, CouponGranted): gathering.take_coupon,
    (Phase.GATHERING, MemberKnown): gathering.know_member,
    (Phase.GATHERING, ChallengeShown): gathering.show_challenge,
    (Phase.GATHERING, TokenPresented): gathering.try_token,
    (Phase.GATHERING, TokenSeen): burning.see,
    (Phase.GATHERING, Decided): gathering.hear_order,
    (Phase.GATHERING, CancelAsked): gathering.cancel,
    (Phase.GATHERING, Tick): gathering.expire,
    (Phase.GATHERING, Interrupted): gathering.interrupt,
    (Phase.AUTHORISING, TokenSeen): burning.see,
    (Phase.AUTHORISING, Decided): attempting.decide,
    (Phase.AUTHORISING, Tick): attempting.lose_patience,
    (Phase.AUTHORISING, CancelAsked): attempting.cancel,
    (Phase.AUTHORISING, Interrupted): attempting.interrupt,
    (Phase.WAITING, TokenSeen): burning.see,
    (Phase.WAITING, Decided): attempting.decide,
    (Phase.WAITING, Tick): attempting.lose_patience,
    (Phase.WAITING, CancelAsked): attempting.cancel,
    (Phase.WAITING, Interrupted): attempting.interrupt,
    (Phase.UNKNOWN, Decided): resolving.resolve,
    (Phase.UNKNOWN, Tick): resolving.ask_again,
    (Phase.UNKNOWN, CancelAsked): attempting.cancel,
    (Phase.UNKNOWN, Interrupted): resolving.wait_anew,
    (Phase.CANCELLING, TokenSeen): burning.see,
    (Phase.CANCELLING, Decided): resolving.resolve,
    (Phase.CANCELLING, Tick): resolving.ask_again,
    (Phase.CANCELLING, Interrupted): resolving.wait_anew,
    (Phase.PAID, Decided): resolving.hear_late,
    (Phase.PAID, TokenSeen): burning.see_after_payment,
    (Phase.UNPAID, TokenSeen): burning.see_too_late,
    (Phase.CANCELLED, TokenSeen): burning.see_too_late,
    (Phase.UNPAID, Decided): resolving.hear_late,
    (Phase.CANCELLED, Decided): resolving.hear_late,
}
