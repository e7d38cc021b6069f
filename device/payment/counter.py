"""The counter, as register, pages and uplink see it. Implements `views.Desk`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from device.payment import service
from device.payment.checkout import next_tick_ms
from device.payment.day import count_day
from device.payment.disturbed import Disturbed
from device.payment.errors import Busy, CounterProblem, NotAllowed, NotFound, Offline, OutOfService, TooLate
from device.payment.events import CancelAsked, Decided, Event, Interrupted, Tick
from device.payment.presenting import Presenter
from device.payment.refund import RefundState, refund_body, refund_view, refuse_wrong_refund, settle_refund
from device.payment.requests import refuse_wrong_names, refuse_wrong_sale
from device.payment.sale import Sale, view_of
from device.payment.till import Till
from device.payment.views import (
    CounterView,
    DayView,
    LineView,
    OpenSale,
    Phase,
    RefundRequest,
    RefundView,
    SaleView,
)
from device.ports import Health, Reading
from protocol.answers import Decision
from protocol.questions import TotalsAnswer, TotalsQuestion
from protocol.records import Action, Line, Started, Tampered

log = logging.getLogger(__name__)

_TOTALS_TIMEOUT_S = 10.0
_CLOSE_ATTEMPTS = 3
_ASK_REFUND_EVERY_MS = 2_000


class Counter:
    """One counter: the till, and what may be asked of it."""

    def __init__(self, till: Till, presenter: Presenter, is_supervisor: Callable[[str], str]) -> None:
        self._till = till
        self._presenter = presenter
        self._is_supervisor = is_supervisor
        self._devices: dict[str, Health] = {}
        self._disturbed = Disturbed()
        self._case_open = False
        self._listeners: list[Callable[[CounterView], None]] = []
        till.on_change(self._publish)

    def start(self) -> None:
        """Resume what was open when the terminal last ran, and say in a record that it runs again."""
        settings = self._till.settings
        self._till.book.resume()
        self._till.spent.resume()
        self._till.keep((Started(software=settings.software, settings=settings.settings_hash),))
        for sale in self._till.book.open_sales:
            self._till.apply(sale, Interrupted("interrupted"))
        latest = self._till.book.latest_sales
        self._till.current = latest[0].sale if latest else ""

    def stop(self) -> None:
        """End what gathers, and record as unknown what is under way."""
        self._presenter.stop()
        self._till.service.enter(service.STOPPING)
        for sale in self._till.book.open_sales:
            self._apply_or_log(sale, Interrupted("stopped"))

    @property
    def resolving(self) -> bool:
        """Tell whether an attempt is under way that may be decided within seconds."""
        running = self._till.running
        return running is not None and running.phase in (Phase.AUTHORISING, Phase.WAITING, Phase.CANCELLING)

    def refuse_new_sales(self) -> None:
        """Take no new sales any more; the terminal is about to stop."""
        if self._till.service.enter(service.STOPPING):
            self._publish()

    # what the local server asks

    def view(self) -> CounterView:
        """Give the counter at a glance."""
        till = self._till
        shown = till.running or self._shown()
        return CounterView(
            terminal=till.settings.terminal,
            sale=view_of(shown) if shown else None,
            last=tuple(view_of(sale) for sale in till.book.latest_sales),
            queue=till.journal.queue,
            online=till.line.online,
            in_service=not till.service.trouble,
            trouble=till.service.trouble,
            offline_allowed=till.settings.offline.enabled,
            devices=tuple(sorted(self._disturbed.healths(self._devices).items())),
            jammed=self._disturbed.how,
        )

    def subscribe(self, changed: Callable[[CounterView], None]) -> Callable[[], None]:
        """Call `changed` after every change; the result ends it."""
        self._listeners.append(changed)
        return lambda: self._listeners.remove(changed) if changed in self._listeners else None

    def open_sale(self, request: OpenSale) -> SaleView:
        """Begin a sale; the same request again gives the same sale."""
        refuse_wrong_names(request)
        known = self._till.book.sale_of(request)
        if known is not None:
            return view_of(known)
        self._till.service.refuse_if_out()
        refuse_wrong_sale(request, self._till.settings.currency)
        running = self._till.running
        if running is not None:
            raise Busy(running.sale)
        now, timing = self._till.now, self._till.settings.timing
        sale = Sale(
            sale=self._till.new_id(),
            register=request.register,
            request=request.request,
            asked=request.amount,
            currency=self._till.settings.currency,
            opened_ms=now.wall_ms,
            lines=tuple(_line(line) for line in request.lines),
            guide=request.guide,
            deadline_ms=now.monotonic_ms + timing.sale_deadline_s * 1000,
        )
        self._till.enter_sale(sale, request)
        return view_of(self._till.show_challenge(sale))

    def sale(self, sale: str) -> SaleView:
        """Give one sale by its id."""
        return view_of(self._till.book.sale(sale))

    def find(self, register: str, request: str) -> SaleView:
        """Give the sale of a register's own id."""
        return view_of(self._till.book.find_sale(register, request))

    def cancel(self, sale: str) -> SaleView:
        """Cancel a sale; what was charged meanwhile is reversed. TooLate once it is paid."""
        found = self._till.book.sale(sale)
        if found.phase is Phase.PAID:
            raise TooLate("the sale is paid; refund it instead")
        return view_of(self._till.apply(found, CancelAsked()))

    def refund(self, request: RefundRequest) -> RefundView:
        """Begin a refund; the same request again gives the same refund with its present state."""
        refuse_wrong_names(request)
        known = self._till.book.refund_of(request)
        if known is not None:
            return refund_view(known)
        self._till.service.refuse_if_out()
        supervisor = self._is_supervisor(request.badge)
        if not supervisor:
            raise NotAllowed("a refund needs the badge of a supervisor")
        if not self._till.line.online:
            raise Offline("refunds need settlement, which cannot be reached now")
        sale = self._till.book.sale_of_payment(request.payment)
        refuse_wrong_refund(request, sale, self._till.book.open_refunds)
        now = self._till.now
        refund = RefundState(
            refund=self._till.new_id(),
            register=request.register,
            request=request.request,
            sale=sale.sale,
            payment=request.payment,
            amount=request.amount,
            supervisor=supervisor,
            opened_ms=now.wall_ms,
            ask_at_ms=now.monotonic_ms + _ASK_REFUND_EVERY_MS,
        )
        self._till.enter_refund(refund, request, refund_body(refund))
        return refund_view(refund)

    def find_refund(self, register: str, request: str) -> RefundView:
        """Give a refund by the register's own id."""
        return refund_view(self._till.book.find_refund(register, request))

    async def close_day(self) -> DayView:
        """Count since the last close of day, compare with settlement, and write it down."""
        for _ in range(_CLOSE_ATTEMPTS):
            self._refuse_open_day()
            count = count_day(self._till.journal, self._till.settings.currency)
            question = TotalsQuestion(first=count.first, last=count.last, currency=self._till.settings.currency)
            answer = await self._till.line.ask(question, _TOTALS_TIMEOUT_S)
            if not isinstance(answer, TotalsAnswer):
                raise Offline("settlement did not answer; the day is not closed")
            if self._till.journal.head.number == count.last:
                day = count.beside(answer, open_records=max(0, count.last - answer.kept))
                self._till.keep((count.body(),))
                return day
        raise Offline("sales went on while settlement was asked; close the day again")

    # what drivers, uplink and time bring

    def present(self, reading: Reading) -> None:
        """Take a reading of any device."""
        try:
            self._presenter.present(reading)
        except CounterProblem as error:
            log.error("a reading is passed over: %s", error)  # noqa: TRY400 - the till has logged the cause

    def decided(self, decision: Decision) -> None:
        """Take a decision of settlement, already verified."""
        try:
            if decision.action is Action.REFUND:
                self._refund_decided(decision)
            else:
                self._till.apply(self._till.book.sale(decision.sale), Decided(decision))
        except NotFound:
            log.warning("a decision names sale %.32r, which this terminal does not know", decision.sale)
        except CounterProblem as error:
            log.error("a decision about sale %s cannot be kept and is asked for again: %s", decision.sale, error)  # noqa: TRY400 - the till has logged the cause

    def tick(self) -> None:
        """Let time pass; called several times a second."""
        now = self._till.now.monotonic_ms
        for sale in self._till.book.open_sales:
            due = next_tick_ms(sale)
            if due is not None and now >= due:
                self._apply_or_log(sale, Tick())
        for refund in self._till.book.open_refunds:
            if now >= refund.ask_at_ms or refund.ask_at_ms - now > _ASK_REFUND_EVERY_MS:
                self._till.book.remember_refund(replace(refund, ask_at_ms=now + _ASK_REFUND_EVERY_MS))
                self._till.line.enquire(refund.refund, Action.REFUND)

    def tampered(self, *, is_open: bool) -> None:
        """Take the state of the case; an open case ends service until the next start."""
        if is_open is self._case_open:
            return
        self._case_open = is_open
        if is_open and self._till.service.enter(service.CASE_OPEN):
            log.error("the case is open: out of service")
        try:
            self._till.keep((Tampered(open=int(is_open)),))
        except OutOfService as error:
            log.error("that the case was opened or closed is not in the journal: %s", error)  # noqa: TRY400
        running = self._till.running
        if is_open and running is not None:
            self._apply_or_log(running, CancelAsked())

    def device_health(self, name: str, health: Health) -> None:
        """Take the health of a device."""
        self._devices[name] = health
        self._publish()

    def sound_unclear(self) -> None:
        """Say that a token was heard and not understood, if one is waited for."""
        running = self._till.running
        if running is not None and running.phase is Phase.GATHERING:
            self._till.notice(running, "sound-unclear")

    def sound_jammed(self, device: str, how: str) -> None:
        """Learn how tokens are kept from a microphone ("noise", "preambles"), or with an empty word that it is over."""
        record = self._disturbed.change(device, how)
        if record is None:
            return
        log.warning("%s: sound is %s", device, f"jammed by {how}" if how else "free again")
        self._disturbed.note(record)
        try:
            self._till.keep((record,))
        except OutOfService as error:
            log.error("that sound was jammed or free again is not in the journal: %s", error)  # noqa: TRY400
            self._publish()

    def chain_forked(self) -> None:
        """Learn that settlement holds another chain under this terminal's name: a copy of it is at work somewhere."""
        if self._till.service.enter(service.CHAIN_FORKED):
            log.error("settlement holds other records of this terminal: out of service")
            self._publish()

    def line_changed(self) -> None:
        """Show that the line to settlement came, went, or that the queue became shorter."""
        self._publish()

    def _apply_or_log(self, sale: Sale, event: Event) -> None:
        """Advance a sale when nobody waits for it; if the disk refuses, the sale stays as it is and is tried again."""
        try:
            self._till.apply(sale, event)
        except CounterProblem as error:
            log.debug("sale %s does not advance: %s", sale.sale, error)

    def _refuse_open_day(self) -> None:
        """Raise Busy or Offline unless everything of the day is decided and settlement can be asked."""
        for open_sale in self._till.book.open_sales:
            raise Busy(open_sale.sale)
        for refund in self._till.book.open_refunds:
            raise Busy(refund.sale, "a refund is not decided yet; close the day a little later")
        if not self._till.line.online:
            raise Offline("the day can be closed when settlement can be reached")

    def _refund_decided(self, decision: Decision) -> None:
        refund = self._till.book.refund(decision.subject)
        settled, sale, bodies = settle_refund(refund, self._till.book.sale(refund.sale), decision)
        if bodies:
            self._till.keep(bodies, (sale,), (settled,))

    def _shown(self) -> Sale | None:
        return self._till.book.sale(self._till.current) if self._till.current else None

    def _publish(self) -> None:
        if not self._listeners:
            return
        view = self.view()
        for listener in tuple(self._listeners):
            try:
                listener(view)
            except Exception:  # what is on disk must not be undone by a page or a lamp
                log.exception("a listener of the counter failed")


def _line(line: LineView) -> Line:
    return Line(code=line.code, label=line.label, quantity=line.quantity, amount=line.amount)
