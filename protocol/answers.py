"""What settlement says, always signed with its own key: decisions, receipts and its heartbeat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec

from keys.port import Signer
from protocol import cbor
from protocol.cbor import key
from protocol.envelope import ContentType, open_envelope, seal
from protocol.money import Money
from protocol.records import Action, Verdict

_Said = TypeVar("_Said", "Decision", "Receipt", "Beat")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer to one intent, reversal or refund, or the news of an order paid on a phone."""

    terminal: str = key(1)
    sale: str = key(2)
    subject: str = key(3)
    """Id of the attempt, refund or order."""
    action: Action = key(4)
    verdict: Verdict = key(5)
    amount: Money = key(6)
    reason: str = key(7)
    payer: str = key(8)
    """How the slip names the payer, for example "Tillwave ..4f2"; never a full account."""
    at_ms: int = key(9)
    """Settlement's wall time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Settlement has kept the chain of a terminal up to a record; only this lets the journal forget."""

    terminal: str = key(1)
    number: int = key(2)
    """0 when nothing is kept."""
    hash: bytes = key(3)
    """`chain.link` of that record."""
    at_ms: int = key(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """Settlement is alive. A terminal that has heard nothing signed for 10 s is offline."""

    mall: str = key(1)
    session: bytes = key(2)
    """Changes when settlement starts anew: terminals then introduce themselves again."""
    number: int = key(3)
    """Rises within a session, so that an old beat cannot be played again."""
    at_ms: int = key(4)


_CONTENT_TYPES: dict[type, ContentType] = {
    Decision: ContentType.DECISION,
    Receipt: ContentType.RECEIPT,
    Beat: ContentType.BEAT,
}


def seal_answer(value: Decision | Receipt | Beat, signer: Signer) -> bytes:
    """Sign something that settlement says."""
    return seal(cbor.encode(cbor.to_map(value)), _CONTENT_TYPES[type(value)], signer)


def open_answer(kind: type[_Said], message: bytes, public_key: ec.EllipticCurvePublicKey) -> _Said:
    """Read a Decision, Receipt or Beat that settlement's key signed; Malformed or Forged otherwise."""
    return cbor.from_map(kind, cbor.decode(open_envelope(message, _CONTENT_TYPES[kind], public_key)))
