"""A token comes up, a signed decision goes down, and the books say who got what."""

from __future__ import annotations

from dataclasses import replace

import pytest
from town import PhoneInHand, Till, Town, intent, outcome, refund, reversal

from protocol import tokens
from protocol.questions import StateAnswer, StateQuestion, TotalsQuestion
from protocol.records import Action, Mode, TokenBurned, Verdict


def test_short_token_pays_and_six_parties_share(town: Town, till: Till, li: PhoneInHand) -> None:
    heard = till.pay(li.short(), 10_001, guide="mei")
    assert heard.decision.verdict is Verdict.APPROVED
    assert heard.decision.payer == f"Tillwave ..{li.alias.hex()[-3:]}"
    assert heard.receipts[0].number == 1
    assert li.balance == 100_000 - 10_001
    assert town.earned() == {
        "merchant:Riverside Tea": 9001,
        "platform": 300,
        "store:Ground floor": 200,
        "guide:mei": 200,
        "mall": 200,
        "third:Charity": 100,
    }


def test_share_of_a_missing_guide_is_the_merchants(town: Town, till: Till, li: PhoneInHand) -> None:
    till.pay(li.signed(), 10_000)
    earned = town.earned()
    assert earned["merchant:Riverside Tea"] == 9200
    assert not any(name.startswith("guide") for name in earned)


def test_bound_token_needs_its_challenge(till: Till, li: PhoneInHand) -> None:
    nonce = bytes(range(16))
    assert till.pay(li.short(nonce), nonce=bytes(16)).decision.reason == "bad-token"
    assert till.pay(li.signed(nonce), nonce=bytes(16)).decision.reason == "bad-token"
    assert till.pay(li.short(bytes(16))).decision.reason == "bad-token"


@pytest.mark.parametrize("kind", ["short", "signed"])
def test_bound_token_pays_with_its_challenge(town: Town, till: Till, li: PhoneInHand, kind: str) -> None:
    nonce = bytes(range(16))
    token = li.short(nonce) if kind == "short" else li.signed(nonce)
    assert till.pay(token, nonce=nonce).decision.verdict is Verdict.APPROVED


@pytest.mark.parametrize("kind", ["short", "signed"])
def test_bound_token_that_the_neighbour_overheard_still_pays_at_its_own_sale(
    town: Town, till: Till, li: PhoneInHand, kind: str
) -> None:
    nonce = bytes(range(16))
    token = li.short(nonce) if kind == "short" else li.signed(nonce)
    assert town.till("till-2").pay(token, nonce=bytes(16)).decision.reason == "bad-token"
    assert till.pay(token, nonce=nonce).decision.verdict is Verdict.APPROVED
    assert town.till("till-3").pay(token, nonce=nonce).decision.reason == "token-used"


@pytest.mark.parametrize("kind", ["short", "signed"])
def test_old_token_is_refused(town: Town, till: Till, li: PhoneInHand, kind: str) -> None:
    token = li.short() if kind == "short" else li.signed()
    town.clock.pass_s(tokens.FRESH_S + 2)
    assert till.pay(token).decision.reason == "token-stale"
    assert li.balance == 100_000


def test_expired_voucher_is_refused(town: Town, till: Till, li: PhoneInHand) -> None:
    town.clock.pass_s(8 * 86_400)
    assert till.pay(li.signed()).decision.reason == "voucher-expired"


def test_empty_account_stays_at_zero(town: Town, till: Till) -> None:
    poor = town.shopper("Poor", 500)
    assert till.pay(poor.short(), 501).decision.reason == "insufficient-funds"
    town.clock.pass_s(2)
    assert till.pay(poor.short(), 500).decision.verdict is Verdict.APPROVED
    assert poor.balance == 0


def test_token_is_good_once_anywhere(town: Town, till: Till, li: PhoneInHand) -> None:
    other, token = town.till("till-2"), li.signed()
    assert till.pay(token).decision.verdict is Verdict.APPROVED
    assert other.pay(token).decision.reason == "token-used"
    assert li.balance == 90_000


