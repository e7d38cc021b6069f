"""The challenge as a terminal plays it: read exactly, or refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import ids
from protocol.errors import BadToken
from protocol.tokens import NONCE_BYTES, Challenge, is_wallet_token

CHALLENGE = Challenge("till-1", "abcdefghijklmnop", bytes(range(NONCE_BYTES)))
PLAYED = bytes.fromhex("3100443214c74254b635cf000102030405060708090a0b0c0d0e0f74696c6c2d31")

NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)
SALES = st.binary(min_size=ids.ID_BYTES, max_size=ids.ID_BYTES).map(ids.make_id)
NONCES = st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES)


def test_the_bytes_are_those_of_the_documents() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "protocol.md").read_text("utf-8")
    found = re.search(r"^`(31 [0-9a-f ]+)`\.$", text, re.MULTILINE)
    assert found is not None
    assert bytes.fromhex(found[1]) == PLAYED == CHALLENGE.to_sound()


@given(st.builds(Challenge, NAMES, SALES, NONCES))
def test_a_challenge_comes_back_from_its_sound(challenge: Challenge) -> None:
    played = challenge.to_sound()
    assert 28 <= len(played) <= 47
    assert Challenge.from_sound(played) == challenge
    assert not is_wallet_token(played)


@given(st.binary(max_size=64) | st.binary(max_size=63).map(b"\x31".__add__))
def test_any_sound_is_a_challenge_or_refused(payload: bytes) -> None:
    try:
        challenge = Challenge.from_sound(payload)
    except BadToken:
        return
    assert challenge.to_sound() == payload


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        PLAYED[:26],
        PLAYED[:27],
        b"\x11" + PLAYED[1:],
        PLAYED + b"a" * 15,
        PLAYED[:-1] + b"A",
        PLAYED[:-1] + b"\0",
        PLAYED[:-1] + b"\xc3",
        PLAYED + "ä".encode(),
    ],
    ids=["nothing", "torn", "without a name", "a token", "long name", "capital", "zero", "half a letter", "umlaut"],
)
def test_what_is_no_challenge_is_refused(payload: bytes) -> None:
    with pytest.raises(BadToken):
        Challenge.from_sound(payload)


@pytest.mark.parametrize(
    "challenge",
    [
        Challenge("Till 1", CHALLENGE.sale, CHALLENGE.nonce),
        Challenge("", CHALLENGE.sale, CHALLENGE.nonce),
        Challenge("till-1", "abc", CHALLENGE.nonce),
        Challenge("till-1", CHALLENGE.sale, b"short"),
    ],
)
def test_a_challenge_that_nobody_could_read_is_not_played(challenge: Challenge) -> None:
    with pytest.raises(BadToken):
        challenge.to_sound()
