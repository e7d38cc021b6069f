"""What a terminal and a phone do at the same time, while neither hears of the other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from town import PhoneInHand, Till, Town, challenge, closed, intent, outcome, reversal

from protocol.records import Action, Mode, Result, Verdict
from protocol.transport import pack_run


def test_an_order_gives_way_to_a_token_that_the_terminal_has_accepted_offline(
    town: Town, till: Till, li: PhoneInHand
) -> None:
    opened = challenge(10_000)
    till.say(opened)
    ordered = li.order(till.name, opened)
    assert town.service.phones.order(li.seal(ordered)).verdict is Verdict.APPROVED
    wang = town.shopper("Wang Fang")
    paid = intent(wang.signed(), sale=opened.sale, mode=Mode.OFFLINE)
    heard = till.say(paid, outcome(paid), closed(opened.sale, Result.PAID))
    assert [(one.action, one.verdict) for one in heard.decisions] == [
        (Action.REVERSE, Verdict.APPROVED),
        (Action.PAY, Verdict.APPROVED),
    ]
    assert (li.balance, wang.balance) == (100_000, 90_000)
    assert sum(town.earned().values()) == 10_000

    # When the terminal hears of the order, it sends it back: once more, and nothing moves.
    again = replace(reversal(paid), attempt=ordered.order)
    assert till.say(again).decision.verdict is Verdict.APPROVED
    assert (li.balance, wang.balance) == (100_000, 90_000)


def test_decisions_leave_before_the_receipt_that_ends_the_asking(town: Town, till: Till, li: PhoneInHand) -> None:
    message = till.write(intent(li.signed()))
    outgoing = town.service.intake.take_run(till.name, pack_run([message]))
    assert [one.topic.rpartition("/")[2] for one in outgoing] == ["decisions", "receipts"]


@pytest.mark.parametrize("years", [-1, 1])
def test_a_terminal_whose_clock_is_a_year_off_sells_online_and_loses_offline(
    town: Town, till: Till, li: PhoneInHand, years: int
) -> None:
    wrong_ms = town.clock.now_ms() + years * 365 * 86_400_000
    online, offline = intent(li.short()), intent(li.signed(), mode=Mode.OFFLINE)
    assert till.send(till.write(online, wall_ms=wrong_ms)).decision.verdict is Verdict.APPROVED
    heard = till.send(till.write(offline, wall_ms=wrong_ms), till.write(outcome(offline), wall_ms=wrong_ms))
    assert heard.decision.verdict is Verdict.DECLINED
    assert li.balance == 90_000
    assert town.earned()["offline-loss:Riverside Tea"] == 10_000
