"""Goods with weight, price and date, and codes that say who brought the shopper."""

from __future__ import annotations

import pytest
from counter_house import ALIPAY, APPLES, GTIN, CounterHouse, cny, shown

from device.payment.views import LineView
from protocol import emv_qr
from protocol.records import ChallengeOpened, Intent, Verdict

SCALE_LABEL = "260123401250005001"
"""12.50 for half a kilogram of apples; a code of Alipay could look the same."""


def test_weighed_goods_make_the_amount(house: CounterHouse) -> None:
    house.open(None)
    house.show(SCALE_LABEL, symbology="CODE128", aim="]C0")
    house.show(f"01{APPLES}3103000486", symbology="DATABAREXP", aim="]e0")
    house.show(f"01{APPLES}3103000486", symbology="DATABAREXP", aim="]e0")
    assert shown(house).lines == (
        LineView(APPLES, "Apples 0.500 kg", 1, cny(1_250)),
        LineView(APPLES, "Apples 0.486 kg", 2, cny(962)),
    )
    assert emv_qr.read_challenge_code(shown(house).challenge).amount == cny(2_212)


def test_a_scale_label_is_no_payment_before_and_no_goods_after_the_amount_is_said(house: CounterHouse) -> None:
    house.open(1_000)
    house.show(SCALE_LABEL, symbology="CODE128", aim="]C0")
    intent = house.newest("Intent")
    assert isinstance(intent, Intent)
    assert (intent.scheme, intent.token) == ("alipay", SCALE_LABEL.encode())


@pytest.mark.parametrize(
    ("data", "notice", "due"),
    [
        (f"01{GTIN}17260920", "goods-expired", 0),
        (f"01{GTIN}17270101", "goods-added", 600),
        (f"01{GTIN}15260901", "goods-past-best", 600),
        (f"01{GTIN}30" + "3", "goods-added", 1_800),
        (f"01{APPLES}", "goods-need-weight", 0),
        (f"01{GTIN}17261301", "goods-unreadable", 0),
        ("0109521234543213", "goods-unknown", 0),
    ],
)
def test_dates_and_counts_of_goods_are_heeded(house: CounterHouse, data: str, notice: str, due: int) -> None:
    house.open(None)
    house.show(data, symbology="CODE128", aim="]C1")
    assert (shown(house).notice, shown(house).amount) == (notice, cny(due))


def test_a_link_on_goods_is_read(house: CounterHouse) -> None:
    house.open(None)
    house.show(f"https://id.gs1.org/01/{GTIN}/10/A?17=270101")
    assert shown(house).amount == cny(600)


@pytest.mark.parametrize(("days", "notice"), [("3260801", "coupon-expired"), ("4270101", "coupon-not-yet")])
def test_a_manufacturers_coupon_has_its_days(house: CounterHouse, days: str, notice: str) -> None:
    house.open()
    house.show("8110012345612345611110123" + days, symbology="DATABAREXP", aim="]e0")
    assert shown(house).notice == notice
    assert not house.line.questions


def test_who_brought_the_shopper_stands_in_challenge_and_intent(house: CounterHouse) -> None:
    house.open()
    before = shown(house).challenge
    house.show("TWS:TEA-BLOG")
    assert shown(house).notice == "attribution-taken"
    opened = house.newest("ChallengeOpened")
    assert isinstance(opened, ChallengeOpened)
    assert (opened.attribution, shown(house).challenge != before) == ("tea-blog", True)
    house.show("tws:other-blog")
    assert shown(house).notice == "attribution-kept"
    house.show(ALIPAY)
    intent = house.newest("Intent")
    assert isinstance(intent, Intent)
    assert intent.attribution == "tea-blog"
    house.decide(Verdict.APPROVED)


def test_a_sale_that_nobody_brought_says_nothing(house: CounterHouse) -> None:
    house.open()
    house.show(ALIPAY)
    intent = house.newest("Intent")
    assert isinstance(intent, Intent)
    assert intent.attribution is None


def test_a_technicians_card_is_not_wanted_in_a_sale(house: CounterHouse) -> None:
    house.open()
    house.show("TWT:" + "T" * 20)
    assert shown(house).notice == "badge-not-now"
