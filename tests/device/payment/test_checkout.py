"""Every arrow of the checkout, as a story."""

from __future__ import annotations

import pytest
from counter_house import cny
from sale_story import Story

from device.payment.checkout import next_tick_ms
from device.payment.events import (
    CancelAsked,
    ChallengeShown,
    Event,
    GoodsAdded,
    Interrupted,
    Step,
    Tick,
)
from device.payment.sale import DECLINED_LATE
from device.payment.views import Phase
from protocol.records import (
    Action,
    Intent,
    Line,
    Mode,
    Outcome,
    Result,
    Reversal,
    SaleClosed,
    Verdict,
)


def _unknown() -> Story:
    story = Story()
    story.present()
    story.pass_time(5)
    assert story.phase is Phase.UNKNOWN
    return story


# the straight way


def test_an_online_token_is_approved() -> None:
    story = Story()
    assert [type(body) for body in story.present().bodies] == [Intent]
    assert story.phase is Phase.AUTHORISING
    story.now_ms += 120
    step = story.decide(Verdict.APPROVED)
    assert story.phase is Phase.PAID
    assert [type(body) for body in step.bodies] == [Outcome, SaleClosed]
    assert story.closed().result is Result.PAID
    assert story.closed().amount == cny(1_000)
    assert (story.sale.payment, story.sale.payer, story.sale.attempt_ms) == ("a1", "Shopper ..1", 120)


def test_an_offline_token_pays_at_once() -> None:
    story = Story()
    step = story.present(mode=Mode.OFFLINE)
    assert story.phase is Phase.PAID
    assert [type(body) for body in step.bodies] == [Intent, Outcome, SaleClosed]
    assert story.sale.payment == "a1"


def test_a_phone_pays_by_order() -> None:
    story = Story()
    step = story.order()
    assert story.phase is Phase.PAID
    assert [type(body) for body in step.bodies] == [Outcome, SaleClosed]
    assert story.outcomes() == [("o1", Action.ORDER, Verdict.APPROVED, "")]
    assert (story.sale.payment, story.reversals()) == ("o1", [])


def test_a_sale_is_cancelled_before_anybody_pays() -> None:
    story = Story()
    story.tell(CancelAsked())
    assert (story.phase, story.closed().result) == (Phase.CANCELLED, Result.CANCELLED)
    assert story.closed().amount == cny(0)


def test_a_sale_that_nobody_pays_ends_unpaid() -> None:
    story = Story()
    assert next_tick_ms(story.sale) == story.now_ms + 180_000
    story.pass_time(179)
    assert story.phase is Phase.GATHERING
    story.pass_time(1)
    assert (story.phase, story.sale.reason) == (Phase.UNPAID, "deadline")


def test_an_interrupted_sale_ends_unpaid() -> None:
    story = Story()
    story.tell(Interrupted("stopped"))
    assert (story.phase, story.sale.reason) == (Phase.UNPAID, "stopped")


# decisions


def test_after_a_decline_another_token_may_pay() -> None:
    story = Story()
    story.present("a1")
    story.decide(Verdict.DECLINED, "a1", reason="insufficient-funds")
    assert (story.phase, story.sale.reason) == (Phase.GATHERING, "insufficient-funds")
    story.present("a2")
    story.decide(Verdict.APPROVED, "a2")
    assert (story.phase, story.sale.payment) == (Phase.PAID, "a2")
    assert story.sale.attempts == ("a1", "a2")


def test_the_reason_of_a_decline_outlives_the_deadline() -> None:
    story = Story()
    story.present()
    story.decide(Verdict.DECLINED, reason="token-stale")
    story.pass_time(180)
    assert (story.phase, story.sale.reason) == (Phase.UNPAID, "token-stale")


def test_the_shopper_may_type_a_password() -> None:
    story = Story()
    story.present()
    story.decide(Verdict.PENDING, reason="password")
    assert story.phase is Phase.WAITING
    story.pass_time(44)
    assert story.phase is Phase.WAITING
    story.decide(Verdict.APPROVED)
    assert story.phase is Phase.PAID


def test_the_shopper_is_not_waited_for_again_and_again() -> None:
    story = Story()
    story.present()
    story.decide(Verdict.PENDING)
    for _ in range(44):
        story.pass_time(1)
        story.decide(Verdict.PENDING)
    story.pass_time(1)
    assert story.phase is Phase.UNKNOWN


def test_an_approval_of_another_amount_pays_nothing() -> None:
    story = Story()
    story.present()
    story.decide(Verdict.APPROVED, minor=1)
    assert story.phase is Phase.AUTHORISING
    story.pass_time(5)
    story.decide(Verdict.APPROVED, minor=1)
    assert story.phase is Phase.UNKNOWN


@pytest.mark.parametrize("action", [Action.REVERSE, Action.REFUND])
def test_a_decision_about_something_else_does_not_pay(action: Action) -> None:
    story = Story()
    story.present()
    story.decide(Verdict.APPROVED, action=action)
    story.decide(Verdict.APPROVED, subject="a9")
    assert story.phase is Phase.AUTHORISING


