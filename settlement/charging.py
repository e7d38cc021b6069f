"""From an intent to a decision, exactly once.

Reason words of declined ones: bad-request, currency, id-reused, withdrawn, already-paid, token-burned, token-used,
coupon-gone, no-acquirer, and those of the acquirers (house wallet: bad-token, token-stale, voucher-expired,
online-only, insufficient-funds).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from protocol import ids, tokens
from protocol.money import Money
from protocol.records import Action, Intent, Mode, Verdict
from settlement import decisions, offers, payments, spent, splits, withdrawals
from settlement.acquirers.port import Charge, ChargeRequest
from settlement.decisions import Subject
from settlement.errors import Refused
from settlement.office import Office
from settlement.payments import Payment, State
from settlement.splits import Funding

LONGEST_NAME = 40
_NO_LOSS = frozenset({"withdrawn", "already-paid"})
"""Reasons for which an offline attempt is not paid and the merchant yet lost nothing."""
_NOT_SPENT = frozenset({"bad-token"})
"""A terminal may overhear a token that is bound to the challenge of its neighbour, where it must still be good."""
_FORGOTTEN = frozenset({"token-stale", "voucher-expired", "coupon-gone"})
"""Reasons that can come of nothing but an intent that is sent again much later."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An intent and the record it came in."""

    terminal: str
    number: int
    wall_ms: int
    intent: Intent

    @property
    def subject(self) -> Subject:
        """What its decision is about."""
        intent = self.intent
        content = decisions.content_of(intent)
        return Subject(
            terminal=self.terminal, sale=intent.sale, subject=intent.attempt, action=Action.PAY, content=content
        )


