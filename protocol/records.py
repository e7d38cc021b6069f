"""The statements of a terminal. Each is signed, numbered and chained to the one before it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from cryptography.hazmat.primitives.asymmetric import ec

from keys.port import Signer
from protocol import cbor
from protocol.cbor import key
from protocol.envelope import ContentType, open_envelope, seal
from protocol.errors import Malformed
from protocol.money import Money


class Mode(IntEnum):
    """Whether an intent waits for settlement's decision."""

    ONLINE = 1
    OFFLINE = 2


class Action(IntEnum):
    """What an outcome or a decision is about."""

    PAY = 1
    """A token presented at the terminal."""
    REVERSE = 2
    REFUND = 3
    ORDER = 4
    """A payment made on the phone for the terminal's challenge."""


class Verdict(IntEnum):
    """How an action ended, as far as is known."""

    APPROVED = 1
    DECLINED = 2
    UNKNOWN = 3
    PENDING = 4
    """The shopper is asked for a password; only in decisions."""


class Result(IntEnum):
    """How a sale ended."""

    PAID = 1
    UNPAID = 2
    CANCELLED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a basket, already multiplied."""

    code: str = key(1)
    """GTIN or the register's article code."""
    label: str = key(2)
    quantity: int = key(3)
    amount: Money = key(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The terminal began to work."""

    software: str = key(1)
    settings: bytes = key(2)
    """SHA-256 of the settings file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeOpened:
    """The terminal shows a challenge; settlement accepts a phone's order for the newest one of an open sale."""

    sale: str = key(1)
    amount: Money = key(2)
    nonce: bytes = key(3)
    coupons: tuple[str, ...] = key(4)
    member: str | None = key(5, optional=True)
    guide: str | None = key(6, optional=True)
    attribution: str | None = key(7, optional=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One payment token is tried for a sale. Written before anything leaves the terminal."""

    sale: str = key(1)
    attempt: str = key(2)
    amount: Money = key(3)
    """What the shopper is asked to pay: basket less coupons and member price."""
    scheme: str = key(4)
    """Who can charge the token: "tillwave", "alipay", "wechat", "unionpay", "emv"."""
    token: bytes = key(5, secret=True)
    mode: Mode = key(6)
    coupons: tuple[str, ...] = key(7)
    lines: tuple[Line, ...] = key(8)
    nonce: bytes | None = key(9, optional=True)
    """The challenge that the token may be bound to."""
    member: str | None = key(10, optional=True)
    guide: str | None = key(11, optional=True)
    """The sales clerk who gets the guide's share."""
    attribution: str | None = key(12, optional=True)
    """Who brought the shopper, and gets the third party's share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an attempt, a reversal, a refund or an order, as the terminal sees it."""

    sale: str = key(1)
    subject: str = key(2)
    """Id of the attempt, refund or order."""
    action: Action = key(3)
    verdict: Verdict = key(4)
    amount: Money = key(5)
    reason: str = key(6)
    """One of the reason words of docs/protocol.md, empty when approved."""
    mode: Mode = key(7)


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleClosed:
    """A sale came to its end. Coupons of an unpaid or cancelled one are free again."""

    sale: str = key(1)
    register: str = key(2)
    request: str = key(3)
    """The register's own id of the payment."""
    result: Result = key(4)
    amount: Money = key(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """An attempt or order is undone, whether or not it was charged."""

    sale: str = key(1)
    attempt: str = key(2)
    reason: str = key(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money of an approved payment goes back to the shopper."""

    refund: str = key(1)
    sale: str = key(2)
    payment: str = key(3)
    """Id of the attempt or order that was approved."""
    amount: Money = key(4)
    supervisor: str = key(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBurned:
    """A token was seen or heard but not used; it must not be accepted anywhere any more."""

    sale: str = key(1)
    token_hash: bytes = key(2)
    """SHA-256 of the token's bytes."""
    reason: str = key(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tampered:
    """The case was opened (1) or closed again (0)."""

    open: int = key(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jammed:
    """Tokens of sound cannot be heard at a microphone any more (1), or again (0)."""

    on: int = key(1)
    how: str = key(2)
    """"noise": they drown; "preambles": their beginnings come in masses."""
    device: str = key(3)
    """Name of the microphone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayClosed:
    """What the terminal counted since the last close of day."""

    first: int = key(1)
    """Number of the first record that counts."""
    paid_count: int = key(2)
    paid: Money = key(3)
    refunded_count: int = key(4)
    refunded: Money = key(5)


Body = (
    Started
    | ChallengeOpened
    | Intent
    | Outcome
    | SaleClosed
    | Reversal
    | Refund
    | TokenBurned
    | Tampered
    | DayClosed
    | Jammed
)

_KINDS: dict[int, type[Body]] = {
    1: Started,
    2: ChallengeOpened,
    3: Intent,
    4: Outcome,
    5: SaleClosed,
    6: Reversal,
    7: Refund,
    8: TokenBurned,
    9: Tampered,
    10: DayClosed,
    11: Jammed,
}
_NUMBERS = {kind: number for number, kind in _KINDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """When something was written: monotonic time within a boot orders, wall time only informs."""

    boot_id: bytes = key(1)
    monotonic_ms: int = key(2)
    wall_ms: int = key(3)
    wall_quality: int = key(4)
    """0 unknown, 1 free-running, 2 synchronised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One statement of a terminal."""

    terminal: str
    number: int
    """Counts from 1 without gaps."""
    previous: bytes
    """`chain.link` of the record before it, `chain.BEGINNING` for the first."""
    stamp: Stamp
    body: Body


def kind_of(body: Body) -> str:
    """Give the name of a body's type for listings, such as "Intent"."""
    return type(body).__name__


def seal_record(record: Record, signer: Signer) -> bytes:
    """Sign a record; Malformed if nobody could read it, since a record that cannot be read would block its chain."""
    header = _Header(
        terminal=record.terminal,
        number=record.number,
        previous=record.previous,
        stamp=record.stamp,
        kind=_NUMBERS[type(record.body)],
    )
    payload = _encode({**cbor.to_map(header), _BODY: cbor.to_map(record.body)})
    parse_record(payload)
    return seal(payload, ContentType.RECORD, signer)


def open_record(message: bytes, public_key: ec.EllipticCurvePublicKey) -> Record:
    """Read a record that `public_key` signed; Malformed or Forged otherwise."""
    return parse_record(open_envelope(message, ContentType.RECORD, public_key))


def parse_record(payload: bytes) -> Record:
    """Read the payload of a record; Malformed if it is none."""
    data = cbor.decode(payload)
    if not isinstance(data, dict) or _BODY not in data:
        raise Malformed("a record is a map with a body")
    body = data.pop(_BODY)
    header = cbor.from_map(_Header, data)
    if header.kind not in _KINDS or header.number < 1:
        raise Malformed("the record is of no known kind or has no number")
    return Record(
        terminal=header.terminal,
        number=header.number,
        previous=header.previous,
        stamp=header.stamp,
        body=cbor.from_map(_KINDS[header.kind], body),
    )


_BODY = 6
_LARGEST_PAYLOAD = cbor.LARGEST_MESSAGE - 1024
"""Leaves room for the envelope and for the run that carries the record."""


def _encode(payload: dict[int, object]) -> bytes:
    try:
        data = cbor.encode(payload)
    except ValueError as error:
        raise Malformed("a text of the record cannot be written in UTF-8") from error
    if len(data) > _LARGEST_PAYLOAD:
        raise Malformed(f"a record has at most {_LARGEST_PAYLOAD} bytes")
    return data


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    terminal: str = key(1)
    number: int = key(2)
    previous: bytes = key(3)
    stamp: Stamp = key(4)
    kind: int = key(5)
