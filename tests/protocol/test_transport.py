"""Runs of records and introductions cross the broker."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import BIRTH
from signing import make_key

from protocol import cbor
from protocol.errors import Forged, Malformed, ProtocolProblem
from protocol.transport import LONGEST_RUN, pack_run, read_birth, seal_birth, unpack_run, verify_birth

KEY = make_key()


def test_an_introduction_comes_back() -> None:
    birth, envelope = read_birth(seal_birth(BIRTH, KEY))
    assert birth == BIRTH
    verify_birth(envelope, KEY.public_key)


def test_an_introduction_by_another_key_proves_nothing() -> None:
    _, envelope = read_birth(seal_birth(BIRTH, make_key()))
    with pytest.raises(Forged):
        verify_birth(envelope, KEY.public_key)


@pytest.mark.parametrize("count", [1, 2, LONGEST_RUN])
def test_a_run_comes_back(count: int) -> None:
    run = [bytes([number]) * 10 for number in range(count)]
    assert unpack_run(pack_run(run)) == run


@pytest.mark.parametrize("value", [[], [b""] * (LONGEST_RUN + 1), ["a"], [b"", 1], [[b""]], b"", {1: b""}, 5])
def test_what_is_no_run_is_refused(value: object) -> None:
    with pytest.raises(Malformed):
        unpack_run(cbor.encode(value))


@given(st.binary(max_size=100))
def test_any_bytes_are_a_run_or_refused(data: bytes) -> None:
    try:
        run = unpack_run(data)
    except ProtocolProblem:
        return
    assert pack_run(run) == data