def test_a_decision_about_an_earlier_attempt_means_nothing() -> None:
    story = Story()
    story.present("a1")
    story.decide(Verdict.DECLINED, "a1")
    story.decide(Verdict.APPROVED, "a1")
    assert story.phase is Phase.GATHERING
    story.present("a2")
    story.decide(Verdict.DECLINED, "a1")
    assert story.phase is Phase.AUTHORISING


# unknown


def test_no_decision_makes_it_unknown_and_asks() -> None:
    story = Story()
    story.present()
    story.pass_time(4.9)
    assert story.phase is Phase.AUTHORISING
    step = story.pass_time(0.1)
    assert story.phase is Phase.UNKNOWN
    assert step.asked == (("a1", Action.PAY),)
    assert story.outcomes() == [("a1", Action.PAY, Verdict.UNKNOWN, "no-decision")]
    assert not story.sale.holds_the_counter


def test_unknown_is_asked_and_then_approved() -> None:
    story = _unknown()
    assert story.pass_time(2).asked == (("a1", Action.PAY),)
    assert story.pass_time(1).asked == ()
    story.decide(Verdict.APPROVED)
    assert (story.phase, story.closed().result) == (Phase.PAID, Result.PAID)


def test_unknown_is_asked_and_then_declined() -> None:
    story = _unknown()
    story.decide(Verdict.DECLINED, reason="insufficient-funds")
    assert (story.phase, story.sale.reason) == (Phase.UNPAID, "insufficient-funds")
    assert story.outcomes()[-1] == ("a1", Action.PAY, Verdict.DECLINED, "insufficient-funds")


def test_unknown_is_asked_then_reversed() -> None:
    story = _unknown()
    for _ in range(9):
        story.pass_time(2)
    assert story.reversals() == []
    story.pass_time(2)
    assert story.reversals() == ["a1"]
    assert story.phase is Phase.UNKNOWN
    assert story.pass_time(2).asked == (("a1", Action.REVERSE),)
    story.decide(Verdict.APPROVED, action=Action.REVERSE)
    assert (story.phase, story.closed().result) == (Phase.UNPAID, Result.UNPAID)
    assert story.outcomes()[-1] == ("a1", Action.REVERSE, Verdict.APPROVED, "no-decision")


def test_an_approval_that_comes_while_it_is_reversed_does_not_pay() -> None:
    story = _unknown()
    story.pass_time(20)
    assert story.reversals() == ["a1"]
    story.decide(Verdict.APPROVED)
    assert story.phase is Phase.UNKNOWN
    story.decide(Verdict.APPROVED, action=Action.REVERSE)
    assert story.phase is Phase.UNPAID


def test_a_reversal_is_confirmed_whatever_amount_was_undone() -> None:
    """Settlement undoes nothing of an attempt that it never saw, and says so."""
    story = _unknown()
    story.pass_time(20)
    story.decide(Verdict.APPROVED, action=Action.REVERSE, minor=0)
    assert story.phase is Phase.UNPAID


def test_a_reversal_that_is_refused_stays_unknown() -> None:
    story = _unknown()
    story.pass_time(20)
    story.decide(Verdict.DECLINED, action=Action.REVERSE, reason="no-acquirer")
    assert story.phase is Phase.UNKNOWN
    assert story.pass_time(2).asked == (("a1", Action.REVERSE),)


def test_an_attempt_under_way_becomes_unknown_when_the_terminal_stops() -> None:
    story = Story()
    story.present()
    step = story.tell(Interrupted("stopped"))
    assert (story.phase, story.sale.reason) == (Phase.UNKNOWN, "stopped")
    assert step.asked == (("a1", Action.PAY),)


def test_a_restart_sets_the_times_anew() -> None:
    story = _unknown()
    story.now_ms = 1_000
    step = story.tell(Interrupted("interrupted"))
    assert step.bodies == ()
    assert step.asked == (("a1", Action.PAY),)
    assert next_tick_ms(story.sale) == 3_000
    story.pass_time(19)
    assert story.reversals() == []
    story.pass_time(2)
    assert story.reversals() == ["a1"]


# cancelling


def test_late_cancel_is_reversed() -> None:
    story = Story()
    story.present()
    step = story.tell(CancelAsked())
    assert [type(body) for body in step.bodies] == [Reversal]
    assert story.phase is Phase.CANCELLING
    story.decide(Verdict.APPROVED)
    assert story.phase is Phase.CANCELLING
    assert story.pass_time(2).asked == (("a1", Action.REVERSE),)
    story.decide(Verdict.APPROVED, action=Action.REVERSE)
    assert (story.phase, story.sale.reason) == (Phase.CANCELLED, "cancelled")
    assert story.closed().result is Result.CANCELLED


