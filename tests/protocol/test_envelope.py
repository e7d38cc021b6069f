"""A signed message is believed whole or not at all."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from signing import load_vectors, make_key

from keys.port import is_signed_by
from protocol import cbor
from protocol.envelope import ContentType, open_envelope, seal, take_apart
from protocol.errors import Forged, Malformed, ProtocolProblem

KEY = make_key()
MESSAGE = seal(b"payload", ContentType.RECORD, KEY)


def test_what_is_sealed_can_be_opened() -> None:
    assert open_envelope(MESSAGE, ContentType.RECORD, KEY.public_key) == b"payload"
    assert take_apart(MESSAGE, ContentType.RECORD).key_id == KEY.key_id


def test_another_key_opens_nothing() -> None:
    with pytest.raises(Forged):
        open_envelope(MESSAGE, ContentType.RECORD, make_key().public_key)


@pytest.mark.parametrize("content_type", [kind for kind in ContentType if kind is not ContentType.RECORD])
def test_a_record_passes_for_nothing_else(content_type: ContentType) -> None:
    with pytest.raises(Malformed):
        open_envelope(MESSAGE, content_type, KEY.public_key)


def test_every_flipped_byte_is_noticed() -> None:
    for place in range(len(MESSAGE)):
        for flip in (0x01, 0x80, 0xFF):
            changed = bytearray(MESSAGE)
            changed[place] ^= flip
            with pytest.raises(ProtocolProblem):
                open_envelope(bytes(changed), ContentType.RECORD, KEY.public_key)


def test_every_cut_and_every_extra_byte_is_noticed() -> None:
    for end in range(len(MESSAGE)):
        with pytest.raises(ProtocolProblem):
            open_envelope(MESSAGE[:end], ContentType.RECORD, KEY.public_key)
    with pytest.raises(Malformed):
        open_envelope(MESSAGE + b"\x00", ContentType.RECORD, KEY.public_key)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ProtocolProblem):
        open_envelope(data, ContentType.RECORD, KEY.public_key)


def _rebuilt(**parts: object) -> bytes:
    protected, unprotected, payload, signature = cbor2.loads(MESSAGE).value
    whole = {"protected": protected, "unprotected": unprotected, "payload": payload, "signature": signature} | parts
    return cbor.encode(cbor2.CBORTag(18, list(whole.values())))


def _signed_with(header: dict[Any, Any]) -> bytes:
    protected = cbor2.dumps(header, canonical=True)
    signature = KEY.sign(cbor.encode(["Signature1", protected, b"", b"payload"]))
    return cbor.encode(cbor2.CBORTag(18, [protected, {}, b"payload", signature]))


HEADER = {1: -7, 3: ContentType.RECORD.value, 4: KEY.key_id}


def test_the_plain_header_is_accepted() -> None:
    assert open_envelope(_signed_with(HEADER), ContentType.RECORD, KEY.public_key) == b"payload"


@pytest.mark.parametrize(
    "header",
    [
        {},
        {1: -7},
        {3: ContentType.RECORD.value, 4: KEY.key_id},
        HEADER | {1: -8},
        HEADER | {1: -7.0},
        HEADER | {2: [1]},
        HEADER | {5: b""},
        HEADER | {4: "key"},
        HEADER | {3: "text/plain"},
        {1.0: -7, 3: ContentType.RECORD.value, 4: KEY.key_id},
        [1, 3, 4],
    ],
)
def test_other_headers_are_refused_even_when_signed(header: Any) -> None:
    with pytest.raises(Malformed):
        open_envelope(_signed_with(header), ContentType.RECORD, KEY.public_key)


@pytest.mark.parametrize(
    "parts",
    [
        {"unprotected": {1: -7}},
        {"unprotected": {4: KEY.key_id}},
        {"unprotected": b""},
        {"payload": "payload"},
        {"signature": bytes(63)},
        {"signature": bytes(65)},
        {"signature": "x" * 64},
        {"protected": {}},
        {"protected": b""},
        {"protected": b"\x00"},
        {"extra": b""},
    ],
)
def test_other_parts_are_refused(parts: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        take_apart(_rebuilt(**parts), ContentType.RECORD)


@pytest.mark.parametrize(
    "value",
    [
        b"1234",
        "1234",
        [1, 2, 3, 4],
        {1: 2},
        7,
        cbor2.CBORTag(17, [b"", {}, b"", bytes(64)]),
        cbor2.CBORTag(18, b"1234"),
        cbor2.CBORTag(18, [b"", {}, b""]),
        cbor2.CBORTag(18, cbor2.CBORTag(18, [b"", {}, b"", bytes(64)])),
    ],
)
def test_what_is_no_envelope_is_refused(value: object) -> None:
    with pytest.raises(Malformed):
        take_apart(cbor.encode(value), ContentType.RECORD)


def test_a_signature_of_zeros_is_forged() -> None:
    for signature in (bytes(64), b"\xff" * 64):
        with pytest.raises(Forged):
            open_envelope(_rebuilt(signature=signature), ContentType.RECORD, KEY.public_key)


def _es256(vector: dict[str, Any]) -> bool:
    return vector["input"]["key"].get("crv") == "P-256" and not vector["input"]["external_aad_hex"]


def _key_of(vector: dict[str, Any]) -> ec.EllipticCurvePublicKey:
    key = vector["input"]["key"]
    x, y = (key.get(f"{name}_hex") for name in "xy")
    raw = [bytes.fromhex(text) if text else urlsafe_b64decode(key[name] + "==") for name, text in (("x", x), ("y", y))]
    return ec.EllipticCurvePublicNumbers(int.from_bytes(raw[0]), int.from_bytes(raw[1]), ec.SECP256R1()).public_key()


def test_published_signatures_verify_with_the_same_arithmetic() -> None:
    checked = 0
    for vector in load_vectors("cose_sign1.json")["vectors"]:
        message = cbor2.loads(bytes.fromhex(vector["input"]["cbor_hex"]))
        if not _es256(vector) or not isinstance(message, cbor2.CBORTag) or message.tag != 18:
            continue
        protected, _, payload, signature = message.value
        header = cbor2.loads(protected) if protected else {}
        if header.get(1, -7) != -7:
            continue
        signed = cbor.encode(["Signature1", b"" if not header else protected, b"", payload])
        assert is_signed_by(_key_of(vector), signature, signed) is vector["expected"]["valid"], vector["name"]
        checked += 1
    assert checked >= 3


def test_published_messages_are_none_of_ours() -> None:
    """Among them one with the algorithm in the unprotected header, which anybody could change."""
    vectors = load_vectors("cose_sign1.json")["vectors"]
    assert any(vector["name"] == "sign-pass-01" for vector in vectors)
    for vector in vectors:
        with pytest.raises(Malformed):
            take_apart(bytes.fromhex(vector["input"]["cbor_hex"]), ContentType.RECORD)
