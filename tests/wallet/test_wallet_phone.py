import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wallet_house import House, terminal_code

from protocol import tokens
from protocol.emv_qr import MerchantDetails, build_dynamic_code
from protocol.money import Money
from wallet.account import Account
from wallet.errors import NotPayable, Refused, Unintelligible, Unreachable
from wallet.phone import Offer, Phone
from wallet.ports import SteppedClock
from wallet.settlement_client import Verdict


def offer_of(house: House, phone: Phone, minor: int = 1230) -> Offer:
    return phone.scan(terminal_code(house.open_sale(minor), minor))


def test_short_token_is_genuine_and_names_now(phone: Phone, account: Account, clock: SteppedClock) -> None:
    token = tokens.parse_short_token(phone.short_token())
    assert token.is_genuine(account.secret, None)
    assert token.made_s == clock.now_ms() // 1000


def test_no_two_tokens_share_a_second(phone: Phone) -> None:
    made = [tokens.parse_short_token(phone.short_token()).made_s for _ in range(5)]
    made.append(tokens.parse_signed_token(phone.signed_token()).made_s)
    assert [after - before for before, after in itertools.pairwise(made)] == [1] * 5


def test_two_phones_of_an_account_share_no_second(phone: Phone, account: Account, clock: SteppedClock) -> None:
    other = Phone(Account.load(account.folder), clock=clock)
    assert phone.short_token() != other.short_token()
    other.close()


def test_phone_waits_rather_than_running_ahead_of_the_clock(phone: Phone, clock: SteppedClock) -> None:
    began_s = clock.now_ms() // 1000
    for _ in range(60):
        token = tokens.parse_short_token(phone.short_token())
        assert abs(token.made_s - clock.now_ms() // 1000) < tokens.FRESH_S / 2
    assert clock.now_ms() // 1000 - began_s >= 30


def test_clock_set_back_is_not_waited_for(phone: Phone, clock: SteppedClock) -> None:
    phone.short_token()
    clock.step(-86_400_000)
    assert tokens.parse_short_token(phone.short_token()).made_s == clock.now_ms() // 1000


def test_signed_token_convinces_a_terminal_alone(phone: Phone, house: House, clock: SteppedClock) -> None:
    token = tokens.parse_signed_token(phone.signed_token())
    token.check(house.issuer.public_key, None, clock.now_ms() // 1000)


def test_bound_tokens_are_good_for_their_challenge_alone(phone: Phone, house: House, account: Account) -> None:
    offer = offer_of(house, phone)
    short = tokens.parse_short_token(tokens.token_from_text(phone.payment_text(offer=offer)))
    assert short.is_genuine(account.secret, offer.challenge.nonce)
    assert not short.is_genuine(account.secret, bytes(16))
    assert tokens.parse_signed_token(phone.token(signed=True, offer=offer)).bound
    assert not tokens.parse_short_token(phone.token()).bound


def test_terminals_code_is_read(phone: Phone, house: House) -> None:
    challenge = house.open_sale()
    code = terminal_code(challenge, 1230)
    offer = phone.scan(f"  {code}\n")
    assert offer == Offer(challenge, Money(1230, "CNY"), "Tea House", "一间茶室")
    assert phone.scan(f"https://127.0.0.1:8470/?pay={code.replace(' ', '+')}") == offer


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "TW1:AAAA",
        "https://pay.example/?pay=hello",
        "http://[/?pay=1",
        "00020101021129370016A0000006770101",
    ],
)
def test_other_texts_cannot_be_paid(phone: Phone, text: str) -> None:
    with pytest.raises(NotPayable):
        phone.scan(text)


def test_changed_amount_breaks_the_check_value(phone: Phone, house: House) -> None:
    code = terminal_code(house.open_sale(), 1230)
    with pytest.raises(NotPayable):
        phone.scan(code.replace("540512.30", "540510.30"))


@given(text=st.text(max_size=300))
def test_no_text_breaks_the_scanner(text: str) -> None:
    with pytest.raises(NotPayable):
        Phone.scan(object.__new__(Phone), "000201" + text)


