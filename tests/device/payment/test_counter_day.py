"""Close of day: terminal and settlement count the same."""

from __future__ import annotations

import asyncio

import pytest
from counter_house import (
    ALIPAY,
    ALIPAY_2,
    CounterHouse,
    cny,
    decided,
    pay,
    shown,
)

from device.payment.errors import (
    Busy,
    Offline,
)
from protocol import tokens
from protocol.questions import (
    AnswerBody,
    QuestionBody,
    TotalsAnswer,
    TotalsQuestion,
)
from protocol.records import Action, Verdict


def _totals(house: CounterHouse, paid: int, count: int, **more: int) -> None:
    refunded = more.get("refunded", 0)

    def answer(question: QuestionBody) -> AnswerBody | None:
        assert isinstance(question, TotalsQuestion)
        return TotalsAnswer(
            paid_count=count,
            paid=cny(paid),
            refunded_count=1 if refunded else 0,
            refunded=cny(refunded),
            kept=question.last - more.get("behind", 0),
        )

    house.line.answer = answer


def test_the_day_is_closed_and_agrees(house: CounterHouse) -> None:
    paid = pay(house)
    pay(house, ALIPAY_2, 500)
    refund = house.counter.refund(house.refund(paid.payment, 300))
    decided(house, refund.refund, Verdict.APPROVED, 300)
    _totals(house, 1_500, 2, refunded=300)
    day = asyncio.run(house.counter.close_day())
    assert (day.paid_count, day.paid, day.refunded) == (2, cny(1_500), cny(300))
    assert day.agrees
    assert house.kinds()[-1] == "DayClosed"
    _totals(house, 0, 0)
    assert asyncio.run(house.counter.close_day()).agrees


def test_a_day_that_does_not_agree_says_so(house: CounterHouse) -> None:
    pay(house)
    _totals(house, 999, 1)
    assert not asyncio.run(house.counter.close_day()).agrees
    _totals(house, 0, 0, behind=2)
    day = asyncio.run(house.counter.close_day())
    assert (day.open_records, day.agrees) == (2, False)


def test_reversed_and_late_declined_payments_do_not_count(house: CounterHouse) -> None:
    house.line.online = False
    house.open(1_000)
    house.show(tokens.token_text(house.signed_token()))
    house.line.online = True
    house.decide(Verdict.DECLINED, reason="insufficient-funds")
    house.open(700)
    house.show(ALIPAY)
    house.counter.cancel(shown(house).sale)
    house.decide(Verdict.APPROVED, minor=700, action=Action.REVERSE)
    _totals(house, 0, 0)
    day = asyncio.run(house.counter.close_day())
    assert (day.paid_count, day.paid) == (0, cny(0))


def test_the_day_waits_for_what_is_not_decided(house: CounterHouse) -> None:
    _totals(house, 0, 0)
    sale = house.open()
    house.show(ALIPAY)
    with pytest.raises(Busy):
        asyncio.run(house.counter.close_day())
    house.pass_time(6)
    with pytest.raises(Busy) as problem:
        asyncio.run(house.counter.close_day())
    assert problem.value.sale == sale.sale
    house.decide(Verdict.APPROVED)
    refund = house.counter.refund(house.refund(shown(house).payment, 1))
    with pytest.raises(Busy, match="refund"):
        asyncio.run(house.counter.close_day())
    decided(house, refund.refund, Verdict.DECLINED, 1)
    asyncio.run(house.counter.close_day())


def test_the_day_is_not_closed_without_settlement(house: CounterHouse) -> None:
    pay(house)
    with pytest.raises(Offline):
        asyncio.run(house.counter.close_day())
    house.line.online = False
    with pytest.raises(Offline):
        asyncio.run(house.counter.close_day())
    assert "DayClosed" not in house.kinds()


def test_a_payment_made_while_settlement_counts_is_in_the_day(house: CounterHouse) -> None:
    """It must be in this day or in the next one, and not fall between them."""
    pay(house)
    questions: list[TotalsQuestion] = []

    def answer(question: QuestionBody) -> AnswerBody | None:
        assert isinstance(question, TotalsQuestion)
        if not questions:
            questions.append(question)
            pay(house, ALIPAY_2, 500)
        return TotalsAnswer(paid_count=2, paid=cny(1_500), refunded_count=0, refunded=cny(0), kept=question.last)

    house.line.answer = answer
    day = asyncio.run(house.counter.close_day())
    assert (day.paid_count, day.paid, day.agrees) == (2, cny(1_500), True)
