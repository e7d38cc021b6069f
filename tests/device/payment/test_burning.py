"""Two phones at once, one token twice, and tokens that were presented and never tried."""

from __future__ import annotations

from pathlib import Path

import pytest
from counter_house import ALIPAY, ALIPAY_2, CounterHouse, shown
from hypothesis import given
from hypothesis import strategies as st
from sale_story import Story

from device.payment.burning import MOST_SEEN
from device.payment.events import CancelAsked, Interrupted, TokenSeen
from device.payment.views import Phase
from device.ports import Reading, Source
from protocol import tokens
from protocol.records import Intent, Result, SaleClosed, TokenBurned, Verdict

SHORT = tokens.make_short_token(b"s" * 32, b"alias", 1_790_000_000)
SHORT_2 = tokens.make_short_token(b"t" * 32, b"other", 1_790_000_000)
BOUND = tokens.make_short_token(b"s" * 32, b"alias", 1_790_000_000, bytes(16))


def hear(house: CounterHouse, token: bytes) -> None:
    house.counter.present(Reading(Source.ACOUSTIC, "mic", "TILLWAVE", token, house.clock.ms))


def burned(house: CounterHouse) -> list[tuple[bytes, str]]:
    return [(body.token_hash, body.reason) for body in house.bodies() if isinstance(body, TokenBurned)]


def tried(house: CounterHouse) -> list[bytes]:
    return [body.token for body in house.bodies() if isinstance(body, Intent)]


# two phones


def test_of_two_phones_the_first_is_charged_and_both_are_told(house: CounterHouse) -> None:
    house.open()
    hear(house, SHORT)
    hear(house, SHORT_2)
    assert (shown(house).phase, shown(house).notice) == (Phase.AUTHORISING, "second-token")
    house.decide(Verdict.APPROVED)
    assert (shown(house).phase, shown(house).notice) == (Phase.PAID, "second-token")
    assert (tried(house), burned(house)) == ([SHORT], [])


def test_a_phone_that_comes_just_after_the_payment_is_told_too(house: CounterHouse) -> None:
    house.open()
    hear(house, SHORT)
    house.decide(Verdict.APPROVED)
    house.clock.ms += 1_000
    hear(house, SHORT_2)
    assert (shown(house).phase, shown(house).notice) == (Phase.PAID, "second-token")
    house.restart()
    assert shown(house).notice == "second-token"


def test_the_phone_that_was_not_charged_pays_the_next_sale(house: CounterHouse) -> None:
    house.open()
    hear(house, SHORT)
    hear(house, SHORT_2)
    house.decide(Verdict.APPROVED)
    house.open()
    hear(house, SHORT_2)
    assert shown(house).phase is Phase.AUTHORISING
    assert tried(house) == [SHORT, SHORT_2]


def test_after_a_decline_the_other_phone_may_pay(house: CounterHouse) -> None:
    house.open()
    hear(house, SHORT)
    hear(house, SHORT_2)
    house.decide(Verdict.DECLINED, reason="insufficient-funds")
    hear(house, SHORT_2)
    house.decide(Verdict.APPROVED)
    assert shown(house).phase is Phase.PAID
    assert (tried(house), burned(house)) == ([SHORT, SHORT_2], [])


def test_long_after_the_payment_a_token_is_nobodys(house: CounterHouse) -> None:
    house.open()
    hear(house, SHORT)
    house.decide(Verdict.APPROVED)
    house.pass_time(4)
    hear(house, SHORT_2)
    assert shown(house).notice == ""
    assert burned(house) == []


def test_a_machine_that_started_anew_takes_no_token_for_one_of_the_old_sale(house: CounterHouse) -> None:
    house.open()
    hear(house, SHORT)
    house.decide(Verdict.APPROVED)
    house.restart()
    house.clock.ms -= 600_000
    hear(house, SHORT_2)
    assert shown(house).notice == ""


# one token twice


