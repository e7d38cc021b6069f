"""What a register may ask for; anything else is refused before it becomes a sale or a refund."""

from __future__ import annotations

from device.payment.errors import BadRequest
from device.payment.sale import LARGEST_DUE_MINOR, LONGEST_BASKET
from device.payment.views import LineView, OpenSale, RefundRequest
from device.payment.wording import LONGEST_LABEL, LONGEST_NAME, is_wording

LARGEST_QUANTITY = 1_000_000
LONGEST_GUIDE = 40
"""What settlement takes as part of the name of an account, which also has to be printable."""


def refuse_wrong_names(request: OpenSale | RefundRequest) -> None:
    """Raise BadRequest unless the ids of register and request can stand in a record."""
    if not is_wording(request.register, LONGEST_NAME) or not is_wording(request.request, LONGEST_NAME):
        raise BadRequest(f"register and id have 1 to {LONGEST_NAME} printable characters")


def refuse_wrong_sale(request: OpenSale, currency: str) -> None:
    """Raise BadRequest unless amount, basket and sales clerk make sense."""
    if len(request.guide) > LONGEST_GUIDE or not request.guide.isprintable():
        raise BadRequest(f"the sales clerk has at most {LONGEST_GUIDE} printable characters")
    if len(request.lines) > LONGEST_BASKET:
        raise BadRequest(f"a basket has at most {LONGEST_BASKET} lines")
    if request.amount is None:
        if request.lines:
            raise BadRequest("a basket comes with its amount")
        return
    if request.amount.currency != currency:
        raise BadRequest(f"this terminal takes {currency}")
    if not 0 < request.amount.minor <= LARGEST_DUE_MINOR:
        raise BadRequest(f"an amount is 1 to {LARGEST_DUE_MINOR} minor units")
    for line in request.lines:
        _refuse_wrong_line(line, currency)
    if request.lines and sum(line.amount.minor for line in request.lines) != request.amount.minor:
        raise BadRequest("the lines of the basket do not add up to the amount")


def _refuse_wrong_line(line: LineView, currency: str) -> None:
    if line.amount.currency != currency:
        raise BadRequest(f"every line of the basket is in {currency}")
    if not 0 <= line.quantity <= LARGEST_QUANTITY:
        raise BadRequest(f"the quantity of a line is 0 to {LARGEST_QUANTITY}")
    if line.code and not is_wording(line.code, LONGEST_NAME):
        raise BadRequest(f"the code of a line has at most {LONGEST_NAME} printable characters")
    if line.label and not is_wording(line.label, LONGEST_LABEL):
        raise BadRequest(f"the label of a line has at most {LONGEST_LABEL} printable characters")
