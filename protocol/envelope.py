"""Signed messages: COSE_Sign1 (RFC 9052 section 4.2) with ES256, tag 18, everything in the protected header.

Protected header: {1: -7, 3: content type with version, 4: key id}. The unprotected header is empty and must stay so.
The exact bytes are kept and forwarded; nothing is encoded again in order to verify it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec

from keys.port import SIGNATURE_BYTES, Signer, is_signed_by
from protocol import cbor
from protocol.errors import Forged, Malformed

_TAG = 18
_PARTS = 4
_ALGORITHM, _CONTENT_TYPE, _KEY_ID = 1, 3, 4
_ES256 = -7


class ContentType(Enum):
    """What a signed message is; the version belongs to the name."""

    RECORD = "application/vnd.tillwave.record+cbor;v=1"
    BIRTH = "application/vnd.tillwave.birth+cbor;v=1"
    QUESTION = "application/vnd.tillwave.question+cbor;v=1"
    ANSWER = "application/vnd.tillwave.answer+cbor;v=1"
    DECISION = "application/vnd.tillwave.decision+cbor;v=1"
    RECEIPT = "application/vnd.tillwave.receipt+cbor;v=1"
    BEAT = "application/vnd.tillwave.beat+cbor;v=1"
    PHONE = "application/vnd.tillwave.phone+cbor;v=1"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A signed message taken apart; nothing is believed until `verify` returned."""

    content_type: ContentType
    key_id: bytes
    payload: bytes = field(repr=False)
    signature: bytes
    to_be_signed: bytes = field(repr=False)

    def verify(self, public_key: ec.EllipticCurvePublicKey) -> bytes:
        """Give the payload if `public_key` signed it; Forged otherwise."""
        if not is_signed_by(public_key, self.signature, self.to_be_signed):
            raise Forged(f"the signature of the {self.content_type.name.lower()} does not fit key {self.key_id.hex()}")
        return self.payload


def seal(payload: bytes, content_type: ContentType, signer: Signer) -> bytes:
    """Sign a payload."""
    protected = cbor.encode({_ALGORITHM: _ES256, _CONTENT_TYPE: content_type.value, _KEY_ID: signer.key_id})
    signature = signer.sign(_to_be_signed(protected, payload))
    return cbor.encode(cbor2.CBORTag(_TAG, [protected, {}, payload, signature]))


def take_apart(message: bytes, content_type: ContentType) -> Envelope:
    """Read a signed message without believing it; Malformed if it is not one of this content type."""
    parts = cbor.decode_tagged(message, _TAG)
    if len(parts) != _PARTS:
        raise Malformed("a COSE_Sign1 has four parts")
    protected, unprotected, payload, signature = parts
    if not isinstance(unprotected, Mapping) or unprotected:
        raise Malformed("the unprotected header of a Tillwave message is empty")
    if not all(isinstance(part, bytes) for part in (protected, payload, signature)):
        raise Malformed("the parts of the COSE_Sign1 are not of the right types")
    if len(signature) != SIGNATURE_BYTES:
        raise Malformed(f"an ES256 signature has {SIGNATURE_BYTES} bytes")
    key_id = _check_header(cbor.decode(protected), content_type)
    return Envelope(content_type, key_id, payload, signature, _to_be_signed(protected, payload))


def open_envelope(message: bytes, content_type: ContentType, public_key: ec.EllipticCurvePublicKey) -> bytes:
    """Give the payload of a message that `public_key` signed; Malformed or Forged otherwise."""
    return take_apart(message, content_type).verify(public_key)


def _check_header(header: object, content_type: ContentType) -> bytes:
    if not isinstance(header, dict) or header.keys() != {_ALGORITHM, _CONTENT_TYPE, _KEY_ID}:
        raise Malformed("the protected header has not exactly algorithm, content type and key id")
    if header[_ALGORITHM] != _ES256 or header[_CONTENT_TYPE] != content_type.value:
        raise Malformed(f"the message is not a {content_type.name.lower()} signed with ES256")
    key_id = header[_KEY_ID]
    if not isinstance(key_id, bytes):
        raise Malformed("the key id is not bytes")
    return key_id


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    return cbor.encode(["Signature1", protected, b"", payload])
