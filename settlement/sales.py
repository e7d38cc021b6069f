"""Sales that terminals speak of: the newest challenge, for which a phone may pay, and how the sale ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from protocol.money import Money
from protocol.records import ChallengeOpened, Result
from settlement.tables import sales


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """One sale as far as settlement knows it."""

    terminal: str
    sale: str
    result: Result | None
    """None while it is open."""
    number: int | None
    """The record that opened the newest challenge."""
    nonce: bytes | None
    amount: Money | None
    coupons: tuple[str, ...]
    guide: str | None
    attribution: str | None


def find(connection: Connection, terminal: str, sale: str) -> Sale | None:
    """Give a sale of a terminal."""
    row = connection.execute(select(sales).filter_by(terminal=terminal, sale=sale)).one_or_none()
    if row is None:
        return None
    return Sale(
        terminal=terminal,
        sale=sale,
        result=None if row.result is None else Result(row.result),
        number=row.number,
        nonce=row.nonce,
        amount=None if row.minor is None else Money(row.minor, row.currency),
        coupons=tuple(json.loads(row.coupons)) if row.coupons else (),
        guide=row.guide,
        attribution=row.attribution,
    )


def is_closed(connection: Connection, terminal: str, sale: str) -> bool:
    """Tell whether the terminal has ended the sale."""
    known = find(connection, terminal, sale)
    return known is not None and known.result is not None


def open_challenge(connection: Connection, terminal: str, number: int, opened: ChallengeOpened) -> None:
    """Let phones pay for this challenge and no older one of the sale; a closed sale stays closed."""
    if not is_closed(connection, terminal, opened.sale):
        values = {
            "number": number,
            "nonce": opened.nonce,
            "minor": opened.amount.minor,
            "currency": opened.amount.currency,
            "coupons": json.dumps(opened.coupons),
            "member": opened.member,
            "guide": opened.guide,
            "attribution": opened.attribution,
        }
        _put(connection, terminal, opened.sale, values)


def close(connection: Connection, terminal: str, sale: str, result: Result) -> None:
    """End a sale: no phone can pay for it any more."""
    _put(connection, terminal, sale, {"result": int(result)})


def open_sales(connection: Connection, terminal: str) -> list[str]:
    """Give the sales of a terminal that have a challenge and no end."""
    query = select(sales.c.sale).where(sales.c.terminal == terminal, sales.c.result.is_(None))
    return list(connection.scalars(query.where(sales.c.nonce.is_not(None))))


def _put(connection: Connection, terminal: str, sale: str, values: dict[str, Any]) -> None:
    row = (sales.c.terminal == terminal, sales.c.sale == sale)
    if connection.execute(sales.update().where(*row).values(**values)).rowcount == 0:
        connection.execute(sales.insert().values(terminal=terminal, sale=sale, **values))
