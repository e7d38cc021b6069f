"""What is due, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from counter_house import START_MS, cny
from hypothesis import given
from hypothesis import strategies as st

from device.payment.refund import RefundState, read_refund, write_refund
from device.payment.sale import Attempt, Coupon, Member, Sale, read_sale, view_of, write_sale
from device.payment.views import Phase
from protocol.records import Line, Mode, Verdict

SALE = Sale("s" * 16, "till", "R1", cny(1_000), "CNY", START_MS)
TEA = Line(code="06901234567892", label="茶", quantity=2, amount=cny(1_200))


@pytest.mark.parametrize(
    ("price", "points", "discount"),
    [
        (1_000, 0, 0),
        (1_000, 1_000, 100),
        (999, 1_000, 99),
        (1, 9_999, 0),
        (199, 50, 0),
        (200, 50, 1),
        (333, 3_333, 110),
    ],
)
def test_member_price_is_rounded_for_the_store(price: int, points: int, discount: int) -> None:
    sale = replace(SALE, asked=cny(price), member=Member("m1", "Li *", points))
    assert sale.member_discount == cny(discount)
    assert sale.due == cny(price - discount)


def test_coupons_and_member_price_come_off_the_goods() -> None:
    sale = replace(
        SALE,
        member=Member("m1", "Li *", 1_000),
        coupons=(Coupon("c1", "3 off", cny(300)), Coupon("c2", "1 off", cny(100))),
    )
    assert (sale.goods, sale.due, sale.coupon_ids) == (cny(1_000), cny(500), ("c1", "c2"))
    assert [(each.label, each.amount) for each in view_of(sale).discounts] == [
        ("member", cny(100)),
        ("3 off", cny(300)),
        ("1 off", cny(100)),
    ]


@given(st.integers(1, 10**12 - 1), st.integers(0, 9_999))
def test_a_member_always_pays_something(price: int, points: int) -> None:
    sale = replace(SALE, asked=cny(price), member=Member("m1", "Li *", points))
    assert 0 < sale.due.minor <= price
    assert sale.due + sale.member_discount == cny(price)


def test_goods_are_the_basket_unless_the_register_says_the_amount() -> None:
    assert replace(SALE, asked=None).due == cny(0)
    assert replace(SALE, asked=None, lines=(TEA, TEA)).due == cny(2_400)
    assert replace(SALE, lines=(TEA,)).due == cny(1_000)


@pytest.mark.parametrize("phase", Phase)
def test_a_sale_comes_back_from_the_journal(phase: Phase) -> None:
    sale = replace(
        SALE,
        phase=phase,
        lines=(TEA,),
        coupons=(Coupon("c1", "3 off", cny(300)),),
        member=Member("m1", "Li *", 500),
        nonce=b"\x00\xff" * 8,
        attempt=Attempt("a1", "alipay", cny(700), Mode.OFFLINE, 5),
        attempts=("a1",),
        undone=("o1",),
        reversing="a1",
    )
    assert read_sale(write_sale(sale)) == sale


@pytest.mark.parametrize("verdict", [Verdict.UNKNOWN, Verdict.APPROVED, Verdict.DECLINED])
def test_a_refund_comes_back_from_the_journal(verdict: Verdict) -> None:
    refund = RefundState("r1", "till", "B1", "s1", "a1", cny(5), "Wang", START_MS, verdict, "why", 7)
    assert read_refund(write_refund(refund)) == refund
    assert refund.is_final is (verdict is not Verdict.UNKNOWN)


@pytest.mark.parametrize("data", [b"", b"{", b"{}", b"[]", b"\xff"])
def test_a_damaged_state_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_sale(data)
    with pytest.raises(ValueError, match=r".*"):
        read_refund(data)


def test_the_challenge_is_shown_only_while_it_can_be_paid() -> None:
    sale = replace(SALE, challenge="000201")
    assert view_of(sale).challenge == "000201"
    for phase in Phase:
        if phase is not Phase.GATHERING:
            assert view_of(replace(sale, phase=phase)).challenge == ""


def test_scheme_and_payer_appear_once_it_is_paid() -> None:
    trying = replace(SALE, attempt=Attempt("a1", "alipay", cny(700), Mode.OFFLINE, 5))
    assert (view_of(trying).scheme, view_of(trying).offline) == ("", False)
    paid = view_of(replace(trying, payment="a1", payer="Li", phase=Phase.PAID))
    assert (paid.scheme, paid.offline, paid.payer, paid.payment) == ("alipay", True, "Li", "a1")


def test_only_three_phases_hold_the_counter() -> None:
    holding = {phase for phase in Phase if replace(SALE, phase=phase).holds_the_counter}
    assert holding == {Phase.GATHERING, Phase.AUTHORISING, Phase.WAITING}
