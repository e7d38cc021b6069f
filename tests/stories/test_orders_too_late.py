"""A phone pays for a sale that its terminal, cut off, has ended otherwise; or that is over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from scene import OFFLINE, Counter, money_of, of_sale, on_wire, stopped, wait_until

from tillwave.testing.mall import BoxedMall
from tillwave.testing.shopper import Shopper
from wallet.phone import Offer
from wallet.settlement_client import Verdict

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def counter(tillwave_mall: BoxedMall) -> Iterator[Counter]:
    made = Counter(tillwave_mall, offline=OFFLINE)
    yield made
    made.close()


def test_an_order_gives_way_to_what_a_cut_off_terminal_does(counter: Counter, tillwave_shopper: Shopper) -> None:
    with on_wire(counter) as wire:
        before = money_of(tillwave_shopper)
        payment = counter.register.pay(1_200)
        counter.drained()
        wire.cut()
        counter.terminal.wait_offline()
        assert tillwave_shopper.phone.pay(tillwave_shopper.phone.scan(payment["challenge"])).verdict is Verdict.APPROVED
        counter.register.cancel(payment["id"])
        wire.mend()
        counter.drained()
        wait_until(lambda: money_of(tillwave_shopper) == before, 10, lambda: "the money is not back")
        counter.drained()
        assert of_sale(counter.mall, payment) == ([("reversed", 1_200)], ["pay", "reverse"])

        # The same with a token accepted offline instead of a cancellation: the goods are paid once, by the token.
        payment = counter.register.pay(1_300)
        counter.drained()
        wire.cut()
        counter.terminal.wait_offline()
        assert tillwave_shopper.phone.pay(tillwave_shopper.phone.scan(payment["challenge"])).verdict is Verdict.APPROVED
        counter.present(tillwave_shopper.phone.payment_text(signed=True))
        assert counter.until(payment, phase="paid")["offline"]
        wire.mend()
        counter.drained()
        wait_until(
            lambda: money_of(tillwave_shopper) == before - 1_300, 10, lambda: f"{of_sale(counter.mall, payment)}"
        )
        counter.drained()
        assert sorted(of_sale(counter.mall, payment)[0]) == [("paid", 1_300), ("reversed", 1_300)]
        assert counter.register.payment(payment["id"])["reason"] == ""
        assert counter.register.close_day()["agrees"]


def test_nobody_pays_for_a_sale_that_has_expired(tillwave_mall: BoxedMall, tillwave_shopper: Shopper) -> None:
    hasty = Counter(tillwave_mall, sale_deadline_s=10)
    payment, offer = _opened(hasty, tillwave_shopper, 920)
    with stopped(tillwave_mall.settlement):
        assert hasty.register.wait(payment["id"])["phase"] == "unpaid"
    hasty.drained()
    assert tillwave_shopper.phone.pay(offer).verdict is Verdict.DECLINED
    hasty.close()


def _opened(counter: Counter, shopper: Shopper, minor: int) -> tuple[dict[str, Any], Offer]:
    payment = counter.register.pay(minor)
    counter.drained()
    return payment, shopper.phone.scan(payment["challenge"])
