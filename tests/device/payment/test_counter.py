"""A counter over a real journal: what a register asks, what shoppers show, and what survives a power cut."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
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
)

from device.payment.errors import (
    BadRequest,
    Busy,
    CounterProblem,
    IdConflict,
    NotAllowed,
    NotFound,
    Offline,
    OutOfService,
    TooLate,
)
from device.payment.risk import OfflineLimits
from device.payment.sale import LARGEST_DUE_MINOR
from device.payment.views import CounterView, LineView, OpenSale, Phase, RefundRequest, SaleView
from device.ports import Health, HealthState, Reading, Source
from protocol import emv_qr, tokens
from protocol.answers import Decision
from protocol.money import Money
from protocol.questions import (
    AnswerBody,
    CouponAnswer,
    CouponQuestion,
    MemberAnswer,
    MemberQuestion,
    QuestionBody,
    TotalsAnswer,
    TotalsQuestion,
)
from protocol.records import Action, Intent, Mode, Outcome, Tampered, Verdict

COUPON, MEMBER = "TWC:CCCCCCCCCCCCCCCC", "TWM:MMMMMMMMMMMMMMMM"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[CounterHouse]:
    house = CounterHouse(tmp_path)
    yield house
    house.close()


def shown(house: CounterHouse) -> SaleView:
    sale = house.counter.view().sale
    assert sale is not None
    return sale


def pay(house: CounterHouse, token: str = ALIPAY, minor: int = 1_000) -> SaleView:
    house.open(minor)
    house.show(token)
    house.decide(Verdict.APPROVED, minor=minor)
    assert shown(house).phase is Phase.PAID
    return shown(house)


# a register opens sales


def test_a_sale_is_paid(house: CounterHouse) -> None:
    sale = house.open(1_000)
    assert (sale.phase, sale.amount) == (Phase.GATHERING, cny(1_000))
    assert emv_qr.read_challenge_code(sale.challenge).amount == cny(1_000)
    house.show(ALIPAY)
    assert shown(house).phase is Phase.AUTHORISING
    assert shown(house).challenge == ""
    house.decide(Verdict.APPROVED)
    paid = shown(house)
    assert (paid.phase, paid.scheme, paid.payer, paid.offline) == (Phase.PAID, "alipay", "Shopper ..1", False)
    assert house.kinds() == ["Started", "ChallengeOpened", "Intent", "Outcome", "SaleClosed"]
    assert house.counter.view().queue == 5


def test_nothing_is_shown_before_it_is_on_disk(house: CounterHouse) -> None:
    seen: list[tuple[Phase, int]] = []

    def look(view: CounterView) -> None:
        assert view.sale is not None
        seen.append((view.sale.phase, len(house.journal.entries())))

    house.counter.subscribe(look)
    pay(house)
    records = {phase: min(count for seen_phase, count in seen if seen_phase is phase) for phase, _ in seen}
    assert records[Phase.AUTHORISING] == 3, "the intent is written"
    assert records[Phase.PAID] == 5, "outcome and end are written"


def test_the_same_id_gives_the_same_sale(house: CounterHouse) -> None:
    first = house.open(1_000, "R1")
    assert house.open(1_000, "R1") == first
    house.show(ALIPAY)
    house.decide(Verdict.APPROVED)
    again = house.open(1_000, "R1")
    assert (again.sale, again.phase) == (first.sale, Phase.PAID)
    house.restart()
    assert house.open(1_000, "R1").phase is Phase.PAID
    assert house.kinds().count("Intent") == 1


@pytest.mark.parametrize(
    "request_",
    [
        OpenSale("till", "R1", cny(1_001)),
        OpenSale("till", "R1", None),
        OpenSale("till", "R1", cny(1_000), guide="guide-7"),
        OpenSale("till", "R1", cny(1_000), (LineView("1", "Tea", 1, cny(1_000)),)),
    ],
)
def test_the_same_id_with_other_content_is_refused(house: CounterHouse, request_: OpenSale) -> None:
    house.open(1_000, "R1")
    with pytest.raises(IdConflict):
        house.counter.open_sale(request_)


def test_ids_belong_to_their_register(house: CounterHouse) -> None:
    first = house.open(1_000, "R1")
    house.counter.cancel(first.sale)
    other = house.counter.open_sale(OpenSale("kiosk", "R1", cny(500)))
    assert other.sale != first.sale
    assert house.counter.find("till", "R1").sale == first.sale
    assert house.counter.find("kiosk", "R1").sale == other.sale
    with pytest.raises(NotFound):
        house.counter.find("kiosk", "R2")
    with pytest.raises(NotFound):
        house.counter.sale("nothing")


def test_one_sale_at_a_time(house: CounterHouse) -> None:
    first = house.open(1_000)
    with pytest.raises(Busy) as problem:
        house.open(500, "R9")
    assert problem.value.sale == first.sale
    house.counter.cancel(first.sale)
    assert house.open(500, "R9").phase is Phase.GATHERING


def test_an_unknown_payment_does_not_block_the_next_sale(house: CounterHouse) -> None:
    first = house.open()
    house.show(ALIPAY)
    house.pass_time(5)
    assert house.counter.sale(first.sale).phase is Phase.UNKNOWN
    second = house.open()
    assert shown(house).sale == second.sale
    assert house.line.enquiries[-1][1] is Action.PAY


@pytest.mark.parametrize(
    "request_",
    [
        OpenSale("till", "R1", cny(0)),
        OpenSale("till", "R1", cny(-1)),
        OpenSale("till", "R1", cny(LARGEST_DUE_MINOR + 1)),
        OpenSale("till", "R1", Money(1_000, "EUR")),
        OpenSale("till", "", cny(1)),
        OpenSale("", "R1", cny(1)),
        OpenSale("till", "R" * 65, cny(1)),
        OpenSale("till", "R\ud800", cny(1)),
        OpenSale("till", "R\n1", cny(1)),
        OpenSale("till", "R1", cny(1), guide="g" * 41),
        OpenSale("till", "R1", cny(1), guide="guide\u3000seven"),
        OpenSale("till", "R1", None, (LineView("1", "Tea", 1, cny(1)),)),
        OpenSale("till", "R1", cny(2), (LineView("1", "Tea", 1, cny(1)),)),
        OpenSale("till", "R1", cny(1), (LineView("1", "Tea", 1, Money(1, "EUR")),)),
        OpenSale("till", "R1", cny(1), (LineView("1", "T" * 81, 1, cny(1)),)),
        OpenSale("till", "R1", cny(1), (LineView("1" * 65, "Tea", 1, cny(1)),)),
        OpenSale("till", "R1", cny(1), (LineView("1", "Tea\x00", 1, cny(1)),)),
        OpenSale("till", "R1", cny(1), (LineView("1", "Tea", 2**63, cny(1)),)),
        OpenSale("till", "R1", cny(1), (LineView("1", "Tea", -1, cny(1)),)),
        OpenSale("till", "R1", cny(501), (LineView("1", "Tea", 1, cny(1)),) * 501),
        OpenSale("till", "R1", cny(1), (LineView("1", "Tea", 1, cny(10**13 - 1)),) * 2),
    ],
)
def test_requests_without_sense_are_refused_and_change_nothing(house: CounterHouse, request_: OpenSale) -> None:
    before = house.kinds()
    with pytest.raises(BadRequest):
        house.counter.open_sale(request_)
    assert house.kinds() == before
    assert house.counter.view().sale is None
    assert house.open(1_000, "R1").phase is Phase.GATHERING


def test_the_largest_amount_has_a_code(house: CounterHouse) -> None:
    sale = house.open(LARGEST_DUE_MINOR)
    assert emv_qr.read_challenge_code(sale.challenge).amount == cny(LARGEST_DUE_MINOR)


def test_the_fullest_basket_can_be_paid(house: CounterHouse) -> None:
    lines = tuple(LineView(f"{number:064}", "茶" * 80, 10**6, cny(2)) for number in range(500))
    house.counter.open_sale(OpenSale("till", "R1", cny(1_000), lines))
    house.show(ALIPAY)
    house.decide(Verdict.APPROVED)
    assert shown(house).phase is Phase.PAID
    house.restart()
    assert len(shown(house).lines) == 500


# cancelling


def test_a_sale_is_cancelled(house: CounterHouse) -> None:
    sale = house.open()
    assert house.counter.cancel(sale.sale).phase is Phase.CANCELLED
    assert house.counter.cancel(sale.sale).phase is Phase.CANCELLED


def test_a_cancelled_payment_is_reversed(house: CounterHouse) -> None:
    sale = house.open()
    house.show(ALIPAY)
    assert house.counter.cancel(sale.sale).phase is Phase.CANCELLING
    house.decide(Verdict.APPROVED)
    house.decide(Verdict.APPROVED, action=Action.REVERSE)
    assert house.counter.sale(sale.sale).phase is Phase.CANCELLED
    assert house.kinds()[-3:] == ["Reversal", "Outcome", "SaleClosed"]


def test_a_paid_sale_cannot_be_cancelled(house: CounterHouse) -> None:
    paid = pay(house)
    with pytest.raises(TooLate):
        house.counter.cancel(paid.sale)


# refunds


def test_a_supervisor_gives_money_back(house: CounterHouse) -> None:
    paid = pay(house)
    request = house.refund(paid.payment, 400)
    first = house.counter.refund(request)
    assert first.state == "unknown"
    assert house.counter.refund(request) == first
    decided(house, first.refund, Verdict.APPROVED, 400)
    assert house.counter.find_refund("till", "B1").state == "approved"
    assert house.counter.sale(paid.sale).refunded == cny(400)
    assert house.kinds().count("Refund") == 1


def decided(house: CounterHouse, refund: str, verdict: Verdict, minor: int) -> None:
    house.counter.decided(house.decision(refund, verdict, action=Action.REFUND, minor=minor, reason=""))


def test_no_more_goes_back_than_was_paid(house: CounterHouse) -> None:
    paid = pay(house)
    first = house.counter.refund(house.refund(paid.payment, 600))
    with pytest.raises(BadRequest, match=r"4\.00 CNY can still"):
        house.counter.refund(house.refund(paid.payment, 401, "B2"))
    decided(house, first.refund, Verdict.APPROVED, 600)
    decided(house, first.refund, Verdict.APPROVED, 600)
    assert house.counter.sale(paid.sale).refunded == cny(600)
    with pytest.raises(BadRequest):
        house.counter.refund(house.refund(paid.payment, 401, "B2"))
    house.restart()
    with pytest.raises(BadRequest):
        house.counter.refund(house.refund(paid.payment, 401, "B2"))
    assert house.counter.refund(house.refund(paid.payment, 400, "B2")).state == "unknown"


def test_a_declined_refund_gives_nothing_back(house: CounterHouse) -> None:
    paid = pay(house)
    refund = house.counter.refund(house.refund(paid.payment, 600))
    decided(house, refund.refund, Verdict.DECLINED, 600)
    assert house.counter.find_refund("till", "B1").state == "declined"
    assert house.counter.sale(paid.sale).refunded == cny(0)
    assert house.counter.refund(house.refund(paid.payment, 1_000, "B2")).state == "unknown"


def test_a_refund_without_a_decision_is_asked_for_again(house: CounterHouse) -> None:
    paid = pay(house)
    refund = house.counter.refund(house.refund(paid.payment, 600))
    house.pass_time(4)
    assert house.line.enquiries.count((refund.refund, Action.REFUND)) == 2
    house.restart()
    house.pass_time(2)
    assert (refund.refund, Action.REFUND) in house.line.enquiries
    decided(house, refund.refund, Verdict.APPROVED, 600)
    assert house.counter.sale(paid.sale).refunded == cny(600)


@pytest.mark.parametrize("badge", ["", "TWB:WRONGWRONGWRONGX", BADGE + "X"])
def test_a_refund_needs_a_supervisor(house: CounterHouse, badge: str) -> None:
    paid = pay(house)
    with pytest.raises(NotAllowed):
        house.counter.refund(house.refund(paid.payment, 400, badge=badge))


def test_refunds_that_make_no_sense_are_refused(house: CounterHouse) -> None:
    paid = pay(house)
    for minor in (0, -1, 1_001):
        with pytest.raises(BadRequest):
            house.counter.refund(house.refund(paid.payment, minor))
    with pytest.raises(BadRequest):
        house.counter.refund(RefundRequest("till", "B1", paid.payment, Money(1, "EUR"), BADGE))
    for payment in ("", "nothing"):
        with pytest.raises(NotFound):
            house.counter.refund(house.refund(payment, 1))
    with pytest.raises(BadRequest):
        house.counter.refund(house.refund(paid.payment, 1, request="B\x00"))
    house.line.online = False
    with pytest.raises(Offline):
        house.counter.refund(house.refund(paid.payment, 400))
    assert "Refund" not in house.kinds()


def test_a_refund_id_with_other_content_is_refused(house: CounterHouse) -> None:
    paid = pay(house)
    house.counter.refund(house.refund(paid.payment, 400))
    with pytest.raises(IdConflict):
        house.counter.refund(house.refund(paid.payment, 401))


def test_a_badge_is_in_no_text(house: CounterHouse) -> None:
    assert BADGE not in repr(house.refund("p", 1))


def test_a_payment_that_was_declined_late_cannot_be_refunded(house: CounterHouse) -> None:
    house.line.online = False
    house.open(1_000)
    house.show(tokens.token_text(house.signed_token()))
    paid = shown(house)
    house.line.online = True
    house.decide(Verdict.DECLINED, reason="insufficient-funds")
    assert shown(house).reason == "declined-late"
    with pytest.raises(TooLate):
        house.counter.refund(house.refund(paid.payment, 400))


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


# power cuts


def test_a_power_cut_while_gathering_ends_the_sale_unpaid(house: CounterHouse) -> None:
    sale = house.open()
    house.restart()
    assert (house.counter.sale(sale.sale).phase, shown(house).reason) == (Phase.UNPAID, "interrupted")
    house.restart()
    assert house.kinds().count("SaleClosed") == 1


def test_a_power_cut_while_authorising_is_resolved(house: CounterHouse) -> None:
    sale = house.open()
    house.show(ALIPAY)
    house.restart()
    assert house.counter.sale(sale.sale).phase is Phase.UNKNOWN
    assert house.line.enquiries == [(house.newest("Intent").attempt, Action.PAY)]  # type: ignore[attr-defined]
    house.decide(Verdict.APPROVED)
    assert house.counter.sale(sale.sale).phase is Phase.PAID
    house.restart()
    assert house.counter.sale(sale.sale).phase is Phase.PAID


def test_a_power_cut_while_the_shopper_types_is_resolved(house: CounterHouse) -> None:
    sale = house.open()
    house.show(ALIPAY)
    house.decide(Verdict.PENDING, reason="password")
    assert shown(house).phase is Phase.WAITING
    house.restart()
    assert house.counter.sale(sale.sale).phase is Phase.UNKNOWN


def test_a_power_cut_while_unknown_goes_on_asking_and_reverses(house: CounterHouse) -> None:
    sale = house.open()
    house.show(ALIPAY)
    house.pass_time(6)
    house.restart()
    assert house.counter.sale(sale.sale).phase is Phase.UNKNOWN
    house.pass_time(21)
    assert house.kinds().count("Reversal") == 1
    house.restart()
    house.pass_time(30)
    assert house.kinds().count("Reversal") == 1
    assert house.line.enquiries[-1][1] is Action.REVERSE
    house.decide(Verdict.APPROVED, action=Action.REVERSE)
    assert house.counter.sale(sale.sale).phase is Phase.UNPAID


def test_a_power_cut_while_cancelling_is_resolved(house: CounterHouse) -> None:
    sale = house.open()
    house.show(ALIPAY)
    house.counter.cancel(sale.sale)
    house.restart()
    assert house.counter.sale(sale.sale).phase is Phase.CANCELLING
    house.decide(Verdict.APPROVED, action=Action.REVERSE)
    assert house.counter.sale(sale.sale).phase is Phase.CANCELLED


def test_a_clean_stop_records_what_is_unknown(house: CounterHouse) -> None:
    sale = house.open()
    house.show(ALIPAY)
    assert house.counter.resolving
    house.counter.refuse_new_sales()
    with pytest.raises(OutOfService):
        house.open(1, "R9")
    house.counter.stop()
    assert house.counter.sale(sale.sale).phase is Phase.UNKNOWN
    assert not house.counter.resolving
    assert house.counter.view().trouble == "stopping"


def test_late_news_after_a_restart_is_heard(house: CounterHouse) -> None:
    """The phone paid while the terminal was off and had ended the sale."""
    sale = house.open()
    house.restart()
    order = house.decision("o" * 16, Verdict.APPROVED, action=Action.ORDER)
    for _ in range(2):
        house.counter.decided(order)
    assert house.kinds().count("Reversal") == 1
    assert house.counter.sale(sale.sale).phase is Phase.UNPAID


def test_a_decision_about_a_foreign_sale_changes_nothing(house: CounterHouse) -> None:
    house.open()
    before = house.kinds()
    for action in Action:
        house.counter.decided(
            Decision(
                terminal="till-1",
                sale="x" * 16,
                subject="y" * 16,
                action=action,
                verdict=Verdict.APPROVED,
                amount=cny(1),
                reason="",
                payer="",
                at_ms=0,
            )
        )
    assert house.kinds() == before


# a full disk


def _fill(house: CounterHouse) -> None:
    """Make SQLite refuse every write, as on a disk that has gone read-only; test_journal.py fills a real one."""
    house.journal._database.execute("PRAGMA query_only = ON")


def _free(house: CounterHouse) -> None:
    house.journal._database.execute("PRAGMA query_only = OFF")


def test_a_full_disk_refuses_and_changes_nothing(house: CounterHouse) -> None:
    house.open(1_000, "R1")
    before, head = house.kinds(), house.journal.head
    _fill(house)
    house.show(ALIPAY)
    view = house.counter.view()
    assert (view.trouble, view.in_service) == ("journal-full", False)
    assert shown(house).phase is Phase.GATHERING
    assert (house.kinds(), house.journal.head) == (before, head)


def test_a_full_disk_stops_nothing_but_the_sales(house: CounterHouse) -> None:
    sale = house.open(1_000)
    _fill(house)
    house.show(ALIPAY)
    assert house.counter.view().trouble == "journal-full"
    house.pass_time(200, 5)
    house.counter.tampered(is_open=True)
    house.counter.decided(house.decision("o" * 16, Verdict.APPROVED, action=Action.ORDER))
    with pytest.raises(OutOfService):
        house.counter.cancel(sale.sale)
    with pytest.raises(OutOfService):
        house.open(500, "R2")
    house.counter.stop()
    assert shown(house).phase is Phase.GATHERING
    house.restart()
    assert house.counter.sale(sale.sale).phase is Phase.UNPAID
    assert house.open(500, "R2").phase is Phase.GATHERING


def test_a_sale_that_cannot_be_kept_was_never_opened(house: CounterHouse) -> None:
    _fill(house)
    with pytest.raises(OutOfService):
        house.open(1_000, "R1")
    assert house.counter.view().sale is None
    with pytest.raises(NotFound):
        house.counter.find("till", "R1")


def test_a_sale_under_way_goes_on_when_the_disk_takes_records_again(house: CounterHouse) -> None:
    sale = house.open(1_000)
    house.show(ALIPAY)
    _fill(house)
    house.decide(Verdict.APPROVED)
    assert (shown(house).phase, house.counter.view().trouble) == (Phase.AUTHORISING, "journal-full")
    _free(house)
    house.pass_time(5)
    assert (house.counter.sale(sale.sale).phase, house.counter.view().trouble) == (Phase.UNKNOWN, "")
    house.decide(Verdict.APPROVED)
    assert house.counter.sale(sale.sale).phase is Phase.PAID


# the case


def test_an_open_case_ends_service(house: CounterHouse) -> None:
    sale = house.open()
    house.counter.tampered(is_open=False)
    for _ in range(2):
        house.counter.tampered(is_open=True)
    assert house.counter.sale(sale.sale).phase is Phase.CANCELLED
    with pytest.raises(OutOfService, match="case"):
        house.open(1, "R9")
    house.counter.tampered(is_open=False)
    house.counter.tampered(is_open=True)
    tampers = [body.open for body in house.bodies() if isinstance(body, Tampered)]
    assert tampers == [1, 0, 1]
    assert not house.counter.view().in_service
    house.restart()
    assert house.counter.view().in_service


def test_an_open_case_reverses_what_is_under_way(house: CounterHouse) -> None:
    sale = house.open()
    house.show(ALIPAY)
    house.counter.tampered(is_open=True)
    assert house.counter.sale(sale.sale).phase is Phase.CANCELLING


# close of day


def _totals(house: CounterHouse, paid: int, count: int, **more: int) -> None:
    refunded = more.get("refunded", 0)

    def answer(question: QuestionBody) -> AnswerBody | None:
        assert isinstance(question, TotalsQuestion)
        return TotalsAnswer(
            paid_count=count,
            paid=cny(paid),
            refunded_count=1 if refunded else 0,
            refunded=cny(refunded),
            kept=question.last - more.get("behind", 0),
        )

    house.line.answer = answer


def test_the_day_is_closed_and_agrees(house: CounterHouse) -> None:
    paid = pay(house)
    pay(house, ALIPAY_2, 500)
    refund = house.counter.refund(house.refund(paid.payment, 300))
    decided(house, refund.refund, Verdict.APPROVED, 300)
    _totals(house, 1_500, 2, refunded=300)
    day = asyncio.run(house.counter.close_day())
    assert (day.paid_count, day.paid, day.refunded) == (2, cny(1_500), cny(300))
    assert day.agrees
    assert house.kinds()[-1] == "DayClosed"
    _totals(house, 0, 0)
    assert asyncio.run(house.counter.close_day()).agrees


def test_a_day_that_does_not_agree_says_so(house: CounterHouse) -> None:
    pay(house)
    _totals(house, 999, 1)
    assert not asyncio.run(house.counter.close_day()).agrees
    _totals(house, 0, 0, behind=2)
    day = asyncio.run(house.counter.close_day())
    assert (day.open_records, day.agrees) == (2, False)


def test_reversed_and_late_declined_payments_do_not_count(house: CounterHouse) -> None:
    house.line.online = False
    house.open(1_000)
    house.show(tokens.token_text(house.signed_token()))
    house.line.online = True
    house.decide(Verdict.DECLINED, reason="insufficient-funds")
    house.open(700)
    house.show(ALIPAY)
    house.counter.cancel(shown(house).sale)
    house.decide(Verdict.APPROVED, minor=700, action=Action.REVERSE)
    _totals(house, 0, 0)
    day = asyncio.run(house.counter.close_day())
    assert (day.paid_count, day.paid) == (0, cny(0))


def test_the_day_waits_for_what_is_not_decided(house: CounterHouse) -> None:
    _totals(house, 0, 0)
    sale = house.open()
    house.show(ALIPAY)
    with pytest.raises(Busy):
        asyncio.run(house.counter.close_day())
    house.pass_time(6)
    with pytest.raises(Busy) as problem:
        asyncio.run(house.counter.close_day())
    assert problem.value.sale == sale.sale
    house.decide(Verdict.APPROVED)
    refund = house.counter.refund(house.refund(shown(house).payment, 1))
    with pytest.raises(Busy, match="refund"):
        asyncio.run(house.counter.close_day())
    decided(house, refund.refund, Verdict.DECLINED, 1)
    asyncio.run(house.counter.close_day())


def test_the_day_is_not_closed_without_settlement(house: CounterHouse) -> None:
    pay(house)
    with pytest.raises(Offline):
        asyncio.run(house.counter.close_day())
    house.line.online = False
    with pytest.raises(Offline):
        asyncio.run(house.counter.close_day())
    assert "DayClosed" not in house.kinds()


def test_a_payment_made_while_settlement_counts_is_in_the_day(house: CounterHouse) -> None:
    """It must be in this day or in the next one, and not fall between them."""
    pay(house)
    questions: list[TotalsQuestion] = []

    def answer(question: QuestionBody) -> AnswerBody | None:
        assert isinstance(question, TotalsQuestion)
        if not questions:
            questions.append(question)
            pay(house, ALIPAY_2, 500)
        return TotalsAnswer(paid_count=2, paid=cny(1_500), refunded_count=0, refunded=cny(0), kept=question.last)

    house.line.answer = answer
    day = asyncio.run(house.counter.close_day())
    assert (day.paid_count, day.paid, day.agrees) == (2, cny(1_500), True)


# the rest of the view


def test_listeners_hear_until_they_leave(house: CounterHouse) -> None:
    views: list[CounterView] = []
    leave = house.counter.subscribe(views.append)
    house.counter.device_health("camera", Health(HealthState.MISSING, "unplugged"))
    assert views[-1].devices == (("camera", Health(HealthState.MISSING, "unplugged")),)
    leave()
    leave()
    house.counter.line_changed()
    assert len(views) == 1


def test_the_last_sales_are_shown_newest_first(house: CounterHouse) -> None:
    for number in range(22):
        house.clock.ms += 10
        house.counter.cancel(house.open(100 + number).sale)
    last = house.counter.view().last
    assert len(last) == 20
    assert [sale.amount.minor for sale in last] == list(range(121, 101, -1))
    house.restart()
    assert shown(house).amount == cny(121)


def test_no_view_has_a_token(house: CounterHouse) -> None:
    pay(house)
    assert ALIPAY not in repr(house.counter.view())


def test_every_refusal_is_a_counter_problem_with_a_word() -> None:
    kinds = CounterProblem.__subclasses__()
    assert len({kind.reason for kind in kinds}) == len(kinds) >= 8
