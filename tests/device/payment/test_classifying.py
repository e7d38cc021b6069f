"""Where digits could be two things, identifier, state of the sale and catalogue decide."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.gs1.gtin import check_digit
from device.gs1.items import TradeItem
from device.gs1.labels import COUNTRIES, Layout
from device.gs1.measures import Measure
from device.payment.classifying import Awaits, Classifier, CodeShape, MemberShape
from device.payment.presented import CouponCode, ForeignToken, Goods, MemberCard, Presented, Unknown
from device.ports import Reading, Source

GTIN = "09521234543213"
APPLES = "02601234000002"
SCALE_LABEL = "260123401250005001"
"""18 digits of a scale: item 01234, 12.50, 0.500 kg; also the shape of an Alipay code."""
CHINA = (Layout("21IIIIIPPPPPC"), Layout("26IIIIIPPPPPWWWWWC"))
GOODS_ONLY, TOKEN_ONLY = Awaits(), Awaits(goods=False, member=False)


def apples() -> str:
    body = "260123400000"
    return (body + check_digit(body)).zfill(14)


def classify(
    text: str, aim: str = "", symbology: str = "UNKNOWN", awaits: Awaits = GOODS_ONLY, **parts: object
) -> Presented:
    classifier = Classifier(**parts)  # type: ignore[arg-type]
    return classifier.classify(Reading(Source.SCANNER, "hand", symbology, text.encode(), 0, aim), awaits)


def test_a_label_of_a_scale_is_goods_while_goods_are_wanted() -> None:
    shop = {"layouts": CHINA, "sells": lambda gtin: gtin == apples()}
    item = TradeItem(gtin=apples(), price=Measure(1250, 2), weight=Measure(500, 3))
    for aim in ("", "]C0", "]I0"):
        assert classify(SCALE_LABEL, aim, **shop) == Goods(item)
        assert classify(SCALE_LABEL, aim, awaits=TOKEN_ONLY, **shop) == ForeignToken("alipay", SCALE_LABEL.encode())


def test_a_label_of_nothing_that_is_sold_is_a_payment_code() -> None:
    assert classify(SCALE_LABEL, "]C0", layouts=CHINA) == ForeignToken("alipay", SCALE_LABEL.encode())
    body = "99123456789012345"
    other = body + check_digit(body)
    assert isinstance(classify(other, "]C0", layouts=(Layout("99IIIIIPPPPPWWWWWC"),)), Goods)


def test_a_phone_shows_no_label_of_a_scale() -> None:
    shop = {"layouts": CHINA, "sells": lambda _: True}
    assert isinstance(classify(SCALE_LABEL, "]Q1", **shop), ForeignToken)


def test_a_short_label_is_read_before_the_article_number_that_it_looks_like() -> None:
    for aim, symbology in (("]E0", "EAN13"), ("", "UNKNOWN"), ("", "EAN13")):
        presented = classify("2106013040083", aim, symbology, layouts=CHINA)
        assert isinstance(presented, Goods)
        assert str(presented.item.price) == "40.08"
        assert presented.item.gtin.startswith("02106013")
    assert classify("2511118000120", "]E0", layouts=COUNTRIES["germany"]) == Unknown("goods-unreadable")
    assert classify("2106013040083", "]E0") == Goods(TradeItem(gtin="02106013040083"))


def test_a_member_card_of_another_kind_is_known_once() -> None:
    card, shapes = "100000000000000001", (MemberShape(r"1000000000000\d{5}"),)
    assert classify(card, "]C0", members=shapes) == MemberCard(card)
    assert classify(card, "]C0", awaits=TOKEN_ONLY, members=shapes) == ForeignToken("wechat", card.encode())
    assert classify(card, "]C0") == ForeignToken("wechat", card.encode())
    assert classify(card, "]Q1", members=(replace_aims(shapes[0], "]C0"),)) == ForeignToken("wechat", card.encode())


def replace_aims(shape: MemberShape, *aims: str) -> MemberShape:
    return MemberShape(shape.pattern, aims)


def test_a_shape_may_count_for_some_codes_alone() -> None:
    shapes = (CodeShape("wechat", r"1[0-5]\d{16}", aims=("]Q1",)),)
    code = "154658833119096245"
    assert isinstance(classify(code, "]Q1", shapes=shapes), ForeignToken)
    assert classify(code, "]C0", shapes=shapes) == Unknown("not-a-payment")


@pytest.mark.parametrize("aim", ["]C1", "]e0", "]d2", "]Q3", "]J1"])
def test_goods_are_read_in_all_codes_of_gs1(aim: str) -> None:
    presented = classify(f"01{GTIN}310300048617261231", aim)
    assert presented == Goods(TradeItem(gtin=GTIN, weight=Measure(486, 3), use_by="261231"))


def test_goods_are_read_in_links() -> None:
    for aim in ("]Q1", "]d1", ""):
        assert classify(f"https://id.gs1.org/01/{GTIN}?17=261231", aim) == Goods(TradeItem(gtin=GTIN, use_by="261231"))
    for link in ("https://shop.example/menu", f"https://id.gs1.org/01/{GTIN[:-1]}9", "https://a/AQnYUc1gmiEf3vfHYQ"):
        assert classify(link, "]Q1") == Unknown("not-a-payment")


def test_upce_without_identifier_is_taken_by_its_check_digit() -> None:
    assert classify("04252614") == Goods(TradeItem(gtin="00042100005264"))
    assert classify("01234565") == Goods(TradeItem(gtin="00000001234565")), "both check digits hold: GTIN-8 comes first"
    assert classify("96385074") == Goods(TradeItem(gtin="00000096385074"))
    assert classify("01234566") == Unknown("not-a-payment")


def test_coupons_of_manufacturers_come_with_their_terms() -> None:
    digits = "0123456123456111101233261231"
    presented = classify("8110" + digits, "]e0")
    assert isinstance(presented, CouponCode)
    assert presented.code == "(8110)" + digits
    assert presented.terms is not None
    assert presented.terms.expires == "261231"
    assert digits not in repr(presented)
    assert classify("8112" + "001234561234560123456", "]e0") == CouponCode("(8112)001234561234560123456")
    assert classify("8110" + digits[:-1], "]e0") == Unknown("goods-unreadable")


def test_a_pallet_is_no_goods_and_no_payment() -> None:
    assert classify("00006141411234567890", "]C1") == Unknown("not-a-payment")


def test_what_is_due_does_not_change_what_an_identifier_says() -> None:
    assert isinstance(classify("6901234567892", "]E0", awaits=TOKEN_ONLY), Goods)
    assert replace(Awaits(), goods=False).member


@given(
    st.text("0123456789", min_size=6, max_size=26) | st.text("0123456789ABC()/?=:.https\x1d", max_size=50),
    st.sampled_from(["", "]C0", "]C1", "]E0", "]E3", "]E4", "]I0", "]I1", "]Q1", "]Q3", "]d2", "]e0", "]J1", "]X0"]),
    st.sampled_from(["EAN13", "EAN8", "UPCE", "QR", "CODE128", "UNKNOWN"]),
    st.sampled_from([GOODS_ONLY, TOKEN_ONLY]),
    st.sampled_from(["", "01" + GTIN, "https://id.gs1.org/01/" + GTIN, "8110", "TWS:", "6901234567892|]e0"]),
)
def test_anything_is_something(text: str, aim: str, symbology: str, awaits: Awaits, start: str) -> None:
    classifier = Classifier(
        members=(MemberShape(r"10\d{16}"),), layouts=(*CHINA, *COUNTRIES["germany"]), sells=lambda _: True
    )
    reading = Reading(Source.SCANNER, "hand", symbology, (start + text).encode(), 0, aim)
    presented = classifier.classify(reading, awaits)
    assert isinstance(presented, Presented)
    if aim in ("]C1", "]e0", "]E0", "]Q3"):
        assert not isinstance(presented, ForeignToken)
