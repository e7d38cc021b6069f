"""The register interface: JSON over HTTP under /register/. A register pairs once and then sends its key as bearer."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from device.payment.views import Desk
from device.server.description import describe
from device.server.desk_calls import CREATED, DeskCalls
from device.server.live import Live
from device.server.pairing import PAGE, Pairing
from device.server.problems import Refusal
from device.server.shown import Json, day_json, payment_json, refund_json, service_json
from device.server.wire import PairBody, PaymentBody, RefundBody, id_of, read_body, read_nothing, wait_of

LONGEST_WAIT_S = 30.0
NexoIntroduction = Callable[[str], Json]
"""Gives a register of this name what it needs to speak nexo."""


class RegisterSide:
    """Answers registers."""

    def __init__(
        self, desk: Desk, calls: DeskCalls, pairing: Pairing, live: Live, introduce: NexoIntroduction | None
    ) -> None:
        self._desk = desk
        self._calls = calls
        self._pairing = pairing
        self._live = live
        self._introduce = introduce

    def routes(self) -> list[BaseRoute]:
        """Give the addresses that registers call."""
        return [
            Route("/register/pair", self._pair, methods=["POST"]),
            Route("/register/openapi.json", _describe),
            Route("/register/status", self._status),
            Route("/register/payments", self._open_payment, methods=["POST"]),
            Route("/register/payments/{id:path}/cancel", self._cancel, methods=["POST"]),
            Route("/register/payments/{id:path}", self._payment),
            Route("/register/refunds", self._open_refund, methods=["POST"]),
            Route("/register/refunds/{id:path}", self._refund),
            Route("/register/close-day", self._close_day, methods=["POST"]),
        ]

    async def _pair(self, request: Request) -> JSONResponse:
        body = await read_body(request, PairBody)
        if body.name == PAGE:
            raise Refusal(422, "bad-request", f"no register may be called {PAGE}; the pages are")
        if body.nexo and self._introduce is None:
            raise Refusal(422, "no-nexo", "this terminal does not speak nexo; switch it on in [nexo] of its settings")
        key = self._pairing.pair_register(body.code, body.name)
        nexo = self._introduce(body.name) if body.nexo and self._introduce else None
        return JSONResponse({"register": body.name, "key": key, "nexo": nexo}, CREATED)

    async def _status(self, request: Request) -> JSONResponse:
        register = self._caller(request)
        view = self._desk.view()
        running = view.sale if view.sale and not view.sale.phase.is_final else None
        own = payment_json(running) if running and running.register == register else None
        shown = {**service_json(view), "register": register, "busy": running is not None, "payment": own}
        return JSONResponse(shown)

    async def _open_payment(self, request: Request) -> JSONResponse:
        register = self._caller(request)
        return self._calls.open_sale(register, await read_body(request, PaymentBody))

    async def _payment(self, request: Request) -> JSONResponse:
        register, own_id = self._caller(request), id_of(request)
        return await self._when_changed(request, lambda: payment_json(self._desk.find(register, own_id)))

    async def _cancel(self, request: Request) -> JSONResponse:
        register, own_id = self._caller(request), id_of(request)
        await read_nothing(request)
        sale = self._desk.find(register, own_id)
        return JSONResponse(payment_json(self._desk.cancel(sale.sale)))

    async def _open_refund(self, request: Request) -> JSONResponse:
        register = self._caller(request)
        return self._calls.refund(register, await read_body(request, RefundBody))

    async def _refund(self, request: Request) -> JSONResponse:
        register, own_id = self._caller(request), id_of(request)
        return await self._when_changed(request, lambda: refund_json(self._desk.find_refund(register, own_id)))

    async def _close_day(self, request: Request) -> JSONResponse:
        self._caller(request)
        await read_nothing(request)
        return JSONResponse(day_json(await self._desk.close_day()))

    async def _when_changed(self, request: Request, show: Callable[[], Json]) -> JSONResponse:
        seen, wait_s = request.query_params.get("seen", ""), wait_of(request, LONGEST_WAIT_S)
        return JSONResponse(await self._live.until_changed(show, seen, wait_s))

    def _caller(self, request: Request) -> str:
        """Name the register that calls; a Refusal for strangers, who also have to wait when there are many."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        register = self._pairing.register_of(key.strip()) if scheme.lower() == "bearer" and key.strip() else ""
        if register:
            return register
        if self._pairing.is_exhausted:
            raise Refusal(429, "too-many-keys", "too many wrong keys; wait a minute")
        raise Refusal(401, "not-paired", "pair this register first, and send its key as bearer")


async def _describe(_request: Request) -> JSONResponse:
    return JSONResponse(describe())
