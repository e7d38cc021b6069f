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


def keep(
    connection: Connection,
    office: Office,
    subject: Subject,
    verdict: Verdict,
    amount: Money,
    *,
    reason: str = "",
    payer: str = "",
) -> bytes:
    """Sign and keep a decision; gives its bytes. One that is not final yet is replaced."""
    decision = Decision(
        terminal=subject.terminal,
        sale=subject.sale,
        subject=subject.subject,
        action=subject.action,
        verdict=verdict,
        amount=amount,
        reason=reason,
        payer=payer,
        at_ms=office.clock.now_ms(),
    )
    message = seal_answer(decision, office.signer)
    _drop_unfinal(connection, subject)
    _insert(connection, subject, decision, message, original=True)
    return message


def refuse_reuse(connection: Connection, office: Office, subject: Subject, amount: Money) -> bytes:
    """Decline an id that came with other content before; the decision on the first content stands."""
    query = select(decisions.c.message).filter_by(
        terminal=subject.terminal, subject=subject.subject, action=int(subject.action), content=subject.content
    )
    known: bytes | None = connection.scalar(query)
    if known is not None:
        return known
    decision = Decision(
        terminal=subject.terminal,
        sale=subject.sale,
        subject=subject.subject,
        action=subject.action,
        verdict=Verdict.DECLINED,
        amount=amount,
        reason="id-reused",
        payer="",
        at_ms=office.clock.now_ms(),
    )
    message = seal_answer(decision, office.signer)
    _insert(connection, subject, decision, message, original=False)
    return message


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


def _insert(connection: Connection, subject: Subject, decision: Decision, message: bytes, *, original: bool) -> None:
    connection.execute(
        decisions.insert().values(
            terminal=subject.terminal,
            subject=subject.subject,
            action=int(subject.action),
            content=subject.content,
            original=original,
            sale=subject.sale,
            verdict=int(decision.verdict),
            reason=decision.reason,
            message=message,
        )
    )
