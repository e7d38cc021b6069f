"""A reading is what its identifier and its shape say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.gs1.items import TradeItem
from device.payment.classifying import SHAPES, Classifier, CodeShape
from device.payment.presented import (
    Attribution,
    Badge,
    CouponCode,
    ForeignToken,
    Goods,
    MemberCard,
    Presented,
    TechnicianCode,
    Unknown,
    WalletToken,
)
from device.ports import Reading, Source
from protocol import tokens

VECTORS = Path(__file__).parents[4] / "shared" / "vectors"
CLASSIFIER = Classifier()
SHORT = b"\x11" + bytes(15)
SIGNED = b"\x22" + bytes(180)


def load_vectors(name: str) -> Any:
    path = VECTORS / name
    if not path.is_file():
        pytest.skip(f"the shared vectors {name} are not here")
    return json.loads(path.read_text(encoding="utf-8"))


def scanned(text: str, aim: str = "", symbology: str = "UNKNOWN") -> Presented:
    return CLASSIFIER.classify(Reading(Source.SCANNER, "hand", symbology, text.encode(), 0, aim))


def test_every_published_code_is_sorted_by_its_shape() -> None:
    vectors = load_vectors("wallet_auth_codes.json")["vectors"]
    for vector in vectors:
        presented = scanned(vector["input"], "]Q1", "QR")
        scheme = presented.scheme if isinstance(presented, ForeignToken) else None
        expected = (vector["expected"] or "").removesuffix("_face") or None
        assert scheme == expected, vector["name"]
    assert len(vectors) == 19


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("154658833119096245", "wechat"),
        ("307573774583867517336", "alipay"),
        ("28763443825664394", "alipay"),
        ("6220000000000000000", "unionpay"),
        ("fp" + "0" * 33, "alipay"),
    ],
)
def test_wallets_are_known_by_their_shape(text: str, scheme: str) -> None:
    for aim in ("", "]Q1", "]C0", "]z0"):
        assert scanned(text, aim) == ForeignToken(scheme, text.encode())


@pytest.mark.parametrize(
    "text",
    ["250000000000000", "3" + "0" * 24, "13456789012345678", "163456789012345678", "62" + "0" * 16, "1" * 18 + "x"],
)
def test_what_is_too_long_or_too_short_is_no_payment(text: str) -> None:
    assert scanned(text, "]Q1") == Unknown("not-a-payment")


@pytest.mark.parametrize("aim", ["]C1", "]e0", "]d2", "]Q3", "]J1", "]I1", "]E3"])
@pytest.mark.parametrize("text", ["154658833119096245", "280389411343685293", "6220000000000000000"])
def test_a_number_of_gs1_is_never_a_payment(text: str, aim: str) -> None:
    """An SSCC has 18 digits like a code of WeChat Pay; its identifier tells them apart."""
    assert not isinstance(scanned(text, aim), ForeignToken)


def test_digits_of_other_scripts_are_no_payment() -> None:
    assert scanned("\u0661" * 18, "]Q1") == Unknown("not-a-payment")


def test_shapes_are_settings() -> None:
    classifier = Classifier((CodeShape("wechat", r"1[0-6]\d{16}"),))
    reading = Reading(Source.SCANNER, "hand", "UNKNOWN", b"163456789012345678", 0)
    assert classifier.classify(reading) == ForeignToken("wechat", b"163456789012345678")
    assert {shape.scheme for shape in SHAPES} == {"wechat", "alipay", "unionpay"}


# goods


@pytest.mark.parametrize(
    ("text", "symbology", "aim"),
    [
        ("6901234567892", "EAN13", ""),
        ("6901234567892", "UNKNOWN", "]E0"),
        ("6901234567892", "UNKNOWN", ""),
        (" 6901234567892\r", "EAN13", "]E0"),
    ],
)
def test_articles_have_14_digits(text: str, symbology: str, aim: str) -> None:
    assert scanned(text, aim, symbology) == Goods(TradeItem(gtin="06901234567892"))


@pytest.mark.parametrize("text", ["6901234567893", "69012345678", "tea", "\u0661" * 13, ""])
def test_a_damaged_article_number_is_named(text: str) -> None:
    assert scanned(text, "]E0", "EAN13") == Unknown("goods-unreadable")


def test_a_number_in_a_square_code_is_no_article() -> None:
    assert scanned("6901234567892", "]Q1", "QR") == Unknown("not-a-payment")


# codes of the house


@pytest.mark.parametrize("token", [SHORT, SIGNED])
def test_wallet_tokens_are_seen_and_heard(token: bytes) -> None:
    text = tokens.token_text(token)
    assert scanned(text) == scanned(text.lower()) == WalletToken(token)
    assert WalletToken(token).is_signed is (token is SIGNED)
    heard = Reading(Source.ACOUSTIC, "ear", "TILLWAVE", token, 0)
    assert CLASSIFIER.classify(heard) == WalletToken(token)


@pytest.mark.parametrize("raw", [b"", b"hello", bytes(16), bytes(181), SHORT + b"x", SHORT[:-1]])
def test_other_sounds_are_no_payment(raw: bytes) -> None:
    assert CLASSIFIER.classify(Reading(Source.ACOUSTIC, "ear", "TILLWAVE", raw, 0)) == Unknown("not-a-payment")


@pytest.mark.parametrize(
    ("text", "presented"),
    [
        ("TWC:" + "C" * 16, CouponCode("TWC:" + "C" * 16)),
        ("twm:" + "m" * 16, MemberCard("TWM:" + "M" * 16)),
        ("TWB:" + "B" * 20, Badge("TWB:" + "B" * 20)),
        ("TWR:" + "R" * 16, CouponCode("TWR:" + "R" * 16)),
        ("TWT:" + "T" * 20, TechnicianCode("TWT:" + "T" * 20)),
        ("TWS:GUIDE-7", Attribution("guide-7")),
        ("TWS:", Unknown("code-damaged")),
        ("TWS:LI WEI", Unknown("code-damaged")),
        ("TWS:" + "A" * 21, Unknown("code-damaged")),
        ("TWC:" + "C" * 15, Unknown("code-damaged")),
        ("TWC:" + "1" * 16, Unknown("code-damaged")),
        ("TWB:" + "B" * 33, Unknown("code-damaged")),
        ("TW1:AAAA", Unknown("code-damaged")),
        ("TW2:" + "A" * 26, Unknown("code-damaged")),
        ("TWX:" + "C" * 16, Unknown("not-a-payment")),
        ("000201010212", Unknown("merchant-code")),
        ("hQVDUFYwMWE", Unknown("code-damaged")),
    ],
)
def test_codes_of_the_house_are_known_by_their_prefix(text: str, presented: Presented) -> None:
    assert scanned(text, "]Q1", "QR") == presented


@given(
    st.binary(max_size=60) | st.text(max_size=60).map(str.encode),
    st.sampled_from(Source),
    st.sampled_from(["", "]Q1", "]E0", "]C1", "]X9"]),
    st.sampled_from(["QR", "EAN13", "UPCE", "UNKNOWN"]),
    st.sampled_from([b"", b"TW1:", b"TW2:", b"TWC:", b"hQVDUFYwM", b"000201", b"\x11", b"\x21"]),
)
def test_any_reading_is_something(raw: bytes, source: Source, aim: str, symbology: str, prefix: bytes) -> None:
    presented = CLASSIFIER.classify(Reading(source, "x", symbology, prefix + raw, 0, aim))
    assert isinstance(presented, Presented)
    if isinstance(presented, WalletToken):
        assert tokens.is_wallet_token(presented.token)
