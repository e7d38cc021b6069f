"""What registers and pages send: strict JSON. Unknown keys, floats and other types are refused, nothing is guessed."""

from __future__ import annotations

import re
from typing import Annotated, TypeVar

import msgspec
from starlette.requests import Request

from device.payment.views import LineView
from device.server.problems import Refusal
from protocol.money import LARGEST_MINOR, Money

MOST_LINES = 500

_Body = TypeVar("_Body", bound=msgspec.Struct)
_ID = re.compile(r"[ -~]{1,64}", re.ASCII)
_AMOUNT = msgspec.Meta(ge=1, le=LARGEST_MINOR)
_LINE_AMOUNT = msgspec.Meta(ge=-LARGEST_MINOR, le=LARGEST_MINOR)
_CURRENCY = msgspec.Meta(pattern=r"^[A-Z]{3}\Z")

Id = Annotated[str, msgspec.Meta(pattern=r"^[ -~]{1,64}\Z")]
"""A sender's own id: 1 to 64 characters of printable ASCII."""
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]


class AmountBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An amount above zero."""

    minor: Annotated[int, _AMOUNT]
    currency: Annotated[str, _CURRENCY]


class LineAmountBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The amount of a line; below zero for what the register takes off."""

    minor: Annotated[int, _LINE_AMOUNT]
    currency: Annotated[str, _CURRENCY]


class LineBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the register's basket."""

    label: Label
    amount: LineAmountBody
    code: Annotated[str, msgspec.Meta(pattern=r"^[ -~]{0,64}\Z")] = ""
    quantity: Annotated[int, msgspec.Meta(ge=1, le=99_999)] = 1


class PaymentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ask for money; without an amount, scanned goods make the basket."""

    id: Id
    amount: AmountBody | None
    lines: Annotated[tuple[LineBody, ...], msgspec.Meta(max_length=MOST_LINES)] = ()
    guide: Annotated[str, msgspec.Meta(pattern=r"^[ -~]{0,64}\Z")] = ""


class RefundBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ask for money to go back."""

    id: Id
    payment: Id
    amount: AmountBody
    badge: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]

    def __repr__(self) -> str:
        """Leave out the badge."""
        return f"<RefundBody {self.id!r}>"


class PairBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A register wants a key."""

    code: Annotated[str, msgspec.Meta(max_length=16)]
    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,31}\Z")]
    nexo: bool = False
    """It speaks nexo, under this name as its SaleID, and wants a passphrase besides."""

    def __repr__(self) -> str:
        """Leave out the code."""
        return f"<PairBody {self.name!r}>"


class PagePairBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cashier's page wants its cookie."""

    code: Annotated[str, msgspec.Meta(max_length=16)]

    def __repr__(self) -> str:
        """Leave out the code."""
        return "<PagePairBody>"


class NothingBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request whose address says it all."""


async def read_body(request: Request, kind: type[_Body]) -> _Body:
    """Read a JSON body; a Refusal says what is wrong with it, without repeating values."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise Refusal(415, "bad-type", "send JSON, with content-type application/json")
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.ValidationError as error:
        raise Refusal(422, "bad-request", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal(400, "bad-json", "the body is not JSON in UTF-8") from None


async def read_nothing(request: Request) -> None:
    """Read a body that has nothing to say: none at all, or an empty JSON object."""
    if await request.body():
        await read_body(request, NothingBody)


def money_of(body: AmountBody | LineAmountBody) -> Money:
    """Give the amount; a Refusal if there is no such currency."""
    try:
        return Money(body.minor, body.currency)
    except ValueError as error:
        raise Refusal(422, "bad-request", str(error)) from None


def line_of(body: LineBody) -> LineView:
    """Give the line as the counter knows it."""
    return LineView(code=body.code, label=body.label, quantity=body.quantity, amount=money_of(body.amount))


def id_of(request: Request) -> str:
    """Give the id in the address of a request."""
    text = str(request.path_params["id"])
    if _ID.fullmatch(text) is None:
        raise Refusal(422, "bad-request", "an id has 1 to 64 characters of printable ASCII")
    return text


def wait_of(request: Request, longest_s: float) -> float:
    """Give the seconds for which the request wants to wait for a change; 0 if it does not say."""
    text = request.query_params.get("wait", "0")
    if not text.isascii() or not text.isdigit() or len(text) > 3:  # noqa: PLR2004 - digits
        raise Refusal(422, "bad-request", "wait is a number of seconds")
    return min(float(text), longest_s)
