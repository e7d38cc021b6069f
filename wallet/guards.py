"""Keeps strangers off the page of a phone: other hosts, pages of other origins, and callers without the page's key.

The page itself holds no secret. Its requests to /api carry the key in a header of their own, which a page of another
origin cannot send, and which came to this browser in the fragment of the address that the command printed.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEY_HEADER = "X-Tillwave-Key"
PROTECTED = "/api/"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types tillwave"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guards:
    """ASGI middleware that refuses before the page's own code sees a request."""

    def __init__(self, app: ASGIApp, *, scheme: str, hosts: Collection[str], key: str) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._origins = frozenset(f"{scheme}://{host}" for host in hosts)
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it; every answer carries the security headers."""
        if scope["type"] != "http":
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        refusal = self._refusal(scope["path"], Headers(scope=scope))
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, path: str, headers: Headers) -> Response | None:
        if headers.get("Host", "").lower() not in self._hosts:
            return refuse(421, "host", "this address is not the wallet's; open the one that the command printed")
        if "Origin" in headers and headers["Origin"].lower() not in self._origins:
            return refuse(403, "origin", "pages of other origins may not use this wallet")
        if not path.startswith(PROTECTED):
            return None
        if headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            return refuse(403, "origin", "pages of other origins may not use this wallet")
        if not hmac.compare_digest(headers.get(KEY_HEADER, "").encode(), self._key.encode()):
            return refuse(401, "key", "open the address that the command printed, with all that follows #")
        return None


def refuse(status: int, problem: str, message: str) -> Response:
    """Answer with a problem as the page understands it."""
    return describe(status, {"problem": problem, "message": message})


def describe(status: int, described: dict[str, str]) -> Response:
    """Answer with a problem that is described already."""
    return Response(msgspec.json.encode(described), status, media_type="application/json")
