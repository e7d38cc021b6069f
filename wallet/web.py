"""The page of a phone and its little interface, as a Starlette application. All work is done by a `Desk` in threads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from wallet.desk import Desk
from wallet.errors import (
    AnswerLost,
    NoSound,
    NotPayable,
    Refused,
    SettlementProblem,
    Unintelligible,
    Unreachable,
    Untrusted,
    WalletProblem,
)
from wallet.guards import Guards, describe, refuse
from wallet.qr import LARGEST_PICTURE
from wallet.sound import SAMPLE_RATES

PAGES = Path(__file__).with_name("pages")
LARGEST_REQUEST = 8192
"""Bytes of a request that is not a picture."""

_FILES = {
    "/": ("index.html", "text/html"),
    "/wallet.js": ("wallet.js", "text/javascript"),
    "/api.js": ("api.js", "text/javascript"),
    "/camera.js": ("camera.js", "text/javascript"),
    "/sound.js": ("sound.js", "text/javascript"),
    "/texts.js": ("texts.js", "text/javascript"),
    "/wallet.css": ("wallet.css", "text/css"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_STATUS: dict[type[WalletProblem], int] = {
    NotPayable: 422,
    Refused: 409,
    NoSound: 501,
    Unreachable: 503,
    AnswerLost: 504,
    Untrusted: 502,
    Unintelligible: 502,
    SettlementProblem: 502,
}
_RATES = {str(rate) for rate in SAMPLE_RATES}
_Body = TypeVar("_Body")
_Handler = Callable[[Request], Awaitable[Response]]


class _Scanned(msgspec.Struct, forbid_unknown_fields=True):
    text: str


class _Chosen(msgspec.Struct, forbid_unknown_fields=True):
    offer: str | None


class _TooLarge(Exception):
    pass


class _NotUnderstood(Exception):
    pass


def make_app(desk: Desk, *, scheme: str, hosts: Collection[str], key: str) -> ASGIApp:
    """Put page and interface together; `hosts` are the Host headers it answers to, `key` opens the interface."""
    files = [Route(path, _file(PAGES / name, kind)) for path, (name, kind) in _FILES.items()]
    return Guards(Starlette(routes=files + _Interface(desk).routes()), scheme=scheme, hosts=hosts, key=key)


class _Interface:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        handlers: list[tuple[str, str, _Handler]] = [
            ("GET", "/api/state", self._state),
            ("POST", "/api/code", self._code),
            ("POST", "/api/sound", self._sound),
            ("GET", "/api/card", self._card),
            ("POST", "/api/scan", self._scan),
            ("POST", "/api/scan/picture", self._scan_picture),
            ("POST", "/api/pay", self._pay),
            ("POST", "/api/bind", self._bind),
        ]
        return [Route(path, _answering(handler), methods=[method]) for method, path, handler in handlers]

    async def _state(self, _request: Request) -> Response:
        return _json(await run_in_threadpool(self._desk.state))

    async def _code(self, request: Request) -> Response:
        signed = request.query_params.get("kind") == "signed"
        return _json(await run_in_threadpool(partial(self._desk.code, signed=signed)))

    async def _sound(self, request: Request) -> Response:
        rate = request.query_params.get("rate", "")
        if rate not in _RATES:
            raise _NotUnderstood
        wav = await run_in_threadpool(self._desk.sound, int(rate))
        return Response(wav, media_type="audio/wav")

    async def _card(self, request: Request) -> Response:
        svg = await run_in_threadpool(self._desk.card, request.query_params.get("text", ""))
        return Response(svg, media_type="image/svg+xml")

    async def _scan(self, request: Request) -> Response:
        scanned = await _body(request, _Scanned)
        return _json(await run_in_threadpool(self._desk.scan, scanned.text))

    async def _scan_picture(self, request: Request) -> Response:
        picture = await _read(request, LARGEST_PICTURE)
        return _json(await run_in_threadpool(self._desk.scan_picture, picture))

    async def _pay(self, request: Request) -> Response:
        chosen = await _body(request, _Chosen)
        return _json(await run_in_threadpool(self._desk.pay, chosen.offer or ""))

    async def _bind(self, request: Request) -> Response:
        chosen = await _body(request, _Chosen)
        await run_in_threadpool(self._desk.bind, chosen.offer)
        return _json({"bound": chosen.offer is not None})


def _file(path: Path, kind: str) -> _Handler:
    content = path.read_bytes()

    async def answer(_request: Request) -> Response:
        return Response(content, media_type=kind)

    return answer


def _answering(handler: _Handler) -> _Handler:
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except WalletProblem as problem:
            status = next((code for kind, code in _STATUS.items() if isinstance(problem, kind)), 500)
            return describe(status, problem.described())
        except _TooLarge:
            return refuse(413, "too-large", "the request is too large")
        except (_NotUnderstood, ClientDisconnect):
            return refuse(400, "request", "the request is not what this page sends")

    return answer


async def _body(request: Request, kind: type[_Body]) -> _Body:
    body = await _read(request, LARGEST_REQUEST)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise _NotUnderstood from error


async def _read(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise _TooLarge
    return bytes(body)


def _json(value: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
