"""What phones can call: enrol, order, statement, offer. Bodies are signed by the phone, answers are JSON.

Answers: 200; 400 for what is not a message of a phone; 403 for one that is not believed; 404 when there is no such
sale; 413 and 415 for a body of the wrong size or kind; 429 after too many tries. All but 200 are
{"error": word, "message": sentence}.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from protocol.errors import Forged, ProtocolProblem
from protocol.money import Money
from settlement import reports
from settlement.errors import Refused
from settlement.office import Office
from settlement.phones import PhoneDesk
from settlement.server.limits import RateLimit
from settlement.store import Store

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/cose"
LARGEST_BODY = 16 * 1024
_NOT_FOUND = frozenset({"unknown-sale"})
_CODE_TRIES, _CODE_WINDOW_S = 30, 60
_CALLS, _CALL_WINDOW_S = 1_200, 60
"""Many phones of a mall may share one address."""

Announce = Callable[[str, bytes], None]
"""Tells a terminal (its name) a decision."""


class PhoneServer:
    """The routes, bound to the desk that serves them."""

    def __init__(self, office: Office, store: Store, desk: PhoneDesk, announce: Announce) -> None:
        self._office = office
        self._store = store
        self._desk = desk
        self._announce = announce
        self._code_tries = RateLimit(office.clock, _CODE_TRIES, _CODE_WINDOW_S)
        self._calls = RateLimit(office.clock, _CALLS, _CALL_WINDOW_S)

    def app(self) -> Starlette:
        """Give the application for a server."""
        return Starlette(
            routes=[
                Route("/phone/enrol", self._enrol, methods=["POST"]),
                Route("/phone/order", self._order, methods=["POST"]),
                Route("/phone/statement", self._statement, methods=["POST"]),
                Route("/phone/offer", self._offer, methods=["GET"]),
            ]
        )

    async def _enrol(self, request: Request) -> Response:
        return await self._answer(request, self._code_tries, self._do_enrol)

    async def _order(self, request: Request) -> Response:
        return await self._answer(request, self._calls, self._do_order)

    async def _statement(self, request: Request) -> Response:
        return await self._answer(request, self._calls, self._do_statement)

    async def _offer(self, request: Request) -> Response:
        terminal, sale = request.query_params.get("terminal", ""), request.query_params.get("sale", "")

        def do_offer(_: bytes) -> dict[str, Any]:
            offer = self._desk.offer(terminal, sale)
            return {"merchant": offer.merchant, "amount": _money(offer.amount)}

        return await self._answer(request, self._calls, do_offer)

    async def _answer(
        self, request: Request, limit: RateLimit, serve: Callable[[bytes], dict[str, Any]]
    ) -> JSONResponse:
        """Guard one call: who, how often, how much; then serve it in a thread."""
        caller = request.client.host if request.client else ""
        if not limit.allows(caller):
            return _refusal(HTTPStatus.TOO_MANY_REQUESTS, "too-often", "too many tries; wait a minute")
        if request.method == "POST" and request.headers.get("content-type", "") != MEDIA_TYPE:
            return _refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "media-type", f"the body is {MEDIA_TYPE}")
        body = await _read(request)
        if body is None:
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", f"at most {LARGEST_BODY} bytes")
        return await run_in_threadpool(_serve, serve, body, request.url.path)

    def _do_enrol(self, body: bytes) -> dict[str, Any]:
        enrolled = self._desk.enrol(body)
        return {
            "alias": enrolled.wallet.alias.hex(),
            "secret": enrolled.wallet.secret.hex(),
            "voucher": enrolled.voucher.hex(),
            "name": enrolled.wallet.name,
            "currency": enrolled.currency,
        }

    def _do_order(self, body: bytes) -> dict[str, Any]:
        result = self._desk.order(body)
        if result.decision is not None:
            self._announce(result.terminal, result.decision)
        return {"verdict": result.verdict.name.lower(), "reason": result.reason, "amount": _money(result.amount)}

    def _do_statement(self, body: bytes) -> dict[str, Any]:
        wallet, voucher = self._desk.statement(body)
        with self._store.reading() as connection:
            statement = reports.of_wallet(connection, self._office, wallet)
        return statement | {"voucher": voucher.hex()}


def _serve(serve: Callable[[bytes], dict[str, Any]], body: bytes, path: str) -> JSONResponse:
    """Serve a call; what is refused leaves a line in the log and changes nothing."""
    try:
        return JSONResponse(serve(body), headers={"Cache-Control": "no-store"})
    except Refused as refused:
        log.warning("refused a call of %s: %s", path, refused.reason)
        missing = refused.reason in _NOT_FOUND
        return _refusal(HTTPStatus.NOT_FOUND if missing else HTTPStatus.FORBIDDEN, refused.reason, str(refused))
    except Forged as forged:
        log.warning("refused a call of %s: %s", path, forged)
        return _refusal(HTTPStatus.FORBIDDEN, "forged", "the signature is not of the phone of this account")
    except ProtocolProblem as problem:
        log.warning("refused a call of %s: %s", path, problem)
        return _refusal(HTTPStatus.BAD_REQUEST, "malformed", str(problem))


async def _read(request: Request) -> bytes | None:
    """Read the body; None when it is too large, however it was announced."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)


def _money(amount: Money) -> dict[str, Any]:
    return {"minor": amount.minor, "currency": amount.currency, "decimal": amount.decimal}


def _refusal(status: HTTPStatus, word: str, sentence: str) -> JSONResponse:
    return JSONResponse({"error": word, "message": sentence}, status_code=int(status))
