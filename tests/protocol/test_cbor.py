"""One value has one encoding, and nothing else is read."""

from __future__ import annotations

import json

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import RECEIPT
from signing import load_vectors

from protocol import cbor
from protocol.answers import Receipt
from protocol.errors import Malformed, ProtocolProblem
from protocol.money import Money
from protocol.records import Line

PLAIN = st.recursive(
    st.integers(-(2**64), 2**64 - 1) | st.text(max_size=20) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers(0, 23), inner, max_size=4),
    max_leaves=12,
)


def test_encodings_that_a_strict_reader_refuses_are_refused() -> None:
    rejected = [entry for entry in load_vectors("cbor_deterministic.json")["vectors"] if entry["expected"].get("error")]
    for entry in rejected:
        with pytest.raises(Malformed):
            cbor.decode(bytes.fromhex(entry["input"]))
    assert rejected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1800",  # 0 in two bytes
        "190001",  # 1 in three bytes
        "5800",  # empty bytes with a long length
        "9f01ff",  # indefinite array
        "5f4101ff",  # indefinite bytes
        "a201010102",  # a key twice
        "a202010102",  # keys out of order
        "0000",  # something behind the value
        "81",  # too short
        "ff",
        "1c",
    ],
)
def test_other_encodings_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        cbor.decode(bytes.fromhex(text))


@pytest.mark.parametrize(
    "text",
    [
        "f97e00",  # NaN
        "f93c00",  # 1.0
        "f5",  # true
        "f6",  # null
        "f7",
        "e0",
        "c000",
        "c11a00000000",
        "d9010280",  # a set
        "d82a01",
        "a1f501",  # true as key, equal to 1 in Python
        "a1f93c0001",  # 1.0 as key
        "a1616101",
        "81a1416101",
        "c5823a000fffff01",  # a tiny big float
        "c5821b7fffffffffffffff01",  # a huge one
        "d81e820100",  # 1/0
        "d823612a",  # a broken regular expression
    ],
)
def test_types_that_messages_do_not_use_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        cbor.decode(bytes.fromhex(text))


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(Malformed):
        cbor.decode(b"\x81" * 100_000 + b"\x01")


def test_a_huge_message_is_refused_unread() -> None:
    with pytest.raises(Malformed, match="more than"):
        cbor.decode(cbor.encode(bytes(cbor.LARGEST_MESSAGE)))


@given(PLAIN)
def test_plain_values_come_back(value: object) -> None:
    assert cbor.decode(cbor.encode(value)) == value


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value = cbor.decode(data)
    except ProtocolProblem:
        return
    assert cbor.encode(value) == data


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(max_size=10)
    | st.binary(max_size=10)
    | st.integers(0, 2**16).map(lambda number: cbor2.CBORTag(number, 1)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers(0, 8), inner, max_size=5),
    max_leaves=10,
)


@given(st.dictionaries(st.integers(0, 6) | st.booleans() | st.text(max_size=2), JUNK, max_size=6))
def test_any_map_is_a_receipt_or_refused(data: dict[object, object]) -> None:
    try:
        receipt = cbor.from_map(Receipt, cbor.decode(cbor2.dumps(data, canonical=True)))
    except ProtocolProblem:
        return
    assert cbor.to_map(receipt) == data


@pytest.mark.parametrize("change", [{5: 1}, {2: "64"}, {2: True}, {2: 2**63}, {2: -(2**63)}, {3: "x"}, {1: b"till"}])
def test_wrong_types_and_unknown_keys_are_refused(change: dict[int, object]) -> None:
    with pytest.raises(Malformed):
        cbor.from_map(Receipt, cbor.to_map(RECEIPT) | change)


@pytest.mark.parametrize("missing", [1, 2, 3, 4])
def test_missing_keys_are_refused(missing: int) -> None:
    data = cbor.to_map(RECEIPT)
    del data[missing]
    with pytest.raises(Malformed, match="lacks"):
        cbor.from_map(Receipt, data)


@pytest.mark.parametrize("data", [None, 1, "x", [], [1], b""])
def test_what_is_no_map_is_refused(data: object) -> None:
    with pytest.raises(Malformed, match="not a map"):
        cbor.from_map(Receipt, data)


@pytest.mark.parametrize(
    "amount", [[1], [1, "CNY", 2], [1, "XXX"], ["1", "CNY"], [10**13, "CNY"], {1: 1}, 5, [1, b"CNY"], [2**70, "CNY"]]
)
def test_amounts_that_are_none_are_refused(amount: object) -> None:
    line = cbor.to_map(Line(code="1", label="tea", quantity=1, amount=Money(1, "CNY")))
    with pytest.raises(Malformed, match="amount of Line"):
        cbor.from_map(Line, line | {4: amount})


def test_long_texts_are_refused() -> None:
    line = cbor.to_map(Line(code="1", label="x" * (cbor.LONGEST_TEXT + 1), quantity=1, amount=Money(1, "CNY")))
    with pytest.raises(Malformed, match="label of Line"):
        cbor.from_map(Line, line)


def test_a_refusal_shows_nothing_of_the_content() -> None:
    with pytest.raises(Malformed) as problem:
        cbor.from_map(Receipt, {1: b"secret-token", 2: 1, 3: b"", 4: 1})
    assert "secret" not in str(problem.value)
    assert json.dumps(str(problem.value))
