"""Why the server refuses a request, and how it says so: a status, a word for programs, a sentence for people.

Refusal(status, reason, text)
+-- what the counter refuses (device.payment.errors) becomes one by `refusal_of`
"""

from __future__ import annotations

import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from device.payment import errors
from device.server.pairing import PairingClosed, WrongCode

log = logging.getLogger(__name__)

_STATUSES: dict[type[Exception], int] = {
    errors.Busy: 409,
    errors.IdConflict: 409,
    errors.TooLate: 409,
    errors.NotFound: 404,
    errors.NotAllowed: 403,
    errors.BadRequest: 422,
    errors.OutOfService: 503,
    errors.Offline: 503,
    errors.CounterProblem: 409,
}

_ORDINARY = frozenset({404, 409, 503})
"""Answers that a working register meets every day; the others tell of broken or hostile callers."""

_HTTP_REASONS = {
    404: ("not-found", "there is nothing at this address"),
    405: ("bad-method", "this address does not know the method"),
}


class Refusal(Exception):
    """The request is refused and has changed nothing."""

    def __init__(self, status: int, reason: str, text: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(text)


def refusal_of(error: Exception) -> Refusal:
    """Translate what counter or pairing refuse."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, PairingClosed):
        return Refusal(403, "pairing-closed", str(error))
    if isinstance(error, WrongCode):
        return Refusal(403, "wrong-code", str(error))
    if isinstance(error, errors.CounterProblem):
        status = next(_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)
        return Refusal(status, error.reason, str(error))
    raise TypeError(f"{type(error).__name__} is no refusal")


def answer(refusal: Refusal) -> JSONResponse:
    """Write a refusal as JSON."""
    log.log(logging.DEBUG if refusal.status in _ORDINARY else logging.WARNING, "request refused: %s", refusal.reason)
    body = {"error": {"reason": refusal.reason, "text": str(refusal)}}
    return JSONResponse(body, refusal.status, _headers(refusal.status))


async def answer_refusal(_request: Request, error: Exception) -> JSONResponse:
    """Answer what a handler has refused; for Starlette's table of exception handlers."""
    return answer(refusal_of(error))


async def answer_http(_request: Request, error: Exception) -> JSONResponse:
    """Answer what Starlette's router refuses."""
    assert isinstance(error, HTTPException)
    reason, text = _HTTP_REASONS.get(error.status_code, ("refused", "the request was refused"))
    response = answer(Refusal(error.status_code, reason, text))
    response.headers.update(error.headers or {})
    return response


def _headers(status: int) -> dict[str, str]:
    if status == 401:  # noqa: PLR2004 - Unauthorized
        return {"www-authenticate": "Bearer"}
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        return {"retry-after": "60"}
    return {}
