"""A desk without journal and settlement: behaves as `device.payment.views.Desk` says, and lets a test play the rest."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

from device.payment.errors import BadRequest, Busy, IdConflict, NotAllowed, NotFound, Offline, OutOfService, TooLate
from device.payment.views import (
    CounterView,
    DayView,
    DiscountView,
    OpenSale,
    Phase,
    RefundRequest,
    RefundView,
    SaleView,
)
from device.ports import Health, HealthState
from protocol.ids import make_id
from protocol.money import Money, total

SUPERVISOR = "TWB:SUPERVISOR234567"
HOLDING = (Phase.GATHERING, Phase.AUTHORISING, Phase.WAITING, Phase.CANCELLING)


class MemoryDesk:
    def __init__(self, terminal: str = "till-1") -> None:
        self.state = CounterView(
            terminal=terminal,
            sale=None,
            last=(),
            queue=0,
            online=True,
            in_service=True,
            trouble="",
            offline_allowed=True,
            devices=(
                ("camera", Health(HealthState.WORKING)),
                ("printer", Health(HealthState.MISSING, "no paper path")),
            ),
        )
        self.requests: dict[tuple[str, str], OpenSale] = {}
        self.sales: dict[str, SaleView] = {}
        self.refunds: dict[tuple[str, str], tuple[RefundRequest, RefundView]] = {}
        self.now_ms = 1_790_000_000_000
        self._listeners: list[Callable[[CounterView], None]] = []
        self._numbers = itertools.count(1)

    # Desk

    def view(self) -> CounterView:
        return self.state

    def subscribe(self, changed: Callable[[CounterView], None]) -> Callable[[], None]:
        self._listeners.append(changed)
        return lambda: self._listeners.remove(changed)

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def open_sale(self, request: OpenSale) -> SaleView:
        known = self.requests.get((request.register, request.request))
        if known is not None:
            if known != request:
                raise IdConflict(request.request)
            return self.find(request.register, request.request)
        if not self.state.in_service:
            raise OutOfService("the case of the terminal is open")
        running = self.state.sale
        if running is not None and running.phase in HOLDING:
            raise Busy(running.sale)
        if request.amount and request.lines and total([li.amount for li in request.lines], "CNY") != request.amount:
            raise BadRequest("the lines of the basket do not add up to the amount")
        sale = self._id()
        self.requests[request.register, request.request] = request
        self._keep(
            SaleView(
                sale=sale,
                register=request.register,
                request=request.request,
                phase=Phase.GATHERING,
                amount=request.amount or Money(0, "CNY"),
                lines=request.lines,
                discounts=(),
                member="",
                challenge=f"00020101021226370013cn.tillwave.m0116{sale}5303156540512.305802CN5904Shop6304ABCD"
                if request.amount
                else "",
                reason="",
                notice="",
                scheme="",
                payer="",
                payment="",
                offline=False,
                refunded=Money(0, "CNY"),
                opened_ms=self.now_ms,
                closed_ms=0,
                attempt_ms=0,
            )
        )
        return self.sales[sale]

    def sale(self, sale: str) -> SaleView:
        if sale not in self.sales:
            raise NotFound("there is no such sale")
        return self.sales[sale]

    def find(self, register: str, request: str) -> SaleView:
        for sale in self.sales.values():
            if (sale.register, sale.request) == (register, request):
                return sale
        raise NotFound("there is no sale of this id")

    def cancel(self, sale: str) -> SaleView:
        found = self.sale(sale)
        if found.phase is Phase.PAID:
            raise TooLate("the sale is paid; refund it instead")
        if found.phase is Phase.GATHERING:
            self.change(sale, phase=Phase.CANCELLED, reason="cancelled", challenge="", closed_ms=self.now_ms)
        elif not found.phase.is_final:
            self.change(sale, phase=Phase.CANCELLING, reason="cancelled")
        return self.sale(sale)

    def refund(self, request: RefundRequest) -> RefundView:
        known = self.refunds.get((request.register, request.request))
        if known is not None:
            if replace(known[0], badge="") != replace(request, badge=""):
                raise IdConflict(request.request)
            return known[1]
        if request.badge != SUPERVISOR:
            raise NotAllowed("a refund needs the badge of a supervisor")
        if not self.state.online:
            raise Offline("refunds need settlement, which cannot be reached now")
        if not any(sale.payment == request.payment for sale in self.sales.values()):
            raise NotFound("there is no such payment")
        view = RefundView(self._id(), request.register, request.request, request.payment, request.amount, "unknown", "")
        self.refunds[request.register, request.request] = (request, view)
        self._publish()
        return view

    def find_refund(self, register: str, request: str) -> RefundView:
        if (register, request) not in self.refunds:
            raise NotFound("there is no refund of this id")
        return self.refunds[register, request][1]

    async def close_day(self) -> DayView:
        if not self.state.online:
            raise Offline("the day can be closed when settlement can be reached")
        paid = [sale for sale in self.sales.values() if sale.phase is Phase.PAID]
        taken = total([sale.amount for sale in paid], "CNY")
        back = [sale.refunded for sale in paid if sale.refunded.minor]
        figures = (len(paid), taken, len(back), total(back, "CNY"))
        return DayView(*figures, *figures, open_records=self.state.queue)

    # what a test plays

    def change(self, sale: str, **fields: object) -> None:
        self._keep(replace(self.sales[sale], **fields))  # type: ignore[arg-type]

    def change_counter(self, **fields: object) -> None:
        self.state = replace(self.state, **fields)  # type: ignore[arg-type]
        self._publish()

    def discount(self, sale: str, label: str, minor: int) -> None:
        found, off = self.sales[sale], Money(minor, "CNY")
        self.change(sale, amount=found.amount - off, discounts=(*found.discounts, DiscountView(label, off)))

    def pay(self, sale: str, scheme: str = "tillwave", payer: str = "Tillwave ..4f2", attempt_ms: int = 84) -> None:
        self.change(
            sale,
            phase=Phase.PAID,
            scheme=scheme,
            payer=payer,
            payment=self._id(),
            challenge="",
            reason="",
            notice="",
            closed_ms=self.now_ms,
            attempt_ms=attempt_ms,
        )

    def decide_refund(self, register: str, request: str, state: str, reason: str = "") -> None:
        asked, view = self.refunds[register, request]
        self.refunds[register, request] = (asked, replace(view, state=state, reason=reason))
        if state == "approved":
            paid = next(sale for sale in self.sales.values() if sale.payment == asked.payment)
            self.change(paid.sale, refunded=paid.refunded + asked.amount)
        self._publish()

    def _keep(self, sale: SaleView) -> None:
        self.sales[sale.sale] = sale
        latest = tuple(sorted(self.sales.values(), key=lambda each: -each.opened_ms))
        shown = self.state.sale
        newest = sale if shown is None or sale.opened_ms >= shown.opened_ms else shown
        self.state = replace(self.state, sale=newest, last=latest[:20])
        self._publish()

    def _publish(self) -> None:
        for listener in tuple(self._listeners):
            listener(self.state)

    def _id(self) -> str:
        self.now_ms += 1000
        return make_id(next(self._numbers).to_bytes(10))
