"""The book of sales and refunds: what is open is in memory, everything that was ever committed is in the journal."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from device.payment.errors import IdConflict, NotFound
from device.payment.journal import Entry, Journal, JournalDamaged, StateRow
from device.payment.refund import RefundState, read_refund, write_refund
from device.payment.sale import Sale, read_sale, write_sale
from device.payment.views import OpenSale, Phase, RefundRequest
from protocol.records import Body

LATEST_SALES = 20
_SALE, _REFUND = "sale", "refund"
_State = TypeVar("_State")


class Book:
    """Finds and keeps sales and refunds."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._sales: dict[str, Sale] = {}
        self._refunds: dict[str, RefundState] = {}
        self._digests: dict[str, bytes] = {}
        self._latest: dict[str, Sale] = {}
        """The newest sales, oldest first: every change of a page asks for them."""

    def resume(self) -> None:
        """Read what was open when the terminal last ran."""
        for row in self._journal.unfinished(_SALE):
            self._sales[row.id] = _sale(row)
            self._digests[row.id] = row.digest
        for row in self._journal.unfinished(_REFUND):
            self._refunds[row.id] = _refund(row)
            self._digests[row.id] = row.digest
        self._latest = {row.id: _sale(row) for row in reversed(self._journal.latest(_SALE, LATEST_SALES))}

    @property
    def open_sales(self) -> tuple[Sale, ...]:
        """All sales that have not ended, oldest first."""
        return tuple(self._sales.values())

    @property
    def open_refunds(self) -> tuple[RefundState, ...]:
        """All refunds without a decision."""
        return tuple(self._refunds.values())

    def sale(self, sale: str) -> Sale:
        """Find a sale; NotFound otherwise."""
        if sale in self._sales:
            return self._sales[sale]
        return _sale(_found(self._journal.state(_SALE, sale), f"there is no sale {sale[:32]!r}"))

    def refund(self, refund: str) -> RefundState:
        """Find a refund; NotFound otherwise."""
        if refund in self._refunds:
            return self._refunds[refund]
        return _refund(_found(self._journal.state(_REFUND, refund), "there is no such refund"))

    def sale_of(self, request: OpenSale) -> Sale | None:
        """Find the sale of a register's request; IdConflict if the id came with other content."""
        row = self._row_of(_SALE, request.register, request.request, _digest(request))
        return self.sale(row.id) if row else None

    def refund_of(self, request: RefundRequest) -> RefundState | None:
        """Find the refund of a register's request; IdConflict if the id came with other content."""
        row = self._row_of(_REFUND, request.register, request.request, _digest_refund(request))
        return self.refund(row.id) if row else None

    def find_sale(self, register: str, request: str) -> Sale:
        """Find a sale by the register's own id; NotFound otherwise."""
        row = self._journal.state_of_request(_SALE, register, request)
        return self.sale(_found(row, "this register has no payment with this id").id)

    def find_refund(self, register: str, request: str) -> RefundState:
        """Find a refund by the register's own id; NotFound otherwise."""
        row = self._journal.state_of_request(_REFUND, register, request)
        return self.refund(_found(row, "this register has no refund with this id").id)

    @property
    def latest_sales(self) -> tuple[Sale, ...]:
        """The newest sales, newest first."""
        return tuple(reversed(self._latest.values()))

    def enter_sale(self, sale: Sale, request: OpenSale) -> None:
        """Note the request of a sale; `keep` the sale next, and `forget` it if that fails."""
        self._digests[sale.sale] = _digest(request)

    def enter_refund(self, refund: RefundState, request: RefundRequest) -> None:
        """Note the request of a refund; `keep` the refund next, and `forget` it if that fails."""
        self._digests[refund.refund] = _digest_refund(request)

    def forget(self, request: str) -> None:
        """Drop the request of a sale or refund that could not be kept."""
        self._digests.pop(request, None)

    def keep(self, bodies: Sequence[Body], sales: Sequence[Sale], refunds: Sequence[RefundState] = ()) -> list[Entry]:
        """Commit records with the states they lead to, then show these states."""
        rows = [*map(self._sale_row, sales), *map(self._refund_row, refunds)]
        entries = self._journal.commit(bodies, rows)
        for sale in sales:
            self._place(sale)
            _put(self._sales, sale.sale, sale, final=sale.phase.is_final)
        for refund in refunds:
            _put(self._refunds, refund.refund, refund, final=refund.is_final)
        for row in rows:
            if row.final:
                self._digests.pop(row.id, None)
        return entries

    def remember(self, sale: Sale) -> None:
        """Note a change that moves no money and may be lost with the power."""
        self._place(sale)
        self._sales[sale.sale] = sale

    def remember_refund(self, refund: RefundState) -> None:
        """Note a change that may be lost with the power."""
        self._refunds[refund.refund] = refund

    def sale_of_payment(self, payment: str) -> Sale:
        """Find the sale that a payment belongs to; NotFound otherwise."""
        row = self._journal.state_by_payment(payment) if payment else None
        return self.sale(_found(row, "there is no payment with this id").id)

    def _place(self, sale: Sale) -> None:
        is_new = sale.phase is Phase.GATHERING and sale.sale not in self._sales
        if is_new or sale.sale in self._latest:
            self._latest[sale.sale] = sale
        if len(self._latest) > LATEST_SALES:
            del self._latest[next(iter(self._latest))]

    def _row_of(self, kind: str, register: str, request: str, digest: bytes) -> StateRow | None:
        row = self._journal.state_of_request(kind, register, request)
        if row is not None and row.digest != digest:
            raise IdConflict(request)
        return row

    def _sale_row(self, sale: Sale) -> StateRow:
        return StateRow(
            kind=_SALE,
            id=sale.sale,
            register=sale.register,
            request=sale.request,
            digest=self._digests.get(sale.sale, b""),
            final=sale.phase.is_final,
            opened_ms=sale.opened_ms,
            payment=sale.payment,
            content=write_sale(sale),
        )

    def _refund_row(self, refund: RefundState) -> StateRow:
        return StateRow(
            kind=_REFUND,
            id=refund.refund,
            register=refund.register,
            request=refund.request,
            digest=self._digests.get(refund.refund, b""),
            final=refund.is_final,
            opened_ms=refund.opened_ms,
            payment="",
            content=write_refund(refund),
        )


def _sale(row: StateRow) -> Sale:
    try:
        return read_sale(row.content)
    except ValueError as error:
        raise JournalDamaged(f"the state of sale {row.id} in the journal cannot be read") from error


def _refund(row: StateRow) -> RefundState:
    try:
        return read_refund(row.content)
    except ValueError as error:
        raise JournalDamaged(f"the state of refund {row.id} in the journal cannot be read") from error


def _found(row: StateRow | None, text: str) -> StateRow:
    if row is None:
        raise NotFound(text)
    return row


def _put(states: dict[str, _State], key: str, state: _State, *, final: bool) -> None:
    if final:
        states.pop(key, None)
    else:
        states[key] = state


def _digest(request: OpenSale) -> bytes:
    return _hash(request.amount, request.lines, request.guide)


def _digest_refund(request: RefundRequest) -> bytes:
    return _hash(request.payment, request.amount)


def _hash(*content: object) -> bytes:
    return hashlib.sha256(msgspec.json.encode(content)).digest()
