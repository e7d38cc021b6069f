"""What the page of a phone can ask for: its state, codes, sound, offers, payments. Blocking, for several threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from protocol.money import Money
from wallet.errors import AnswerLost, NotPayable, SettlementProblem, Unreachable
from wallet.phone import Offer, Phone
from wallet.qr import read_picture, svg_of
from wallet.settlement_client import Payment, Statement

CODE_SHOWN_S = 30
SOUND_GOOD_S = 45
"""So long the same token is played again: a counter that has it already then takes no second payment."""
MOST_OFFERS = 20
"""Offers that the page may still pay; older ones are scanned again."""


class Desk:
    """Serves one phone's page."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._offers: OrderedDict[str, Offer] = OrderedDict()
        self._statement: Statement | None = None
        self._lock = threading.Lock()

    def state(self) -> dict[str, Any]:
        """Give the account as settlement knows it now, or as last known with the problem."""
        problem = None
        try:
            self._statement = self._phone.statement()
        except SettlementProblem as error:
            problem = error.described()
        return {"name": self._phone.account.name, "problem": problem, **_shown_statement(self._statement)}

    def code(self, *, signed: bool, bill: str | None = None) -> dict[str, Any]:
        """Make a fresh payment code, for one offer alone if it is named, and say how long to show it."""
        text = self._phone.payment_text(signed=signed, offer=self._offer_if(bill))
        return {"svg": svg_of(text).decode(), "seconds": CODE_SHOWN_S}

    def sound(self, *, signed: bool, bill: str | None = None) -> dict[str, Any]:
        """Make a fresh token for the page to play, in hexadecimal, and say how long it may be played again."""
        token = self._phone.token(signed=signed, offer=self._offer_if(bill))
        return {"token": token.hex(), "seconds": SOUND_GOOD_S}

    def scan(self, text: str) -> dict[str, Any]:
        """Read a terminal's code and keep its offer; NotPayable, or Refused if settlement knows no such sale."""
        return self._kept(self._vouched(self._phone.scan(text)))

    def hear(self, sound: bytes) -> dict[str, Any]:
        """Take what a terminal played and keep its offer; NotPayable or a SettlementProblem without one."""
        return self._kept(self._phone.hear(sound))

    def scan_picture(self, data: bytes) -> dict[str, Any]:
        """Scan the code in a picture; its offer is None if there is no code."""
        problem: NotPayable | None = None
        for text in read_picture(data):
            try:
                return self.scan(text)
            except NotPayable as error:
                problem = error
        if problem is not None:
            raise problem
        return {"offer": None}

    def pay(self, bill: str) -> dict[str, Any]:
        """Pay an offer that was scanned; NotPayable if it was not."""
        offer = self._offer(bill)
        result = self._phone.pay(offer)
        return {"verdict": result.verdict.value, "reason": result.reason, **_shown_offer(offer)}

    def card(self, text: str) -> bytes:
        """Draw a coupon or member card of this account as SVG; NotPayable for any other text."""
        known = self._statement
        if known is None or text not in {known.member, *(coupon.code for coupon in known.coupons)}:
            raise NotPayable("this account has no such coupon or card")
        return svg_of(text)

    def _kept(self, offer: Offer) -> dict[str, Any]:
        with self._lock:
            self._offers[offer.bill] = offer
            while len(self._offers) > MOST_OFFERS:
                self._offers.popitem(last=False)
        return {"offer": offer.bill, **_shown_offer(offer)}

    def _vouched(self, offer: Offer) -> Offer:
        try:
            return self._phone.vouched(offer)
        except (Unreachable, AnswerLost):
            return offer

    def _offer_if(self, bill: str | None) -> Offer | None:
        return None if bill is None else self._offer(bill)

    def _offer(self, bill: str) -> Offer:
        with self._lock:
            try:
                return self._offers[bill]
            except KeyError as error:
                raise NotPayable("this payment is no longer open here; scan or listen again") from error


def _shown_statement(statement: Statement | None) -> dict[str, Any]:
    if statement is None:
        return {"balance": None, "coupons": [], "member": None, "payments": []}
    return {
        "balance": _shown_money(statement.balance),
        "coupons": [{"code": coupon.code, "label": coupon.label} for coupon in statement.coupons],
        "member": statement.member,
        "payments": [_shown_payment(payment) for payment in statement.payments],
    }


def _shown_payment(payment: Payment) -> dict[str, Any]:
    return {
        "sale": payment.sale,
        "at_ms": payment.at_ms,
        "amount": _shown_money(payment.amount),
        "verdict": payment.verdict,
        "merchant": payment.merchant,
        "refunded": _shown_money(payment.refunded) if payment.refunded and payment.refunded.minor else None,
    }


def _shown_offer(offer: Offer) -> dict[str, Any]:
    return {
        "merchant": offer.merchant,
        "local_merchant": offer.local_merchant,
        "terminal": offer.challenge.terminal,
        "sale": offer.challenge.sale,
        "amount": _shown_money(offer.amount),
    }


def _shown_money(amount: Money) -> dict[str, Any]:
    return {"minor": amount.minor, "currency": amount.currency, "decimal": amount.decimal}