@pytest.mark.parametrize("changes", [{"reference": "ponmlkjihgfedcba"}, {"terminal": "till-8"}, {"template": {}}])
def test_code_that_contradicts_itself_cannot_be_paid(phone: Phone, house: House, changes: dict[str, object]) -> None:
    challenge = house.open_sale()
    said = {"reference": challenge.sale, "terminal": challenge.terminal, "template": challenge.template(), **changes}
    merchant = MerchantDetails(name="Tea House", city="Shanghai", country="CN")
    with pytest.raises(NotPayable):
        phone.scan(build_dynamic_code(merchant=merchant, amount=Money(1230, "CNY"), **said))


def test_challenge_that_was_heard_costs_what_settlement_says(phone: Phone, house: House) -> None:
    challenge = house.open_sale(4200)
    offer = phone.hear(challenge.to_sound())
    assert offer == Offer(challenge, Money(4200, "CNY"), "Tea House")


@pytest.mark.parametrize("sound", [b"", bytes(16), bytes(40), b"\x31" + bytes(26) + b"Till 1", b"\x31" + bytes(47)])
def test_other_sounds_cannot_be_paid(phone: Phone, sound: bytes) -> None:
    with pytest.raises(NotPayable, match="sound"):
        phone.hear(sound)


def test_sound_of_a_sale_that_is_over_is_refused(phone: Phone, house: House) -> None:
    challenge = house.open_sale()
    house.close_sale(challenge.sale)
    with pytest.raises(Refused) as refused:
        phone.hear(challenge.to_sound())
    assert refused.value.reason == "unknown-sale"


def test_nothing_is_offered_for_a_sound_while_settlement_is_away(house: House, account: Account) -> None:
    away = Phone(unreachable(account), clock=SteppedClock(0))
    with pytest.raises(Unreachable):
        away.hear(house.open_sale().to_sound())
    away.close()


def test_settlement_vouches_for_the_amount(phone: Phone, house: House) -> None:
    challenge = house.open_sale()
    assert phone.vouched(phone.scan(terminal_code(challenge))).amount == Money(1230, "CNY")
    with pytest.raises(NotPayable, match="another amount"):
        phone.vouched(phone.scan(terminal_code(challenge, 1000)))


def test_payment_is_approved_once_however_often_it_is_asked(phone: Phone, house: House) -> None:
    offer = offer_of(house, phone)
    first, second = phone.pay(offer), phone.pay(offer)
    assert first == second
    assert first.verdict is Verdict.APPROVED
    assert house.balance == 12_850 - 1230


def test_lost_answer_is_asked_for_again_with_the_same_order(phone: Phone, house: House) -> None:
    house.way.lose_answers = 2
    assert phone.pay(offer_of(house, phone)).verdict is Verdict.APPROVED
    assert house.way.orders == 3
    assert len(house.payments) == 1


def test_lost_answers_leave_the_outcome_unknown_until_asked_after_a_restart(
    phone: Phone, house: House, clock: SteppedClock
) -> None:
    offer = offer_of(house, phone)
    house.way.lose_answers = 3
    unknown = phone.pay(offer)
    assert unknown.verdict is Verdict.UNKNOWN
    clock.step(60_000)
    restarted = Phone(Account.load(phone.account.folder), clock=clock)
    approved = restarted.pay(offer)
    restarted.close()
    assert (approved.verdict, approved.order) == (Verdict.APPROVED, unknown.order)
    assert len(house.payments) == 1


def test_network_gone_after_a_lost_answer_stays_unknown(phone: Phone, house: House, account: Account) -> None:
    offer = offer_of(house, phone)
    house.way.lose_answers = 3
    phone.pay(offer)
    away = Phone(unreachable(account), clock=SteppedClock(0))
    assert away.pay(offer).verdict is Verdict.UNKNOWN
    away.close()


def test_network_gone_before_anything_was_sent_is_no_payment(phone: Phone, house: House, account: Account) -> None:
    offer = offer_of(house, phone)
    away = Phone(unreachable(account), clock=SteppedClock(0))
    with pytest.raises(Unreachable):
        away.pay(offer)
    away.close()
    assert phone.pay(offer).verdict is Verdict.APPROVED


