"""What phones want: to enrol, to pay a terminal's challenge, to see where the account stands.

Reason words of a declined order: unknown-sale, sale-closed, superseded, amount, bad-request, withdrawn, already-paid,
coupon-gone, currency, id-reused, insufficient-funds.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TypeVar

from sqlalchemy import Connection, select

from protocol import cbor, ids
from protocol.envelope import Envelope
from protocol.money import Money
from protocol.phone import Enrolment, Order, StatementRequest, point_to_key, read_phone
from protocol.records import Action, Verdict
from protocol.tokens import FRESH_S
from settlement import accounts, decisions, offers, payments, sales, splits
from settlement.accounts import Wallet
from settlement.acquirers.house_wallet import SCHEME, HouseWallet
from settlement.acquirers.port import Charge
from settlement.charging import Charging
from settlement.decisions import Subject
from settlement.errors import Refused
from settlement.office import Office
from settlement.payments import Payment, State
from settlement.sales import Sale
from settlement.store import Store
from settlement.tables import orders

_Said = TypeVar("_Said", Order, StatementRequest)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a phone gets for its code; the secret leaves settlement here and nowhere else."""

    wallet: Wallet
    voucher: bytes = field(repr=False)
    currency: str


@dataclass(frozen=True, slots=True)
class OrderResult:
    """What became of an order; `decision` is for the terminal, when it was approved."""

    terminal: str
    verdict: Verdict
    reason: str
    amount: Money
    decision: bytes | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What a terminal's open challenge asks for."""

    merchant: str
    amount: Money


class PhoneDesk:
    """Serves phones; a ProtocolProblem or Refused for what is not genuine or not fresh."""

    def __init__(self, office: Office, store: Store, house: HouseWallet) -> None:
        self._office = office
        self._store = store
        self._house = house
        self._charging = Charging(office)

    def enrol(self, data: bytes) -> Enrolled:
        """Give an account to the phone that knows its code."""
        message, envelope = read_phone(Enrolment, data)
        envelope.verify(point_to_key(message.public_key))
        self._check_fresh(message.at_ms)
        with self._store.writing() as connection:
            wallet = accounts.claim(connection, self._office, message.code, message.public_key)
        if wallet is None:
            raise Refused("bad-code", "the code is wrong, used or too old; ask the house wallet for another")
        return Enrolled(wallet, accounts.voucher_for(self._office, wallet), self._office.settings.currency)

    def order(self, data: bytes) -> OrderResult:
        """Pay a challenge; the same order again gives the same answer."""
        message, envelope = read_phone(Order, data)
        content = _content_of(message)
        if not (ids.is_id(message.order) and ids.is_id(message.sale) and ids.is_name(message.terminal)):
            raise Refused("bad-request", "the order names no order, sale or terminal")
        with self._store.writing() as connection:
            wallet = self._believe(connection, message, envelope)
            row = connection.execute(
                select(orders).where(orders.c.alias == wallet.alias, orders.c.order == message.order)
            ).one_or_none()
            if row is None:
                self._check_fresh(message.at_ms)
                return self._decide(connection, wallet, message, content)
            if row.content != content:
                return OrderResult(message.terminal, Verdict.DECLINED, "id-reused", message.amount)
            known = decisions.find(connection, _subject(message, content))
        decision = None if known is None else known.message
        return OrderResult(message.terminal, Verdict(row.verdict), row.reason, message.amount, decision)

    def statement(self, data: bytes) -> tuple[Wallet, bytes]:
        """Believe a request for a statement; gives the account and a fresh voucher."""
        message, envelope = read_phone(StatementRequest, data)
        self._check_fresh(message.at_ms)
        with self._store.reading() as connection:
            wallet = self._believe(connection, message, envelope)
        return wallet, accounts.voucher_for(self._office, wallet)

    def offer(self, terminal: str, sale: str) -> Offer:
        """Give what the open challenge of a sale asks for; Refused when there is none."""
        with self._store.reading() as connection:
            known = sales.find(connection, terminal, sale)
        if known is None or known.amount is None or known.result is not None:
            raise Refused("unknown-sale", "this sale does not wait for a payment")
        return Offer(self._office.settings.merchant_of(terminal), known.amount)

    def _believe(self, connection: Connection, message: _Said, envelope: Envelope) -> Wallet:
        wallet = accounts.by_alias(connection, message.alias)
        if wallet is None or wallet.public_key is None:
            raise Refused("unknown-account", "no phone is enrolled for this account")
        envelope.verify(point_to_key(wallet.public_key))
        return wallet

    def _check_fresh(self, at_ms: int) -> None:
        if abs(self._office.clock.now_ms() - at_ms) > FRESH_S * 1000:
            raise Refused("stale", "the clock of the phone is wrong, or the message took too long")

    def _decide(self, connection: Connection, wallet: Wallet, order: Order, content: bytes) -> OrderResult:
        sale = sales.find(connection, order.terminal, order.sale)
        charge = self._charge(connection, wallet, order, sale)
        decision = None
        if charge.verdict is Verdict.APPROVED and sale is not None:
            self._book(connection, order, sale, charge)
            decision = decisions.keep(connection, self._office, _subject(order, content), charge, order.amount)
        connection.execute(
            orders.insert().values(
                alias=wallet.alias,
                order=order.order,
                content=content,
                verdict=int(charge.verdict),
                reason=charge.reason,
                at_ms=self._office.clock.now_ms(),
            )
        )
        return OrderResult(order.terminal, charge.verdict, charge.reason, order.amount, decision)

    def _charge(self, connection: Connection, wallet: Wallet, order: Order, sale: Sale | None) -> Charge:
        reason = _sale_objection(order, sale)
        if not reason:
            reason = self._charging.objection(connection, order.terminal, order.sale, order.order, order.amount)
        if not reason and decisions.find(connection, _subject(order)) is not None:
            reason = "id-reused"
        if reason or sale is None:
            return Charge.declined(reason)
        try:
            offers.fundings(connection, order.terminal, order.sale, sale.coupons)
        except Refused as refused:
            return Charge.declined(refused.reason)
        return self._house.pay_order(connection, wallet.alias, order.amount)

    def _book(self, connection: Connection, order: Order, sale: Sale, charge: Charge) -> None:
        fundings = offers.fundings(connection, order.terminal, order.sale, sale.coupons)
        payment = Payment(
            terminal=order.terminal,
            payment=order.order,
            action=Action.ORDER,
            sale=order.sale,
            number=sale.number or 0,
            scheme=SCHEME,
            source=charge.source,
            payer=charge.payer,
            amount=order.amount,
            state=State.PAID,
            terms=splits.make_terms(
                self._office.settings, order.terminal, sale.guide, fundings, SCHEME, attribution=sale.attribution
            ),
        )
        payments.book(connection, self._office, payment, sale.coupons)


def _sale_objection(order: Order, sale: Sale | None) -> str:
    if sale is None or sale.nonce is None:
        return "sale-closed" if sale is not None else "unknown-sale"
    if sale.result is not None:
        return "sale-closed"
    if sale.nonce != order.nonce:
        return "superseded"
    return "" if sale.amount == order.amount else "amount"


def _subject(order: Order, content: bytes = bytes(32)) -> Subject:
    return Subject(terminal=order.terminal, sale=order.sale, subject=order.order, action=Action.ORDER, content=content)


def _content_of(order: Order) -> bytes:
    """Name what an order asks for: all but the time, because a phone that heard nothing asks again later."""
    return hashlib.sha256(cbor.encode(cbor.to_map(replace(order, at_ms=0)))).digest()
