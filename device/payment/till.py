"""The till: applies events to sales, keeps what follows, and shows it when it is durable.

Everything happens on one event loop, one event at a time. A commit to the journal blocks the loop on purpose: nothing
may be shown, sounded or sent before the record is on disk.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from device.payment import checkout, service
from device.payment.book import Book
from device.payment.errors import CounterProblem, OutOfService
from device.payment.events import ChallengeShown, Event, Now, Timing
from device.payment.journal import Journal, JournalFull, JournalProblem
from device.payment.line import SettlementLine
from device.payment.refund import RefundState
from device.payment.risk import OfflineLimits
from device.payment.sale import Sale
from device.payment.service import Service
from device.payment.spent import SpentTokens
from device.payment.views import OpenSale, RefundRequest
from device.ports import Clock, Randomness
from protocol import emv_qr, ids, tokens
from protocol.emv_qr import MerchantDetails
from protocol.records import Body
from protocol.tokens import Challenge

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterSettings:
    """What a counter has to know about itself."""

    terminal: str
    currency: str
    merchant: MerchantDetails
    timing: Timing
    offline: OfflineLimits
    software: str
    settings_hash: bytes
    bound_sound: bool = False
    """Tokens of sound are taken only if they are bound to a challenge: those of the next counter may be heard too."""


class Till:
    """Holds the sales of one counter."""

    def __init__(
        self,
        settings: CounterSettings,
        *,
        journal: Journal,
        line: SettlementLine,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self.settings = settings
        self.journal = journal
        self.line = line
        self.book = Book(journal)
        self.spent = SpentTokens(journal)
        self.service = Service()
        self.current = ""
        """Id of the sale on the display, empty before the first."""
        self._clock = clock
        self._randomness = randomness
        self._changed: Callable[[], None] = _nothing

    def on_change(self, changed: Callable[[], None]) -> None:
        """Call `changed` after everything that a page may show."""
        self._changed = changed

    @property
    def now(self) -> Now:
        """The present time."""
        return Now(self._clock.monotonic_ms(), self._clock.wall().ms)

    def new_id(self) -> str:
        """Make an identifier."""
        return ids.make_id(self._randomness.token_bytes(ids.ID_BYTES))

    @property
    def running(self) -> Sale | None:
        """The sale that holds the counter."""
        return next((sale for sale in self.book.open_sales if sale.holds_the_counter), None)

    def apply(self, sale: Sale, event: Event) -> Sale:
        """Advance a sale by an event: write, then show, then send and ask."""
        step = checkout.advance(sale, event, self.now, self.settings.timing)
        is_durable = step.sale.phase is not sale.phase or step.sale.seen != sale.seen or step.sale.phase.is_final
        if step.bodies or (is_durable and step.sale != sale):
            self.keep(step.bodies, (step.sale,))
        elif step.sale != sale:
            self.book.remember(step.sale)
            self._changed()
        for subject, action in step.asked:
            self.line.enquire(subject, action)
        return step.sale

    def keep(self, bodies: Sequence[Body], sales: Sequence[Sale] = (), refunds: Sequence[RefundState] = ()) -> None:
        """Commit records and states, show them, send them; OutOfService if the disk refuses, and nothing changed."""
        try:
            entries = self.book.keep(bodies, sales, refunds)
        except JournalProblem as error:
            self._break_down(error)
            raise OutOfService(str(error)) from error
        if self.service.leave(service.JOURNAL_FULL):
            log.warning("the journal takes records again")
        for entry in entries:
            self.spent.note(entry)
        self._changed()
        self.line.flush()

    def enter_sale(self, sale: Sale, request: OpenSale) -> None:
        """Begin a sale and put it on the display."""
        self.book.enter_sale(sale, request)
        try:
            self.keep((), (sale,))
        except CounterProblem:
            self.book.forget(sale.sale)
            raise
        self.current = sale.sale

    def enter_refund(self, refund: RefundState, request: RefundRequest, body: Body) -> None:
        """Begin a refund."""
        self.book.enter_refund(refund, request)
        try:
            self.keep((body,), (), (refund,))
        except CounterProblem:
            self.book.forget(refund.refund)
            raise

    def notice(self, sale: Sale, notice: str) -> None:
        """Say something about what was just presented."""
        self.book.remember(sale.noticing(notice))
        self._changed()

    def show_challenge(self, sale: Sale) -> Sale:
        """Open a challenge for what is due now; a sale without anything due has none."""
        if sale.due.minor <= 0:
            return sale
        challenge = Challenge(self.settings.terminal, sale.sale, self._randomness.token_bytes(tokens.NONCE_BYTES))
        text = emv_qr.write_challenge_code(challenge, merchant=self.settings.merchant, amount=sale.due)
        return self.apply(sale, ChallengeShown(challenge.nonce, text))

    def _break_down(self, error: JournalProblem) -> None:
        full = isinstance(error, JournalFull)
        if self.service.enter(service.JOURNAL_FULL if full else service.JOURNAL_DAMAGED):
            log.error("out of service: %s", error)
            self._changed()


def _nothing() -> None:
    pass
