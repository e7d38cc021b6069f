"""The records of all terminals, exactly as they were signed."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Connection, select

from protocol.chain import link
from protocol.envelope import ContentType, take_apart
from protocol.records import (
    Body,
    ChallengeOpened,
    Intent,
    Outcome,
    Record,
    Refund,
    Reversal,
    SaleClosed,
    TokenBurned,
    kind_of,
    open_record,
    parse_record,
)
from settlement.charging import Heard
from settlement.tables import chains, records


@dataclass(frozen=True, slots=True)
class Letter:
    """A record with the bytes in which it came."""

    message: bytes = field(repr=False)
    record: Record

    @property
    def hash(self) -> bytes:
        """What the next record must name."""
        return link(self.message)


def open_letter(message: bytes, public_key: ec.EllipticCurvePublicKey) -> Letter:
    """Read a record that this key signed; Malformed or Forged otherwise."""
    return Letter(message, open_record(message, public_key))


def keep(connection: Connection, chain: int, letter: Letter, at_ms: int) -> None:
    """Keep a record for ever."""
    record = letter.record
    values = {
        "number": record.number,
        "hash": letter.hash,
        "message": letter.message,
        "kind": kind_of(record.body),
        "subject": subject_of(record.body),
        "kept_ms": at_ms,
    }
    connection.execute(records.insert().values(chain=chain, **values))


def hash_of(connection: Connection, chain: int, number: int) -> bytes | None:
    """Give the hash of a kept record."""
    return connection.scalar(select(records.c.hash).where(records.c.chain == chain, records.c.number == number))


def find_intent(connection: Connection, terminal: str, attempt: str) -> Heard | None:
    """Give the first intent of an attempt that a terminal sent."""
    query = (
        select(records.c.message)
        .select_from(records.join(chains))
        .where(chains.c.terminal == terminal, records.c.subject == attempt, records.c.kind == Intent.__name__)
        .order_by(records.c.chain, records.c.number)
        .limit(1)
    )
    message = connection.scalar(query)
    if message is None:
        return None
    return heard(parse_record(take_apart(message, ContentType.RECORD).payload))


def heard(record: Record) -> Heard:
    """Give the intent in a record, with what its decision needs to know of the record."""
    assert isinstance(record.body, Intent), "only intents are heard"
    return Heard(record.terminal, record.number, record.stamp.wall_ms, record.body)


def subject_of(body: Body) -> str:
    """Give the id of what a record is about, by which it is found again."""
    match body:
        case Intent(attempt=subject) | Reversal(attempt=subject) | Outcome(subject=subject) | Refund(refund=subject):
            return subject
        case ChallengeOpened(sale=sale) | SaleClosed(sale=sale) | TokenBurned(sale=sale):
            return sale
        case _:
            return ""
