"""A phone speaks for its account, and for nothing else."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from samples import PHONE
from signing import make_key

from protocol import cbor
from protocol.envelope import ContentType, seal
from protocol.errors import Forged, Malformed, ProtocolProblem
from protocol.phone import Enrolment, Order, StatementRequest, point_to_key, read_phone, seal_phone

KEY = make_key()


@pytest.mark.parametrize("said", PHONE, ids=lambda said: type(said).__name__)
def test_what_a_phone_says_comes_back(said: Enrolment | Order | StatementRequest) -> None:
    read, envelope = read_phone(type(said), seal_phone(said, KEY))
    assert read == said
    envelope.verify(KEY.public_key)
    with pytest.raises(Forged):
        envelope.verify(make_key().public_key)


@pytest.mark.parametrize("said", PHONE, ids=lambda said: type(said).__name__)
def test_one_message_does_not_pass_for_another(said: Enrolment | Order | StatementRequest) -> None:
    for kind in (Enrolment, Order, StatementRequest):
        if kind is not type(said):
            with pytest.raises(Malformed):
                read_phone(kind, seal_phone(said, KEY))


@pytest.mark.parametrize("payload", [[], {}, {1: 2}, {1: 2, 2: {}, 3: 1}, {1: "2", 2: {}}, {2: {}}])
def test_what_no_phone_says_is_refused(payload: object) -> None:
    with pytest.raises(Malformed):
        read_phone(Order, seal(cbor.encode(payload), ContentType.PHONE, KEY))


def test_a_public_key_is_read_from_its_point() -> None:
    point = KEY.public_key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    assert point_to_key(point).public_numbers() == KEY.public_key.public_numbers()


@given(st.binary(max_size=70))
def test_any_point_is_a_key_or_refused(point: bytes) -> None:
    try:
        point_to_key(point)
    except ProtocolProblem:
        return
    assert point[:1] in (b"\x02", b"\x03", b"\x04")
