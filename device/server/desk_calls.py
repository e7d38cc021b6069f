"""What registers and the cashier's page ask in the same way: sales and refunds by an id of the sender's own."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import JSONResponse

from device.payment.errors import NotAllowed, NotFound
from device.payment.views import Desk, OpenSale, RefundRequest
from device.server.limiter import Limiter
from device.server.problems import Refusal
from device.server.shown import payment_json, refund_json
from device.server.wire import PaymentBody, RefundBody, line_of, money_of

CREATED, OK = 201, 200


class DeskCalls:
    """Opens sales and refunds; 201 says that it is new, 200 that it was known."""

    def __init__(self, desk: Desk, wrong_badges: Limiter) -> None:
        self._desk = desk
        self._wrong_badges = wrong_badges

    def open_sale(self, register: str, body: PaymentBody) -> JSONResponse:
        """Begin a sale, or show it again."""
        request = OpenSale(
            register=register,
            request=body.id,
            amount=money_of(body.amount) if body.amount else None,
            lines=tuple(line_of(line) for line in body.lines),
            guide=body.guide,
        )
        status = _status(self._desk.find, register, body.id)
        return JSONResponse(payment_json(self._desk.open_sale(request)), status)

    def refund(self, register: str, body: RefundBody) -> JSONResponse:
        """Begin a refund, or show it again; too many wrong badges make everybody wait."""
        status = _status(self._desk.find_refund, register, body.id)
        if status == CREATED and self._wrong_badges.is_exhausted:
            raise Refusal(429, "too-many-badges", "too many wrong badges; wait a minute")
        request = RefundRequest(
            register=register,
            request=body.id,
            payment=body.payment,
            amount=money_of(body.amount),
            badge=body.badge.strip(),
        )
        try:
            return JSONResponse(refund_json(self._desk.refund(request)), status)
        except NotAllowed:
            self._wrong_badges.note_failure()
            raise


def _status(find: Callable[[str, str], object], register: str, request: str) -> int:
    try:
        find(register, request)
    except NotFound:
        return CREATED
    return OK
