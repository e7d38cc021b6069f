"""The cashier's page and what it calls, under /cashier. A cookie of a pairing opens it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from device.guide import Guide
from device.payment.views import CounterView, Desk
from device.ports import Clock
from device.server.desk_calls import DeskCalls
from device.server.door import PageDoor
from device.server.files import PageFiles
from device.server.live import Live
from device.server.pairing import PAGE
from device.server.shown import Json, cashier_json, day_json, refund_json, sale_json
from device.server.wire import PaymentBody, RefundBody, id_of, read_body, read_nothing


class CashierSide:
    """Answers the cashier's page; its sales belong to the sender "cashier"."""

    def __init__(
        self, desk: Desk, calls: DeskCalls, door: PageDoor, live: Live, *, guide: Guide, files: PageFiles, clock: Clock
    ) -> None:
        self._desk = desk
        self._calls = calls
        self._door = door
        self._live = live
        self._guide = guide
        self._files = files
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Give the addresses of the page."""
        return [
            Route("/cashier", self._page),
            Route("/cashier/pair", self._door.pair, methods=["POST"]),
            Route("/cashier/state", self._state),
            Route("/cashier/events", self._events),
            Route("/cashier/sales", self._open_sale, methods=["POST"]),
            Route("/cashier/sales/{id}/cancel", self._cancel, methods=["POST"]),
            Route("/cashier/refunds", self._open_refund, methods=["POST"]),
            Route("/cashier/refunds/{id}", self._refund),
            Route("/cashier/close-day", self._close_day, methods=["POST"]),
        ]

    async def _page(self, request: Request) -> Response:
        if self._door.is_open(request):
            return self._files.page("cashier.html", self._desk.view().terminal)
        return self._files.page("pair.html", self._desk.view().terminal, side="cashier")

    async def _state(self, request: Request) -> JSONResponse:
        self._door.refuse_strangers(request)
        return JSONResponse(self._shown(self._desk.view()))

    async def _events(self, request: Request) -> Response:
        self._door.refuse_strangers(request)
        return self._live.stream(self._shown)

    async def _open_sale(self, request: Request) -> JSONResponse:
        self._door.refuse_strangers(request)
        return self._calls.open_sale(PAGE, await read_body(request, PaymentBody))

    async def _cancel(self, request: Request) -> JSONResponse:
        self._door.refuse_strangers(request)
        await read_nothing(request)
        return JSONResponse(sale_json(self._desk.cancel(id_of(request))))

    async def _open_refund(self, request: Request) -> JSONResponse:
        self._door.refuse_strangers(request)
        return self._calls.refund(PAGE, await read_body(request, RefundBody))

    async def _refund(self, request: Request) -> JSONResponse:
        self._door.refuse_strangers(request)
        return JSONResponse(refund_json(self._desk.find_refund(PAGE, id_of(request))))

    async def _close_day(self, request: Request) -> JSONResponse:
        self._door.refuse_strangers(request)
        await read_nothing(request)
        return JSONResponse(day_json(await self._desk.close_day()))

    def _shown(self, view: CounterView) -> Json:
        return cashier_json(view, self._clock.wall().ms, self._guide.shown)
