"""Article numbers are believed with a right check digit alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.gs1.gtin import LENGTHS, check_digit, expand_upce, has_check_digit, read_gtin, read_upce
from device.gs1.problems import BadNumber


@pytest.mark.parametrize(
    ("digits", "valid"), [("6901234567892", True), ("6901234567893", False), ("96385074", True), ("036000291452", True)]
)
def test_check_digits_follow_the_rule(digits: str, valid: bool) -> None:
    assert has_check_digit(digits) is valid


@pytest.mark.parametrize("digits", ["6901234567892", "96385074", "036000291452", "09521234543213"])
def test_all_four_lengths_become_14_digits(digits: str) -> None:
    assert read_gtin(digits) == digits.zfill(14)


@pytest.mark.parametrize("text", ["", "6901234567893", "690123456789", "tea", "\u0661" * 13, "-901234567892", "1" * 18])
def test_other_numbers_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(BadNumber) as refusal:
        read_gtin(text)
    assert not text or text not in str(refusal.value)


def test_upce_takes_its_zeros_back() -> None:
    assert expand_upce("01234565") == "0012345000065"
    assert read_upce("01234565") == "00012345000065"
    assert read_upce("04252614") == "00042100005264"


@pytest.mark.parametrize("text", ["01234566", "21234565", "0123456", "0123456x", ""])
def test_what_is_no_upce_is_refused(text: str) -> None:
    with pytest.raises(BadNumber):
        read_upce(text)


@given(st.text("0123456789", min_size=7, max_size=13).filter(lambda digits: len(digits) + 1 in LENGTHS))
def test_one_wrong_digit_never_passes(digits: str) -> None:
    right = digits + check_digit(digits)
    assert read_gtin(right) == right.zfill(14)
    for place, digit in enumerate(right):
        wrong = right[:place] + str((int(digit) + 1) % 10) + right[place + 1 :]
        assert not has_check_digit(wrong)
