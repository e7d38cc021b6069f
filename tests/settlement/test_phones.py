"""Phones enrol with a code, pay what a terminal's challenge asks for, and see their account."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from town import PhoneInHand, Till, Town, challenge, closed, intent

from keys.file import FileKey
from protocol import tokens
from protocol.answers import Decision, open_answer
from protocol.phone import Enrolment, Order, StatementRequest, seal_phone
from protocol.questions import StateQuestion
from protocol.records import Action, Result, Reversal, Verdict
from settlement import accounts, offers
from settlement.office import Office
from settlement.phones import OrderResult
from settlement.server.app import LARGEST_BODY, MEDIA_TYPE, PhoneServer
from settlement.server.listener import Listener


def order(town: Town, phone: PhoneInHand, message: Order) -> OrderResult:
    return town.service.phones.order(phone.seal(message))


class Counter:
    """The server for phones as a client sees it, and what it told terminals."""

    def __init__(self, town: Town) -> None:
        self.told: list[tuple[str, bytes]] = []
        service = town.service
        office: Office = town.office
        server = PhoneServer(office, service.store, service.phones, lambda name, said: self.told.append((name, said)))
        self.listener = Listener(msgspec.structs.replace(town.settings.http, port=0), server.app())
        self.listener.start()
        trust = ssl.create_default_context(cafile=str(town.settings.authority))
        self.client = httpx.Client(base_url=f"https://localhost:{self.listener.port}", verify=trust, trust_env=False)

    def post(self, path: str, body: bytes, media: str = MEDIA_TYPE) -> tuple[int, dict[str, object]]:
        answer = self.client.post(path, content=body, headers={"Content-Type": media})
        return answer.status_code, answer.json()


@pytest.fixture
def counter(town: Town) -> Iterator[Counter]:
    opened = Counter(town)
    yield opened
    opened.client.close()
    opened.listener.stop()


def test_phone_pays_the_challenge_and_the_terminal_hears_it(
    town: Town, till: Till, li: PhoneInHand, counter: Counter
) -> None:
    opened = challenge(guide="mei")
    till.say(opened)
    offer = counter.client.get("/phone/offer", params={"terminal": till.name, "sale": opened.sale})
    assert offer.json() == {
        "merchant": "Riverside Tea",
        "amount": {"minor": 10_000, "currency": "CNY", "decimal": "100.00"},
    }
    made = li.order(till.name, opened)
    status, answer = counter.post("/phone/order", li.seal(made))
    assert (status, answer["verdict"], answer["reason"]) == (200, "approved", "")
    ((name, message),) = counter.told
    decision = open_answer(Decision, message, town.signer.public_key)
    assert (name, decision.subject, decision.action) == (till.name, made.order, Action.ORDER)
    assert decision.verdict is Verdict.APPROVED
    assert town.earned()["guide:mei"] == 200
    assert li.balance == 90_000


def test_same_order_again_is_one_payment(town: Town, till: Till, li: PhoneInHand) -> None:
    opened = challenge()
    till.say(opened)
    made = li.order(till.name, opened)
    first = order(town, li, made)
    town.clock.pass_s(300)
    again = order(town, li, made)
    later = order(town, li, replace(made, at_ms=town.clock.now_ms()))
    assert first == again == later
    assert li.balance == 90_000
    other = order(town, li, replace(made, amount=replace(made.amount, minor=1)))
    assert (other.verdict, other.reason) == (Verdict.DECLINED, "id-reused")


def test_order_that_does_not_fit_is_declined(town: Town, till: Till, li: PhoneInHand) -> None:
    opened = challenge()
    assert order(town, li, li.order(till.name, opened)).reason == "unknown-sale"
    till.say(opened)
    newer = challenge(sale=opened.sale)
    till.say(newer)
    assert order(town, li, li.order(till.name, opened)).reason == "superseded"
    assert order(town, li, li.order(till.name, newer, amount=replace(newer.amount, minor=1))).reason == "amount"
    assert order(town, li, li.order("till-2", newer)).reason == "unknown-sale"
    till.say(closed(opened.sale, Result.CANCELLED))
    assert order(town, li, li.order(till.name, newer)).reason == "sale-closed"
    assert li.balance == 100_000


def test_sale_paid_by_token_is_not_paid_by_order_too(town: Town, till: Till, li: PhoneInHand) -> None:
    opened = challenge()
    till.say(opened, intent(li.short(), sale=opened.sale))
    assert order(town, li, li.order(till.name, opened)).reason == "already-paid"


def test_sale_paid_by_order_is_not_paid_by_token_too(town: Town, till: Till, li: PhoneInHand) -> None:
    opened = challenge()
    till.say(opened)
    order(town, li, li.order(till.name, opened))
    assert till.pay(li.short(), sale=opened.sale).decision.reason == "already-paid"
    assert li.balance == 90_000


def test_order_of_a_sale_that_ended_without_it_is_reversed(town: Town, till: Till, li: PhoneInHand) -> None:
    opened = challenge()
    till.say(opened)
    made = li.order(till.name, opened)
    order(town, li, made)
    ended = till.say(closed(opened.sale, Result.CANCELLED))
    assert (ended.decision.subject, ended.decision.action) == (made.order, Action.REVERSE)
    assert li.balance == 100_000
    asked = till.say(Reversal(sale=opened.sale, attempt=made.order, reason="sale-ended"))
    assert asked.raw[1] == ended.raw[1]
    assert town.earned() == {}


def test_terminal_that_was_away_hears_of_the_order(town: Town, till: Till, li: PhoneInHand) -> None:
    opened = challenge()
    till.say(opened)
    result = order(town, li, li.order(till.name, opened))
    assert till.introduce().raw[1:] == [result.decision]
    question = StateQuestion(subject=opened.sale, action=int(Action.ORDER))
    assert till.ask(question).decision == result.decision
    till.say(closed(opened.sale, Result.PAID))
    assert till.introduce().decisions == []


def test_poor_phone_is_declined(town: Town, till: Till) -> None:
    poor, opened = town.shopper("Poor", 10), challenge()
    till.say(opened)
    assert order(town, poor, poor.order(till.name, opened)).reason == "insufficient-funds"


def test_order_of_another_phone_is_not_believed(town: Town, till: Till, li: PhoneInHand, counter: Counter) -> None:
    thief, opened = town.shopper("Thief", 0), challenge()
    till.say(opened)
    assert counter.post("/phone/order", thief.seal(li.order(till.name, opened)))[0] == 403
    assert li.balance == 100_000


def test_old_order_is_refused(town: Town, till: Till, li: PhoneInHand, counter: Counter) -> None:
    opened = challenge()
    till.say(opened)
    body = li.seal(li.order(till.name, opened))
    town.clock.pass_s(tokens.FRESH_S + 1)
    status, answer = counter.post("/phone/order", body)
    assert (status, answer["error"]) == (403, "stale")


def test_statement_shows_the_account(town: Town, till: Till, li: PhoneInHand, counter: Counter) -> None:
    with town.service.store.writing() as connection:
        terms = offers.CouponTerms(label="Tea", funder="brand", minor=100)
        coupon = offers.coupon_text(offers.issue_coupon(connection, town.office, terms, li.alias))
        member = offers.member_text(offers.issue_member(connection, town.office, "Li Wei", 0, li.alias))
    paid = intent(li.short(), 2_500)
    till.say(paid)
    _, answer = counter.post("/phone/statement", li.seal(StatementRequest(alias=li.alias, at_ms=town.clock.now_ms())))
    assert answer["balance"] == {"minor": 97_500, "currency": "CNY", "decimal": "975.00"}
    assert answer["coupons"] == [{"code": coupon, "label": "Tea"}]
    assert answer["member"] == member
    (payment,) = answer["payments"]
    assert (payment["sale"], payment["verdict"], payment["merchant"]) == (paid.sale, "approved", "Riverside Tea")
    voucher = tokens.read_voucher(bytes.fromhex(str(answer["voucher"])))
    assert voucher.is_genuine(town.signer.public_key)


def enrolment(town: Town, code: str, key: FileKey) -> bytes:
    point = key.public_key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return seal_phone(Enrolment(code=code, public_key=point, at_ms=town.clock.now_ms()), key)


def new_code(town: Town, name: str, hours: int = 24) -> str:
    with town.service.store.writing() as connection:
        wallet = accounts.open_account(connection, town.office, name)
        return accounts.make_code(connection, town.office, wallet, hours)


def new_key() -> FileKey:
    return FileKey(ec.generate_private_key(ec.SECP256R1()))


def test_code_is_for_one_phone(town: Town, counter: Counter) -> None:
    code, key = new_code(town, "Wang"), new_key()
    status, answer = counter.post("/phone/enrol", enrolment(town, code.lower(), key))
    assert (status, answer["name"], answer["currency"]) == (200, "Wang", "CNY")
    lost_answer_asked_again = counter.post("/phone/enrol", enrolment(town, code, key))
    assert lost_answer_asked_again[1]["secret"] == answer["secret"]
    assert counter.post("/phone/enrol", enrolment(town, code, new_key()))[0] == 403


def test_code_expires(town: Town, counter: Counter) -> None:
    code = new_code(town, "Wang", hours=1)
    town.clock.pass_s(3_601)
    assert counter.post("/phone/enrol", enrolment(town, code, new_key()))[1]["error"] == "bad-code"


def test_guessed_codes_void_the_real_one(town: Town, counter: Counter) -> None:
    code = new_code(town, "Wang")
    for number in range(5):
        guess = f"{code[:5]}AAAA-AAA{'ABCDE'[number]}"
        assert counter.post("/phone/enrol", enrolment(town, guess, new_key()))[0] == 403
    assert counter.post("/phone/enrol", enrolment(town, code, new_key()))[0] == 403


def test_guessing_is_slowed_down(town: Town, counter: Counter) -> None:
    statuses = [counter.post("/phone/enrol", enrolment(town, "AAAA-AAAA-AAAA", new_key()))[0] for _ in range(32)]
    assert statuses == [403] * 30 + [429] * 2
    town.clock.pass_s(61)
    assert counter.post("/phone/enrol", enrolment(town, "AAAA-AAAA-AAAA", new_key()))[0] == 403


def test_new_phone_ends_the_old_one(town: Town, till: Till, li: PhoneInHand) -> None:
    with town.service.store.writing() as connection:
        wallet = accounts.by_alias(connection, li.alias)
        assert wallet is not None
        code = accounts.make_code(connection, town.office, wallet)
    town.service.phones.enrol(enrolment(town, code, new_key()))
    assert till.pay(li.signed()).decision.reason == "bad-token"


@pytest.mark.parametrize("path", ["/phone/enrol", "/phone/order", "/phone/statement"])
@pytest.mark.parametrize("body", [b"", b"{}", b"\xd2\x84\x40\xa0\x40\x40", bytes(LARGEST_BODY)])
def test_body_that_is_no_message_is_refused(counter: Counter, path: str, body: bytes) -> None:
    status, answer = counter.post(path, body)
    assert (status, answer["error"]) == (400, "malformed")


def test_large_and_foreign_bodies_are_refused(counter: Counter) -> None:
    assert counter.post("/phone/order", bytes(LARGEST_BODY + 1))[0] == 413
    assert counter.post("/phone/order", b"{}", "application/json")[0] == 415
    assert counter.client.get("/phone/offer").status_code == 404
    assert counter.client.get("/phone/order").status_code == 405


def test_message_of_one_kind_is_not_taken_for_another(town: Town, li: PhoneInHand, counter: Counter) -> None:
    body = li.seal(StatementRequest(alias=li.alias, at_ms=town.clock.now_ms()))
    assert counter.post("/phone/order", body)[0] == 400
