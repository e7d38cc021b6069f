"""Records say one thing in one way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import BODIES, PRICE
from signing import make_key, record_of

from protocol import cbor
from protocol.envelope import ContentType, seal, take_apart
from protocol.errors import Forged, Malformed, ProtocolProblem
from protocol.money import Money
from protocol.records import (
    Body,
    Intent,
    Line,
    Mode,
    SaleClosed,
    Started,
    kind_of,
    open_record,
    parse_record,
    seal_record,
)

KEY = make_key()


def _payload(body: Body) -> dict[int, object]:
    payload = cbor.decode(take_apart(seal_record(record_of(body), KEY), ContentType.RECORD).payload)
    assert isinstance(payload, dict)
    return payload


def _sealed(payload: object) -> bytes:
    return seal(cbor.encode(payload), ContentType.RECORD, KEY)


@pytest.mark.parametrize("body", BODIES, ids=kind_of)
def test_every_statement_comes_back(body: Body) -> None:
    record = record_of(body, number=7, previous=b"\x01" * 32)
    assert open_record(seal_record(record, KEY), KEY.public_key) == record


def test_every_kind_is_among_the_samples() -> None:
    from protocol.records import _KINDS  # noqa: PLC0415 - the table is what must be covered

    assert {type(body) for body in BODIES} == set(_KINDS.values())


def test_a_record_of_another_key_is_forged() -> None:
    with pytest.raises(Forged):
        open_record(seal_record(record_of(BODIES[0]), make_key()), KEY.public_key)


@pytest.mark.parametrize(
    "change",
    [
        {5: 0},
        {5: 11},
        {5: "3"},
        {2: 0},
        {2: -1},
        {2: 2**63},
        {2: 2**70},
        {7: 1},
        {0: 1},
        {6: []},
        {6: {}},
        {6: {1: "0.1.0"}},
        {6: {1: "0.1.0", 2: bytes(32), 3: 1}},
        {4: {}},
        {1: 5},
        {3: "hash"},
    ],
)
def test_what_nobody_wrote_is_refused(change: dict[int, object]) -> None:
    with pytest.raises(Malformed):
        open_record(_sealed(_payload(Started(software="0.1.0", settings=bytes(32))) | change), KEY.public_key)


@pytest.mark.parametrize("payload", [[], 5, "record", {}, {6: {}}, {1: "till-1"}])
def test_what_is_no_record_is_refused(payload: object) -> None:
    with pytest.raises(Malformed):
        parse_record(cbor.encode(payload))


@given(st.binary(max_size=200))
def test_any_payload_is_a_record_or_refused(data: bytes) -> None:
    with pytest.raises(ProtocolProblem):
        parse_record(data)


@pytest.mark.parametrize("number", [0, 5, 9])
def test_unknown_modes_and_verdicts_are_refused(number: int) -> None:
    payload = _payload(BODIES[3])
    body = payload[6]
    assert isinstance(body, dict)
    with pytest.raises(Malformed, match="mode of Intent"):
        parse_record(cbor.encode(payload | {6: body | {6: number}}))


def _intent(**changes: object) -> Intent:
    intent = BODIES[3]
    assert isinstance(intent, Intent)
    return replace(intent, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "body",
    [
        SaleClosed(sale="s", register="r" * 600, request="1", result=BODIES[6].result, amount=PRICE),  # type: ignore[union-attr]
        SaleClosed(sale="s", register="\ud800", request="1", result=BODIES[6].result, amount=PRICE),  # type: ignore[union-attr]
        _intent(token=bytes(5000)),
        _intent(coupons=("c",) * 1001),
        _intent(lines=(Line(code="1", label="tea", quantity=2**63, amount=PRICE),)),
        _intent(lines=(Line(code="1", label="茶" * 500, quantity=1, amount=PRICE),) * 900),
    ],
    ids=["long text", "no text", "long token", "long list", "huge number", "huge record"],
)
def test_a_record_that_nobody_could_read_is_never_signed(body: Body) -> None:
    """Settlement takes records in order: one that it cannot read would hold up all that follow."""
    with pytest.raises(Malformed):
        seal_record(record_of(body), KEY)


def test_the_fullest_basket_of_the_counter_fits() -> None:
    line = Line(code="8" * 64, label="茶" * 80, quantity=10**6, amount=Money(10**12, "CNY"))
    body = _intent(lines=(line,) * 500, token=bytes(1024), coupons=("c" * 16,) * 100, mode=Mode.ONLINE)
    message = seal_record(record_of(body), KEY)
    assert open_record(message, KEY.public_key).body == body
    assert len(cbor.encode([message])) <= cbor.LARGEST_MESSAGE
