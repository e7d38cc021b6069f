"""Weighed, priced, counted and dated goods."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.gs1.items import TradeItem
from device.gs1.labels import COUNTRIES, Layout
from device.gs1.measures import Measure
from device.payment.pricing import Article, GoodsRules, Priced, price_item
from device.payment.sale import LARGEST_DUE_MINOR

GTIN = "02601234000002"
TODAY = date(2026, 6, 15)
TEA, APPLES = Article("Tea", 600), Article("Apples", 990, "kg")


def priced(article: Article = TEA, currency: str = "CNY", rules: GoodsRules | None = None, **said: object) -> Priced:
    item = TradeItem(gtin=GTIN, **said)  # type: ignore[arg-type]
    return price_item(article, item, currency=currency, today=TODAY, rules=rules or GoodsRules())


def cost(found: Priced) -> tuple[str, int, int]:
    assert found.line is not None
    return found.line.label, found.line.quantity, found.line.amount.minor


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (priced(), ("Tea", 1, 600)),
        (priced(count=3), ("Tea", 3, 1800)),
        (priced(APPLES, weight=Measure(486, 3)), ("Apples 0.486 kg", 1, 481)),
        (priced(APPLES, weight=Measure(50, 2)), ("Apples 0.50 kg", 1, 495)),
        (priced(APPLES, price=Measure(1250, 2), weight=Measure(500, 3)), ("Apples 0.500 kg", 1, 1250)),
        (priced(price=Measure(1234, 1)), ("Tea", 1, 12340)),
        (priced(price=Measure(1250, 2), currency="CNY"), ("Tea", 1, 1250)),
        (priced(weight=Measure(100, 3)), ("Tea 0.100 kg", 1, 600)),
        (priced(Article("A" * 80, 5), weight=Measure(1, 0)), ("A" * 75 + " 1 kg", 1, 5)),
    ],
)
def test_goods_cost_what_their_code_and_the_catalogue_say(found: Priced, expected: tuple[str, int, int]) -> None:
    assert cost(found) == expected
    assert found.notice == "goods-added"


@pytest.mark.parametrize(
    ("found", "notice"),
    [
        (priced(APPLES), "goods-need-weight"),
        (priced(count=0), "goods-unreadable"),
        (priced(price=Measure(0, 2)), "goods-unreadable"),
        (priced(price=Measure(1234, 3)), "goods-unreadable"),
        (priced(APPLES, weight=Measure(0, 3)), "goods-unreadable"),
        (priced(Article("Gold", LARGEST_DUE_MINOR), count=2), "basket-full"),
        (priced(use_by="260614"), "goods-expired"),
        (priced(sell_by="260600"), "goods-added"),
        (priced(sell_by="260500"), "goods-expired"),
        (priced(best_before="260614"), "goods-past-best"),
        (priced(best_before="260614", rules=GoodsRules(sell_past_best=False)), "goods-expired"),
        (priced(use_by="261331"), "goods-unreadable"),
    ],
)
def test_goods_without_a_price_or_past_their_date_are_named(found: Priced, notice: str) -> None:
    assert found.notice == notice
    assert (found.line is None) is (notice not in ("goods-added", "goods-past-best"))


def test_the_currency_of_a_label_must_be_that_of_the_terminal() -> None:
    item = TradeItem(gtin=GTIN, price=Measure(1250, 2), currency="EUR")
    found = price_item(TEA, item, currency="CNY", today=TODAY, rules=GoodsRules())
    assert found == Priced(None, "goods-unreadable")
    yen = price_item(TEA, TradeItem(gtin=GTIN, price=Measure(1250, 0)), currency="JPY", today=TODAY, rules=GoodsRules())
    assert cost(yen)[2] == 1250


def test_the_stores_own_layouts_come_before_those_of_its_country() -> None:
    own = Layout("22IIIIIPPPPPC")
    assert GoodsRules(labels_of="germany", labels=(own,)).layouts == (own, *COUNTRIES["germany"])
    assert GoodsRules().layouts == ()


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(0, 5))
def test_weighed_goods_are_rounded_to_the_nearest_unit(price: int, digits: int, decimals: int) -> None:
    found = priced(Article("Apples", price, "kg"), weight=Measure(digits, decimals))
    exact_doubled = 2 * price * digits
    if found.line is not None:
        assert abs(2 * found.line.amount.minor * 10**decimals - exact_doubled) <= 10**decimals
