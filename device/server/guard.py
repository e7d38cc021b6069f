"""Stands before every handler: foreign names, foreign pages, huge or slow requests do not come in.

A browser on the shop's network runs pages of strangers. They may send requests here, so a request has to name this
terminal (against DNS rebinding) and must not come from a page of another origin. What goes out tells the browser to
keep pages to themselves.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import traceback

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from device.server.problems import Refusal, answer

log = logging.getLogger(__name__)

LARGEST_BODY = 64 * 1024
BODY_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 60.0

_METHODS = frozenset({"GET", "POST"})
_OWN_FETCHES = frozenset({"same-origin", "none"})
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Guard:
    """Lets through what may come in, with its whole body read, and adds the security headers to every answer."""

    def __init__(self, app: ASGIApp, names: tuple[str, ...], streams: frozenset[str]) -> None:
        self._app = app
        self._names = frozenset(_written(name) for name in (*_LOOPBACK_NAMES, *names))
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request (ASGI 3)."""
        if scope["type"] != "http":
            return
        guarded = _Answering(send)
        try:
            await self._let_in(scope, receive, guarded)
        except Refusal as refusal:
            await self._refuse(refusal, scope, receive, guarded)
        except Exception as error:  # noqa: BLE001 - the last place that can answer
            _log_failure(error)
            trouble = Refusal(500, "failed", "something went wrong inside the terminal; its log says where")
            await self._refuse(trouble, scope, receive, guarded)

    async def _let_in(self, scope: Scope, receive: Receive, send: _Answering) -> None:
        headers = Headers(scope=scope)
        if scope["method"] not in _METHODS:
            raise Refusal(405, "bad-method", "this terminal knows GET and POST")
        self._refuse_foreign_name(headers)
        _refuse_foreign_page(headers, scope)
        body = await _read_body(headers, receive) if scope["method"] == "POST" else b""
        inner = self._app(scope, _replay(body, receive), send)
        if scope["path"] in self._streams:
            await inner
            return
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await inner
        except TimeoutError:
            raise Refusal(504, "timeout", "the terminal took too long; ask for the state by the same id") from None

    def _refuse_foreign_name(self, headers: Headers) -> None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _without_port(hosts[0]) not in self._names:
            raise Refusal(403, "foreign-host", "this terminal is not called so; add the name to its settings")

    async def _refuse(self, refusal: Refusal, scope: Scope, receive: Receive, send: _Answering) -> None:
        if send.has_begun:
            return
        response = answer(refusal)
        response.headers["connection"] = "close"
        await response(scope, receive, send)


class _Answering:
    """Sends, with the security headers."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            headers = MutableHeaders(scope=message)
            for name, value in _SECURITY_HEADERS.items():
                headers[name] = value
        await self._send(message)


def is_local(scope: Scope) -> bool:
    """Tell whether the peer is this machine: by loopback, or from the very address at which the server was reached."""
    client, server = scope.get("client"), scope.get("server")
    if client is None:
        return False
    try:
        address = ipaddress.ip_address(client[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback or (server is not None and client[0] == server[0])


def _refuse_foreign_page(headers: Headers, scope: Scope) -> None:
    own = f"{scope['scheme']}://{headers.get('host', '')}".lower()
    origins = headers.getlist("origin")
    if any(origin.lower() != own for origin in origins):
        raise Refusal(403, "foreign-origin", "pages of other origins may not call this terminal")
    site, is_navigation = headers.get("sec-fetch-site", "none"), headers.get("sec-fetch-mode") == "navigate"
    if site not in _OWN_FETCHES and not (is_navigation and scope["method"] == "GET"):
        raise Refusal(403, "foreign-origin", "pages of other origins may not call this terminal")


async def _read_body(headers: Headers, receive: Receive) -> bytes:
    declared = headers.get("content-length", "0")
    if len(declared) > len(str(LARGEST_BODY)) or int(declared) > LARGEST_BODY:
        raise _too_large()
    if "content-encoding" in headers:
        raise Refusal(415, "bad-encoding", "a body comes as it is, without content-encoding")
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await _collect(receive)
    except TimeoutError:
        raise Refusal(408, "too-slow", "the request did not arrive in time") from None


async def _collect(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal(400, "broken-off", "the request ended before its body")
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise _too_large()
        if not message.get("more_body", False):
            return bytes(body)


def _too_large() -> Refusal:
    return Refusal(413, "too-large", f"a request has at most {LARGEST_BODY} bytes")


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read already, then whatever the connection brings."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed


def _without_port(host: str) -> str:
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdigit() else host.lower()


def _written(name: str) -> str:
    """Write a name as a Host header does: IPv6 addresses in brackets."""
    return f"[{name.lower()}]" if ":" in name and not name.startswith("[") else name.lower()


def _log_failure(error: Exception) -> None:
    """Say where it happened, without the values that were in play."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    log.error("a request failed: %s at %s", type(error).__name__, places)
