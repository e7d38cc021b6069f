"""Cancelling while nobody answers, and tokens that come twice, late, or to the wrong sale."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from scene import OFFLINE, Counter, alarms_of, balances, money_of, of_sale, stopped

from protocol import tokens
from tillwave.testing.mall import BoxedMall
from tillwave.testing.shopper import Shopper

pytestmark = pytest.mark.broker

_SCANNED_AGAIN_S = 2.0
"""So long a scanner is taken to have read the same label twice."""


@pytest.fixture(scope="module")
def counter(tillwave_mall: BoxedMall) -> Iterator[Counter]:
    made = Counter(tillwave_mall, offline=OFFLINE)
    yield made
    made.close()


@pytest.fixture(scope="module")
def next_door(tillwave_mall: BoxedMall) -> Iterator[Counter]:
    made = Counter(tillwave_mall, offline=OFFLINE)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def tidy(counter: Counter, next_door: Counter) -> Iterator[None]:
    yield
    counter.tidy()
    next_door.tidy()


def test_a_sale_cancelled_while_nobody_decides_is_reversed_and_its_token_dies(
    counter: Counter, next_door: Counter, tillwave_shopper: Shopper
) -> None:
    before, token = money_of(tillwave_shopper), tillwave_shopper.phone.payment_text()
    payment = counter.register.pay(1_500)
    counter.terminal.wait_drained()
    with stopped(counter.mall.settlement):
        counter.present(token)
        counter.until(payment, phase="authorising")
        assert counter.register.cancel(payment["id"])["phase"] == "cancelling"
        assert counter.register.payment(payment["id"])["phase"] == "cancelling"
    assert counter.register.wait(payment["id"])["phase"] == "cancelled"
    counter.drained()
    elsewhere = next_door.register.pay(1_500)
    next_door.present(token)
    assert next_door.until(elsewhere, reason="token-used")["phase"] == "gathering"
    next_door.register.cancel(elsewhere["id"])
    here = counter.register.pay(1_500)
    counter.present(token)
    counter.until(here, notice="token-used")
    assert [state for state, _ in of_sale(counter.mall, payment)[0] if state != "reversed"] == []
    assert money_of(tillwave_shopper) == before
    balances(counter.mall)


def test_a_terminal_killed_while_it_authorises_ends_the_sale(counter: Counter, tillwave_shopper: Shopper) -> None:
    before, token = money_of(tillwave_shopper), tillwave_shopper.phone.payment_text()
    payment = counter.register.pay(1_600)
    counter.terminal.wait_drained()
    with stopped(counter.mall.settlement):
        counter.present(token)
        counter.until(payment, phase="authorising")
        counter.terminal.program.kill()
        counter.terminal.start(online=False)
        assert counter.register.payment(payment["id"])["phase"] == "unknown"
        assert counter.register.payment(payment["id"])["attempt_ms"] >= 0
    done = counter.register.wait(payment["id"])
    assert done["phase"] == "paid"
    counter.drained()
    assert of_sale(counter.mall, payment) == ([("paid", 1_600)], ["pay"])
    assert money_of(tillwave_shopper) == before - 1_600


@pytest.mark.parametrize("is_signed", [False, True])
def test_a_token_pays_one_sale_only(
    counter: Counter, next_door: Counter, tillwave_shopper: Shopper, is_signed: bool
) -> None:
    token = tillwave_shopper.phone.payment_text(signed=is_signed)
    first, second = counter.register.pay(700), next_door.register.pay(700)
    counter.present(token)
    next_door.present(token)
    first, second = (
        counter.register.payment(first["id"], wait_s=2),
        next_door.register.payment(second["id"], wait_s=2),
    )
    time.sleep(0.5)
    states = [
        counter.register.payment(first["id"]),
        next_door.register.payment(second["id"]),
    ]
    assert sorted(state["phase"] for state in states) == ["gathering", "paid"]
    assert [state["reason"] for state in states if state["phase"] == "gathering"] == ["token-used"]
    counter.tidy()
    replay = counter.register.pay(700)
    counter.present(token)
    counter.until(replay, notice="token-used")


def test_the_same_signed_token_at_two_counters_offline_is_paid_once_and_lost_once(
    counter: Counter, next_door: Counter, tillwave_shopper: Shopper
) -> None:
    counter.drained()
    next_door.drained()
    before = money_of(tillwave_shopper)
    counter.mall.broker.kill()
    counter.terminal.wait_offline()
    next_door.terminal.wait_offline()
    token = tillwave_shopper.phone.payment_text(signed=True)
    first, second = counter.pay(800, token), next_door.pay(800, token)
    assert first["offline"]
    assert second["offline"]
    again = counter.register.pay(800)
    time.sleep(_SCANNED_AGAIN_S)
    counter.present(token)
    counter.until(again, notice="token-used")
    counter.present(tillwave_shopper.phone.payment_text())
    counter.until(again, notice="offline-needs-signed-token")
    counter.register.cancel(again["id"])
    counter.mall.start_broker()
    counter.drained()
    next_door.drained()
    states = [of_sale(counter.mall, first)[0], of_sale(counter.mall, second)[0]]
    assert sorted(states) == [[("lost", 800)], [("paid", 800)]]
    assert money_of(tillwave_shopper) == before - 800
    loser, sale = (counter, first) if states[0][0][0] == "lost" else (next_door, second)
    loser.until(sale, reason="declined-late")
    assert loser.register.payment(sale["id"])["phase"] == "paid"
    balances(counter.mall)
    for each in (counter, next_door):
        each.drained()
        assert each.register.close_day()["agrees"]


def test_an_offline_sale_without_money_is_shown_as_declined_late(counter: Counter) -> None:
    poor = counter.mall.add_shopper("Zhou the poor", 100)
    counter.drained()
    before = balances(counter.mall)
    counter.mall.broker.kill()
    counter.terminal.wait_offline()
    payment = counter.pay(4_000, poor.phone.payment_text(signed=True))
    counter.terminal.program.kill()
    counter.mall.start_broker()
    counter.terminal.start()
    late = counter.until(payment, reason="declined-late")
    assert late["phase"] == "paid"
    assert late["offline"]
    counter.drained()
    after = balances(counter.mall)
    losses = [name for name in after if name.startswith("offline-loss:")]
    assert sum(after[name] - before.get(name, 0) for name in losses) == 4_000
    assert money_of(poor) == 100
    assert counter.register.close_day()["agrees"]
    poor.close()


def test_old_and_foreign_tokens_are_declined(counter: Counter, tillwave_shopper: Shopper) -> None:
    before = money_of(tillwave_shopper)
    account = tillwave_shopper.phone.account
    old_s = int(time.time()) - tokens.FRESH_S - 5
    stale = tokens.make_short_token(account.secret, account.alias, old_s, None)
    payment = counter.register.pay(600)
    counter.drained()
    counter.present(tokens.token_text(stale))
    counter.until(payment, reason="token-stale")
    voucher = tokens.read_voucher(account.voucher)
    signed = tokens.make_signed_token(account.key(), voucher, old_s, None)
    counter.present(tokens.token_text(signed))
    time.sleep(0.3)
    counter.until(payment, phase="gathering")
    other = bytes(range(16))
    counter.present(tokens.token_text(tillwave_shopper.phone.short_token(other)))
    counter.until(payment, reason="bad-token")
    counter.present(tokens.token_text(tillwave_shopper.phone.signed_token(other)))
    time.sleep(0.3)
    assert counter.until(payment, phase="gathering")["reason"] == "bad-token"
    offer = tillwave_shopper.phone.scan(payment["challenge"])
    counter.present(tillwave_shopper.phone.payment_text(offer=offer))
    assert counter.register.wait(payment["id"])["phase"] == "paid"
    assert money_of(tillwave_shopper) == before - 600
    assert "forked" not in alarms_of(counter.mall, counter.name)
