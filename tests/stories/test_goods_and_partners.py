"""Goods by weight and date at a counter, and a partner who brought the shopper."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scene import Counter, balances

from tillwave.testing.mall import BoxedMall
from tillwave.testing.shopper import Shopper
from wallet.settlement_client import Verdict

pytestmark = pytest.mark.broker

TEA, LEAVES = "06901234567892", "06923450657713"
CATALOGUE = f"""
["{TEA}"]
label = "龙井 tea"
price = 6800

["{LEAVES}"]
label = "散装茶 loose tea"
price = 36000
unit = "kg"
"""


@pytest.fixture(scope="module")
def counter(tillwave_mall: BoxedMall) -> Iterator[Counter]:
    made = Counter(tillwave_mall, catalogue=CATALOGUE)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def tidy(counter: Counter) -> Iterator[None]:
    counter.drained()
    yield
    counter.tidy()


def test_weighed_goods_are_sold_and_the_partner_gets_his_share(counter: Counter, tillwave_shopper: Shopper) -> None:
    before = balances(counter.mall).get("third:tea-blog", 0)
    payment = counter.register.pay(None)
    counter.terminal.bench.type_barcode(f"01{LEAVES}3103000125", aim="]e0")
    counter.until(payment, notice="goods-added")
    counter.terminal.bench.type_barcode(f"01{TEA}17200101", aim="]d2")
    counter.until(payment, notice="goods-expired")
    counter.terminal.bench.type_barcode(f"https://id.gs1.org/01/{LEAVES}?15=200101&3103=000075", aim="]Q1")
    counter.until(payment, notice="goods-past-best")
    counter.present("TWS:TEA-BLOG")
    counter.until(payment, notice="attribution-taken")
    counter.present(tillwave_shopper.phone.payment_text())
    done = counter.register.wait(payment["id"])
    assert (done["phase"], done["amount"]["minor"]) == ("paid", 7_200)
    assert [line["label"] for line in done["lines"]] == ["散装茶 loose tea 0.125 kg", "散装茶 loose tea 0.075 kg"]
    counter.drained()
    assert balances(counter.mall)["third:tea-blog"] - before == 36


def test_a_phones_order_counts_for_the_partner_too(counter: Counter, tillwave_shopper: Shopper) -> None:
    before = balances(counter.mall).get("third:tea-blog", 0)
    payment = counter.register.pay(10_000)
    counter.present("TWS:TEA-BLOG")
    shown = counter.until(payment, notice="attribution-taken")
    counter.drained()
    phone = tillwave_shopper.phone
    assert phone.pay(phone.scan(shown["challenge"])).verdict is Verdict.APPROVED
    assert counter.register.wait(payment["id"])["phase"] == "paid"
    counter.drained()
    assert balances(counter.mall)["third:tea-blog"] - before == 50
