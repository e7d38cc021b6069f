"""The day's books as files: one batch a day, in it a file for each party, as CSV and as JSON.

A batch takes every entry of the ledger after those of the batch before it, up to the end of its day; each stands in
exactly one. Its manifest names every file with its SHA-256, and the manifest of the day before, so that a file that is
missing or was changed shows. A batch that was closed once is written again byte by byte.

Shoppers' wallets and cash have no file. Amounts are in major units of the currency; what is owed to the party is
positive.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, select

from protocol.money import Money
from settlement import batch_files, ledger, splits
from settlement.config import zone_of
from settlement.errors import Refused, SettlementProblem
from settlement.office import Office
from settlement.tables import batches, entries, payments, postings

_WITHOUT_FILE = frozenset({ledger.WALLET, "cash"})
_BEGINNING = bytes(32)


@dataclass(frozen=True, slots=True)
class Batch:
    """One closed day."""

    day: dt.date
    files: Mapping[str, bytes]
    """By name; the manifest is one of them."""
    sha256: bytes
    """Of the manifest."""


def close_day(connection: Connection, office: Office, day: dt.date) -> Batch:
    """Close a day, and all days before it that are open; Refused while the day is not over."""
    zone = zone_of(office.settings.timezone)
    if _end_ms(day, zone) > office.clock.now_ms():
        raise Refused("day-not-over", f"{day} is not over yet in {office.settings.timezone}")
    known = _find(connection, day)
    if known is not None:
        return _write_again(connection, office, known)
    for open_day in _open_days(connection, day, zone):
        batch = _close(connection, office, open_day, zone)
    return batch


def yesterday(office: Office) -> dt.date:
    """Give the newest day that is over."""
    zone = zone_of(office.settings.timezone)
    return dt.datetime.fromtimestamp(office.clock.now_ms() / 1000, zone).date() - dt.timedelta(days=1)


def _find(connection: Connection, day: dt.date) -> Row[tuple[object, ...]] | None:
    return connection.execute(select(batches).where(batches.c.day == day.isoformat())).one_or_none()


def _newest(connection: Connection) -> Row[tuple[object, ...]] | None:
    return connection.execute(select(batches).order_by(batches.c.day.desc()).limit(1)).one_or_none()


def _open_days(connection: Connection, last: dt.date, zone: dt.tzinfo) -> Iterator[dt.date]:
    newest = _newest(connection)
    if newest is not None and last < dt.date.fromisoformat(newest.day):
        raise Refused("day-unknown", f"{last} lies before the first day that was closed")
    first_ms = connection.scalar(select(func.min(entries.c.at_ms)))
    begin = last if first_ms is None else min(last, dt.datetime.fromtimestamp(first_ms / 1000, zone).date())
    day = begin if newest is None else dt.date.fromisoformat(newest.day) + dt.timedelta(days=1)
    while day <= last:
        yield day
        day += dt.timedelta(days=1)


def _close(connection: Connection, office: Office, day: dt.date, zone: dt.tzinfo) -> Batch:
    newest = _newest(connection)
    first = 1 if newest is None else newest.last_entry + 1
    in_day = select(func.max(entries.c.entry)).where(entries.c.entry >= first, entries.c.at_ms < _end_ms(day, zone))
    last = connection.scalar(in_day) or first - 1
    row = {
        "day": day.isoformat(),
        "timezone": office.settings.timezone,
        "first_entry": first,
        "last_entry": last,
        "previous": _BEGINNING if newest is None else newest.sha256,
        "closed_ms": office.clock.now_ms(),
        "sha256": b"",
    }
    connection.execute(batches.insert().values(**row))
    closed = _find(connection, day)
    assert closed is not None, "it was inserted in this transaction"
    batch = _write(connection, office, closed)
    connection.execute(batches.update().where(batches.c.day == row["day"]).values(sha256=batch.sha256))
    return batch


def _write_again(connection: Connection, office: Office, row: Row[tuple[object, ...]]) -> Batch:
    batch = _write(connection, office, row)
    if batch.sha256 != row.sha256:
        raise SettlementProblem(f"the books of {row.day} are not what they were when the day was closed")
    return batch


def _write(connection: Connection, office: Office, row: Row[tuple[object, ...]]) -> Batch:
    currency, zone = office.settings.currency, zone_of(row.timezone)
    heads = {"mall": office.settings.mall, "day": row.day, "timezone": row.timezone, "currency": currency}
    files: dict[str, bytes] = {}
    for account, lines in _by_account(_lines(connection, row, currency, zone)).items():
        statement = batch_files.Statement(account, heads, tuple(lines))
        name = _file_name(row.day, account)
        files[f"{name}.csv"], files[f"{name}.json"] = statement.csv(), statement.json()
    manifest = batch_files.manifest(
        {**heads, "first_entry": row.first_entry, "last_entry": row.last_entry, "previous": row.previous.hex()}, files
    )
    files[f"{row.day}_manifest.json"] = manifest
    return Batch(dt.date.fromisoformat(row.day), files, hashlib.sha256(manifest).digest())


def _lines(
    connection: Connection, row: Row[tuple[object, ...]], currency: str, zone: dt.tzinfo
) -> Iterator[tuple[str, batch_files.Line]]:
    """Give account and line of every posting of the batch."""
    in_batch = entries.c.entry.between(row.first_entry, row.last_entry)
    schemes = {(each.terminal, each.sale): each.scheme for each in _payments(connection, in_batch)}
    for entry in connection.execute(select(entries).where(in_batch).order_by(entries.c.entry)):
        legs = connection.execute(
            select(postings).where(postings.c.entry == entry.entry, postings.c.currency == currency)
        ).all()
        paid = -sum(leg.minor for leg in legs if _is_payer(leg.account))
        discounts = {leg.account: -leg.minor for leg in legs if splits.party_of(leg.account) == splits.COUPON_FUNDING}
        for leg in legs:
            yield (
                leg.account,
                batch_files.Line(
                    at=dt.datetime.fromtimestamp(entry.at_ms / 1000, zone).isoformat(timespec="seconds"),
                    kind=entry.kind,
                    id=entry.key,
                    terminal=entry.terminal,
                    sale=entry.sale,
                    scheme=schemes.get((entry.terminal, entry.sale), ""),
                    paid=Money(paid, currency),
                    discounts={name: Money(minor, currency) for name, minor in discounts.items()},
                    amount=Money(leg.minor, currency),
                ),
            )


def _payments(connection: Connection, in_batch: object) -> Iterable[Row[tuple[object, ...]]]:
    same_sale = (payments.c.terminal == entries.c.terminal) & (payments.c.sale == entries.c.sale)
    return connection.execute(
        select(payments.c.terminal, payments.c.sale, payments.c.scheme)
        .select_from(payments.join(entries, same_sale))
        .where(in_batch)  # type: ignore[arg-type]
    )


def _by_account(lines: Iterable[tuple[str, batch_files.Line]]) -> dict[str, list[batch_files.Line]]:
    together: dict[str, list[batch_files.Line]] = {}
    for account, line in lines:
        if splits.party_of(account) not in _WITHOUT_FILE:
            together.setdefault(account, []).append(line)
    return dict(sorted(together.items()))


def _is_payer(account: str) -> bool:
    return splits.party_of(account) in _WITHOUT_FILE


def _file_name(day: str, account: str) -> str:
    """Give a name that every file system takes, and that no two accounts share."""
    readable = re.sub(r"[^\w]+", "-", account).strip("-")[:60]
    return f"{day}_{readable}_{hashlib.sha256(account.encode()).hexdigest()[:8]}"


def _end_ms(day: dt.date, zone: dt.tzinfo) -> int:
    after = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)
    return int(after.timestamp() * 1000)
