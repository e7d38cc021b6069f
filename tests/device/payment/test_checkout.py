"""Every arrow of the checkout, as a story."""

from __future__ import annotations

from dataclasses import replace

import pytest
from counter_house import START_MS, TIMING, cny
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from device.payment.checkout import advance, next_tick_ms
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
    TokenPresented,
)
from device.payment.sale import DECLINED_LATE, LARGEST_DUE_MINOR, LONGEST_BASKET, Coupon, Member, Sale
from device.payment.views import Phase
from protocol.answers import Decision
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


class Story:
    """A sale that is told event by event."""

    def __init__(self, minor: int | None = 1_000) -> None:
        self.now_ms = 100_000
        asked = None if minor is None else cny(minor)
        self.sale = Sale("s" * 16, "till", "R1", asked, "CNY", START_MS, deadline_ms=self.now_ms + 180_000)
        self.bodies: list[Body] = []
        self.asked: list[tuple[str, Action]] = []

    def tell(self, event: Event) -> Step:
        step = advance(self.sale, event, Now(self.now_ms, START_MS), TIMING)
        self.sale = step.sale
        self.bodies += step.bodies
        self.asked += step.asked
        return step

    def pass_time(self, seconds: float) -> Step:
        self.now_ms += round(seconds * 1000)
        return self.tell(Tick())

    def present(self, attempt: str = "a1", mode: Mode = Mode.ONLINE) -> Step:
        return self.tell(TokenPresented(attempt, "alipay", attempt.encode(), mode, self.now_ms))

    def decide(
        self,
        verdict: Verdict,
        subject: str = "a1",
        action: Action = Action.PAY,
        minor: int | None = None,
        reason: str = "",
    ) -> Step:
        amount = self.sale.due if minor is None else cny(minor)
        said = Decision(
            terminal="till-1",
            sale=self.sale.sale,
            subject=subject,
            action=action,
            verdict=verdict,
            amount=amount,
            reason=reason,
            payer="Shopper ..1",
            at_ms=START_MS,
        )
        return self.tell(Decided(said))

    def order(self, subject: str = "o1", minor: int | None = None) -> Step:
        return self.decide(Verdict.APPROVED, subject, Action.ORDER, minor)

    @property
    def phase(self) -> Phase:
        return self.sale.phase

    @property
    def last(self) -> list[str]:
        return [type(body).__name__ for body in self.bodies]

    def reversals(self) -> list[str]:
        return [body.attempt for body in self.bodies if isinstance(body, Reversal)]

    def outcomes(self) -> list[tuple[str, Action, Verdict, str]]:
        return [
            (body.subject, body.action, body.verdict, body.reason) for body in self.bodies if isinstance(body, Outcome)
        ]

    def closed(self) -> SaleClosed:
        (body,) = (body for body in self.bodies if isinstance(body, SaleClosed))
        return body


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


# gathering


def test_goods_make_a_basket() -> None:
    story = Story(None)
    tea, cup = (Line(code=code, label=code, quantity=1, amount=cny(600)) for code in ("tea", "cup"))
    for line in (tea, cup, tea):
        story.tell(GoodsAdded(line))
    assert [(line.code, line.quantity, line.amount) for line in story.sale.lines] == [
        ("tea", 2, cny(1_200)),
        ("cup", 1, cny(600)),
    ]
    assert story.sale.due == cny(1_800)


def test_goods_do_not_change_the_amount_of_the_register() -> None:
    story = Story(1_000)
    story.tell(GoodsAdded(Line(code="tea", label="Tea", quantity=1, amount=cny(600))))
    assert (story.sale.notice, story.sale.due) == ("goods-not-wanted", cny(1_000))


def test_a_basket_has_an_end() -> None:
    story = Story(None)
    lines = tuple(Line(code=str(number), label="", quantity=1, amount=cny(1)) for number in range(LONGEST_BASKET))
    story.sale = replace(story.sale, lines=lines)
    story.tell(GoodsAdded(Line(code="one more", label="", quantity=1, amount=cny(1))))
    assert (story.sale.notice, len(story.sale.lines)) == ("basket-full", LONGEST_BASKET)
    story.tell(GoodsAdded(Line(code="7", label="", quantity=1, amount=cny(LARGEST_DUE_MINOR))))
    assert (story.sale.notice, story.sale.due) == ("basket-full", cny(LONGEST_BASKET))


def test_coupon_and_member_card_make_it_cheaper() -> None:
    story = Story(1_000)
    story.tell(CouponGranted(Coupon("c1", "5 off", cny(500))))
    story.tell(MemberKnown(Member("m1", "Li *", 1_000)))
    assert story.sale.due == cny(400)
    story.tell(CouponGranted(Coupon("c1", "5 off", cny(500))))
    assert (story.sale.due, story.sale.notice) == (cny(400), "coupon-taken")
    story.tell(ChallengeShown(b"n" * 16, "code"))
    opened = story.bodies[-1]
    assert isinstance(opened, ChallengeOpened)
    assert (opened.amount, opened.coupons, opened.member) == (cny(400), ("c1",), "m1")


def test_a_coupon_never_makes_it_free() -> None:
    story = Story(500)
    story.tell(CouponGranted(Coupon("c1", "5 off", cny(500))))
    assert (story.sale.due, story.sale.notice, story.sale.coupons) == (cny(500), "coupon-too-large", ())


