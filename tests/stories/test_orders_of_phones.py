"""A phone pays the code on the display while something goes wrong: one payment stays, or the money is back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from scene import OFFLINE, Counter, balances, money_of, of_sale, stopped, wait_until

from protocol.money import Money
from tillwave.testing.mall import BoxedMall
from tillwave.testing.shopper import Shopper
from wallet.phone import Offer
from wallet.settlement_client import OrderAnswer, Verdict

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def counter(tillwave_mall: BoxedMall) -> Iterator[Counter]:
    made = Counter(tillwave_mall, offline=OFFLINE)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def tidy(counter: Counter) -> Iterator[None]:
    yield
    counter.tidy()


@pytest.fixture(scope="module")
def other_shopper(tillwave_mall: BoxedMall) -> Iterator[Shopper]:
    made = tillwave_mall.add_shopper("Wang of orders", 50_000)
    yield made
    made.close()


def test_an_order_approved_while_the_broker_was_away_is_sent_back_once(
    counter: Counter, tillwave_shopper: Shopper
) -> None:
    before = money_of(tillwave_shopper)
    payment = counter.register.pay(1_100)
    counter.drained()
    counter.mall.broker.kill()
    assert tillwave_shopper.phone.pay(tillwave_shopper.phone.scan(payment["challenge"])).verdict is Verdict.APPROVED
    assert money_of(tillwave_shopper) == before - 1_100
    counter.register.cancel(payment["id"])
    counter.mall.start_broker()
    counter.drained()
    wait_until(lambda: money_of(tillwave_shopper) == before, 10, lambda: "the money is not back")
    counter.drained()
    assert of_sale(counter.mall, payment) == ([("reversed", 1_100)], ["pay", "reverse"])
    balances(counter.mall)


def test_an_order_survives_a_settlement_that_dies_before_it_tells_the_terminal(
    counter: Counter, tillwave_shopper: Shopper
) -> None:
    before = money_of(tillwave_shopper)
    payment = counter.register.pay(1_400)
    counter.terminal.wait_drained()
    counter.mall.broker.kill()
    assert tillwave_shopper.phone.pay(tillwave_shopper.phone.scan(payment["challenge"])).verdict is Verdict.APPROVED
    counter.mall.settlement.kill()
    counter.mall.start_broker()
    counter.mall.start_settlement()
    counter.until(payment, patience_s=30, phase="paid")
    assert money_of(tillwave_shopper) == before - 1_400
    counter.drained()
    assert of_sale(counter.mall, payment) == ([("paid", 1_400)], ["pay"])


def test_a_phone_and_a_token_pay_at_the_same_time_and_one_payment_stays(
    counter: Counter, tillwave_shopper: Shopper, other_shopper: Shopper
) -> None:
    counter.terminal.wait_online()
    before = money_of(tillwave_shopper) + money_of(other_shopper)
    sales = []
    for number in range(6):
        payment = counter.register.pay(2_000 + number)
        offer = tillwave_shopper.phone.scan(payment["challenge"])
        token = other_shopper.phone.payment_text()
        counter.terminal.wait_drained()
        with ThreadPoolExecutor(2) as hands:
            ordered = hands.submit(tillwave_shopper.phone.pay, offer)
            shown = hands.submit(counter.present, token)
        shown.result()
        ordered.result()
        assert counter.register.wait(payment["id"])["phase"] == "paid"
        sales.append(payment)
    counter.drained()
    for payment in sales:
        states = [state for state, _ in of_sale(counter.mall, payment)[0]]
        assert states.count("paid") == 1
        assert states.count("reversed") == len(states) - 1
    assert money_of(tillwave_shopper) + money_of(other_shopper) == before - sum(2_000 + number for number in range(6))


def test_an_order_is_told_although_the_broker_forgot_that_the_terminal_came_back(
    counter: Counter, tillwave_shopper: Shopper
) -> None:
    before = money_of(tillwave_shopper)
    payment = counter.register.pay(2_100)
    counter.drained()
    counter.mall.broker.kill()
    assert tillwave_shopper.phone.pay(tillwave_shopper.phone.scan(payment["challenge"])).verdict is Verdict.APPROVED
    with stopped(counter.mall.settlement):
        counter.mall.start_broker()
        log = counter.terminal.program.log
        came = log.read_text().count("connected to the broker")
        wait_until(lambda: log.read_text().count("connected to the broker") > came, 20, lambda: "no terminal comes")
    counter.until(payment, patience_s=30, phase="paid")
    counter.drained()
    assert of_sale(counter.mall, payment) == ([("paid", 2_100)], ["pay"])
    assert money_of(tillwave_shopper) == before - 2_100


def test_nobody_pays_for_a_sale_that_has_ended(
    counter: Counter, tillwave_shopper: Shopper, other_shopper: Shopper
) -> None:
    before = money_of(tillwave_shopper)
    paid, offer = _opened(counter, tillwave_shopper, 900)
    counter.present(other_shopper.phone.payment_text())
    assert counter.register.wait(paid["id"])["phase"] == "paid"
    cancelled, late = _opened(counter, tillwave_shopper, 910)
    counter.register.cancel(cancelled["id"])
    counter.drained()
    for bill in (offer, late):
        assert tillwave_shopper.phone.pay(bill).verdict is Verdict.DECLINED
    assert money_of(tillwave_shopper) == before
    assert of_sale(counter.mall, cancelled) == ([], [])


def test_two_phones_pay_the_same_code_and_one_is_declined(
    counter: Counter, tillwave_shopper: Shopper, other_shopper: Shopper
) -> None:
    payment, offer = _opened(counter, tillwave_shopper, 930)
    with ThreadPoolExecutor(2) as hands:
        answers = list(hands.map(lambda who: who.phone.pay(offer).verdict, (tillwave_shopper, other_shopper)))
    assert sorted(verdict.value for verdict in answers) == ["approved", "declined"]
    assert counter.register.wait(payment["id"])["phase"] == "paid"
    assert of_sale(counter.mall, payment) == ([("paid", 930)], ["pay"])


def test_the_same_order_twice_pays_once_and_with_another_amount_not_at_all(
    counter: Counter, tillwave_shopper: Shopper
) -> None:
    before = money_of(tillwave_shopper)
    payment, offer = _opened(counter, tillwave_shopper, 940)
    cheaper = Offer(offer.challenge, Money(1, "CNY"), offer.merchant)
    declined = _send(tillwave_shopper, cheaper, "a" * 16)
    assert (declined.verdict, declined.reason) == (Verdict.DECLINED, "amount")
    with ThreadPoolExecutor(4) as hands:
        answers = list(hands.map(lambda _: _send(tillwave_shopper, offer, "b" * 16).verdict, range(4)))
    assert answers == [Verdict.APPROVED] * 4
    reused = _send(tillwave_shopper, cheaper, "b" * 16)
    assert (reused.verdict, reused.reason) == (Verdict.DECLINED, "id-reused")
    assert counter.register.wait(payment["id"])["phase"] == "paid"
    assert money_of(tillwave_shopper) == before - 940
    assert of_sale(counter.mall, payment) == ([("paid", 940)], ["pay"])
    counter.drained()
    assert counter.register.close_day()["agrees"]
    balances(counter.mall)


def _opened(counter: Counter, shopper: Shopper, minor: int) -> tuple[dict[str, Any], Offer]:
    payment = counter.register.pay(minor)
    counter.drained()
    return payment, shopper.phone.scan(payment["challenge"])


def _send(shopper: Shopper, offer: Offer, order: str) -> OrderAnswer:
    return shopper.phone._client.order(shopper.phone._sealed(offer, order))
