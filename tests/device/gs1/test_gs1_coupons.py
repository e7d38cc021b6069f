"""Coupons become typed values; the cases are those of GS1's linter."""

from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.gs1.coupons import Requirement, read_manufacturer_coupon, read_positive_offer
from device.gs1.problems import BadCoupon

LONG = "106141410222223100110222111101231023456721104561045678991201"
SMALLEST = "012345612345611110123"


def test_a_coupon_says_what_must_be_bought() -> None:
    coupon = read_manufacturer_coupon(LONG)
    assert (coupon.company, coupon.save_value) == ("0614141", 100)
    assert coupon.requirements == (
        Requirement(1, 0, "222"),
        Requirement(1, 0, "123", "0234567"),
        Requirement(1, 0, "456", "0456789"),
    )
    assert (coupon.additional_rule, coupon.applies_to, coupon.do_not_multiply) == (1, 2, True)
    assert "022222" not in repr(coupon)


def test_the_smallest_coupon_is_whole() -> None:
    coupon = read_manufacturer_coupon(SMALLEST)
    assert coupon.company == "123456"
    assert coupon.requirements == (Requirement(1, 0, "123"),)
    assert coupon.has_begun(date(2026, 1, 1))
    assert not coupon.is_expired(date(2026, 1, 1))


def test_a_coupon_has_its_days() -> None:
    coupon = read_manufacturer_coupon(SMALLEST + "3" + "261231" + "4" + "260101")
    assert [coupon.has_begun(day) for day in (date(2025, 12, 31), date(2026, 1, 1))] == [False, True]
    assert [coupon.is_expired(day) for day in (date(2026, 12, 31), date(2027, 1, 1))] == [False, True]


def test_a_coupon_may_run_over_the_turn_of_a_century() -> None:
    assert read_manufacturer_coupon(SMALLEST + "3" + "000131" + "4" + "991201").expires == "000131"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "missing-gcp-vli"),
        ("a12345612345611110123", "non-digit-character"),
        ("\u0661" * 21, "non-digit-character"),
        ("0123456123456611110123", "invalid-save-value-length"),
        (SMALLEST + "7", "excess-data"),
        (SMALLEST + "3" + "251301", "invalid-expiration-date"),
        (SMALLEST + "3" + "251201" + "4" + "251202", "expiration-before-start"),
        (SMALLEST + "9" + "0003", "invalid-dont-multiply-flag"),
    ],
)
def test_a_coupon_that_breaks_the_grammar_is_refused_by_name(text: str, fault: str) -> None:
    with pytest.raises(BadCoupon) as refusal:
        read_manufacturer_coupon(text)
    assert refusal.value.fault == fault


def test_a_positive_offer_is_read() -> None:
    offer = read_positive_offer("1" + "0123456" + "654321" + "1" + "7654321")
    assert (offer.format_code, offer.funder, offer.offer, offer.serial) == (1, "123456", "654321", "7654321")
    assert "654321" not in repr(offer)
    with pytest.raises(BadCoupon, match="excess data"):
        read_positive_offer("1" + "0123456" + "654321" + "0" + "7654321")


@given(st.text("0123456789", max_size=80) | st.text(max_size=20))
def test_any_text_is_a_coupon_or_refused(text: str) -> None:
    for read in (read_manufacturer_coupon, read_positive_offer):
        with contextlib.suppress(BadCoupon):
            assert read(text).offer in text
