"""Every decision is signed once, kept with its bytes, and given again whenever the same thing is asked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from protocol import cbor
from protocol.answers import Decision, seal_answer
from protocol.money import Money
from protocol.records import Action, Verdict
from settlement import alarms
from settlement.acquirers.port import Charge
from settlement.office import Office
from settlement.tables import decisions

FINAL = (Verdict.APPROVED, Verdict.DECLINED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a decision is about."""

    terminal: str
    sale: str
    subject: str
    action: Action
    content: bytes = bytes(32)
    """`content_of` the request; the same id with other content is refused."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A decision that was given."""

    verdict: Verdict
    reason: str
    content: bytes
    message: bytes

    @property
    def is_final(self) -> bool:
        """Tell whether it can change."""
        return self.verdict in FINAL


def content_of(body: object) -> bytes:
    """Name the content of a request: SHA-256 of its deterministic bytes."""
    return hashlib.sha256(cbor.encode(cbor.to_map(body))).digest()


def find(connection: Connection, subject: Subject) -> Kept | None:
    """Give the decision on the first content of this id, whatever content is asked with now."""
    query = select(decisions).filter_by(terminal=subject.terminal, subject=subject.subject, action=int(subject.action))
    row = connection.execute(query.where(decisions.c.original)).one_or_none()
    return None if row is None else _kept(row)


def settled(connection: Connection, office: Office, subject: Subject, amount: Money) -> bytes | None:
    """Give what settles the matter already: the same decision again, or that the id was used for something else."""
    known = find(connection, subject)
    if known is None or (known.content == subject.content and not known.is_final):
        return None
    if known.content == subject.content:
        return known.message
    return _refuse_reuse(connection, office, subject, amount)


def keep(connection: Connection, office: Office, subject: Subject, charge: Charge, amount: Money) -> bytes:
    """Sign and keep a decision; gives its bytes. One that is not final yet is replaced."""
    message = _sign(office, subject, charge, amount)
    _drop_unfinal(connection, subject)
    _insert(connection, subject, charge, message, original=True)
    return message


def overrule(connection: Connection, office: Office, subject: Subject, charge: Charge, amount: Money) -> bytes:
    """Put a decision in the place of one that was given in ignorance of what a lost database knew."""
    mine = (decisions.c.terminal == subject.terminal, decisions.c.subject == subject.subject)
    connection.execute(decisions.delete().where(*mine, decisions.c.action == int(subject.action)))
    return keep(connection, office, subject, charge, amount)


def of_sale(connection: Connection, terminal: str, sale: str, action: Action) -> list[bytes]:
    """Give the approved decisions of one kind about a sale."""
    query = select(decisions.c.message).filter_by(
        terminal=terminal, sale=sale, action=int(action), verdict=int(Verdict.APPROVED), original=True
    )
    return list(connection.scalars(query))


def _kept(row: Row[Any]) -> Kept:
    return Kept(Verdict(row.verdict), row.reason, row.content, row.message)


def _drop_unfinal(connection: Connection, subject: Subject) -> None:
    connection.execute(
        decisions.delete()
        .where(decisions.c.terminal == subject.terminal, decisions.c.subject == subject.subject)
        .where(decisions.c.action == int(subject.action), decisions.c.verdict.not_in([int(final) for final in FINAL]))
    )


def _refuse_reuse(connection: Connection, office: Office, subject: Subject, amount: Money) -> bytes:
    """Decline an id that came with other content before; the decision on the first content stands."""
    query = select(decisions.c.message).filter_by(
        terminal=subject.terminal, subject=subject.subject, action=int(subject.action), content=subject.content
    )
    known: bytes | None = connection.scalar(query)
    if known is not None:
        return known
    detail = f"{subject.action.name.lower()} {subject.subject[:16]} came again with other content"
    alarms.sound(connection, subject.terminal, "id-reused", detail, at_ms=office.clock.now_ms())
    charge = Charge.declined("id-reused")
    message = _sign(office, subject, charge, amount)
    _insert(connection, subject, charge, message, original=False)
    return message


def _sign(office: Office, subject: Subject, charge: Charge, amount: Money) -> bytes:
    decision = Decision(
        terminal=subject.terminal,
        sale=subject.sale,
        subject=subject.subject,
        action=subject.action,
        verdict=charge.verdict,
        amount=amount,
        reason=charge.reason,
        payer=charge.payer,
        at_ms=office.clock.now_ms(),
    )
    return seal_answer(decision, office.signer)


def _insert(connection: Connection, subject: Subject, charge: Charge, message: bytes, *, original: bool) -> None:
    connection.execute(
        decisions.insert().values(
            terminal=subject.terminal,
            subject=subject.subject,
            action=int(subject.action),
            content=subject.content,
            original=original,
            sale=subject.sale,
            verdict=int(charge.verdict),
            reason=charge.reason,
            message=message,
        )
    )