def test_the_same_token_again_is_one_attempt_and_no_news(house: CounterHouse) -> None:
    house.open()
    for _ in range(3):
        hear(house, SHORT)
    assert (shown(house).phase, shown(house).notice) == (Phase.AUTHORISING, "")
    house.decide(Verdict.APPROVED)
    hear(house, SHORT)
    assert (shown(house).phase, shown(house).notice) == (Phase.PAID, "")
    assert tried(house) == [SHORT]


# tokens that are not tried


def test_a_token_of_a_cancelled_sale_is_burned_and_refused_later(house: CounterHouse) -> None:
    house.line.online = False
    sale = house.open()
    hear(house, SHORT)
    assert shown(house).notice == "offline-needs-signed-token"
    house.counter.cancel(sale.sale)
    assert burned(house) == [(tokens.token_hash(SHORT), "cancelled")]
    assert house.kinds()[-2:] == ["TokenBurned", "SaleClosed"]
    house.line.online = True
    house.open()
    hear(house, SHORT)
    assert (shown(house).phase, shown(house).notice) == (Phase.GATHERING, "token-burned")
    house.restart()
    house.open()
    hear(house, SHORT)
    assert shown(house).notice == "token-burned"
    assert tried(house) == []


def test_a_token_that_is_tried_after_all_is_not_burned(house: CounterHouse) -> None:
    house.line.online = False
    sale = house.open()
    hear(house, SHORT)
    house.line.online = True
    hear(house, SHORT)
    assert shown(house).phase is Phase.AUTHORISING
    house.decide(Verdict.DECLINED, reason="insufficient-funds")
    house.counter.cancel(sale.sale)
    assert (tried(house), burned(house)) == ([SHORT], [])


def test_the_twin_of_a_seen_token_that_is_tried_saves_both(house: CounterHouse) -> None:
    token, twin = tokens.same_tokens(house.signed_token(limit=100))
    house.line.online = False
    sale = house.open()
    hear(house, token)
    house.line.online = True
    hear(house, twin)
    house.decide(Verdict.DECLINED, reason="insufficient-funds")
    house.counter.cancel(sale.sale)
    assert burned(house) == []


def test_a_power_cut_burns_what_was_presented(house: CounterHouse) -> None:
    house.line.online = False
    house.open()
    house.show(ALIPAY)
    house.restart()
    assert burned(house) == [(tokens.token_hash(ALIPAY.encode()), "interrupted")]


def test_the_second_token_of_a_sale_that_is_cancelled_is_burned(house: CounterHouse) -> None:
    sale = house.open()
    house.show(ALIPAY)
    house.show(ALIPAY_2)
    house.counter.cancel(sale.sale)
    assert burned(house) == []
    hear(house, SHORT)
    house.decide(Verdict.DECLINED, reason="insufficient-funds")
    hashes = [tokens.token_hash(each) for each in (ALIPAY_2.encode(), SHORT)]
    assert burned(house) == [(each, "cancelled") for each in hashes]


def test_a_token_on_its_way_when_the_sale_was_cancelled_is_burned(house: CounterHouse) -> None:
    sale = house.open()
    house.counter.cancel(sale.sale)
    house.clock.ms += 1_500
    for _ in range(3):
        hear(house, SHORT)
    assert burned(house) == [(tokens.token_hash(SHORT), "cancelled")]
    house.pass_time(4)
    hear(house, SHORT_2)
    assert len(burned(house)) == 1


def test_while_the_end_of_a_cancelled_sale_is_unknown_for_long_what_is_heard_is_nobodys(house: CounterHouse) -> None:
    sale = house.open()
    house.show(ALIPAY)
    house.counter.cancel(sale.sale)
    house.pass_time(4)
    hear(house, SHORT)
    house.decide(Verdict.DECLINED, reason="insufficient-funds")
    assert (shown(house).phase, burned(house)) == (Phase.CANCELLED, [])


def test_a_bound_token_is_left_alone(house: CounterHouse) -> None:
    house.line.online = False
    sale = house.open()
    hear(house, BOUND)
    house.counter.cancel(sale.sale)
    hear(house, BOUND)
    assert burned(house) == []


