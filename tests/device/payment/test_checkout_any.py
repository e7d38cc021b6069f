"""Events in any order: what holds whatever happens to a sale."""

from __future__ import annotations

from counter_house import cny
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sale_story import Story

from device.payment.checkout import next_tick_ms
from device.payment.events import (
    CancelAsked,
    CouponGranted,
    Interrupted,
    MemberKnown,
)
from device.payment.sale import Coupon, Member
from device.payment.views import Phase
from protocol.records import (
    Action,
    Intent,
    Mode,
    Outcome,
    SaleClosed,
    Verdict,
)


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
