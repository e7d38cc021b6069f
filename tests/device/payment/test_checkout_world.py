"""All short stories of one sale, in any order that terminal, shopper, network and settlement can bring about."""

from __future__ import annotations

from dataclasses import replace

import pytest
from exploration import Broken, check, explore, wander
from world import Whereabouts, begin, pass_time, present

from device.payment.views import Phase
from protocol.records import Mode


@pytest.mark.parametrize("minor", [1_000, None], ids=["amount of the register", "basket of goods"])
def test_money_is_where_it_belongs_after_every_short_story(minor: int | None) -> None:
    explored = explore(6, minor=minor)
    assert explored.situations > 400
    assert explored.stories > explored.situations


def test_money_is_where_it_belongs_after_long_random_stories() -> None:
    wander(2_000, seed=7)


def test_the_explorer_sees_a_sale_that_is_paid_by_nothing() -> None:
    world = begin()
    paid = replace(world, sale=replace(world.sale, phase=Phase.PAID))
    with pytest.raises(Broken, match="paid without a record"):
        check(paid, ["a miracle"], set())


def test_the_explorer_sees_a_charge_for_an_unpaid_sale() -> None:
    unpaid = pass_time(begin())
    assert unpaid.sale.phase is Phase.UNPAID
    charged = replace(unpaid, money=frozenset({("a1", Whereabouts.CHARGED, 1_000)}))
    with pytest.raises(Broken, match="charged and not paid"):
        check(charged, ["an acquirer out of its mind"], set())


def test_the_explorer_sees_a_payment_that_is_charged_twice() -> None:
    paid = present(begin(), Mode.OFFLINE)
    charged = replace(paid, money=frozenset({("o1", Whereabouts.CHARGED, 1_000)}), is_closed=True, queue=())
    with pytest.raises(Broken, match="paid by something else"):
        check(charged, ["an order that nobody gave back"], set())
