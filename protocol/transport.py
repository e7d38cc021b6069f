"""What crosses MQTT around the signed messages: runs of records, the introduction of a terminal, and presence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from keys.port import Signer
from protocol import cbor
from protocol.cbor import key
from protocol.envelope import ContentType, Envelope, seal, take_apart
from protocol.errors import Malformed

LONGEST_RUN = 64
"""Records in one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """A terminal introduces itself on every connection: its record certificate, and where its chain stands."""

    terminal: str = key(1)
    certificate: bytes = key(2)
    """X.509, DER, issued by the mall's authority for the record key."""
    number: int = key(3)
    hash: bytes = key(4)
    software: str = key(5)


def seal_birth(birth: Birth, signer: Signer) -> bytes:
    """Sign an introduction with the record key."""
    return seal(cbor.encode(cbor.to_map(birth)), ContentType.BIRTH, signer)


def read_birth(message: bytes) -> tuple[Birth, Envelope]:
    """Read an introduction; believe it only after its certificate was checked and the envelope verified with it."""
    envelope = take_apart(message, ContentType.BIRTH)
    return cbor.from_map(Birth, cbor.decode(envelope.payload)), envelope


def verify_birth(envelope: Envelope, public_key: ec.EllipticCurvePublicKey) -> None:
    """Check that the introduction was signed with the certified key; Forged otherwise."""
    envelope.verify(public_key)


def pack_run(messages: Sequence[bytes]) -> bytes:
    """Put consecutive sealed records into one message."""
    return cbor.encode(list(messages))


def unpack_run(data: bytes) -> list[bytes]:
    """Take a run apart; Malformed unless it is a list of 1 to 64 byte strings."""
    run = cbor.decode(data)
    if not isinstance(run, list) or not 1 <= len(run) <= LONGEST_RUN:
        raise Malformed(f"a run has 1 to {LONGEST_RUN} records")
    if not all(isinstance(message, bytes) for message in run):
        raise Malformed("a run consists of byte strings")
    return run
