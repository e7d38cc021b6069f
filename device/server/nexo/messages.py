"""The messages, as far as this terminal reads and writes them. Names are those of the standard; unknown ones pass.

Amounts are JSON decimals in major units, read as decimal numbers and never as floats.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from device.server.nexo.problems import BadMessage

PROTOCOL_VERSION = "3.0"
_Text = Annotated[str, Meta(max_length=256)]
_Name = Annotated[str, Meta(pattern=r"^[ -~]{1,32}\Z")]
_Part = TypeVar("_Part", bound=Struct)
_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


class ErrorCondition(StrEnum):
    """Why something failed."""

    ABORTED = "Aborted"
    BUSY = "Busy"
    CANCEL = "Cancel"
    DEVICE_OUT = "DeviceOut"
    IN_PROGRESS = "InProgress"
    MESSAGE_FORMAT = "MessageFormat"
    NOT_ALLOWED = "NotAllowed"
    NOT_FOUND = "NotFound"
    REFUSAL = "Refusal"
    UNAVAILABLE_SERVICE = "UnavailableService"
    UNREACHABLE_HOST = "UnreachableHost"


class Header(Struct, frozen=True, rename="pascal", omit_defaults=True):
    """MessageHeader."""

    message_class: _Name
    message_category: _Name
    message_type: _Name
    protocol_version: _Name
    sale_id: _Name = msgspec.field(name="SaleID")
    poi_id: _Name = msgspec.field(name="POIID")
    service_id: Annotated[str, Meta(pattern=r"^[ -~]{0,10}\Z")] = msgspec.field(name="ServiceID", default="")
    device_id: Annotated[str, Meta(pattern=r"^[ -~]{0,10}\Z")] = msgspec.field(name="DeviceID", default="")

    def answer(self) -> Header:
        """Give the header of the answer."""
        return msgspec.structs.replace(self, message_type="Response", protocol_version=PROTOCOL_VERSION)


class SecurityTrailer(Struct, frozen=True, rename="pascal"):
    """Which key has protected a message, and how it can be told."""

    adyen_crypto_version: Annotated[int, Meta(ge=1, le=1)]
    key_identifier: _Text
    key_version: int
    nonce: _Text
    hmac: _Text


class Envelope(Struct, frozen=True, rename="pascal"):
    """What stands below SaleToPOIRequest: a protected message."""

    message_header: Header
    nexo_blob: str
    security_trailer: SecurityTrailer


class TransactionID(Struct, frozen=True, rename="pascal"):
    """A transaction by the name that one side gave it."""

    transaction_id: Annotated[str, Meta(pattern=r"^[ -~]{1,64}\Z")] = msgspec.field(name="TransactionID")
    time_stamp: _Text = ""


class SaleData(Struct, frozen=True, rename="pascal"):
    """What the register says of itself."""

    sale_transaction_id: TransactionID = msgspec.field(name="SaleTransactionID")
    operator_id: _Text = msgspec.field(name="OperatorID", default="")
    sale_to_poi_data: _Text = msgspec.field(name="SaleToPOIData", default="")

    def __repr__(self) -> str:
        """Leave out what may be a badge."""
        return f"<SaleData {self.sale_transaction_id!r}>"


class AmountsReq(Struct, frozen=True, rename="pascal"):
    """What is asked for."""

    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
    requested_amount: Decimal


class OriginalTransaction(Struct, frozen=True, rename="pascal"):
    """The payment that something is about."""

    poi_transaction_id: TransactionID = msgspec.field(name="POITransactionID")


class PaymentTransaction(Struct, frozen=True, rename="pascal"):
    """The amount, and for a refund the payment that it undoes."""

    amounts_req: AmountsReq
    original_poi_transaction: OriginalTransaction | None = msgspec.field(name="OriginalPOITransaction", default=None)


class PaymentData(Struct, frozen=True, rename="pascal"):
    """What kind of payment."""

    payment_type: _Text = "Normal"


class PaymentRequest(Struct, frozen=True, rename="pascal"):
    """Ask for money, or give some back."""

    sale_data: SaleData
    payment_transaction: PaymentTransaction
    payment_data: PaymentData = PaymentData()


class ReversalRequest(Struct, frozen=True, rename="pascal"):
    """Give a payment back."""

    original_poi_transaction: OriginalTransaction = msgspec.field(name="OriginalPOITransaction")
    sale_data: SaleData | None = None
    reversed_amount: Decimal | None = None


class MessageReference(Struct, frozen=True, rename="pascal"):
    """An earlier message of the register."""

    service_id: Annotated[str, Meta(max_length=10)] = msgspec.field(name="ServiceID", default="")
    sale_id: Annotated[str, Meta(max_length=32)] = msgspec.field(name="SaleID", default="")
    message_category: _Text = ""


class TransactionStatusRequest(Struct, frozen=True, rename="pascal"):
    """What became of it?"""

    message_reference: MessageReference | None = None


class AbortRequest(Struct, frozen=True, rename="pascal"):
    """Stop it."""

    message_reference: MessageReference
    abort_reason: _Text = ""


def read(part: Any, kind: type[_Part]) -> _Part:
    """Read a part of a message; BadMessage names what is wrong, without its value."""
    try:
        return msgspec.convert(part, kind)
    except msgspec.ValidationError as error:
        raise BadMessage(str(error)) from None


def decode(data: bytes) -> dict[str, Any]:
    """Read JSON with numbers kept exact; BadMessage if it is no object."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError):
        raise BadMessage("the message is no JSON object") from None


def encode(message: Any) -> bytes:
    """Write JSON; amounts are numbers with all their decimals."""
    return _encoder.encode(message)


def build(part: Any) -> Any:
    """Give a part as plain values."""
    return msgspec.to_builtins(part, builtin_types=(Decimal,))
