"""Coupons are good once, for one sale at a time; members are greeted."""

from __future__ import annotations

import pytest
from town import PhoneInHand, Till, Town, challenge, closed, cny, intent, new_id, refund, reversal

from protocol.questions import CouponAnswer, CouponQuestion, MemberAnswer, MemberQuestion
from protocol.records import Result, Verdict
from settlement import offers
from settlement.errors import Refused


def ask(till: Till, code: str, sale: str, minor: int = 10_000) -> CouponAnswer:
    answer = till.ask(CouponQuestion(sale=sale, code=code, amount=cny(minor)))
    assert isinstance(answer, CouponAnswer)
    return answer


def test_platform_pays_for_its_coupon(town: Town, till: Till, li: PhoneInHand) -> None:
    sale = new_id()
    answer = ask(till, town.coupon(minor=1_000), sale)
    assert (answer.discount, answer.funder, answer.label, answer.reason) == (cny(1_000), "platform", "5 off", "")
    paid = intent(li.short(), 9_000, sale=sale, coupons=(answer.coupon,), guide="mei")
    assert till.say(paid).decision.verdict is Verdict.APPROVED
    assert town.earned() == {
        "coupon-funding:platform": -1_000,
        "merchant:Riverside Tea": 9_000,
        "platform": 300,
        "store:Ground floor": 200,
        "guide:mei": 200,
        "mall": 200,
        "third:Charity": 100,
    }
    till.say(refund(paid, 4_000), refund(paid, 5_000))
    assert town.earned() == {}


def test_merchants_coupon_is_simply_not_received(town: Town, till: Till, li: PhoneInHand) -> None:
    sale = new_id()
    answer = ask(till, town.coupon(funder="merchant", minor=1_000), sale)
    till.pay(li.short(), 9_000, sale=sale, coupons=(answer.coupon,))
    assert town.earned()["merchant:Riverside Tea"] == 8_280
    assert sum(town.earned().values()) == 9_000


def test_percentage_is_rounded_down_and_never_more_than_what_is_due(town: Town, till: Till) -> None:
    assert ask(till, town.coupon(minor=0, basis_points=1_250), new_id(), 999).discount == cny(124)
    assert ask(till, town.coupon(minor=5_000), new_id(), 999).discount == cny(999)


def test_coupon_held_by_one_sale_is_not_for_another(town: Town, till: Till) -> None:
    code, first, second = town.coupon(), new_id(), new_id()
    assert ask(till, code, first).reason == ""
    assert ask(till, code, first).reason == ""
    assert ask(till, code, second).reason == "coupon-reserved"
    till.say(closed(first, Result.CANCELLED))
    assert ask(till, code, second).reason == ""


def test_reservation_ends_by_itself(town: Town, till: Till, li: PhoneInHand) -> None:
    code, first, second = town.coupon(), new_id(), new_id()
    held = ask(till, code, first)
    town.clock.pass_s(601)
    assert ask(till, code, second).reason == ""
    assert till.pay(li.short(), sale=first, coupons=(held.coupon,)).decision.reason == "coupon-gone"


def test_redeemed_coupon_is_used_up(town: Town, till: Till, li: PhoneInHand) -> None:
    code, sale = town.coupon(), new_id()
    till.pay(li.short(), 9_500, sale=sale, coupons=(ask(till, code, sale).coupon,))
    till.say(closed(sale, Result.PAID, 9_500))
    assert ask(till, code, new_id()).reason == "coupon-used"


def test_reversed_payment_gives_the_coupon_back(town: Town, till: Till, li: PhoneInHand) -> None:
    code, sale = town.coupon(), new_id()
    paid = intent(li.short(), 9_500, sale=sale, coupons=(ask(till, code, sale).coupon,))
    till.say(paid)
    till.say(reversal(paid), closed(sale, Result.UNPAID))
    assert ask(till, code, new_id()).reason == ""
    assert town.earned() == {}


def test_coupon_that_pays_all_is_booked_at_the_end_of_the_sale(town: Town, till: Till) -> None:
    code, sale = town.coupon(minor=10_000), new_id()
    ask(till, code, sale)
    till.say(closed(sale, Result.PAID, 0))
    assert town.earned()["coupon-funding:platform"] == -10_000
    assert ask(till, code, new_id()).reason == "coupon-used"


@pytest.mark.parametrize(
    ("terms", "minor", "reason"),
    [
        ({"threshold": 5_000}, 4_999, "coupon-threshold"),
        ({"days": 1}, 10_000, "coupon-expired"),
        ({}, 0, "coupon-threshold"),
    ],
)
def test_coupon_has_its_conditions(town: Town, till: Till, terms: dict[str, int], minor: int, reason: str) -> None:
    code = town.coupon(**terms)
    town.clock.pass_s(86_401)
    assert ask(till, code, new_id(), minor).reason == reason


@pytest.mark.parametrize("code", ["", "TWC:", "TWC:AAAAAAAAAAAAAAAA", "TWC:%%%%", "x" * 500])
def test_unknown_coupon_is_said(till: Till, code: str) -> None:
    answer = ask(till, code, new_id())
    assert (answer.reason, answer.discount.minor) == ("unknown-coupon", 0)


def test_coupon_of_an_ended_sale_is_refused(town: Town, till: Till) -> None:
    sale = new_id()
    till.say(challenge(sale=sale), closed(sale, Result.UNPAID))
    assert ask(till, town.coupon(), sale).reason == "sale-closed"


@pytest.mark.parametrize(
    "terms", [{"minor": 0}, {"minor": -1}, {"basis_points": 100}, {"funder": "nobody"}, {"threshold": -1}, {"days": 0}]
)
def test_senseless_coupon_is_not_issued(town: Town, terms: dict[str, object]) -> None:
    with pytest.raises(Refused):
        town.coupon(**terms)


def test_member_is_greeted_by_half_a_name(town: Town, till: Till) -> None:
    with town.service.store.writing() as connection:
        card = offers.member_text(offers.issue_member(connection, town.office, "Li Wei", 500))
    known = till.ask(MemberQuestion(sale=new_id(), code=card))
    assert isinstance(known, MemberAnswer)
    assert (known.name, known.discount_basis_points, known.reason) == ("Li *", 500, "")
    unknown = till.ask(MemberQuestion(sale=new_id(), code="TWM:AAAAAAAAAAAAAAAA"))
    assert isinstance(unknown, MemberAnswer)
    assert unknown.reason == "unknown-member"
