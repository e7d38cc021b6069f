"""Payments with their entries in the ledger: booked, lost offline, reversed, refunded.

A loss is an offline sale that the terminal accepted and the acquirer then declined: the merchant gave the goods and has
a claim (`offline-loss:<merchant>`) against whoever should have paid (`unpaid:...`); nobody else gets a share of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select

from protocol.money import Money
from protocol.records import Action, Refund
from settlement import ledger, offers, sales, splits
from settlement.office import Office
from settlement.splits import Terms
from settlement.tables import payments, refunds


class State(StrEnum):
    """How a payment stands."""

    PAID = "paid"
    LOST = "lost"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """An attempt or order that was charged, or lost."""

    terminal: str
    payment: str
    action: Action
    sale: str
    number: int
    """The record that asked for it: the intent, or the challenge of an order."""
    scheme: str
    source: str
    payer: str
    amount: Money
    state: State
    terms: Terms
    refunded: int = 0
    offline: bool = False
    reason: str = ""
    """Why it was lost."""

    @property
    def left(self) -> Money:
        """What can still be refunded."""
        return Money(self.amount.minor - self.refunded, self.amount.currency)

    def legs(self) -> dict[str, int]:
        """Give the postings that book it."""
        if self.state is not State.LOST:
            return splits.pay_legs(self.terms, self.source, self.amount.minor)
        legs = splits.pay_legs(self.terms, self.source, 0)
        unpaid, loss = f"unpaid:{self.source}", f"offline-loss:{self.terms.merchant}"
        return legs | {unpaid: -self.amount.minor, loss: self.amount.minor}


def find(connection: Connection, terminal: str, payment: str) -> Payment | None:
    """Give a payment of a terminal."""
    row = connection.execute(select(payments).filter_by(terminal=terminal, payment=payment)).one_or_none()
    return None if row is None else _read(row)


def of_sale(connection: Connection, terminal: str, sale: str) -> list[Payment]:
    """Give the payments of a sale that were not reversed."""
    query = select(payments).filter_by(terminal=terminal, sale=sale)
    return [_read(row) for row in connection.execute(query.where(payments.c.state != State.REVERSED))]


def book(connection: Connection, office: Office, payment: Payment, coupons: tuple[str, ...]) -> None:
    """Keep a payment, book it, and redeem the coupons that made it smaller."""
    now = office.clock.now_ms()
    connection.execute(payments.insert().values(**_write(payment), at_ms=now))
    kind = "loss" if payment.state is State.LOST else "pay"
    _post(connection, office, payment, kind, subject=payment.payment, legs=payment.legs())
    offers.redeem(connection, payment.terminal, payment.sale, coupons, now)


def reverse(connection: Connection, office: Office, payment: Payment) -> Money:
    """Undo what is left of a payment; gives how much that is."""
    if payment.state is State.LOST:
        legs, undone = {account: -minor for account, minor in payment.legs().items()}, office.money(0)
    else:
        undone = payment.left
        legs = splits.refund_legs(payment.terms, payment.source, payment.amount.minor, payment.refunded, undone.minor)
    _post(connection, office, payment, "reverse", subject=payment.payment, legs=legs)
    _change(connection, payment, state=State.REVERSED)
    offers.take_back(connection, payment.terminal, payment.sale)
    if sales.is_closed(connection, payment.terminal, payment.sale):
        offers.release(connection, payment.terminal, payment.sale)
    return undone


def refund(connection: Connection, office: Office, payment: Payment, body: Refund, number: int) -> None:
    """Give a part of a payment back, from every party its share."""
    paid, amount = payment.amount.minor, body.amount.minor
    legs = splits.refund_legs(payment.terms, payment.source, paid, payment.refunded, amount)
    _post(connection, office, payment, "refund", subject=body.refund, legs=legs)
    _change(connection, payment, refunded=payment.refunded + amount)
    connection.execute(
        refunds.insert().values(
            terminal=payment.terminal,
            refund=body.refund,
            payment=payment.payment,
            number=number,
            minor=amount,
            supervisor=body.supervisor,
            at_ms=office.clock.now_ms(),
        )
    )


def count_at(connection: Connection, terminal: str, subject: str, number: int) -> None:
    """Let a payment or refund count in the totals at the record in which the terminal counted it."""
    for table, row in ((payments, payments.c.payment), (refunds, refunds.c.refund)):
        change = table.update().where(table.c.terminal == terminal, row == subject)
        connection.execute(change.values(number=number))


def totals(connection: Connection, terminal: str, first: int, last: int) -> tuple[list[int], list[int]]:
    """Give the amounts of payments and of refunds that count between two records; reversed payments in neither."""
    paid = select(payments.c.minor).where(payments.c.terminal == terminal, payments.c.state == State.PAID)
    back = select(refunds.c.minor).select_from(
        refunds.join(
            payments,
            (payments.c.terminal == refunds.c.terminal) & (payments.c.payment == refunds.c.payment),
        )
    )
    back = back.where(refunds.c.terminal == terminal, payments.c.state == State.PAID)
    return (
        list(connection.scalars(paid.where(payments.c.number.between(first, last)))),
        list(connection.scalars(back.where(refunds.c.number.between(first, last)))),
    )


def book_coupons(
    connection: Connection,
    office: Office,
    terminal: str,
    sale: str,
    *,
    guide: str | None,
    attribution: str | None,
) -> None:
    """Book and redeem the coupons of a sale that they paid alone."""
    coupons = offers.reserved(connection, terminal, sale)
    fundings = offers.fundings(connection, terminal, sale, coupons)
    terms = splits.make_terms(office.settings, terminal, guide, fundings, attribution=attribution)
    legs = splits.pay_legs(terms, "", 0)
    if any(legs.values()):
        entry = ledger.Entry(
            key=f"coupons:{terminal}:{sale}",
            kind="coupons",
            currency=office.settings.currency,
            legs=legs,
            at_ms=office.clock.now_ms(),
            terminal=terminal,
            sale=sale,
        )
        ledger.post(connection, entry)
    offers.redeem(connection, terminal, sale, coupons, office.clock.now_ms())


def _post(
    connection: Connection, office: Office, payment: Payment, kind: str, *, subject: str, legs: dict[str, int]
) -> None:
    entry = ledger.Entry(
        key=f"{kind}:{payment.terminal}:{subject}",
        kind=kind,
        currency=payment.amount.currency,
        legs=legs,
        at_ms=office.clock.now_ms(),
        terminal=payment.terminal,
        sale=payment.sale,
    )
    ledger.post(connection, entry)


def _change(connection: Connection, payment: Payment, **values: Any) -> None:
    row = (payments.c.terminal == payment.terminal, payments.c.payment == payment.payment)
    connection.execute(payments.update().where(*row).values(**values))


def _write(payment: Payment) -> dict[str, Any]:
    return {
        "terminal": payment.terminal,
        "payment": payment.payment,
        "action": int(payment.action),
        "sale": payment.sale,
        "number": payment.number,
        "scheme": payment.scheme,
        "source": payment.source,
        "payer": payment.payer,
        "minor": payment.amount.minor,
        "currency": payment.amount.currency,
        "refunded": payment.refunded,
        "state": payment.state.value,
        "offline": payment.offline,
        "reason": payment.reason,
        "terms": payment.terms.to_json(),
    }


def _read(row: Row[Any]) -> Payment:
    return Payment(
        terminal=row.terminal,
        payment=row.payment,
        action=Action(row.action),
        sale=row.sale,
        number=row.number,
        scheme=row.scheme,
        source=row.source,
        payer=row.payer,
        amount=Money(row.minor, row.currency),
        state=State(row.state),
        terms=Terms.from_json(row.terms),
        refunded=row.refunded,
        offline=row.offline,
        reason=row.reason,
    )
