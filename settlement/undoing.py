"""From a reversal or a refund to a decision, exactly once.

Reason words of declined ones: bad-request, currency, id-reused, unknown-payment, not-paid, too-much, other-sale,
no-acquirer, and those of the acquirers.
"""

from __future__ import annotations

from sqlalchemy import Connection

from protocol import ids
from protocol.money import Money
from protocol.records import Action, Refund, Reversal, Verdict
from settlement import decisions, payments, withdrawals
from settlement.acquirers.port import Charge, UndoRequest
from settlement.charging import Heard, is_name
from settlement.decisions import Subject
from settlement.office import Office
from settlement.payments import Payment, State


class Undoing:
    """Gives money back; every method runs inside the caller's transaction and gives the signed decision."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def take_reversal(self, connection: Connection, terminal: str, reversal: Reversal, heard: Heard | None) -> bytes:
        """Undo an attempt or order; one that was never charged never will be. `heard` is its intent, if it came."""
        subject = Subject(terminal=terminal, sale=reversal.sale, subject=reversal.attempt, action=Action.REVERSE)
        known = decisions.find(connection, subject)
        if known is not None and known.is_final:
            return known.message
        if not ids.is_id(reversal.attempt):
            return decisions.keep(
                connection, self._office, subject, Charge.declined("bad-request"), self._office.money(0)
            )
        payment = payments.find(connection, terminal, reversal.attempt)
        if payment is None:
            return self._withdraw(connection, subject, heard)
        if payment.sale != reversal.sale:
            return decisions.keep(
                connection, self._office, subject, Charge.declined("other-sale"), self._office.money(0)
            )
        return self._reverse(connection, subject, payment)

    def reverse_orders(self, connection: Connection, terminal: str, sale: str) -> list[bytes]:
        """Undo what phones paid for a sale that ended without them."""
        late = [paid for paid in payments.of_sale(connection, terminal, sale) if paid.action is Action.ORDER]
        return [
            self._reverse(
                connection,
                Subject(terminal=terminal, sale=sale, subject=payment.payment, action=Action.REVERSE),
                payment,
            )
            for payment in late
        ]

    def take_refund(self, connection: Connection, terminal: str, number: int, refund: Refund) -> bytes:
        """Give a part of a payment back."""
        subject = Subject(
            terminal=terminal,
            sale=refund.sale,
            subject=refund.refund,
            action=Action.REFUND,
            content=decisions.content_of(refund),
        )
        if known := decisions.settled(connection, self._office, subject, refund.amount):
            return known
        payment = payments.find(connection, terminal, refund.payment)
        reason = self._refund_objection(refund, payment)
        if payment is None or reason:
            return decisions.keep(connection, self._office, subject, Charge.declined(reason), refund.amount)
        charge = self._undo(connection, payment, refund.refund, refund.amount, is_refund=True)
        if charge.verdict is Verdict.APPROVED:
            payments.refund(connection, self._office, payment, refund, number)
        return decisions.keep(connection, self._office, subject, charge, refund.amount)

    def _withdraw(self, connection: Connection, subject: Subject, heard: Heard | None) -> bytes:
        withdrawals.withdraw(connection, subject.terminal, subject.subject)
        charge = Charge(Verdict.APPROVED)
        acquirer = None if heard is None else self._office.acquirers.get(heard.intent.scheme)
        if heard is not None and acquirer is not None and self._is_unsettled(connection, heard):
            request = UndoRequest(
                terminal=subject.terminal,
                payment=subject.subject,
                reference=subject.subject,
                source="",
                amount=heard.intent.amount,
            )
            charge = acquirer.reverse(connection, request)
        return decisions.keep(connection, self._office, subject, charge, self._office.money(0))

    def _is_unsettled(self, connection: Connection, heard: Heard) -> bool:
        known = decisions.find(connection, heard.subject)
        return known is not None and not known.is_final

    def _reverse(self, connection: Connection, subject: Subject, payment: Payment) -> bytes:
        known = decisions.find(connection, subject)
        if known is not None and known.is_final:
            return known.message
        charge = Charge(Verdict.APPROVED, payer=payment.payer)
        if payment.state is State.PAID:
            charge = self._undo(connection, payment, payment.payment, payment.left, is_refund=False)
        undone = payment.left
        if charge.verdict is Verdict.APPROVED:
            undone = payments.reverse(connection, self._office, payment)
        return decisions.keep(connection, self._office, subject, charge, undone)

    def _undo(
        self, connection: Connection, payment: Payment, reference: str, amount: Money, *, is_refund: bool
    ) -> Charge:
        acquirer = self._office.acquirers.get(payment.scheme)
        if acquirer is None:
            return Charge.declined("no-acquirer", payment.payer)
        request = UndoRequest(
            terminal=payment.terminal,
            payment=payment.payment,
            reference=reference,
            source=payment.source,
            amount=amount,
        )
        said = acquirer.refund(connection, request) if is_refund else acquirer.reverse(connection, request)
        return Charge(said.verdict, said.reason, payment.payer, payment.source)

    def _refund_objection(self, refund: Refund, payment: Payment | None) -> str:
        if not ids.is_id(refund.refund) or refund.amount.minor <= 0 or not is_name(refund.supervisor):
            return "bad-request"
        if payment is None or payment.sale != refund.sale:
            return "unknown-payment"
        if payment.state is not State.PAID:
            return "not-paid"
        if refund.amount.currency != payment.amount.currency:
            return "currency"
        return "" if refund.amount <= payment.left else "too-much"
