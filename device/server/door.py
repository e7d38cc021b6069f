"""Lets a page in whose browser has paired: a code for a cookie, and the cookie for everything behind the page."""

from __future__ import annotations

from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from device.payment.views import Desk
from device.server.pairing import Pairing
from device.server.problems import Refusal
from device.server.wire import PagePairBody, read_body

_COOKIE_AGE_S = {"cashier": 90 * 24 * 3600, "technician": 8 * 3600}


class PageDoor:
    """The door of one side; the cookie of another side does not open it."""

    def __init__(self, side: Literal["cashier", "technician"], desk: Desk, pairing: Pairing) -> None:
        self._side = side
        self._desk = desk
        self._pairing = pairing

    async def pair(self, request: Request) -> Response:
        """Answer the code of the terminal with a cookie; PairingClosed, WrongCode or a Refusal otherwise."""
        body = await read_body(request, PagePairBody)
        key = (
            self._pairing.pair_page(body.code) if self._side == "cashier" else self._pairing.pair_technician(body.code)
        )
        response = Response(status_code=204)
        response.set_cookie(
            self._cookie,
            key,
            max_age=_COOKIE_AGE_S[self._side],
            path=f"/{self._side}",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return response

    def is_open(self, request: Request) -> bool:
        """Tell whether the browser has paired."""
        key = request.cookies.get(self._cookie, "")
        if not key:
            return False
        return self._pairing.is_page(key) if self._side == "cashier" else self._pairing.is_technician(key)

    def refuse_strangers(self, request: Request) -> None:
        """Raise a Refusal unless the browser has paired."""
        if self.is_open(request):
            return
        if self._pairing.is_exhausted:
            raise Refusal(429, "too-many-keys", "too many wrong keys; wait a minute")
        raise Refusal(401, "not-paired", f"pair this page first: open /{self._side} and type the code of the terminal")

    @property
    def _cookie(self) -> str:
        """The cookie's name; browsers do not tell ports of one machine apart, so it names the terminal."""
        prefix = "tillwave" if self._side == "cashier" else "tillwave-technician"
        return f"{prefix}-{self._desk.view().terminal}"
