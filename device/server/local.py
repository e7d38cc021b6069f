"""What programs of this machine may ask: `tillwave status` and `tillwave pair`."""

from __future__ import annotations

from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from device.payment.views import Desk
from device.ports import Clock
from device.server.guard import is_local
from device.server.pairing import Pairing
from device.server.problems import Refusal
from device.server.shown import service_json
from device.server.wire import read_nothing


class LocalSide:
    """Answers programs of this machine."""

    def __init__(self, desk: Desk, pairing: Pairing, clock: Clock) -> None:
        self._desk = desk
        self._pairing = pairing
        self._clock = clock
        self._began_ms = clock.monotonic_ms()

    def routes(self) -> list[BaseRoute]:
        """Give the addresses that the commands call."""
        return [Route("/status", self._status), Route("/pair/open", self._open_pairing, methods=["POST"])]

    async def _status(self, request: Request) -> JSONResponse:
        _refuse_others(request)
        uptime_s = (self._clock.monotonic_ms() - self._began_ms) // 1000
        return JSONResponse({**service_json(self._desk.view()), "version": version("tillwave"), "uptime_s": uptime_s})

    async def _open_pairing(self, request: Request) -> JSONResponse:
        _refuse_others(request)
        await read_nothing(request)
        if self._pairing.is_exhausted:
            raise Refusal(429, "too-many-keys", "too many wrong keys; wait a minute")
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not self._pairing.is_control_key(key):
            raise Refusal(401, "not-allowed", "this needs the key in the file control.key of the terminal's state")
        code = self._pairing.open()
        return JSONResponse({"code": code, "seconds": self._pairing.left_ms // 1000})


def _refuse_others(request: Request) -> None:
    if not is_local(request.scope) or "origin" in request.headers:
        raise Refusal(403, "not-local", "only programs of the terminal itself may ask this")
