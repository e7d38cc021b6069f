"""Element strings are cut at their lengths and separators, and every value must keep its rule."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.gs1 import dates
from device.gs1.elements import read_bracketed, read_element, read_element_string
from device.gs1.problems import BadDate, BadElement, BadRelation, Gs1Problem

GTIN = "0109521234543213"
SECRET = "SECRET99"


@pytest.mark.parametrize(
    ("data", "people"),
    [
        (GTIN, "(01)09521234543213"),
        (GTIN + "10ABC\x1d17251231", "(01)09521234543213(10)ABC(17)251231"),
        (GTIN + "\x1d10ABC\x1d", "(01)09521234543213(10)ABC"),
        (GTIN + "3103000486" + "15260101", "(01)09521234543213(3103)000486(15)260101"),
        (GTIN + "30" + "12\x1d" + "3922" + "299", "(01)09521234543213(30)12(3922)299"),
        ("00006141411234567890", "(00)006141411234567890"),
        ("9921ABC", "(99)21ABC"),
        (GTIN + GTIN, "(01)09521234543213"),
    ],
)
def test_elements_are_cut_at_lengths_and_separators(data: str, people: str) -> None:
    found = read_element_string(data)
    assert found.for_people() == people
    assert read_element_string(found.for_scanners()) == found


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        ("", BadElement),
        ("01", BadElement),
        ("0109521234543214", BadElement),
        (GTIN + "10", BadElement),
        (GTIN + "10" + "A" * 21, BadElement),
        (GTIN + "10AB C", BadElement),
        (GTIN + "10AB\u00e9", BadElement),
        (GTIN + "\x1d\x1d10A", BadElement),
        (GTIN + "89X", BadElement),
        (GTIN + "17251301", BadElement),
        (GTIN + "17250230", BadElement),
        (GTIN + "7003" + "2512312460", BadElement),
        (GTIN + "30" + "1\x1d" + "3933" + "999" + "123", BadElement),
        ("421999", BadElement),
        ("10ABC", BadRelation),
        ("0209521234543213", BadRelation),
        (GTIN + "3102000486" + "3103000486", BadRelation),
        (GTIN + "37" + "5", BadRelation),
        (GTIN + "3922" + "299", BadRelation),
        (GTIN + "0109521234543220", BadRelation),
        (GTIN + "10A\x1d10B", BadRelation),
    ],
)
def test_what_breaks_a_rule_is_refused(data: str, refusal: type[Gs1Problem]) -> None:
    with pytest.raises(refusal):
        read_element_string(data)


def test_a_refusal_names_the_identifier_and_no_value() -> None:
    with pytest.raises(BadElement, match=r"AI \(10\)") as refusal:
        read_element("10", SECRET * 3)
    assert refusal.value.identifier == "10"
    assert SECRET not in str(refusal.value)
    assert SECRET not in repr(read_element("10", SECRET))


def test_an_international_bank_account_is_checked() -> None:
    assert read_element("8007", "GB82WEST12345698765432").identifier == "8007"
    with pytest.raises(BadElement):
        read_element("8007", "GB83WEST12345698765432")


def test_a_code_has_no_more_elements_than_a_code_has() -> None:
    assert len(read_bracketed("".join(f"(3{family}0)000001" for family in range(20, 38))).elements) == 18
    weights = "".join(f"(3{family}0)000001" for family in (*range(10, 17), *range(20, 38), *range(40, 58)))
    with pytest.raises(BadElement, match="more than 32"):
        read_bracketed(weights)


def test_people_write_parts_too() -> None:
    assert read_bracketed("(10)12\\(11)99").for_people() == "(10)12\\(11)99"


@pytest.mark.parametrize(
    ("digits", "today", "expected"),
    [
        ("251231", date(2026, 1, 1), date(2025, 12, 31)),
        ("250200", date(2026, 1, 1), date(2025, 2, 28)),
        ("240200", date(2026, 1, 1), date(2024, 2, 29)),
        ("760101", date(2026, 1, 1), date(2076, 1, 1)),
        ("770101", date(2026, 1, 1), date(1977, 1, 1)),
        ("000101", date(2099, 1, 1), date(2100, 1, 1)),
        ("990101", date(2001, 1, 1), date(1999, 1, 1)),
    ],
)
def test_the_century_is_the_one_around_today(digits: str, today: date, expected: date) -> None:
    assert dates.read_date(digits, today) == expected


@pytest.mark.parametrize("digits", ["", "251301", "250001", "250231", "25010", "2501011", "\u0661" * 6, "000229"])
def test_six_digits_that_are_no_date_are_refused(digits: str) -> None:
    with pytest.raises(BadDate):
        dates.read_date(digits, date(2090, 1, 1))


@given(st.dates(date(1990, 1, 1), date(2089, 1, 1)), st.integers(-49 * 365, 50 * 365))
def test_every_date_within_the_window_comes_back(today: date, away: int) -> None:
    wanted = date.fromordinal(today.toordinal() + away)
    assert dates.read_date(wanted.strftime("%y%m%d"), today) == wanted


@given(st.text("0123456789ABC()\x1d", max_size=60) | st.text(max_size=40))
def test_any_data_is_read_or_refused(data: str) -> None:
    try:
        found = read_element_string(data)
    except Gs1Problem:
        return
    assert read_element_string(found.for_scanners()) == found
