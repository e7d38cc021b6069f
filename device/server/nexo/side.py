"""The listener's application: one address, POST /nexo/."""

from __future__ import annotations

import asyncio
import logging

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from device.server.nexo.problems import BadMessage, NotGenuine
from device.server.nexo.service import NexoService, Unfinished

log = logging.getLogger(__name__)

LARGEST_BODY = 256 * 1024
BODY_TIMEOUT_S = 10.0


def make_nexo_app(service: NexoService) -> Starlette:
    """Make the application; `app.state.live.close()` ends everything that waits."""

    async def take(request: Request) -> Response:
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                body = await _body(request)
        except TimeoutError:
            return _refuse(408, "the message did not arrive in time")
        if body is None:
            return _refuse(413, f"a message has at most {LARGEST_BODY} bytes")
        return await _answer(service, body)

    app = Starlette(routes=[Route("/nexo/", take, methods=["POST"]), Route("/nexo", take, methods=["POST"])])
    app.router.redirect_slashes = False
    app.state.live = service
    return app


async def _body(request: Request) -> bytes | None:
    """Read a body, chunked or not; None if it is too large."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)


async def _answer(service: NexoService, body: bytes) -> Response:
    try:
        answer = await service.answer(body)
    except NotGenuine as problem:
        log.warning("a message is refused: %s", problem)
        return _refuse(401, str(problem))
    except BadMessage as problem:
        return _refuse(400, str(problem))
    except Unfinished:
        return _refuse(504, "there is no outcome yet; ask for the transaction status")
    return Response(answer, media_type="application/json")


def _refuse(status: int, text: str) -> Response:
    return Response(text, status, media_type="text/plain", headers={"connection": "close"})
