"""What shoppers show to a counter, online and offline."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from counter_house import (
    ALIPAY,
    ALIPAY_2,
    BADGE,
    GTIN,
    CounterHouse,
    cny,
    make_key,
    shown,
)

from device.payment.risk import OfflineLimits
from device.payment.views import LineView, Phase, SaleView
from device.ports import Reading, Source
from protocol import emv_qr, tokens
from protocol.questions import (
    AnswerBody,
    CouponAnswer,
    CouponQuestion,
    MemberAnswer,
    MemberQuestion,
    QuestionBody,
)
from protocol.records import Intent, Mode, Outcome, Verdict

COUPON, MEMBER = "TWC:CCCCCCCCCCCCCCCC", "TWM:MMMMMMMMMMMMMMMM"


# what shoppers show


def test_a_code_without_a_sale_is_passed_over(house: CounterHouse) -> None:
    house.show(ALIPAY)
    assert house.kinds() == ["Started"]
    assert house.counter.view().sale is None


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("hello", "not-a-payment"),
        ("TW1:AAAA", "code-damaged"),
        ("TW2:" + "A" * 290, "code-damaged"),
        (BADGE, "badge-not-now"),
        ("000201", "merchant-code"),
        ("", "not-a-payment"),
        ("x" * 7_000, "not-a-payment"),
        ("hQVDUFYwMQ", "code-damaged"),
    ],
)
def test_what_pays_nothing_is_named(house: CounterHouse, text: str, notice: str) -> None:
    house.open()
    house.show(text)
    assert (shown(house).phase, shown(house).notice) == (Phase.GATHERING, notice)


def test_a_token_is_tried_once(house: CounterHouse) -> None:
    house.open()
    house.show(ALIPAY)
    house.decide(Verdict.DECLINED, reason="insufficient-funds")
    house.show(ALIPAY)
    assert (shown(house).phase, shown(house).notice) == (Phase.GATHERING, "token-used")
    house.restart()
    house.open()
    house.show(ALIPAY)
    assert shown(house).notice == "token-used"
    house.show(ALIPAY_2)
    assert shown(house).phase is Phase.AUTHORISING


def test_goods_make_the_amount_and_a_new_code(house: CounterHouse) -> None:
    house.open(None)
    assert shown(house).challenge == ""
    house.show(ALIPAY)
    assert shown(house).notice == "amount-missing"
    for total in (600, 1_200):
        house.show(GTIN[1:], symbology="EAN13", aim="]E0")
        assert shown(house).amount == cny(total)
        assert emv_qr.read_challenge_code(shown(house).challenge).amount == cny(total)
    assert shown(house).lines == (LineView(GTIN, "Tea", 2, cny(1_200)),)
    house.show("6901234567885", symbology="EAN13", aim="]E0")
    assert shown(house).notice == "goods-unknown"
    house.show(ALIPAY)
    house.decide(Verdict.APPROVED, minor=1_200)
    intent = house.newest("Intent")
    assert isinstance(intent, Intent)
    assert (intent.amount, intent.lines[0].quantity) == (cny(1_200), 2)


def test_a_tampered_case_of_codes_never_raises(house: CounterHouse) -> None:
    """Bytes as a hostile code may carry them."""
    for raw in (b"\xff\xfe", b"TW2:" + bytes(20), bytes(16), b"\x11" + bytes(15), b"\x21" + bytes(180), b"\x00" * 3000):
        for source in Source:
            house.open()
            house.counter.present(Reading(source, "x", "QR", raw, house.clock.ms))
            house.counter.cancel(shown(house).sale)


def _settled(question: QuestionBody) -> AnswerBody | None:
    if isinstance(question, CouponQuestion):
        return CouponAnswer(
            coupon="c" * 16, label="3 off", discount=cny(300), funder="merchant", reason=_reason(question.code)
        )
    if isinstance(question, MemberQuestion):
        return MemberAnswer(member="m" * 16, name="Li *", discount_basis_points=1_000, reason=_reason(question.code))
    return None


def _reason(code: str) -> str:
    return "coupon-used" if code.endswith("U") else "unknown-member" if code.endswith("X") else ""


def _show_all(house: CounterHouse, *codes: str) -> None:
    async def show() -> None:
        for code in codes:
            house.show(code)
            for _ in range(3):
                await asyncio.sleep(0)

    asyncio.run(show())


def test_a_coupon_and_a_member_card_make_it_cheaper(house: CounterHouse) -> None:
    house.line.answer = _settled
    house.open(1_000)
    _show_all(house, COUPON, MEMBER, COUPON)
    sale = shown(house)
    assert (sale.amount, sale.member, sale.notice) == (cny(600), "Li *", "coupon-taken")
    assert [(each.label, each.amount) for each in sale.discounts] == [("member", cny(100)), ("3 off", cny(300))]
    assert emv_qr.read_challenge_code(sale.challenge).amount == cny(600)
    house.show(ALIPAY)
    intent = house.newest("Intent")
    assert isinstance(intent, Intent)
    assert (intent.amount, intent.coupons, intent.member) == (cny(600), ("c" * 16,), "m" * 16)


def test_refused_cards_are_named(house: CounterHouse) -> None:
    house.line.answer = _settled
    house.open(1_000)
    _show_all(house, COUPON[:-1] + "U")
    assert (shown(house).notice, shown(house).amount) == ("coupon-used", cny(1_000))
    _show_all(house, MEMBER[:-1] + "X")
    assert (shown(house).notice, shown(house).amount) == ("unknown-member", cny(1_000))
    house.line.answer = lambda _question: None
    _show_all(house, COUPON)
    assert shown(house).notice == "coupon-offline"
    _show_all(house, MEMBER)
    assert shown(house).notice == "member-offline"


def test_an_answer_that_comes_after_the_token_changes_nothing(house: CounterHouse) -> None:
    house.line.answer = _settled
    house.open(1_000)

    async def race() -> None:
        house.show(COUPON)
        house.show(ALIPAY)
        for _ in range(3):
            await asyncio.sleep(0)

    asyncio.run(race())
    assert (shown(house).phase, shown(house).amount) == (Phase.AUTHORISING, cny(1_000))
    house.decide(Verdict.APPROVED)
    assert shown(house).amount == cny(1_000)


# offline


def _offline(house: CounterHouse, token: bytes, minor: int = 1_000) -> SaleView:
    house.line.online = False
    house.open(minor)
    house.show(tokens.token_text(token))
    sale = shown(house)
    if sale.phase is Phase.GATHERING:
        house.counter.cancel(sale.sale)
    return sale


def test_a_signed_token_pays_offline(house: CounterHouse) -> None:
    paid = _offline(house, house.signed_token())
    assert (paid.phase, paid.offline, paid.scheme) == (Phase.PAID, True, "tillwave")
    outcome = house.newest("Outcome")
    assert isinstance(outcome, Outcome)
    assert (outcome.mode, outcome.verdict) == (Mode.OFFLINE, Verdict.APPROVED)


def test_a_bound_token_pays_offline_at_its_own_sale_alone(house: CounterHouse) -> None:
    house.line.online = False
    nonce = emv_qr.read_challenge_code(house.open().challenge).challenge.nonce
    house.show(tokens.token_text(house.signed_token(nonce=b"x" * 16)))
    assert shown(house).notice == "token-refused"
    house.show(tokens.token_text(house.signed_token(nonce=nonce)))
    assert shown(house).phase is Phase.PAID


def test_what_may_not_be_accepted_offline_is_named(house: CounterHouse) -> None:
    assert _offline(house, house.signed_token(), 2_001).notice == "offline-limit-sale"
    assert _offline(house, house.signed_token(limit=999)).notice == "offline-limit-wallet"
    assert _offline(house, house.signed_token(issuer=make_key())).notice == "token-refused"
    short = tokens.make_short_token(b"s" * 32, b"alias", house.clock.wall().ms // 1000)
    assert _offline(house, short).notice == "offline-needs-signed-token"
    stale = house.signed_token()
    house.pass_time(91, 1)
    assert _offline(house, stale).notice == "token-refused"
    house.open()
    house.show(ALIPAY)
    assert shown(house).notice == "offline-needs-signed-token"
    assert "Intent" not in house.kinds()


def test_a_malformed_signed_token_is_refused_offline(house: CounterHouse) -> None:
    """Its type and length are right, but its public key is no point of the curve."""
    assert _offline(house, b"\x21" + bytes(180)).notice == "token-refused"


def test_the_terminal_dares_only_so_much(house: CounterHouse) -> None:
    assert _offline(house, house.signed_token(), 2_000).phase is Phase.PAID
    assert _offline(house, house.signed_token(), 1_001).notice == "offline-limit-total"
    house.restart()
    assert _offline(house, house.signed_token(), 1_001).notice == "offline-limit-total"
    assert _offline(house, house.signed_token(), 500).phase is Phase.PAID
    assert _offline(house, house.signed_token(), 400).phase is Phase.PAID
    assert _offline(house, house.signed_token(), 1).notice == "offline-limit-total", "three are enough"
    head = house.journal.head
    assert house.journal.mark_receipted(head.number, head.hash)
    assert _offline(house, house.signed_token(), 1_500).phase is Phase.PAID


def test_a_terminal_without_offline_limits_accepts_nothing_offline(tmp_path: Path) -> None:
    house = CounterHouse(tmp_path, offline=OfflineLimits())
    assert _offline(house, house.signed_token()).notice == "offline"
    house.close()


def test_a_token_pays_offline_once(house: CounterHouse) -> None:
    token = house.signed_token()
    assert _offline(house, token, 100).phase is Phase.PAID
    assert _offline(house, token, 100).notice == "token-used"
    house.restart()
    assert _offline(house, token, 100).notice == "token-used"


def test_the_twin_of_a_token_does_not_pay_again(house: CounterHouse) -> None:
    token = house.signed_token()
    assert _offline(house, token, 100).phase is Phase.PAID
    twin = tokens.same_tokens(token)[1]
    assert _offline(house, twin, 100).notice == "token-used"


def test_an_online_intent_is_not_accepted_offline_later(house: CounterHouse) -> None:
    house.open()
    house.show(tokens.token_text(house.signed_token()))
    house.line.online = False
    house.pass_time(6)
    assert shown(house).phase is Phase.UNKNOWN
