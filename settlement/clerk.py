"""What each kind of record means to settlement. A clerk serves one record inside the transaction of its run."""

from __future__ import annotations

import logging

from sqlalchemy import Connection

from protocol import ids
from protocol.records import (
    Action,
    ChallengeOpened,
    Intent,
    Jammed,
    Mode,
    Outcome,
    Record,
    Refund,
    Result,
    Reversal,
    SaleClosed,
    Tampered,
    TokenBurned,
    Verdict,
)
from protocol.tokens import NONCE_BYTES
from settlement import alarms, archive, decisions, offers, payments, sales, spent, withdrawals
from settlement.charging import Charging, is_name
from settlement.decisions import Subject
from settlement.office import Office
from settlement.undoing import Undoing

log = logging.getLogger(__name__)

_HASH_BYTES = 32


class Clerk:
    """Takes a new record and gives the decisions that it leads to; takes an old one and gives the same decisions."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._charging = Charging(office)
        self._undoing = Undoing(office)

    def take(self, connection: Connection, record: Record, withdrawn: frozenset[str]) -> list[bytes]:
        """Serve a record that was never seen; `withdrawn` are the attempts that its own run takes back later."""
        match record.body:
            case Intent() as intent:
                return self._take_intent(connection, record, intent, withdrawn)
            case Outcome() as outcome:
                return self._take_outcome(connection, record, outcome)
            case Reversal() as reversal:
                heard = archive.find_intent(connection, record.terminal, reversal.attempt)
                return [self._undoing.take_reversal(connection, record.terminal, reversal, heard)]
            case Refund() as refund:
                return [self._undoing.take_refund(connection, record.terminal, record.number, refund)]
            case SaleClosed() as closed:
                return self._close_sale(connection, record.terminal, closed)
            case _:
                self._note(connection, record)
                return []

    def repeat(self, connection: Connection, record: Record) -> list[bytes]:
        """Give again what was decided on a record that is kept already."""
        match record.body:
            case Intent(sale=sale, attempt=subject):
                action = Action.PAY
            case Outcome(sale=sale, subject=subject, action=Action.PAY, mode=Mode.OFFLINE):
                action = Action.PAY
            case Reversal(sale=sale, attempt=subject):
                action = Action.REVERSE
            case Refund(sale=sale, refund=subject):
                action = Action.REFUND
            case _:
                return []
        about = Subject(terminal=record.terminal, sale=sale, subject=subject, action=action)
        known = decisions.find(connection, about)
        return [] if known is None else [known.message]

    def _take_intent(
        self, connection: Connection, record: Record, intent: Intent, withdrawn: frozenset[str]
    ) -> list[bytes]:
        if intent.attempt in withdrawn and ids.is_id(intent.attempt):
            withdrawals.withdraw(connection, record.terminal, intent.attempt)
        message = self._charging.take_intent(connection, archive.heard(record))
        return [] if message is None else [message]

    def _take_outcome(self, connection: Connection, record: Record, outcome: Outcome) -> list[bytes]:
        if outcome.verdict is not Verdict.APPROVED:
            return []
        if outcome.action is Action.PAY and outcome.mode is Mode.OFFLINE:
            decided = self._settle_late(connection, record, outcome)
        else:
            decided = self._compare(connection, record, outcome)
        payments.count_at(connection, record.terminal, outcome.subject, record.number)
        return decided

    def _settle_late(self, connection: Connection, record: Record, outcome: Outcome) -> list[bytes]:
        """Charge what the terminal accepted by itself; an order that it never heard of gives way."""
        heard = archive.find_intent(connection, record.terminal, outcome.subject)
        if heard is None or heard.intent.mode is not Mode.OFFLINE or heard.intent.sale != outcome.sale:
            self._alarm(connection, record, "no-such-intent", "an offline outcome names no offline intent of the sale")
            return []
        given_back = self._undoing.reverse_orders(connection, record.terminal, outcome.sale)
        return [*given_back, self._charging.settle(connection, heard)]

    def _compare(self, connection: Connection, record: Record, outcome: Outcome) -> list[bytes]:
        """Raise an alarm when a terminal says approved and settlement never did, or has forgotten that it did."""
        about = Subject(terminal=record.terminal, sale=outcome.sale, subject=outcome.subject, action=outcome.action)
        known = decisions.find(connection, about)
        if known is not None and known.verdict is Verdict.APPROVED:
            return []
        if outcome.action is Action.PAY:
            heard = archive.find_intent(connection, record.terminal, outcome.subject)
            if heard is not None and (recovered := self._charging.recover(connection, heard)) is not None:
                self._alarm(connection, record, "recovered", f"record {record.number} is believed and charged again")
                return [recovered]
        detail = f"record {record.number} says approved, and settlement did not"
        self._alarm(connection, record, "outcome-differs", detail)
        return []

    def _close_sale(self, connection: Connection, terminal: str, closed: SaleClosed) -> list[bytes]:
        if not ids.is_id(closed.sale):
            return []
        slot = sales.find(connection, terminal, closed.sale)
        sales.close(connection, terminal, closed.sale, closed.result)
        decided = []
        if closed.result is not Result.PAID:
            decided = self._undoing.reverse_orders(connection, terminal, closed.sale)
        elif not payments.of_sale(connection, terminal, closed.sale) and closed.amount.minor == 0:
            guide, attribution = (slot.guide, slot.attribution) if slot else (None, None)
            payments.book_coupons(connection, self._office, terminal, closed.sale, guide=guide, attribution=attribution)
        offers.release(connection, terminal, closed.sale)
        return decided

    def _note(self, connection: Connection, record: Record) -> None:
        match record.body:
            case ChallengeOpened() as opened if _is_sane(opened):
                sales.open_challenge(connection, record.terminal, record.number, opened)
            case TokenBurned(token_hash=token_hash, sale=sale) if len(token_hash) == _HASH_BYTES:
                now = self._office.clock.now_ms()
                spent.burn(connection, token_hash, record.terminal, sale if ids.is_id(sale) else "", now)
            case Jammed(on=is_on, how=how, device=device):
                kind = "sound-jammed" if is_on else "sound-free"
                detail = f"record {record.number}: {_word(how)} at microphone {_word(device)}"
                self._alarm(connection, record, kind, detail)
            case Tampered(open=is_open) if is_open:
                self._alarm(connection, record, "case-opened", f"record {record.number} says that the case was opened")
            case _:
                log.debug("record %d of %s is kept", record.number, record.terminal)

    def _alarm(self, connection: Connection, record: Record, kind: str, detail: str) -> None:
        alarms.sound(connection, record.terminal, kind, detail, at_ms=self._office.clock.now_ms())


def _word(text: str) -> str:
    """Give a word of a terminal as a log and a page may show it."""
    return text[:20] if text.isprintable() else "?"


def _is_sane(opened: ChallengeOpened) -> bool:
    """Tell whether phones may pay for a challenge at all."""
    names = (opened.guide or "", opened.member or "")
    is_named = all(is_name(name) for name in names) and (opened.attribution is None or ids.is_name(opened.attribution))
    return ids.is_id(opened.sale) and len(opened.nonce) == NONCE_BYTES and is_named
