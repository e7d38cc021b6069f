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

PAGES = Path(__file__).with_name("pages")
LARGEST_REQUEST = 8192
"""Bytes of a request that is not a picture."""

_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_STATUS: dict[type[WalletProblem], int] = {
    NotPayable: 422,
    Refused: 409,
    Unreachable: 503,
    AnswerLost: 504,
    Untrusted: 502,
    Unintelligible: 502,
    SettlementProblem: 502,
}
_Body = TypeVar("_Body")
_Handler = Callable[[Request], Awaitable[Response]]


class _Scanned(msgspec.Struct, forbid_unknown_fields=True):
    text: str


class _Heard(msgspec.Struct, forbid_unknown_fields=True):
    sound: str
    """In hexadecimal."""


class _Chosen(msgspec.Struct, forbid_unknown_fields=True):
    offer: str


class _TooLarge(Exception):
    pass


class _NotUnderstood(Exception):
    pass


def make_app(desk: Desk, *, scheme: str, hosts: Collection[str], key: str) -> ASGIApp:
    """Put page and interface together; `hosts` are the Host headers it answers to, `key` opens the interface."""
    files = [Route(_address(path), _file(path)) for path in sorted(PAGES.rglob("*.*")) if path.suffix in _TYPES]
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
            ("POST", "/api/hear", self._hear),
            ("POST", "/api/pay", self._pay),
        ]
        return [Route(path, _answering(handler), methods=[method]) for method, path, handler in handlers]

    async def _state(self, _request: Request) -> Response:
        return _json(await run_in_threadpool(self._desk.state))

    async def _code(self, request: Request) -> Response:
        return _json(await run_in_threadpool(partial(self._desk.code, **_wanted(request))))

    async def _sound(self, request: Request) -> Response:
        return _json(await run_in_threadpool(partial(self._desk.sound, **_wanted(request))))

    async def _card(self, request: Request) -> Response:
        svg = await run_in_threadpool(self._desk.card, request.query_params.get("text", ""))
        return Response(svg, media_type="image/svg+xml")

    async def _scan(self, request: Request) -> Response:
        scanned = await _body(request, _Scanned)
        return _json(await run_in_threadpool(self._desk.scan, scanned.text))

    async def _hear(self, request: Request) -> Response:
        sound = _bytes_of(await _body(request, _Heard))
        return _json(await run_in_threadpool(self._desk.hear, sound))

    async def _scan_picture(self, request: Request) -> Response:
        picture = await _read(request, LARGEST_PICTURE)
        return _json(await run_in_threadpool(self._desk.scan_picture, picture))

    async def _pay(self, request: Request) -> Response:
        chosen = await _body(request, _Chosen)
        return _json(await run_in_threadpool(self._desk.pay, chosen.offer))


def _address(path: Path) -> str:
    name = path.relative_to(PAGES).as_posix()
    return "/" if name == "index.html" else f"/{name}"


def _file(path: Path) -> _Handler:
    content, kind = path.read_bytes(), _TYPES[path.suffix]

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


def _wanted(request: Request) -> dict[str, Any]:
    """Read what kind of token is asked for, and for which offer alone."""
    asked = request.query_params
    return {"signed": asked.get("kind") == "signed", "bill": asked.get("offer")}


def _bytes_of(heard: _Heard) -> bytes:
    try:
        return bytes.fromhex(heard.sound)
    except ValueError as error:
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
