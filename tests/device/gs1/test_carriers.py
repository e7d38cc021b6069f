"""The identifier of the reader decides what the digits are; items are made of both."""

from __future__ import annotations

from datetime import date

import pytest

from device.gs1.carriers import Number, read_carrier
from device.gs1.elements import read_element_string
from device.gs1.items import item_of_elements, item_of_label
from device.gs1.labels import Label
from device.gs1.measures import Measure
from device.gs1.problems import Gs1Problem

GTIN = "09521234543213"
TODAY = date(2026, 6, 15)


def test_the_same_digits_are_read_by_their_carrier() -> None:
    assert read_carrier("]E0", "6901234567892") == Number("06901234567892")
    assert read_carrier("]E3", "690123456789212") == Number("06901234567892")
    assert read_carrier("]E4", "96385074") == Number("00000096385074")
    assert read_carrier("]I1", GTIN) == Number(GTIN)
    for aim in ("]C1", "]e0", "]d2", "]Q3", "]J1"):
        assert read_carrier(aim, "01" + GTIN) == read_element_string("01" + GTIN)
    for aim in ("]Q1", "]d1", "]J0", ""):
        assert read_carrier(aim, "https://id.gs1.org/01/" + GTIN) == read_element_string("01" + GTIN)
        assert read_carrier(aim, "01" + GTIN) is None
    assert read_carrier("]C0", "https://id.gs1.org/01/" + GTIN) is None


def test_a_composite_code_says_more() -> None:
    found = read_carrier("]E0", "6901234567892|]e099TEA")
    assert isinstance(found, Number)
    assert found.more is not None
    assert found.more.for_people() == "(99)TEA"


@pytest.mark.parametrize(
    ("aim", "data"),
    [
        ("]E0", "6901234567893"),
        ("]E0", "036000291452"),
        ("]E4", "6901234567892"),
        ("]E3", "12"),
        ("]E0", "6901234567892|]e0"),
        ("]C1", ""),
        ("]Q1", "https://shop.example/menu"),
    ],
)
def test_what_its_kind_does_not_promise_is_refused(aim: str, data: str) -> None:
    with pytest.raises(Gs1Problem):
        read_carrier(aim, data)


def test_goods_have_weight_price_and_dates() -> None:
    data = "01" + GTIN + "3103000486" + "3922" + "299\x1d" + "15260701" + "17260615" + "21S1"
    item = item_of_elements(read_element_string(data))
    assert item is not None
    assert (item.gtin, str(item.weight), str(item.price), item.serial) == (GTIN, "0.486", "2.99", "S1")
    assert not item.is_expired(TODAY)
    assert item.is_expired(date(2026, 6, 16))
    assert not item.is_past_best(TODAY)
    assert item.is_past_best(date(2026, 7, 2))
    assert "S1" not in repr(item)


def test_a_price_may_name_its_currency() -> None:
    item = item_of_elements(read_element_string("01" + GTIN + "30" + "3\x1d" + "3932" + "156" + "1250"))
    assert item is not None
    assert (item.currency, str(item.price), item.count) == ("CNY", "12.50", 3)


def test_a_box_and_a_piece_of_a_set_are_goods() -> None:
    box = item_of_elements(read_element_string("00006141411234567890" + "02" + GTIN + "37" + "24"))
    piece = item_of_elements(read_element_string("8006" + GTIN + "0102"))
    assert box is not None
    assert (box.gtin, box.count) == (GTIN, 24)
    assert piece is not None
    assert piece.gtin == GTIN
    assert item_of_elements(read_element_string("00006141411234567890")) is None


def test_a_label_is_goods() -> None:
    item = item_of_label(Label("2106013000001", price=Measure(4008, 2)))
    assert (item.gtin, str(item.price)) == ("02106013000001", "40.08")
    assert not item.is_expired(TODAY)