@pytest.mark.parametrize("discount", [cny(0), cny(-100), replace(cny(100), currency="EUR")])
def test_a_coupon_that_takes_nothing_off_is_refused(discount: object) -> None:
    story = Story(500)
    story.tell(CouponGranted(Coupon("c1", "odd", discount)))  # type: ignore[arg-type]
    assert (story.sale.due, story.sale.notice) == (cny(500), "coupon-refused")


@pytest.mark.parametrize("points", [-1, 10_000, 20_000])
def test_a_member_price_is_below_the_price_and_above_nothing(points: int) -> None:
    story = Story(500)
    story.tell(MemberKnown(Member("m1", "Li *", points)))
    assert (story.sale.due, story.sale.notice) == (cny(500), "member-refused")


def test_a_member_card_may_come_before_the_goods() -> None:
    story = Story(None)
    story.tell(MemberKnown(Member("m1", "Li *", 1_000)))
    story.tell(GoodsAdded(Line(code="tea", label="Tea", quantity=1, amount=cny(600))))
    assert story.sale.due == cny(540)


def test_nothing_is_taken_while_a_token_is_decided() -> None:
    story = Story()
    story.present()
    before = story.sale
    story.tell(CouponGranted(Coupon("c1", "5 off", cny(500))))
    story.tell(MemberKnown(Member("m1", "Li *", 1_000)))
    story.tell(GoodsAdded(Line(code="tea", label="Tea", quantity=1, amount=cny(600))))
    story.present("a2")
    assert story.sale == before


# whatever happens


class AnyStory(RuleBasedStateMachine):
    """Events in any order: money is never lost or taken twice, and every sale can come to its end."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story()
        self.approved_at_settlement: set[str] = set()
        self.attempts = 0

    @rule(mode=st.sampled_from(Mode))
    def present(self, mode: Mode) -> None:
        self.attempts += 1
        self.story.present(f"a{self.attempts}", mode)

    @rule(
        number=st.integers(1, 4),
        verdict=st.sampled_from(Verdict),
        action=st.sampled_from([Action.PAY, Action.REVERSE, Action.REFUND]),
        minor=st.sampled_from([None, 1_000, 1]),
    )
    def decide(self, number: int, verdict: Verdict, action: Action, minor: int | None) -> None:
        self.story.decide(verdict, f"a{number}", action, minor)

    @rule(number=st.integers(1, 3), minor=st.sampled_from([None, 1_000, 1]), verdict=st.sampled_from(Verdict))
    def order(self, number: int, minor: int | None, verdict: Verdict) -> None:
        self.story.decide(verdict, f"o{number}", Action.ORDER, minor)

    @rule(seconds=st.sampled_from([0.1, 2, 6, 21, 200]))
    def wait(self, seconds: float) -> None:
        self.story.pass_time(seconds)

    @rule()
    def cancel(self) -> None:
        self.story.tell(CancelAsked())

    @rule()
    def restart(self) -> None:
        self.story.now_ms = 1_000
        self.story.tell(Interrupted("interrupted"))

    @rule(points=st.integers(-5, 10_005), discount=st.integers(-5, 1_500))
    def reduce(self, points: int, discount: int) -> None:
        self.story.tell(CouponGranted(Coupon(f"c{discount}", "off", cny(discount))))
        self.story.tell(MemberKnown(Member("m1", "Li *", points)))

    @precondition(lambda self: not self.story.phase.is_final)
    @rule()
    def every_sale_ends_if_time_passes_and_settlement_answers(self) -> None:
        story = self.story
        for _ in range(120):
            if story.phase.is_final:
                break
            story.pass_time(2)
            if story.sale.reversing:
                story.decide(Verdict.APPROVED, story.sale.reversing, Action.REVERSE)
        assert story.phase.is_final

    @invariant()
    def paid_means_approved(self) -> None:
        outcomes = [body for body in self.story.bodies if isinstance(body, Outcome)]
        approved = {
            body.subject
            for body in outcomes
            if body.verdict is Verdict.APPROVED and body.action in (Action.PAY, Action.ORDER)
        }
        assert len(approved) <= 1, "at most one payment"
        assert approved == ({self.story.sale.payment} - {""})
        assert (self.story.phase is Phase.PAID) is bool(self.story.sale.payment)

    @invariant()
    def an_end_comes_once(self) -> None:
        closed = [body for body in self.story.bodies if isinstance(body, SaleClosed)]
        assert len(closed) == self.story.phase.is_final
        if closed and self.story.phase is Phase.PAID:
            assert closed[0].amount == self.story.sale.due
        elif closed:
            assert closed[0].amount == cny(0)

    @invariant()
    def what_pays_is_never_reversed_and_nothing_is_reversed_twice(self) -> None:
        reversals = self.story.reversals()
        assert self.story.sale.payment not in reversals
        assert len(reversals) == len(set(reversals))

    @invariant()
    def something_is_always_due(self) -> None:
        assert 0 < self.story.sale.due.minor <= 1_000

    @invariant()
    def a_sale_under_way_waits_for_some_time(self) -> None:
        assert (next_tick_ms(self.story.sale) is None) is self.story.phase.is_final

    @invariant()
    def every_intent_comes_to_an_end(self) -> None:
        """An attempt has an outcome or a reversal before its sale ends."""
        if not self.story.phase.is_final:
            return
        settled = {body.subject for body in self.story.bodies if isinstance(body, Outcome)}
        intents = {body.attempt for body in self.story.bodies if isinstance(body, Intent)}
        assert intents <= settled | set(self.story.reversals())


AnyStory.TestCase.settings = hypothesis_settings(max_examples=150, stateful_step_count=30, deadline=None)
TestAnyStory = AnyStory.TestCase
