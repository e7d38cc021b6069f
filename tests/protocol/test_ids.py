"""Identifiers and names have one form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import ids


@given(st.binary(min_size=10, max_size=10))
def test_ten_random_bytes_make_an_identifier(data: bytes) -> None:
    made = ids.make_id(data)
    assert ids.is_id(made)
    assert ids.decode_base32(made) == data


@pytest.mark.parametrize("length", [0, 9, 11])
def test_other_lengths_make_none(length: int) -> None:
    with pytest.raises(ValueError, match="10 bytes"):
        ids.make_id(bytes(length))


@pytest.mark.parametrize("text", ["", "A" * 16, "a" * 15, "a" * 17, "a" * 15 + "1", "a" * 16 + "\n", "\uff41" * 16])
def test_what_only_looks_like_an_identifier_is_none(text: str) -> None:
    assert not ids.is_id(text)


@pytest.mark.parametrize(("text", "good"), [("till-1", True), ("a" * 20, True), ("a" * 21, False), ("Till", False)])
def test_names_are_short_and_plain(text: str, good: bool) -> None:
    assert ids.is_name(text) is good


@pytest.mark.parametrize("text", ["", "a/b", "+", "#", "a\n", "ä"])
def test_names_cannot_break_out_of_a_topic(text: str) -> None:
    assert not ids.is_name(text)


@given(st.binary(max_size=200))
def test_base32_comes_back(data: bytes) -> None:
    text = ids.encode_base32(data)
    assert "=" not in text
    assert ids.decode_base32(text) == ids.decode_base32(text.lower()) == data


@pytest.mark.parametrize("text", ["A", "AB=", "A1", "AAA AAA", "AF", "\u0131" * 8, "AAAAAAA\n", "====", "ß"])
def test_damaged_base32_is_refused(text: str) -> None:
    """AF has trailing bits; dotless i would become I in upper case."""
    with pytest.raises(ValueError, match=r".*"):
        ids.decode_base32(text)


@given(st.text(max_size=30))
def test_any_text_is_base32_or_a_value_error(text: str) -> None:
    try:
        data = ids.decode_base32(text)
    except ValueError:
        return
    assert ids.encode_base32(data) == text.upper()
