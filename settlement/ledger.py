"""Double entry: every entry has postings that add up to zero per currency, a key that exists once, and never changes.

A positive posting is owed to the account. So a shopper's wallet, a merchant and a guide stand above zero, and the
accounts from which money comes (`cash`, `coupon-funding:...`) below it; together they are zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select
from sqlalchemy.exc import IntegrityError

from settlement.errors import Overdrawn, SettlementProblem, Unbalanced
from settlement.tables import balances, entries, postings

WALLET = "wallet"
"""Accounts of this kind never go below zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What happened: `legs` says what each account gets (positive) or gives (negative), in minor units."""

    key: str
    kind: str
    currency: str
    legs: Mapping[str, int]
    at_ms: int
    terminal: str = ""
    sale: str = ""


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of an entry."""

    account: str
    minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class BookedEntry:
    """An entry as it is kept."""

    key: str
    kind: str
    terminal: str
    sale: str
    at_ms: int
    postings: tuple[Posting, ...]


def post(connection: Connection, entry: Entry) -> None:
    """Book an entry; Unbalanced, Overdrawn, or SettlementProblem when the key is booked already."""
    legs = {account: minor for account, minor in entry.legs.items() if minor}
    if sum(legs.values()) != 0:
        raise Unbalanced(f"entry {entry.key} does not add up to zero")
    number = _insert_entry(connection, entry)
    if legs:
        lines = [
            {"entry": number, "line": line, "account": account, "currency": entry.currency, "minor": minor}
            for line, (account, minor) in enumerate(legs.items())
        ]
        connection.execute(postings.insert(), lines)
        _change_balances(connection, entry.currency, legs)


def balance(connection: Connection, account: str, currency: str) -> int:
    """Give what an account has, in minor units; 0 for one that was never used."""
    query = select(balances.c.minor).where(balances.c.account == account, balances.c.currency == currency)
    return connection.scalar(query) or 0


def all_balances(connection: Connection, currency: str) -> dict[str, int]:
    """Give the balance of every account of a currency, by name."""
    query = select(balances).where(balances.c.currency == currency).order_by(balances.c.account)
    return {row.account: row.minor for row in connection.execute(query)}


def of_sale(connection: Connection, sale: str) -> list[BookedEntry]:
    """Give the entries of one sale."""
    return _read(connection, connection.execute(select(entries).where(entries.c.sale == sale)).all())


def of_account(connection: Connection, account: str, limit: int = 1000) -> list[BookedEntry]:
    """Give the newest entries in which an account has a part, newest first."""
    chosen = select(postings.c.entry).where(postings.c.account == account)
    query = select(entries).where(entries.c.entry.in_(chosen)).order_by(entries.c.entry.desc()).limit(limit)
    return _read(connection, connection.execute(query).all())


def check(connection: Connection) -> list[str]:
    """Add everything up anew; give a sentence for every entry or balance that is wrong, none when all is well."""
    total = func.sum(postings.c.minor)
    uneven = connection.execute(
        select(entries.c.key)
        .join(postings)
        .group_by(postings.c.entry, entries.c.key, postings.c.currency)
        .having(total != 0)
    )
    complaints = [f"entry {key} does not add up to zero" for (key,) in uneven]
    added = {
        (account, currency): minor
        for account, currency, minor in connection.execute(
            select(postings.c.account, postings.c.currency, total).group_by(postings.c.account, postings.c.currency)
        )
    }
    kept = {(account, currency): minor for account, currency, minor in connection.execute(select(balances))}
    complaints += [
        f"the balance of {account} is {kept.get((account, currency))}, its postings add up to {minor} {currency}"
        for (account, currency), minor in added.items()
        if kept.get((account, currency)) != minor
    ]
    complaints += [f"{account} has a balance and no postings" for account, _ in kept.keys() - added.keys()]
    if sum(kept.values()) != 0:
        complaints.append("the balances do not add up to zero")
    return complaints


def _insert_entry(connection: Connection, entry: Entry) -> int:
    values = {
        "key": entry.key,
        "kind": entry.kind,
        "terminal": entry.terminal,
        "sale": entry.sale,
        "at_ms": entry.at_ms,
    }
    try:
        result = connection.execute(entries.insert().values(**values))
    except IntegrityError as error:
        raise SettlementProblem(f"entry {entry.key} is booked already") from error
    (number,) = result.inserted_primary_key or (0,)
    return int(number)


def _change_balances(connection: Connection, currency: str, legs: Mapping[str, int]) -> None:
    query = select(balances).where(balances.c.currency == currency, balances.c.account.in_(legs))
    before = {row.account: row.minor for row in connection.execute(query)}
    after = {account: before.get(account, 0) + minor for account, minor in legs.items()}
    for account, minor in after.items():
        if minor < 0 and account.startswith(f"{WALLET}:"):
            raise Overdrawn(account)
    changed = [{"name": account, "sum": after[account]} for account in before]
    new = [{"account": account, "currency": currency, "minor": after[account]} for account in after.keys() - before]
    if changed:
        row = (balances.c.account == bindparam("name"), balances.c.currency == currency)
        connection.execute(balances.update().where(*row).values(minor=bindparam("sum")), changed)
    if new:
        connection.execute(balances.insert(), new)


def _read(connection: Connection, rows: Iterable[Row[Any]]) -> list[BookedEntry]:
    booked = []
    for row in rows:
        query = select(postings.c.account, postings.c.minor, postings.c.currency)
        lines = connection.execute(query.where(postings.c.entry == row.entry).order_by(postings.c.line))
        postings_of_entry = tuple(Posting(*line) for line in lines)
        booked.append(BookedEntry(row.key, row.kind, row.terminal, row.sale, row.at_ms, postings_of_entry))
    return booked
