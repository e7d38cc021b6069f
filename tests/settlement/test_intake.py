"""Runs of records: genuine ones are kept once, in order; anything else changes nothing."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from town import (
    Authority,
    Heard,
    PhoneInHand,
    Till,
    Town,
    challenge,
    closed,
    intent,
    new_id,
    outcome,
    refund,
    reversal,
)

from keys.file import FileKey
from protocol.errors import Forged, Malformed
from protocol.money import Money
from protocol.questions import StateQuestion
from protocol.records import (
    Action,
    Body,
    ChallengeOpened,
    Intent,
    Jammed,
    Mode,
    Outcome,
    Refund,
    Result,
    Reversal,
    SaleClosed,
    Started,
    Tampered,
    TokenBurned,
    Verdict,
    seal_record,
)
from protocol.transport import LONGEST_RUN, pack_run
from settlement import alarms
from settlement.acquirers.house_wallet import HouseWallet
from settlement.acquirers.port import Charge, ChargeRequest
from settlement.config import TerminalsSettings
from settlement.errors import Refused, Suspicious
from settlement.office import Office
from settlement.service import Service
from settlement.tables import records


def kept(town: Town) -> int:
    with town.service.store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(records)) or 0


def alarm_kinds(town: Town) -> list[str]:
    with town.service.store.reading() as connection:
        return [alarm.kind for alarm in alarms.newest(connection)]


def test_killed_between_commit_and_answer_gives_the_same_answer(town: Town, till: Till, li: PhoneInHand) -> None:
    message = till.write(intent(li.short()))
    lost = town.service.intake.take_run(till.name, pack_run([message]))
    town.reopen()
    heard = till.send(message)
    assert heard.raw[1] == lost[0].payload
    assert heard.decision.verdict is Verdict.APPROVED
    assert li.balance == 90_000
    assert kept(town) == 1


def test_killed_before_commit_leaves_nothing(town: Town, till: Till, li: PhoneInHand) -> None:
    message = till.write(intent(li.short()))

    class PowerCut(BaseException):
        pass

    class Dying(HouseWallet):
        def charge(self, connection: object, request: ChargeRequest) -> Charge:
            raise PowerCut

    dying = Service(replace(town.office, acquirers={"tillwave": Dying(town.signer.public_key)}))
    dying.store.start()
    with pytest.raises(PowerCut):
        dying.intake.take_run(till.name, pack_run([message]))
    dying.store.stop()
    assert kept(town) == 0
    assert till.send(message).decision.verdict is Verdict.APPROVED


def test_every_kind_of_record_sent_again_changes_nothing(town: Town, till: Till, li: PhoneInHand) -> None:
    paid = intent(li.short(), 1_000)
    back = refund(paid, 100)
    bodies = [
        Started(software="1", settings=bytes(32)),
        challenge(1_000, sale=paid.sale),
        paid,
        outcome(paid),
        closed(paid.sale, Result.PAID, 1_000),
        back,
        Tampered(open=1),
        Tampered(open=0),
    ]
    first = till.say(*bodies)
    town.clock.pass_s(1)
    offline = intent(li.signed(), 2_000, mode=Mode.OFFLINE)
    second = till.say(offline, outcome(offline), reversal(paid))
    books = town.balances()
    again = till.send(*till.messages)
    assert [said.subject for said in again.decisions] == [
        said.subject for said in (*first.decisions, *second.decisions)
    ]
    assert set(again.raw[1:]) == {*first.raw[1:], *second.raw[1:]}
    assert town.balances() == books
    assert again.receipts[0].number == till.head.number
    assert again.receipts[0].hash == till.head.hash


def test_gap_keeps_nothing_behind_it(town: Town, till: Till, li: PhoneInHand) -> None:
    till.say(Tampered(open=0))
    first, _lost, third = (till.write(intent(li.short())) for _ in range(3))
    heard = till.send(first, third)
    assert [receipt.number for receipt in heard.receipts] == [2]
    assert kept(town) == 2
    assert till.send(*till.messages).receipts[0].number == 4


def test_run_in_wrong_order_is_kept_as_far_as_it_goes(town: Town, till: Till) -> None:
    first, second = till.write(Tampered(open=1)), till.write(Tampered(open=0))
    assert till.send(second, first).receipts[0].number == 0
    assert till.send(first).receipts[0].number == 1
    assert till.send(second, first).receipts[0].number == 2


def test_copied_journal_is_a_fork(town: Town, till: Till, li: PhoneInHand) -> None:
    clone = Till(town, till.name, till.signer, till.certificate)
    till.say(Tampered(open=0), Tampered(open=0))
    with pytest.raises(Suspicious):
        clone.say(intent(li.short()))
    assert alarm_kinds(town) == ["forked"]
    assert li.balance == 100_000
    assert till.say(Tampered(open=0)).receipts[0].number == 3


def test_other_predecessor_is_a_fork(town: Town, till: Till) -> None:
    till.say(Tampered(open=0))
    forged = replace(till.record(Tampered(open=0)), previous=bytes(32))
    with pytest.raises(Suspicious):
        till.send(seal_record(forged, till.signer))
    assert alarm_kinds(town) == ["forked"]


def test_rolled_back_journal_is_seen_at_its_introduction(town: Town, till: Till) -> None:
    till.say(Tampered(open=0), Tampered(open=0))
    clone = Till(town, till.name, till.signer, till.certificate)
    clone.write(Started(software="2", settings=bytes(32)))
    assert clone.introduce().receipts[0].number == 2
    assert alarm_kinds(town) == ["forked"]


def test_record_of_another_key_is_refused(town: Town, till: Till, li: PhoneInHand) -> None:
    thief = FileKey(ec.generate_private_key(ec.SECP256R1()))
    good, forged = till.write(Tampered(open=0)), seal_record(till.record(intent(li.short())), thief)
    with pytest.raises(Forged):
        till.send(good, forged)
    assert kept(town) == 0


def test_record_of_another_terminal_is_refused(town: Town, till: Till, li: PhoneInHand) -> None:
    foreign = replace(till.record(intent(li.short())), terminal="till-2")
    with pytest.raises(Refused, match="another terminal"):
        till.send(seal_record(foreign, till.signer))
    assert kept(town) == 0


def test_terminal_that_never_introduced_itself_is_refused(town: Town, till: Till) -> None:
    with pytest.raises(Refused, match="not introduced"):
        town.service.intake.take_run("till-9", pack_run([till.write(Tampered(open=0))]))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xa0", b"\x81\x40", b"\x9f\xff", bytes(300_000)])
def test_what_is_no_run_is_refused(town: Town, till: Till, data: bytes) -> None:
    with pytest.raises(Malformed):
        town.service.intake.take_run(till.name, data)


def test_run_that_is_too_long_is_refused(town: Town, till: Till) -> None:
    with pytest.raises(Malformed):
        till.send(*[till.write(Tampered(open=0)) for _ in range(LONGEST_RUN + 1)])
    assert kept(town) == 0


def test_used_id_with_other_content_is_declined_and_the_first_decision_stands(
    town: Town, till: Till, li: PhoneInHand
) -> None:
    first = intent(li.short(), 1_000)
    approved = till.say(first)
    other = replace(first, amount=Money(1, "CNY"))
    refused, again = till.say(other), till.say(other)
    assert (refused.decision.verdict, refused.decision.reason) == (Verdict.DECLINED, "id-reused")
    assert again.raw[1] == refused.raw[1]
    assert till.say(first).raw[1] == approved.raw[1]
    assert alarm_kinds(town) == ["id-reused"]
    assert li.balance == 99_000


def test_approved_outcome_without_a_decision_is_an_alarm(town: Town, till: Till, li: PhoneInHand) -> None:
    till.say(outcome(intent(li.short())))
    assert alarm_kinds(town) == ["outcome-differs"]


def test_jammed_sound_is_an_alarm_and_so_is_its_end(town: Town, till: Till) -> None:
    till.say(Jammed(on=1, how="noise", device="mic"))
    till.say(Jammed(on=0, how="noise", device="mic"))
    till.say(Jammed(on=1, how="a\nb", device="x" * 400))
    assert alarm_kinds(town) == ["sound-jammed", "sound-free", "sound-jammed"]


def test_opened_case_is_an_alarm(town: Town, till: Till) -> None:
    till.say(Tampered(open=1))
    assert alarm_kinds(town) == ["case-opened"]


def test_pending_attempt_is_asked_about_again(town: Town, till: Till, li: PhoneInHand) -> None:
    class Slow(HouseWallet):
        pending = True

        def charge(self, connection: object, request: ChargeRequest) -> Charge:
            return Charge(Verdict.PENDING) if self.pending else super().charge(connection, request)

    slow = Slow(town.signer.public_key)
    town.service = Service(replace(town.office, acquirers={"tillwave": slow}))
    town.service.store.start()
    message = till.write(intent(li.short()))
    attempt = till.send(message).decision.subject
    slow.pending = False
    assert till.send(message).decision.verdict is Verdict.PENDING
    answer = till.ask(StateQuestion(subject=attempt, action=int(Action.PAY)))
    assert answer.decision is not None
    assert till.send(message).raw[1] == answer.decision
    assert li.balance == 90_000


def test_second_key_for_a_name_is_an_alarm(town: Town, till: Till) -> None:
    with pytest.raises(Suspicious, match="another key"):
        town.till(till.name)
    assert alarm_kinds(town) == ["second-key"]
    assert till.say(Tampered(open=0)).receipts[0].number == 1


def test_replaced_terminal_begins_a_new_chain_once_the_old_one_is_revoked(town: Town, till: Till) -> None:
    till.say(Tampered(open=0))
    town.change(terminals=TerminalsSettings(revoked=(f"{till.certificate.serial_number:x}",)))
    with pytest.raises(Refused, match="revoked"):
        till.say(Tampered(open=0))
    new = town.till(till.name)
    assert new.say(Tampered(open=0)).receipts[0].number == 1


def test_renewed_certificate_of_the_same_key_goes_on(town: Town, till: Till) -> None:
    till.say(Tampered(open=0))
    till.certificate = town.authority.issue(till.name, "record", till.signer.public_key)
    assert till.introduce().receipts[0].number == 1
    assert till.say(Tampered(open=0)).receipts[0].number == 2


def make_till(
    town: Town, authority: Authority, *, name: str = "till-5", unit: str = "record", old: bool = False
) -> Till:
    key = FileKey(ec.generate_private_key(ec.SECP256R1()))
    begins = dt.datetime.now(dt.UTC) - dt.timedelta(days=30) if old else None
    life = dt.timedelta(days=10 if old else 365)
    return Till(town, "till-5", key, authority.issue(name, unit, key.public_key, begins=begins, life=life))


@pytest.mark.parametrize(
    "changes", [{"name": "till-6"}, {"unit": "tls"}, {"old": True}], ids=["other name", "not for records", "expired"]
)
def test_certificate_that_does_not_fit_is_refused(town: Town, changes: dict[str, object]) -> None:
    with pytest.raises(Refused):
        make_till(town, town.authority, **changes).introduce()


def test_certificate_of_another_authority_is_refused(town: Town) -> None:
    with pytest.raises(Refused, match="authority"):
        make_till(town, Authority()).introduce()


def test_stolen_certificate_without_its_key_proves_nothing(town: Town, till: Till) -> None:
    thief = Till(town, till.name, FileKey(ec.generate_private_key(ec.SECP256R1())), till.certificate)
    with pytest.raises(Forged):
        thief.introduce()


def test_introduction_on_a_foreign_topic_is_refused(town: Town, till: Till) -> None:
    with pytest.raises(Refused, match="another terminal"):
        town.service.intake.take_birth("till-2", till.birth())


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_any_delivery_of_a_day_gives_the_same_books(town: Town, data: st.DataObject) -> None:
    """Duplicates, torn runs and late copies in any order: each record counts once."""
    name = new_id()
    till, shopper = town.till(name), town.shopper(name, 10_000)
    paid = [intent(shopper.short(bytes([number] * 16)), 1_000, nonce=bytes([number] * 16)) for number in range(1, 5)]
    for body in paid:
        till.write(body)
        till.write(outcome(body))
    till.write(refund(paid[0], 300))
    till.write(reversal(paid[1]))
    decisions: dict[tuple[str, int], bytes] = {}
    cuts = data.draw(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)), max_size=8))
    for start, count in [*cuts, (0, 10)]:
        heard: Heard = till.send(*till.messages[start : start + count])
        for said, raw in zip(heard.decisions, heard.raw[1:], strict=True):
            assert decisions.setdefault((said.subject, int(said.action)), raw) == raw
    assert shopper.balance == 10_000 - 4_000 + 1_000 + 300
    assert heard.receipts[0].number == len(till.messages)


def test_refused_message_leaves_no_secret_in_the_log(
    town: Town, till: Till, li: PhoneInHand, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = li.short()
    till.pay(token)
    till.pay(token)
    assert token.hex() not in caplog.text
    assert li.secret.hex() not in repr(town.office) + caplog.text


def test_office_shows_no_secret(town: Town) -> None:
    office: Office = town.office
    assert "PRIVATE" not in repr(office)


NAMES = st.one_of(st.text(max_size=20), st.just("a" * 16), st.just("x" * 512))
MONEY = st.builds(Money, st.integers(-(10**13) + 1, 10**13 - 1), st.sampled_from(["CNY", "USD", "JPY"]))
BODIES = st.one_of(
    st.builds(
        Intent,
        sale=NAMES,
        attempt=NAMES,
        amount=MONEY,
        scheme=st.sampled_from(["tillwave", "alipay", ""]),
        token=st.binary(max_size=200) | st.binary(min_size=181, max_size=181).map(lambda token: b"\x21" + token[1:]),
        mode=st.sampled_from(Mode),
        coupons=st.lists(NAMES, max_size=3).map(tuple),
        lines=st.just(()),
        nonce=st.none() | st.binary(max_size=20),
        member=st.none() | NAMES,
        guide=st.none() | NAMES,
    ),
    st.builds(
        Outcome,
        sale=NAMES,
        subject=NAMES,
        action=st.sampled_from(Action),
        verdict=st.sampled_from(Verdict),
        amount=MONEY,
        reason=NAMES,
        mode=st.sampled_from(Mode),
    ),
    st.builds(Reversal, sale=NAMES, attempt=NAMES, reason=NAMES),
    st.builds(Refund, refund=NAMES, sale=NAMES, payment=NAMES, amount=MONEY, supervisor=NAMES),
    st.builds(SaleClosed, sale=NAMES, register=NAMES, request=NAMES, result=st.sampled_from(Result), amount=MONEY),
    st.builds(Jammed, on=st.integers(0, 1), how=NAMES, device=NAMES),
    st.builds(TokenBurned, sale=NAMES, token_hash=st.binary(max_size=40), reason=NAMES),
    st.builds(
        ChallengeOpened,
        sale=NAMES,
        amount=MONEY,
        nonce=st.binary(max_size=20),
        coupons=st.lists(NAMES, max_size=3).map(tuple),
        member=st.none() | NAMES,
        guide=st.none() | NAMES,
    ),
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(bodies=st.lists(BODIES, min_size=1, max_size=6))
def test_senseless_records_are_kept_and_move_no_money(town: Town, till: Till, bodies: list[Body]) -> None:
    heard = till.say(*bodies)
    assert heard.receipts[0].number == till.head.number
    assert all(said.verdict is not Verdict.APPROVED for said in heard.decisions if said.action is Action.PAY)
    assert not any("wallet" in name or name.startswith("merchant") for name in town.balances())