def test_pending_order_is_asked_again(phone: Phone, house: House) -> None:
    offer = offer_of(house, phone)
    house.way.pending_answers = 1
    assert phone.pay(offer).verdict is Verdict.PENDING
    assert phone.pay(offer).verdict is Verdict.APPROVED
    assert house.way.orders == 2


def test_declined_order_may_be_tried_anew(phone: Phone, house: House) -> None:
    offer = offer_of(house, phone, 99_900)
    declined = phone.pay(offer)
    assert (declined.verdict, declined.reason) == (Verdict.DECLINED, "insufficient-funds")
    house.load(100_000)
    approved = phone.pay(offer)
    assert approved.verdict is Verdict.APPROVED
    assert approved.order != declined.order


def test_declined_order_says_why(phone: Phone, house: House) -> None:
    offer = offer_of(house, phone)
    house.close_sale(offer.challenge.sale)
    assert phone.pay(offer).reason == "sale-closed"


def test_sale_that_is_over_is_not_vouched_for_unless_this_phone_paid_it(phone: Phone, house: House) -> None:
    paid, over = offer_of(house, phone), offer_of(house, phone)
    phone.pay(paid)
    for offer in (paid, over):
        house.close_sale(offer.challenge.sale)
    assert phone.vouched(paid) == paid
    assert phone.pay(phone.vouched(paid)).verdict is Verdict.APPROVED
    with pytest.raises(Refused, match="does not wait") as refused:
        phone.vouched(over)
    assert refused.value.reason == "unknown-sale"


def test_order_of_a_phone_with_a_wrong_clock_is_refused(phone: Phone, house: House, account: Account) -> None:
    offer = offer_of(house, phone)
    late = Phone(account, clock=SteppedClock(0))
    with pytest.raises(Refused, match="clock"):
        late.pay(offer)
    late.close()
    assert phone.pay(offer).verdict is Verdict.APPROVED


def test_busy_settlement_is_no_lost_answer(phone: Phone, house: House) -> None:
    offer = offer_of(house, phone)
    house.allow_calls(1)
    phone.statement()
    with pytest.raises(Unreachable, match="too often"):
        phone.pay(offer)
    assert house.payments == []
    house.allow_calls(1)
    assert phone.pay(offer).verdict is Verdict.APPROVED


def test_statement_brings_what_the_account_has(phone: Phone, house: House) -> None:
    coupon, card = house.give_coupon("5 off"), house.give_member_card()
    offer = offer_of(house, phone)
    phone.pay(offer)
    statement = phone.statement()
    assert statement.balance == Money(11_620, "CNY")
    assert [(one.code, one.label) for one in statement.coupons] == [(coupon, "5 off")]
    assert statement.member == card
    (payment,) = statement.payments
    assert (payment.sale, payment.verdict, payment.merchant) == (offer.challenge.sale, "approved", "Tea House")


def test_fresh_voucher_is_kept_when_it_lasts_longer(phone: Phone, account: Account, clock: SteppedClock) -> None:
    phone.statement()
    assert phone.account.voucher == account.voucher
    clock.step(7_200_000)
    phone.statement()
    assert phone.account.voucher != account.voucher
    assert Account.load(account.folder).voucher == phone.account.voucher


@pytest.mark.parametrize("voucher", ["", "zz", "00" * 112])
def test_voucher_that_is_none_is_not_kept(phone: Phone, house: House, account: Account, voucher: str) -> None:
    house.way.changes = {"voucher": voucher}
    with pytest.raises(Unintelligible):
        phone.statement()
    assert Account.load(account.folder).voucher == account.voucher


@pytest.mark.parametrize("change", [{"balance": 5}, {"balance": {"minor": 1, "currency": "???"}}, {"coupons": None}])
def test_statement_that_is_none_is_not_believed(phone: Phone, house: House, change: dict[str, object]) -> None:
    house.way.changes = change
    with pytest.raises(Unintelligible):
        phone.statement()


def test_phone_shows_no_secret(phone: Phone, account: Account) -> None:
    assert account.secret.hex() not in repr(phone)
    assert "Lin Mei" in repr(phone)


def unreachable(account: Account) -> Account:
    return Account(
        account.folder, "http://127.0.0.1:9", None, account.alias, account.secret, account.voucher, "Lin Mei", "CNY"
    )
