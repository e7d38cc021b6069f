"""Coupons at two counters, and registers that ask twice, at once, or die."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from scene import Counter, balances, of_sale, stopped, wait_until

from settlement import offers
from settlement.books import open_books
from settlement.offers import CouponTerms
from settlement.tables import coupons as coupon_rows
from tillwave.testing import office
from tillwave.testing.mall import BoxedMall
from tillwave.testing.register import Register, RegisterRefused
from tillwave.testing.shopper import Shopper

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def counter(tillwave_mall: BoxedMall) -> Iterator[Counter]:
    made = Counter(tillwave_mall)
    yield made
    made.close()


@pytest.fixture(scope="module")
def next_door(tillwave_mall: BoxedMall) -> Iterator[Counter]:
    made = Counter(tillwave_mall)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def tidy(counter: Counter, next_door: Counter) -> Iterator[None]:
    counter.drained()
    next_door.drained()
    yield
    counter.tidy()
    next_door.tidy()


def test_a_coupon_serves_one_counter_at_a_time_and_is_free_again_after_a_cancellation(
    counter: Counter, next_door: Counter, tillwave_shopper: Shopper
) -> None:
    code = _coupon(counter.mall, minor=500)
    first, second = counter.register.pay(2_000), next_door.register.pay(2_000)
    counter.present(code)
    counter.until(first, notice="coupon-taken")
    next_door.present(code)
    next_door.until(second, notice="coupon-reserved")
    counter.register.cancel(first["id"])
    counter.drained()
    other = _coupon(counter.mall, minor=100)
    next_door.present(other)
    next_door.until(second, notice="coupon-taken")
    next_door.present(code)
    assert next_door.until(second, notice="coupon-taken")["amount"]["minor"] in (1_900, 1_400)
    wait_until(
        lambda: next_door.register.payment(second["id"])["amount"]["minor"] == 1_400, 10, lambda: "no second coupon"
    )
    next_door.present(tillwave_shopper.phone.payment_text())
    assert next_door.register.wait(second["id"])["phase"] == "paid"
    third = counter.register.pay(2_000)
    counter.present(code)
    counter.until(third, notice="coupon-used")
    balances(counter.mall)


def test_a_coupon_shown_twice_is_funded_as_it_was_taken(counter: Counter, tillwave_shopper: Shopper) -> None:
    code, other = _coupon(counter.mall, basis_points=1_000), _coupon(counter.mall, minor=1_000)
    payment = counter.register.pay(10_000)
    counter.present(code)
    wait_until(lambda: counter.register.payment(payment["id"])["amount"]["minor"] == 9_000, 10, lambda: "no coupon")
    counter.present(other)
    wait_until(lambda: counter.register.payment(payment["id"])["amount"]["minor"] == 8_000, 10, lambda: "no coupon")
    counter.present(code)
    counter.drained()
    before = balances(counter.mall)
    counter.present(tillwave_shopper.phone.payment_text())
    assert counter.register.wait(payment["id"])["phase"] == "paid"
    after = balances(counter.mall)
    funding = "coupon-funding:platform"
    assert before.get(funding, 0) - after[funding] == 2_000


def test_expired_and_too_large_coupons_change_nothing(counter: Counter) -> None:
    expired, large = _coupon(counter.mall, minor=100, days=1), _coupon(counter.mall, minor=5_000)
    with open_books(counter.mall.settlement_settings) as (_, store), store.writing() as connection:
        row = coupon_rows.c.coupon == expired.removeprefix("TWC:").lower()
        connection.execute(coupon_rows.update().where(row).values(expires_ms=1))
    payment = counter.register.pay(5_000)
    counter.present(expired)
    counter.until(payment, notice="coupon-expired")
    counter.present(large)
    assert counter.until(payment, notice="coupon-too-large")["amount"]["minor"] == 5_000
    counter.register.cancel(payment["id"])
    counter.drained()
    with open_books(counter.mall.settlement_settings) as (_, store), store.reading() as connection:
        assert offers.reserved(connection, counter.name, payment["sale"]) == ()


def test_the_same_request_at_the_same_moment_is_one_sale(counter: Counter, tillwave_shopper: Shopper) -> None:
    ids = ["at-once"] * 8
    with ThreadPoolExecutor(8) as hands:
        sales = list(hands.map(lambda request: counter.register.pay(1_000, id=request)["sale"], ids))
    assert len(set(sales)) == 1
    counter.present(tillwave_shopper.phone.payment_text())
    done = counter.register.wait("at-once")
    assert done["phase"] == "paid"
    assert of_sale(counter.mall, done) == ([("paid", 1_000)], ["pay"])


def test_a_register_that_dies_finds_its_payment_again(counter: Counter, tillwave_shopper: Shopper) -> None:
    payment = counter.register.pay(1_100)
    key = counter.register._client.headers["Authorization"]
    counter.present(tillwave_shopper.phone.payment_text())
    reborn = Register(counter.terminal.url)
    reborn._client.headers["Authorization"] = key
    assert reborn.wait(payment["id"])["phase"] == "paid"
    assert reborn.pay(1_100, id=payment["id"])["payment"] == reborn.payment(payment["id"])["payment"]
    with pytest.raises(RegisterRefused) as refused:
        reborn.cancel(payment["id"])
    assert refused.value.reason == "too-late"
    reborn.close()


def test_the_day_is_not_closed_over_an_unresolved_sale(counter: Counter, tillwave_shopper: Shopper) -> None:
    payment = counter.register.pay(1_200)
    counter.drained()
    with stopped(counter.mall.settlement):
        counter.present(tillwave_shopper.phone.payment_text())
        counter.until(payment, phase="unknown")
        with pytest.raises(RegisterRefused) as refused:
            counter.register.close_day()
        assert refused.value.reason == "busy"
        other = counter.register.pay(100)
        counter.register.cancel(other["id"])
    assert counter.register.wait(payment["id"])["phase"] == "paid"
    counter.drained()
    day = counter.register.close_day()
    assert day["agrees"], day


def _coupon(mall: BoxedMall, **terms: int) -> str:
    return office.issue_coupon(mall.settlement_settings, CouponTerms(label="less", funder="platform", **terms))
