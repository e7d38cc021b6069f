"""What a scale prints is read by the layout of the store."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.gs1.gtin import check_digit, has_check_digit
from device.gs1.labels import COUNTRIES, Label, Layout, check_layout, inner_check_digit, is_laid_out, read_label
from device.gs1.measures import Measure
from device.gs1.problems import BadLabel

CHINA = Layout("21IIIIIPPPPPC")
CHINA_LONG = Layout("26IIIIIPPPPPWWWWWC")


@pytest.mark.parametrize(
    ("layout", "digits", "label"),
    [
        (CHINA, "2106013040083", Label("2106013000001", price=Measure(4008, 2))),
        (CHINA_LONG, "260123401250005001", Label("2601234000002", Measure(1250, 2), Measure(500, 3))),
        (Layout("22IIIIVPPPPPC"), "2211114002394", Label("2211110000006", price=Measure(239, 2))),
        (Layout("25IIIIVNNNNNC"), "2511119000129", Label("2511110000003", count=12)),
        (Layout("24IIIIIIWWWWC", 2, 2), "2488060112341", Label("2488060100003", weight=Measure(1234, 2))),
    ],
)
def test_a_label_is_read_by_its_layout(layout: Layout, digits: str, label: Label) -> None:
    found = read_label(layout, digits)
    assert (found.price, found.weight, found.count) == (label.price, label.weight, label.count)
    assert found.item[:12] == label.item[:12]
    assert has_check_digit(found.item)


def test_published_inner_check_digits_hold() -> None:
    assert inner_check_digit("2875") == "9"
    assert inner_check_digit("14685") == "6"


@pytest.mark.parametrize("digits", ["2106013040084", "2206013040080", "210601304008", "tea", "\u0661" * 13, ""])
def test_another_number_does_not_fit(digits: str) -> None:
    assert not is_laid_out(CHINA, digits)
    with pytest.raises(BadLabel):
        read_label(CHINA, digits)


def test_a_wrong_inner_check_digit_is_refused() -> None:
    with pytest.raises(BadLabel, match="inner"):
        read_label(Layout("25IIIIVNNNNNC"), "2511118000120")


def test_the_layouts_of_countries_make_sense() -> None:
    for layouts in COUNTRIES.values():
        for layout in layouts:
            check_layout(layout)
            assert len(layout.layout) == 13
    for layout in (CHINA, CHINA_LONG, Layout("02IIIIIPPPPPC")):
        check_layout(layout)


@pytest.mark.parametrize(
    "layout",
    [
        Layout(""),
        Layout("IIIIIPPPPPC"),
        Layout("21PPPPPC"),
        Layout("21IIIIIC"),
        Layout("21IIIIIPPPPP"),
        Layout("21IIIIIPPPPPX"),
        Layout("21IIIIVPPPC"),
        Layout("21IIIIIIIIIIIPPC"),
        Layout("21IIIIIPPPPPC", price_decimals=5),
        Layout("21IIIIIPPPPPC", weight_decimals=-1),
    ],
)
def test_a_layout_without_sense_is_refused_with_a_sentence(layout: Layout) -> None:
    with pytest.raises(BadLabel):
        check_layout(layout)


@given(st.integers(0, 99999), st.integers(0, 99999))
def test_what_a_scale_prints_is_what_is_read(item: int, price: int) -> None:
    body = f"21{item:05d}{price:05d}"
    label = read_label(CHINA, body + check_digit(body))
    assert label.price == Measure(price, 2)
    assert label.item[2:7] == f"{item:05d}"
