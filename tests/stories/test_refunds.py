"""Money back: never too much, never twice, whatever dies in the middle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scene import Counter, balances, money_of, of_sale, stopped

from tillwave.testing.mall import BoxedMall
from tillwave.testing.register import RegisterRefused
from tillwave.testing.shopper import Shopper

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def counter(tillwave_mall: BoxedMall) -> Iterator[Counter]:
    made = Counter(tillwave_mall)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def tidy(counter: Counter) -> Iterator[None]:
    counter.drained()
    yield
    counter.tidy()


@pytest.fixture
def badge(counter: Counter) -> str:
    return counter.mall.badge("Chen")


def test_not_more_than_was_paid_goes_back(counter: Counter, tillwave_shopper: Shopper, badge: str) -> None:
    before = money_of(tillwave_shopper)
    paid = counter.pay(1_000, tillwave_shopper.phone.payment_text())
    for minor in (1_001, 0, -5):
        _refused("bad-request", counter, paid["payment"], minor, badge)
    assert _done(counter, paid["payment"], 600, badge) == "approved"
    _refused("bad-request", counter, paid["payment"], 401, badge)
    assert _done(counter, paid["payment"], 400, badge) == "approved"
    _refused("bad-request", counter, paid["payment"], 1, badge)
    assert money_of(tillwave_shopper) == before
    assert of_sale(counter.mall, paid)[1] == ["pay", "refund", "refund"]
    balances(counter.mall)


def test_the_same_refund_twice_is_one_and_a_wrong_badge_is_none(
    counter: Counter, tillwave_shopper: Shopper, badge: str
) -> None:
    paid = counter.pay(1_000, tillwave_shopper.phone.payment_text())
    after = money_of(tillwave_shopper)
    for wrong in ("TWB:" + "A" * 26, "", "Chen", badge[:-1]):
        with pytest.raises(RegisterRefused) as refused:
            counter.register.refund(paid["payment"], 100, wrong)
        assert refused.value.reason in ("not-allowed", "bad-request", "too-many-tries")
        assert wrong not in refused.value.args[0] or wrong in ("", "Chen")
    for _ in range(3):
        asked = counter.register.refund(paid["payment"], 100, badge, id="once")
    assert counter.register.wait_refund("once")["refund"] == asked["refund"]
    with pytest.raises(RegisterRefused) as refused:
        counter.register.refund(paid["payment"], 200, badge, id="once")
    assert refused.value.reason == "id-conflict"
    assert money_of(tillwave_shopper) == after + 100


def test_what_was_never_paid_or_is_offline_does_not_go_back(
    counter: Counter, tillwave_shopper: Shopper, badge: str
) -> None:
    paid = counter.pay(1_000, tillwave_shopper.phone.payment_text())
    cancelled = counter.register.pay(1_000)
    with stopped(counter.mall.settlement):
        counter.present(tillwave_shopper.phone.payment_text())
        counter.until(cancelled, phase="authorising")
        counter.register.cancel(cancelled["id"])
    counter.register.wait(cancelled["id"])
    counter.drained()
    _refused("not-found", counter, "a" * 16, 100, badge)
    counter.mall.broker.kill()
    counter.terminal.wait_offline()
    _refused("offline", counter, paid["payment"], 100, badge)
    assert of_sale(counter.mall, paid)[1] == ["pay"]


@pytest.mark.parametrize("victim", ["terminal", "settlement"])
def test_a_refund_during_which_somebody_dies_is_done_once(
    counter: Counter, tillwave_shopper: Shopper, badge: str, victim: str
) -> None:
    paid = counter.pay(1_000, tillwave_shopper.phone.payment_text())
    after = money_of(tillwave_shopper)
    if victim == "terminal":
        with stopped(counter.mall.settlement):
            counter.register.refund(paid["payment"], 300, badge, id="of-terminal")
            counter.terminal.program.kill()
            counter.terminal.start(online=False)
            again = counter.register.refund(paid["payment"], 300, badge, id="of-terminal")
            assert again["state"] == "unknown"
            with pytest.raises(RegisterRefused):
                counter.register.refund(paid["payment"], 701, badge)
    else:
        counter.register.refund(paid["payment"], 300, badge, id="of-settlement")
        counter.mall.settlement.kill()
        counter.mall.start_settlement()
    assert counter.register.wait_refund(f"of-{victim}", 30)["state"] == "approved"
    counter.drained()
    assert money_of(tillwave_shopper) == after + 300
    assert of_sale(counter.mall, paid)[1] == ["pay", "refund"]
    assert counter.register.payment(paid["id"])["refunded"]["minor"] == 300
    assert counter.register.close_day()["agrees"]


def _done(counter: Counter, payment: str, minor: int, badge: str) -> str:
    asked = counter.register.refund(payment, minor, badge)
    return str(counter.register.wait_refund(asked["id"])["state"])


def _refused(reason: str, counter: Counter, payment: str, minor: int, badge: str) -> None:
    with pytest.raises(RegisterRefused) as refused:
        counter.register.refund(payment, minor, badge)
    assert refused.value.reason == reason