class Charging:
    """Decides; every method runs inside the caller's transaction and gives the signed decision."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def take_intent(self, connection: Connection, heard: Heard) -> bytes | None:
        """Decide on an online intent; None for an offline one, which waits for its outcome."""
        if known := decisions.settled(connection, self._office, heard.subject, heard.intent.amount):
            return known
        is_waiting = heard.intent.mode is Mode.OFFLINE and not withdrawals.is_withdrawn(
            connection, heard.terminal, heard.intent.attempt
        )
        return None if is_waiting else self.settle(connection, heard)

    def settle(self, connection: Connection, heard: Heard) -> bytes:
        """Charge an intent, online or accepted offline, or give the decision that is already there."""
        subject, intent = heard.subject, heard.intent
        if known := decisions.settled(connection, self._office, subject, intent.amount):
            return known
        charge = self._carry_out(connection, heard, was_accepted=intent.mode is Mode.OFFLINE)
        return decisions.keep(connection, self._office, subject, charge, intent.amount)

    def recover(self, connection: Connection, heard: Heard) -> bytes | None:
        """Charge what was approved before the database was put back to an older copy, at the terminal's word and time.

        None unless the settings believe terminals about that time, and the decline came of nothing but forgetting.
        """
        believed = self._office.settings.terminals.believe_before
        if believed is None or heard.wall_ms >= believed.timestamp() * 1000:
            return None
        known = decisions.find(connection, heard.subject)
        if known is None or known.reason not in _FORGOTTEN:
            return None
        charge = self._carry_out(connection, heard, was_accepted=True)
        return decisions.overrule(connection, self._office, heard.subject, charge, heard.intent.amount)

    def objection(self, connection: Connection, terminal: str, sale: str, subject: str, amount: Money) -> str:
        """Give the reason word that speaks against any payment of this sale, empty when nothing does."""
        if withdrawals.is_withdrawn(connection, terminal, subject):
            return "withdrawn"
        if amount.minor <= 0 or not ids.is_id(sale) or not ids.is_id(subject):
            return "bad-request"
        if amount.currency != self._office.settings.currency:
            return "currency"
        paid = payments.of_sale(connection, terminal, sale)
        return "already-paid" if paid else ""

    def _carry_out(self, connection: Connection, heard: Heard, *, was_accepted: bool) -> Charge:
        """Charge and book; what the terminal has accepted and nobody pays is a loss."""
        intent = heard.intent
        charge = self._charge(connection, heard, was_accepted=was_accepted)
        is_lost = was_accepted and charge.verdict is Verdict.DECLINED and charge.reason not in _NO_LOSS
        if charge.verdict is Verdict.APPROVED or (is_lost and self._is_bookable(intent)):
            self._book(connection, heard, charge)
        if ids.is_id(intent.sale) and charge.reason not in _NOT_SPENT:
            spent.mark(connection, intent.token, heard.terminal, intent.sale, self._office.clock.now_ms())
        return charge

    def _charge(self, connection: Connection, heard: Heard, *, was_accepted: bool) -> Charge:
        intent = heard.intent
        reason = self._intent_objection(connection, heard, was_accepted=was_accepted)
        acquirer = self._office.acquirers.get(intent.scheme)
        if reason or acquirer is None:
            return Charge.declined(reason or "no-acquirer")
        presented_ms = heard.wall_ms if was_accepted else self._office.clock.now_ms()
        request = ChargeRequest(
            terminal=heard.terminal,
            sale=intent.sale,
            attempt=intent.attempt,
            amount=intent.amount,
            token=intent.token,
            nonce=intent.nonce,
            offline=intent.mode is Mode.OFFLINE,
            presented_s=presented_ms // 1000,
        )
        return acquirer.charge(connection, request)

    def _intent_objection(self, connection: Connection, heard: Heard, *, was_accepted: bool) -> str:
        intent = heard.intent
        if reason := self.objection(connection, heard.terminal, intent.sale, intent.attempt, intent.amount):
            return reason
        if not _is_sane(intent):
            return "bad-request"
        if reason := spent.objection(connection, intent.token, heard.terminal, intent.sale):
            return reason
        try:
            offers.fundings(connection, heard.terminal, intent.sale, intent.coupons)
        except Refused as refused:
            return "" if was_accepted else refused.reason
        return ""

    def _is_bookable(self, intent: Intent) -> bool:
        """Tell whether an amount can stand in the ledger at all."""
        is_amount = intent.amount.minor > 0 and intent.amount.currency == self._office.settings.currency
        return is_amount and _is_sane(intent) and ids.is_id(intent.sale) and ids.is_id(intent.attempt)

    def _book(self, connection: Connection, heard: Heard, charge: Charge) -> None:
        intent = heard.intent
        coupons, fundings = self._coupons(connection, heard)
        payment = Payment(
            terminal=heard.terminal,
            payment=intent.attempt,
            action=Action.PAY,
            sale=intent.sale,
            number=heard.number,
            scheme=intent.scheme,
            source=charge.source or f"unknown:{intent.scheme}",
            payer=charge.payer,
            amount=intent.amount,
            state=State.PAID if charge.verdict is Verdict.APPROVED else State.LOST,
            terms=splits.make_terms(
                self._office.settings,
                heard.terminal,
                intent.guide,
                fundings,
                intent.scheme,
                attribution=intent.attribution,
            ),
            offline=intent.mode is Mode.OFFLINE,
            reason=charge.reason,
        )
        payments.book(connection, self._office, payment, coupons)

    def _coupons(self, connection: Connection, heard: Heard) -> tuple[tuple[str, ...], tuple[Funding, ...]]:
        """Give the coupons that count and who pays for them; offline ones that are gone are the merchant's loss."""
        coupons = heard.intent.coupons
        try:
            return coupons, offers.fundings(connection, heard.terminal, heard.intent.sale, coupons)
        except Refused:
            return (), ()


def is_name(text: str) -> bool:
    """Tell whether a text may stand in the name of an account."""
    return len(text) <= LONGEST_NAME and text.isprintable()


def _is_sane(intent: Intent) -> bool:
    """Tell whether names and token are such as may be kept."""
    names = (intent.guide or "", intent.member or "", intent.scheme)
    is_named = all(is_name(name) for name in names)
    is_named = is_named and (intent.attribution is None or ids.is_name(intent.attribution))
    return is_named and len(intent.token) > 0 and (not intent.nonce or len(intent.nonce) == tokens.NONCE_BYTES)
