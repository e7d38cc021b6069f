"""What a wallet on a phone says to settlement over HTTPS, signed with the phone's own key (COSE_Sign1 as the body).

Settlement answers in JSON; the connection's certificate, issued by the mall's authority, speaks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec

from keys.port import Signer
from protocol import cbor
from protocol.cbor import key
from protocol.envelope import ContentType, Envelope, seal, take_apart
from protocol.errors import Malformed
from protocol.money import Money

_Said = TypeVar("_Said", "Enrolment", "Order", "StatementRequest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A phone brings its public key to an account, with the one-time code that the house wallet gave out."""

    code: str = key(1, secret=True)
    public_key: bytes = key(2)
    """Compressed point, 33 bytes; the same key signs the message."""
    at_ms: int = key(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The shopper pays what a terminal's challenge asks for."""

    order: str = key(1)
    """Id, made by the phone; the same id twice is one payment."""
    alias: bytes = key(2)
    terminal: str = key(3)
    sale: str = key(4)
    nonce: bytes = key(5)
    amount: Money = key(6)
    """As the phone showed it to the shopper; another amount than the sale's is refused."""
    at_ms: int = key(7)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRequest:
    """The shopper asks for balance, coupons and last payments, and a fresh voucher."""

    alias: bytes = key(1)
    at_ms: int = key(2)


_NUMBERS: dict[type, int] = {Enrolment: 1, Order: 2, StatementRequest: 3}
_KIND, _BODY = 1, 2


def seal_phone(message: Enrolment | Order | StatementRequest, phone: Signer) -> bytes:
    """Sign something that a phone says."""
    payload = {_KIND: _NUMBERS[type(message)], _BODY: cbor.to_map(message)}
    return seal(cbor.encode(payload), ContentType.PHONE, phone)


def read_phone(kind: type[_Said], data: bytes) -> tuple[_Said, Envelope]:
    """Read a message of this kind; believe it only after the envelope was verified with the account's key."""
    envelope = take_apart(data, ContentType.PHONE)
    payload = cbor.decode(envelope.payload)
    if not isinstance(payload, dict) or payload.keys() != {_KIND, _BODY} or payload[_KIND] != _NUMBERS[kind]:
        raise Malformed(f"the message is not a phone's {kind.__name__}")
    return cbor.from_map(kind, payload[_BODY]), envelope


def point_to_key(point: bytes) -> ec.EllipticCurvePublicKey:
    """Read a compressed point of P-256; Malformed otherwise."""
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as error:
        raise Malformed("the public key is not a point of P-256") from error