def test_twin_of_a_signed_token_is_the_same_token(town: Town, till: Till, li: PhoneInHand) -> None:
    token = li.signed()
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    twin = token[:-32] + (order - int.from_bytes(token[-32:])).to_bytes(32)
    tokens.parse_signed_token(twin).check(town.signer.public_key, None, town.clock.now_ms() // 1000)
    assert till.pay(token).decision.verdict is Verdict.APPROVED
    assert town.till("till-2").pay(twin).decision.reason == "token-used"


def test_burned_token_is_dead_in_either_form(town: Town, till: Till, li: PhoneInHand) -> None:
    token = li.short()
    till.say(TokenBurned(sale="a" * 16, token_hash=tokens.token_hash(token), reason="cancelled"))
    assert till.pay(token).decision.reason == "token-burned"
    assert li.balance == 100_000


def test_one_sale_is_paid_once(town: Town, till: Till, li: PhoneInHand) -> None:
    first = intent(li.short())
    till.say(first)
    town.clock.pass_s(2)
    assert till.pay(li.short(), sale=first.sale).decision.reason == "already-paid"
    assert li.balance == 90_000


def test_declined_attempt_may_be_followed_by_another(town: Town, till: Till, li: PhoneInHand) -> None:
    poor = town.shopper("Poor", 0)
    first = intent(poor.short())
    assert till.say(first).decision.reason == "insufficient-funds"
    assert till.pay(li.short(), sale=first.sale).decision.verdict is Verdict.APPROVED


def test_scheme_without_acquirer_is_declined(till: Till) -> None:
    assert till.pay(b"281234567890123456", scheme="alipay").decision.reason == "no-acquirer"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sale": "no id"}, "bad-request"),
        ({"guide": "x" * 41}, "bad-request"),
        ({"guide": "a\nb"}, "bad-request"),
        ({"token": b""}, "bad-request"),
        ({"token": bytes(16)}, "bad-token"),
        ({"token": b"\x11" + bytes(15)}, "bad-token"),
        ({"coupons": ("TWC:" + "A" * 16,)}, "coupon-gone"),
    ],
)
def test_senseless_intent_is_declined(
    town: Town, till: Till, li: PhoneInHand, changes: dict[str, object], reason: str
) -> None:
    assert till.say(replace(intent(li.short()), **changes)).decision.reason == reason
    assert town.earned() == {}


def test_amount_of_nothing_or_less_is_declined(till: Till, li: PhoneInHand) -> None:
    assert till.pay(li.short(), 0).decision.reason == "bad-request"
    assert till.pay(li.short(), -5).decision.reason == "bad-request"


def test_reversal_gives_all_back_once(town: Town, till: Till, li: PhoneInHand) -> None:
    paid = intent(li.short(), 10_001, guide="mei")
    till.say(paid)
    first = till.say(reversal(paid))
    again = till.say(reversal(paid))
    assert first.decision.verdict is Verdict.APPROVED
    assert first.decision.action is Action.REVERSE
    assert first.decision.amount.minor == 10_001
    assert again.raw[1] == first.raw[1]
    assert town.earned() == {}
    assert li.balance == 100_000


def test_reversed_attempt_whose_intent_comes_with_it_is_never_charged(till: Till, li: PhoneInHand) -> None:
    paid = intent(li.short())
    heard = till.say(paid, reversal(paid))
    assert [(said.action, said.verdict, said.reason) for said in heard.decisions] == [
        (Action.PAY, Verdict.DECLINED, "withdrawn"),
        (Action.REVERSE, Verdict.APPROVED, ""),
    ]
    assert li.balance == 100_000


def test_reversal_without_intent_blocks_the_attempt_for_ever(till: Till, li: PhoneInHand) -> None:
    late = intent(li.short())
    assert till.say(reversal(late)).decision.verdict is Verdict.APPROVED
    assert till.say(late).decision.reason == "withdrawn"
    assert li.balance == 100_000


def test_refunds_leave_nothing_anywhere(town: Town, till: Till, li: PhoneInHand) -> None:
    paid = intent(li.short(), 9_999, guide="mei")
    till.say(paid)
    for minor in (3_333, 1, 6_665):
        assert till.say(refund(paid, minor)).decision.verdict is Verdict.APPROVED
    assert town.earned() == {}
    assert li.balance == 100_000
    assert till.say(refund(paid, 1)).decision.reason == "too-much"


def test_refund_is_done_once(till: Till, li: PhoneInHand) -> None:
    paid = intent(li.short(), 1_000)
    till.say(paid)
    back = refund(paid, 400)
    first, again = till.say(back), till.say(back)
    assert again.raw[1] == first.raw[1]
    assert li.balance == 99_400
    other = refund(paid, 500, refund=back.refund)
    assert till.say(other).decision.reason == "id-reused"
    assert li.balance == 99_400


