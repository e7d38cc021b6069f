"""Money goes back: by a supervisor, never more than was paid."""

from __future__ import annotations

import pytest
from counter_house import (
    BADGE,
    CounterHouse,
    cny,
    decided,
    pay,
    shown,
)

from device.payment.errors import (
    BadRequest,
    IdConflict,
    NotAllowed,
    NotFound,
    Offline,
    TooLate,
)
from device.payment.views import RefundRequest
from protocol import tokens
from protocol.money import Money
from protocol.records import Action, Verdict


def test_a_supervisor_gives_money_back(house: CounterHouse) -> None:
    paid = pay(house)
    request = house.refund(paid.payment, 400)
    first = house.counter.refund(request)
    assert first.state == "unknown"
    assert house.counter.refund(request) == first
    decided(house, first.refund, Verdict.APPROVED, 400)
    assert house.counter.find_refund("till", "B1").state == "approved"
    assert house.counter.sale(paid.sale).refunded == cny(400)
    assert house.kinds().count("Refund") == 1


def test_no_more_goes_back_than_was_paid(house: CounterHouse) -> None:
    paid = pay(house)
    first = house.counter.refund(house.refund(paid.payment, 600))
    with pytest.raises(BadRequest, match=r"4\.00 CNY can still"):
        house.counter.refund(house.refund(paid.payment, 401, "B2"))
    decided(house, first.refund, Verdict.APPROVED, 600)
    decided(house, first.refund, Verdict.APPROVED, 600)
    assert house.counter.sale(paid.sale).refunded == cny(600)
    with pytest.raises(BadRequest):
        house.counter.refund(house.refund(paid.payment, 401, "B2"))
    house.restart()
    with pytest.raises(BadRequest):
        house.counter.refund(house.refund(paid.payment, 401, "B2"))
    assert house.counter.refund(house.refund(paid.payment, 400, "B2")).state == "unknown"


def test_a_declined_refund_gives_nothing_back(house: CounterHouse) -> None:
    paid = pay(house)
    refund = house.counter.refund(house.refund(paid.payment, 600))
    decided(house, refund.refund, Verdict.DECLINED, 600)
    assert house.counter.find_refund("till", "B1").state == "declined"
    assert house.counter.sale(paid.sale).refunded == cny(0)
    assert house.counter.refund(house.refund(paid.payment, 1_000, "B2")).state == "unknown"


def test_a_refund_without_a_decision_is_asked_for_again(house: CounterHouse) -> None:
    paid = pay(house)
    refund = house.counter.refund(house.refund(paid.payment, 600))
    house.pass_time(4)
    assert house.line.enquiries.count((refund.refund, Action.REFUND)) == 2
    house.restart()
    house.pass_time(2)
    assert (refund.refund, Action.REFUND) in house.line.enquiries
    decided(house, refund.refund, Verdict.APPROVED, 600)
    assert house.counter.sale(paid.sale).refunded == cny(600)


@pytest.mark.parametrize("badge", ["", "TWB:WRONGWRONGWRONGX", BADGE + "X"])
def test_a_refund_needs_a_supervisor(house: CounterHouse, badge: str) -> None:
    paid = pay(house)
    with pytest.raises(NotAllowed):
        house.counter.refund(house.refund(paid.payment, 400, badge=badge))


def test_refunds_that_make_no_sense_are_refused(house: CounterHouse) -> None:
    paid = pay(house)
    for minor in (0, -1, 1_001):
        with pytest.raises(BadRequest):
            house.counter.refund(house.refund(paid.payment, minor))
    with pytest.raises(BadRequest):
        house.counter.refund(RefundRequest("till", "B1", paid.payment, Money(1, "EUR"), BADGE))
    for payment in ("", "nothing"):
        with pytest.raises(NotFound):
            house.counter.refund(house.refund(payment, 1))
    with pytest.raises(BadRequest):
        house.counter.refund(house.refund(paid.payment, 1, request="B\x00"))
    house.line.online = False
    with pytest.raises(Offline):
        house.counter.refund(house.refund(paid.payment, 400))
    assert "Refund" not in house.kinds()


def test_a_refund_id_with_other_content_is_refused(house: CounterHouse) -> None:
    paid = pay(house)
    house.counter.refund(house.refund(paid.payment, 400))
    with pytest.raises(IdConflict):
        house.counter.refund(house.refund(paid.payment, 401))


def test_a_badge_is_in_no_text(house: CounterHouse) -> None:
    assert BADGE not in repr(house.refund("p", 1))


def test_a_payment_that_was_declined_late_cannot_be_refunded(house: CounterHouse) -> None:
    house.line.online = False
    house.open(1_000)
    house.show(tokens.token_text(house.signed_token()))
    paid = shown(house)
    house.line.online = True
    house.decide(Verdict.DECLINED, reason="insufficient-funds")
    assert shown(house).reason == "declined-late"
    with pytest.raises(TooLate):
        house.counter.refund(house.refund(paid.payment, 400))