def test_a_cancelled_payment_that_is_declined_is_cancelled() -> None:
    story = Story()
    story.present()
    story.tell(CancelAsked())
    story.decide(Verdict.DECLINED, reason="insufficient-funds")
    assert (story.phase, story.sale.reason) == (Phase.CANCELLED, "cancelled")
    assert story.outcomes()[-1] == ("a1", Action.PAY, Verdict.DECLINED, "insufficient-funds")


def test_a_waiting_payment_can_be_cancelled() -> None:
    story = Story()
    story.present()
    story.decide(Verdict.PENDING)
    story.tell(CancelAsked())
    assert (story.phase, story.reversals()) == (Phase.CANCELLING, ["a1"])


def test_an_unknown_payment_is_reversed_once_when_it_is_cancelled() -> None:
    story = _unknown()
    story.pass_time(20)
    story.tell(CancelAsked())
    assert (story.phase, story.reversals()) == (Phase.CANCELLING, ["a1"])
    story.tell(CancelAsked())
    assert story.reversals() == ["a1"]


# orders of phones


def test_phone_pays_while_token_is_decided() -> None:
    story = Story()
    story.present()
    story.order()
    assert (story.phase, story.sale.payment) == (Phase.PAID, "o1")
    assert story.reversals() == ["a1"]
    story.decide(Verdict.APPROVED, "a1")
    assert (story.phase, story.sale.payment) == (Phase.PAID, "o1")


def test_order_for_ended_sale_is_sent_back_once() -> None:
    story = Story()
    story.pass_time(180)
    assert story.phase is Phase.UNPAID
    story.order()
    story.order()
    assert (story.phase, story.reversals()) == (Phase.UNPAID, ["o1"])
    story.order("o2")
    assert story.reversals() == ["o1", "o2"]


def test_a_second_phone_gets_its_money_back() -> None:
    story = Story()
    story.order("o1")
    story.order("o1")
    assert story.reversals() == []
    story.order("o2")
    assert story.reversals() == ["o2"]
    assert story.sale.payment == "o1"


def test_an_order_for_an_old_amount_is_sent_back() -> None:
    story = Story()
    story.order(minor=900)
    assert (story.phase, story.reversals()) == (Phase.GATHERING, ["o1"])


def test_an_order_that_was_sent_back_never_pays() -> None:
    """The amount may come to fit again, and the news of the order may come twice."""
    story = Story(None)
    story.tell(GoodsAdded(Line(code="1", label="Tea", quantity=1, amount=cny(600))))
    story.order(minor=1_200)
    assert story.reversals() == ["o1"]
    story.tell(GoodsAdded(Line(code="1", label="Tea", quantity=1, amount=cny(600))))
    story.order(minor=1_200)
    assert (story.phase, story.reversals()) == (Phase.GATHERING, ["o1"])


@pytest.mark.parametrize("cancelled", [False, True])
def test_an_order_for_an_unknown_sale_is_sent_back(cancelled: bool) -> None:
    story = _unknown()
    if cancelled:
        story.tell(CancelAsked())
    story.order()
    assert "o1" in story.reversals()
    assert story.sale.payment == ""


def test_a_declined_order_changes_nothing() -> None:
    story = Story()
    story.decide(Verdict.DECLINED, "o1", Action.ORDER)
    assert (story.phase, story.bodies) == (Phase.GATHERING, [])


# after the end


def test_an_offline_payment_that_is_declined_late_is_noted_once() -> None:
    story = Story()
    story.present(mode=Mode.OFFLINE)
    for _ in range(2):
        story.decide(Verdict.DECLINED, reason="insufficient-funds")
    assert (story.phase, story.sale.reason) == (Phase.PAID, DECLINED_LATE)
    late = [each for each in story.outcomes() if each[2] is Verdict.DECLINED]
    assert late == [("a1", Action.PAY, Verdict.DECLINED, "insufficient-funds")]


def test_an_online_payment_cannot_be_declined_late() -> None:
    story = Story()
    story.present()
    story.decide(Verdict.APPROVED)
    assert story.decide(Verdict.DECLINED).bodies == ()
    assert story.sale.reason == ""


@pytest.mark.parametrize("event", [CancelAsked(), Tick(), Interrupted("stopped"), ChallengeShown(b"n" * 16, "x")])
def test_an_ended_sale_stays_as_it_is(event: Event) -> None:
    story = Story()
    story.present()
    story.decide(Verdict.APPROVED)
    assert story.tell(event) == Step(story.sale)
    assert next_tick_ms(story.sale) is None


def test_an_attempt_from_before_a_reboot_has_no_negative_time() -> None:
    story = Story()
    story.present()
    story.now_ms = 1_000
    story.tell(Interrupted("interrupted"))
    assert (story.sale.phase, story.sale.attempt_ms) == (Phase.UNKNOWN, 0)
    story.decide(Verdict.APPROVED)
    assert (story.sale.phase, story.sale.attempt_ms) == (Phase.PAID, 0)
