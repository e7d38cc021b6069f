"""What people want to see of the books: all of them, one sale, one party, one account. Plain values."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from protocol.money import Money
from protocol.records import Action
from settlement import alarms, ledger, offers, splits
from settlement.accounts import Wallet
from settlement.ledger import BookedEntry
from settlement.office import Office
from settlement.payments import State
from settlement.tables import coupons, members, reservations
from settlement.tables import payments as payment_rows
from settlement.tables import refunds as refund_rows

_NEWEST = 20
_LOSSES = 200


def totals(connection: Connection, office: Office) -> dict[str, Any]:
    """Give all balances, the parties', the counts, the losses and whether it all adds up."""
    currency = office.settings.currency
    balances = ledger.all_balances(connection, currency)
    complaints = ledger.check(connection)
    return {
        "currency": currency,
        "accounts": balances,
        "parties": splits.by_party(balances),
        "sum": sum(balances.values()),
        "balanced": not complaints,
        "complaints": complaints,
        "payments": _counted(connection),
        "refunds": _refunded(connection),
        "offline_losses": _losses(connection),
        "alarms": [_alarm(alarm) for alarm in alarms.newest(connection)],
    }


def of_sale(connection: Connection, sale: str) -> dict[str, Any]:
    """Give the payments, refunds and entries of one sale."""
    rows = connection.execute(select(payment_rows).where(payment_rows.c.sale == sale).order_by(payment_rows.c.at_ms))
    return {
        "sale": sale,
        "payments": [_payment(row) for row in rows],
        "entries": [_entry(entry) for entry in ledger.of_sale(connection, sale)],
    }


def of_party(connection: Connection, office: Office, party: str) -> dict[str, Any]:
    """Give the accounts of a party ("merchant") or the one of its name ("guide:li"), with their newest entries."""
    balances = ledger.all_balances(connection, office.settings.currency)
    mine = {name: minor for name, minor in balances.items() if party in (name, splits.party_of(name))}
    return {
        "party": party,
        "currency": office.settings.currency,
        "accounts": mine,
        "sum": sum(mine.values()),
        "entries": [_entry(entry) for name in mine for entry in ledger.of_account(connection, name)],
    }


def of_wallet(connection: Connection, office: Office, wallet: Wallet) -> dict[str, Any]:
    """Give a shopper's balance, coupons, member card and newest payments."""
    minor = ledger.balance(connection, wallet.account, office.settings.currency)
    query = select(payment_rows).where(payment_rows.c.source == wallet.account)
    query = query.where(payment_rows.c.state != State.LOST)
    newest = connection.execute(query.order_by(payment_rows.c.at_ms.desc()).limit(_NEWEST))
    return {
        "balance": _money(minor, office.settings.currency),
        "coupons": coupons_of(connection, office, wallet),
        "member": _member_of(connection, wallet),
        "payments": [_receipt(office, row) for row in newest],
    }


def coupons_of(connection: Connection, office: Office, wallet: Wallet) -> list[dict[str, Any]]:
    """Give the coupons of an account that are still good."""
    now = office.clock.now_ms()
    query = select(coupons).where(coupons.c.owner == wallet.alias, coupons.c.redeemed_ms.is_(None))
    rows = connection.execute(query.order_by(coupons.c.issued_ms, coupons.c.coupon))
    return [
        {"code": offers.coupon_text(row.coupon), "label": row.label}
        for row in rows
        if row.expires_ms is None or now <= row.expires_ms
    ]


def all_coupons(connection: Connection) -> list[dict[str, Any]]:
    """Give every coupon with what became of it."""
    query = select(coupons, reservations.c.terminal, reservations.c.sale, reservations.c.discount)
    query = query.select_from(coupons.outerjoin(reservations)).order_by(coupons.c.issued_ms, coupons.c.coupon)
    return [
        {
            "code": offers.coupon_text(row.coupon),
            "label": row.label,
            "funder": row.funder,
            "minor": row.minor,
            "basis_points": row.basis_points,
            "threshold": row.threshold,
            "currency": row.currency,
            "expires_ms": row.expires_ms,
            "redeemed_ms": row.redeemed_ms,
            "terminal": row.terminal,
            "sale": row.sale,
            "discount": row.discount,
        }
        for row in connection.execute(query)
    ]


def all_members(connection: Connection) -> list[dict[str, Any]]:
    """Give every member card."""
    return [
        {"code": offers.member_text(row.member), "name": row.name, "basis_points": row.basis_points}
        for row in connection.execute(select(members).order_by(members.c.issued_ms))
    ]


def _counted(connection: Connection) -> dict[str, int]:
    amounts = list(connection.scalars(select(payment_rows.c.minor).where(payment_rows.c.state == State.PAID)))
    return {"count": len(amounts), "minor": sum(amounts)}


def _refunded(connection: Connection) -> dict[str, int]:
    amounts = list(connection.scalars(select(refund_rows.c.minor)))
    return {"count": len(amounts), "minor": sum(amounts)}


def _losses(connection: Connection) -> list[dict[str, Any]]:
    query = select(payment_rows).where(payment_rows.c.state == State.LOST)
    rows = connection.execute(query.order_by(payment_rows.c.at_ms.desc()).limit(_LOSSES))
    return [_payment(row) for row in rows]


def _payment(row: Row[Any]) -> dict[str, Any]:
    shown = ("terminal", "payment", "sale", "scheme", "payer", "minor", "currency", "refunded", "state", "reason")
    terms = splits.Terms.from_json(row.terms)
    return {name: getattr(row, name) for name in shown} | {
        "action": Action(row.action).name.lower(),
        "offline": bool(row.offline),
        "at_ms": row.at_ms,
        "rule": terms.version,
        "merchant": terms.merchant,
        "funded": {funding.account: funding.minor for funding in terms.fundings},
    }


def _receipt(office: Office, row: Row[Any]) -> dict[str, Any]:
    return {
        "sale": row.sale,
        "at_ms": row.at_ms,
        "amount": _money(row.minor, row.currency),
        "verdict": "reversed" if row.state == State.REVERSED else "approved",
        "refunded": _money(row.refunded, row.currency),
        "terminal": row.terminal,
        "merchant": office.settings.merchant_of(row.terminal),
    }


def _entry(entry: BookedEntry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "kind": entry.kind,
        "terminal": entry.terminal,
        "sale": entry.sale,
        "at_ms": entry.at_ms,
        "postings": [
            {"account": posting.account, "minor": posting.minor, "currency": posting.currency}
            for posting in entry.postings
        ],
    }


def _alarm(alarm: alarms.Alarm) -> dict[str, Any]:
    return {"terminal": alarm.terminal, "kind": alarm.kind, "detail": alarm.detail, "at_ms": alarm.at_ms}


def _member_of(connection: Connection, wallet: Wallet) -> str | None:
    query = select(members.c.member).where(members.c.owner == wallet.alias).order_by(members.c.issued_ms.desc())
    member = connection.scalar(query.limit(1))
    return None if member is None else offers.member_text(member)


def _money(minor: int, currency: str) -> dict[str, Any]:
    return {"minor": minor, "currency": currency, "decimal": Money(minor, currency).decimal}