def test_what_is_heard_without_a_sale_is_nobodys(house: CounterHouse) -> None:
    hear(house, SHORT)
    assert house.kinds() == ["Started"]


def test_a_flood_of_tokens_does_not_fill_the_journal(house: CounterHouse) -> None:
    house.line.online = False
    sale = house.open()
    for number in range(3 * MOST_SEEN):
        hear(house, tokens.make_short_token(b"s" * 32, b"alias", number))
    house.counter.cancel(sale.sale)
    hear(house, SHORT)
    assert len(burned(house)) == MOST_SEEN


# counters that stand close together


def test_where_only_bound_sound_is_taken_the_neighbours_token_is_left_alone(tmp_path: Path) -> None:
    house = CounterHouse(tmp_path, bound_sound=True)
    sale = house.open()
    hear(house, SHORT)
    assert (shown(house).phase, shown(house).notice) == (Phase.GATHERING, "sound-unbound")
    hear(house, BOUND)
    assert shown(house).phase is Phase.AUTHORISING
    hear(house, SHORT)
    assert shown(house).notice == ""
    house.decide(Verdict.DECLINED, reason="bad-token")
    house.counter.cancel(sale.sale)
    hear(house, SHORT)
    assert (tried(house), burned(house)) == ([BOUND], [])
    house.open()
    house.show(tokens.token_text(SHORT))
    assert shown(house).phase is Phase.AUTHORISING
    house.close()


# whatever happens


@given(
    st.lists(
        st.tuples(st.sampled_from(["see", "try"]), st.integers(0, 3))
        | st.tuples(st.sampled_from(["approve", "decline", "cancel", "cut", "wait"]), st.just(0)),
        max_size=12,
    )
)
def test_a_token_is_tried_or_burned_and_never_both_or_twice(steps: list[tuple[str, int]]) -> None:
    story, seen = Story(), set()
    for kind, number in steps:
        token = f"t{number}".encode()
        if kind == "see" and token not in intents(story) and story.phase in TAKING:
            seen.add(token)
        tell(story, kind, token)
    ends = [body.result for body in story.bodies if isinstance(body, SaleClosed)]
    hashes = [body.token_hash for body in story.bodies if isinstance(body, TokenBurned)]
    left = {tokens.token_hash(each) for each in seen - intents(story)}
    assert len(hashes) == len(set(hashes))
    assert not {tokens.token_hash(each) for each in intents(story)} & set(hashes)
    if Result.PAID in ends or not ends:
        assert hashes == []
    else:
        assert left <= set(hashes)


TAKING = (Phase.GATHERING, Phase.AUTHORISING, Phase.WAITING, Phase.CANCELLING)


def intents(story: Story) -> set[bytes]:
    return {body.token for body in story.bodies if isinstance(body, Intent)}


def tell(story: Story, kind: str, token: bytes) -> None:
    """Tell a story what a counter would tell it: a token that was tried is neither seen nor tried again."""
    newest = story.sale.attempts[-1] if story.sale.attempts else "none"
    match kind:
        case "see" if token not in intents(story):
            story.tell(TokenSeen(token, "offline"))
        case "try" if token not in intents(story):
            story.present(token.decode())
        case "approve" | "decline":
            story.decide(Verdict.APPROVED if kind == "approve" else Verdict.DECLINED, newest)
        case "cancel":
            story.tell(CancelAsked())
        case "cut":
            story.tell(Interrupted("interrupted"))
        case "wait":
            story.pass_time(200)


@pytest.mark.parametrize("phase", [Phase.GATHERING, Phase.AUTHORISING])
def test_a_token_seen_is_on_disk_before_it_is_told(house: CounterHouse, phase: Phase) -> None:
    sale = house.open()
    if phase is Phase.AUTHORISING:
        house.show(ALIPAY)
    else:
        house.line.online = False
    heard: list[str] = []
    house.counter.subscribe(lambda view: heard.append(view.sale.notice if view.sale else ""))
    house.show(ALIPAY_2)
    assert heard
    row = house.journal.state("sale", sale.sale)
    assert row is not None
    assert b'"seen":["' in row.content
