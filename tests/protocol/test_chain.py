"""A chain has one order and no gaps."""

from __future__ import annotations

import hashlib

import pytest
from signing import make_key, record_of

from protocol.chain import BEGINNING, Head, link
from protocol.errors import BrokenChain
from protocol.records import Record, Tampered, seal_record

KEY = make_key()


def _next(head: Head, is_open: int = 1) -> tuple[Record, bytes]:
    record = record_of(Tampered(open=is_open), number=head.number + 1, previous=head.hash)
    return record, seal_record(record, KEY)


def test_records_follow_one_another() -> None:
    head = Head()
    assert (head.number, head.hash) == (0, BEGINNING)
    for number in (1, 2, 3):
        record, message = _next(head)
        head = head.follow(record, message)
        assert head == Head(number, hashlib.sha256(message).digest())


def test_a_gap_is_noticed() -> None:
    head = Head()
    second, message = _next(Head(1, link(b"first")))
    with pytest.raises(BrokenChain, match="does not follow record 0") as problem:
        head.follow(second, message)
    assert problem.value.number == 2


def test_a_repetition_is_noticed() -> None:
    record, message = _next(Head())
    head = Head().follow(record, message)
    with pytest.raises(BrokenChain, match="does not follow record 1"):
        head.follow(record, message)


def test_a_fork_is_noticed() -> None:
    first, message = _next(Head())
    _, other = _next(Head(), is_open=0)
    second, second_message = _next(Head().follow(first, message))
    with pytest.raises(BrokenChain, match="forked"):
        Head(1, link(other)).follow(second, second_message)