def test_refund_of_what_was_never_paid_is_declined(till: Till, li: PhoneInHand) -> None:
    never = intent(li.short())
    assert till.say(refund(never, 1)).decision.reason == "unknown-payment"
    till.say(never, reversal(never))
    assert till.say(refund(never, 1)).decision.reason == "unknown-payment"
    paid = intent(li.signed())
    till.say(paid)
    assert till.say(refund(paid, 1, sale="b" * 16)).decision.reason == "unknown-payment"
    till.say(reversal(paid))
    assert till.say(refund(paid, 1)).decision.reason == "not-paid"


def test_offline_sale_is_charged_when_its_outcome_comes(town: Town, till: Till, li: PhoneInHand) -> None:
    paid = intent(li.signed(), mode=Mode.OFFLINE)
    messages = [till.write(paid), till.write(outcome(paid))]
    town.clock.pass_s(3_600)
    heard = till.send(*messages)
    assert heard.decision.verdict is Verdict.APPROVED
    assert li.balance == 90_000


def test_offline_intent_without_outcome_waits(town: Town, till: Till, li: PhoneInHand) -> None:
    paid = intent(li.signed(), mode=Mode.OFFLINE)
    assert till.say(paid).decisions == []
    assert till.say(outcome(paid, Verdict.DECLINED)).decisions == []
    assert li.balance == 100_000


def test_offline_sale_that_cannot_be_charged_is_the_merchants_loss(town: Town, till: Till) -> None:
    poor = town.shopper("Poor", 100)
    paid = intent(poor.signed(), mode=Mode.OFFLINE)
    decision = till.say(paid, outcome(paid)).decision
    assert (decision.verdict, decision.reason) == (Verdict.DECLINED, "insufficient-funds")
    assert town.earned() == {"offline-loss:Riverside Tea": 10_000} | {
        name: minor for name, minor in town.earned().items() if name.startswith("unpaid:")
    }
    assert town.balances()[f"unpaid:wallet:{poor.alias.hex()}"] == -10_000
    assert till.say(refund(paid, 1)).decision.reason == "not-paid"
    till.say(reversal(paid))
    assert town.earned() == {}


def test_short_token_cannot_be_accepted_offline(till: Till, li: PhoneInHand) -> None:
    paid = intent(li.short(), mode=Mode.OFFLINE)
    assert till.say(paid, outcome(paid)).decision.reason == "online-only"


def test_stale_token_offline_is_judged_by_the_terminals_time(town: Town, till: Till, li: PhoneInHand) -> None:
    paid = intent(li.signed(), mode=Mode.OFFLINE)
    till.write(paid, wall_ms=town.clock.now_ms() + 200_000)
    heard = till.send(*till.messages, till.write(outcome(paid)))
    assert heard.decision.reason == "token-stale"


def test_state_of_an_attempt_can_be_asked(till: Till, li: PhoneInHand) -> None:
    paid = intent(li.short())
    question = StateQuestion(subject=paid.attempt, action=int(Action.PAY))
    assert till.ask(question) == StateAnswer(subject=paid.attempt)
    heard = till.say(paid)
    assert till.ask(question) == StateAnswer(subject=paid.attempt, decision=heard.raw[1])
    assert till.ask(StateQuestion(subject=paid.attempt, action=99)) == StateAnswer(subject=paid.attempt)


def test_totals_count_what_stands(town: Town, till: Till, li: PhoneInHand) -> None:
    first, second = intent(li.short(), 1_000), intent(li.signed(), 2_000)
    till.say(first, outcome(first))
    town.clock.pass_s(1)
    third = intent(li.short(), 4_000)
    till.say(second, third)
    till.say(reversal(second), refund(third, 300))
    answer = till.ask(TotalsQuestion(first=1, last=till.head.number, currency="CNY"))
    assert (answer.paid_count, answer.paid.minor) == (2, 5_000)
    assert (answer.refunded_count, answer.refunded.minor) == (1, 300)
    assert answer.kept == till.head.number
    later = till.ask(TotalsQuestion(first=2, last=2, currency="CNY"))
    assert (later.paid_count, later.paid.minor) == (1, 1_000)
