from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.emv_ber import BerObject, read_ber
from protocol.emv_problems import (
    BadLength,
    BadTag,
    DuplicateObject,
    EmvQrProblem,
    MissingObject,
    NotShopperCode,
    TooLong,
)
from protocol.emv_shopper import looks_like_shopper_code, parse_shopper_code

# mvallim/emv-qrcode, DecoderCpmTest.java: the example of the EMVCo specification
TRACK_2 = "hQVDUFYwMWEaTwegAAAAVVVVVw8SNFZ4kBI0WNGRIgESNF8="
TWO_APPLICATIONS = (
    "hQVDUFYwMWETTwegAAAAVVVVUAhQcm9kdWN0MWETTwegAAAAZmZmUAhQcm9kdWN0MmJJWggSNFZ4kBI0WF8gDkNBUkRIT0xERVIvRU1W"
    "Xy0IcnVlc2RlZW5kIZ8QBwYBCgMAAACfJghYT9OF+iNLzJ82AgABnzcEbVjvEw=="
)
# mvallim/emv-qrcode, ConsumerPresentedModeDecoderTest.java: UnionPay test data
UNIONPAY = (
    "hQVDUFYwMWFWTwigAAADMwEBAlcRYmNgAQBxNnLSMSIBAAABiAFfNAEAYzOfJghWite85mtxi58nAYCfEBEHAAEDoAAAAQgwMDAwMDAwMZ82"
    "AhEiggIAAJ83BCJgSI4="
)
# mvallim/emv-qrcode, ConsumerPresentedModeTest.java: nothing but the payload format
FORMAT_ONLY = "hQVDUFYwMQ=="
REFUSED = {"format-only": MissingObject, "duplicate-5F20": DuplicateObject, "qris-cpm-1": BadLength}
VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"

FORMAT = bytes.fromhex("85054350563031")
AID = bytes.fromhex("4F07A0000000555555")


def vectors(name: str) -> list[dict[str, Any]]:
    """Load published codes from the folder beside the project; the test skips where there is none."""
    file = VECTORS / name
    if not file.exists():
        pytest.skip(f"{name} is not on this machine")
    return json.loads(file.read_text(encoding="utf-8"))["vectors"]


def tlv(tag: str, value: bytes) -> bytes:
    size = len(value)
    length = bytes([size]) if size < 0x80 else bytes([0x81, size]) if size < 0x100 else b"\x82" + size.to_bytes(2)
    return bytes.fromhex(tag) + length + value


def text_of(payload: bytes) -> str:
    return base64.b64encode(payload).decode()


def tree(objects: tuple[BerObject, ...]) -> list[list[object]]:
    return [[item.tag, tree(item.parts) if item.parts else item.value.hex().upper()] for item in objects]


def test_every_published_code_is_read_or_refused_as_it_should():
    published = vectors("emv_cpm.json")
    assert len(published) == 12
    for vector in published:
        if vector["name"] in REFUSED:
            assert vector["expected"]["valid"] is False
            with pytest.raises(REFUSED[vector["name"]]):
                parse_shopper_code(vector["input"])
        else:
            code = parse_shopper_code(vector["input"])
            assert code.payload.hex().upper() == vector["expected"]["hex"], vector["name"]
            assert tree(read_ber(code.payload)) == vector["expected"]["tree"], vector["name"]


def test_every_published_code_is_recognised_and_no_other_payment_code_is():
    assert all(looks_like_shopper_code(vector["input"]) for vector in vectors("emv_cpm.json"))
    for name in ("other_payment_qr.json", "emv_mpm.json"):
        for vector in vectors(name):
            assert not looks_like_shopper_code(vector["input"])
            with pytest.raises(NotShopperCode):
                parse_shopper_code(vector["input"])


def test_applications_stand_in_the_order_of_preference():
    assert parse_shopper_code(TWO_APPLICATIONS).application_ids == ("A0000000555555", "A0000000666666")
    assert parse_shopper_code(UNIONPAY).application_ids == ("A000000333010102",)


def test_bytes_go_upstream_as_they_came():
    code = parse_shopper_code(TRACK_2)
    assert text_of(code.payload) == TRACK_2


def test_code_without_application_is_recognised_but_refused():
    assert looks_like_shopper_code(FORMAT_ONLY)
    with pytest.raises(MissingObject, match="tag 61"):
        parse_shopper_code(FORMAT_ONLY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hQVDUFYwM",
        "hQVDUFYwMW",
        TRACK_2.rstrip("="),
        TRACK_2 + "=",
        TRACK_2 + "\n",
        " " + TRACK_2,
        TRACK_2[:20] + "\n" + TRACK_2[20:],
        TRACK_2[:-2] + "9=",
        TRACK_2.lower(),
        TRACK_2[:-3] + "最8=",
        "hQVDUFYwMW\ud800",
        "hQVDUFYwMW-_",
        "TW1:AAAA",
    ],
)
def test_text_that_is_not_canonical_base64_is_refused(text: str):
    with pytest.raises(NotShopperCode):
        parse_shopper_code(text)


def test_endless_text_is_refused():
    with pytest.raises(TooLong):
        parse_shopper_code("hQVDUFYwMW" + "A" * 100_000)


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (FORMAT + tlv("61", AID) + FORMAT, DuplicateObject),
        (FORMAT + tlv("61", AID) + tlv("62", b"") + tlv("62", b""), DuplicateObject),
        (FORMAT + tlv("61", AID + AID), DuplicateObject),
        (FORMAT + tlv("61", AID + tlv("63", tlv("9F26", b"1") + tlv("9F26", b"2"))), DuplicateObject),
        (
            FORMAT + tlv("61", AID + tlv("63", tlv("9F26", b"1"))) + tlv("62", tlv("64", tlv("9F26", b"1"))),
            DuplicateObject,
        ),
        (FORMAT + tlv("61", tlv("50", b"label")), MissingObject),
        (FORMAT + tlv("61", b""), MissingObject),
        (FORMAT + tlv("61", AID) + tlv("61", tlv("50", b"label")), MissingObject),
        (FORMAT + tlv("62", AID), MissingObject),
        (FORMAT + tlv("61", tlv("63", AID)), MissingObject),
        (FORMAT + tlv("61", tlv("4F", b"1234")), BadLength),
        (FORMAT + tlv("61", tlv("4F", bytes(17))), BadLength),
        (FORMAT + tlv("61", AID)[:-1], BadLength),
        (FORMAT + b"\x61\x0a" + AID, BadLength),
        (FORMAT + b"\x61\x81", BadLength),
        (FORMAT + b"\x61", BadLength),
        (FORMAT + b"\x61\x81\x09" + AID, BadLength),
        (FORMAT + b"\x61\x82\x00\x09" + AID, BadLength),
        (FORMAT + b"\x61\x82\x00\x90" + tlv("4F", bytes(7)) + tlv("50", bytes(0x90 - 11)), BadLength),
        (FORMAT + b"\x61\x80" + AID + b"\0\0", BadLength),
        (FORMAT + b"\x61\x83\x00\x00\x09" + AID, BadLength),
        (FORMAT + b"\x61\xff" + AID, BadLength),
        (FORMAT + tlv("61", AID + b"\0\0"), BadTag),
        (FORMAT + b"\0\0" + tlv("61", AID), BadTag),
        (FORMAT + tlv("61", AID + tlv("9F8020", b"x")), BadTag),
        (FORMAT + tlv("61", AID + tlv("9F818101", b"x")), BadTag),
        (FORMAT + tlv("61", AID + b"\x9f"), BadTag),
        (FORMAT + tlv("61", AID + b"\x9f\x81"), BadTag),
        (FORMAT + tlv("61", AID + tlv("63", tlv("E1", tlv("E2", tlv("C1", b"x"))))), BadTag),
    ],
)
def test_doubtful_structure_is_refused(payload: bytes, problem: type[EmvQrProblem]):
    with pytest.raises(problem):
        parse_shopper_code(text_of(payload))


def test_payload_format_must_come_first_and_be_known():
    with pytest.raises(NotShopperCode):
        parse_shopper_code(text_of(tlv("61", AID) + FORMAT))
    with pytest.raises(NotShopperCode):
        parse_shopper_code(text_of(tlv("85", b"CPV02") + tlv("61", AID)))


def test_long_lengths_and_three_byte_tags_are_read():
    payload = FORMAT + tlv("61", AID + tlv("DF8101", b"x") + tlv("50", bytes(300)))
    assert parse_shopper_code(text_of(payload)).application_ids == ("A0000000555555",)


def test_code_torn_anywhere_is_refused():
    payload = parse_shopper_code(UNIONPAY).payload
    for end in range(len(payload)):
        with pytest.raises(EmvQrProblem):
            parse_shopper_code(text_of(payload[:end]))
    for end in range(len(UNIONPAY)):
        with pytest.raises(EmvQrProblem):
            parse_shopper_code(UNIONPAY[:end])


@given(st.text())
def test_any_text_is_refused(text: str):
    for candidate in (text, "hQVDUFYwMW" + text):
        with pytest.raises(EmvQrProblem):
            parse_shopper_code(candidate)


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data: bytes):
    for payload in (FORMAT + data, FORMAT + tlv("61", AID + data), FORMAT + tlv("61", AID) + data):
        try:
            code = parse_shopper_code(text_of(payload))
        except EmvQrProblem:
            continue
        assert code.payload == payload
        assert "A0000000555555" in code.application_ids or payload == FORMAT + data


leaves = st.tuples(st.sampled_from(["50", "57", "5A", "5F20", "9F08", "9F26", "DF8101", "C1"]), st.binary(max_size=300))


def templates_of(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(leaves, st.tuples(st.sampled_from(["61", "63", "E1"]), st.lists(inner, max_size=3)))


branches = templates_of(templates_of(templates_of(leaves)))


def encode(node: tuple[str, Any]) -> bytes:
    tag, content = node
    return tlv(tag, content if isinstance(content, bytes) else b"".join(encode(part) for part in content))


def matches(item: BerObject, node: tuple[str, Any]) -> bool:
    tag, content = node
    if isinstance(content, bytes):
        return (item.tag, item.value) == (tag, content)
    pairs = zip(item.parts, content, strict=True)
    return item.tag == tag and all(matches(part, below) for part, below in pairs)


@given(st.lists(branches, max_size=4))
def test_what_is_written_is_read_back(nodes: list[tuple[str, Any]]):
    objects = read_ber(b"".join(encode(node) for node in nodes))
    assert all(matches(item, node) for item, node in zip(objects, nodes, strict=True))


def test_nothing_read_shows_in_repr_or_error():
    card = bytes.fromhex("4761739001010010")
    application = AID + tlv("5A", card)
    code = parse_shopper_code(text_of(FORMAT + tlv("61", application)))
    shown = repr(code) + repr(read_ber(code.payload)) + repr(read_ber(code.payload)[1].parts)
    assert shown.startswith("ShopperCode(application_ids=('A0000000555555',))")
    broken = [
        FORMAT + tlv("61", AID + card),
        FORMAT + tlv("61", AID + b"\x5a\x09" + card),
        FORMAT + tlv("61", application + tlv("5A", card)),
        FORMAT + tlv("61", application) + tlv("62", tlv("5A", card)),
        FORMAT + tlv("61", AID) + card,
    ]
    for payload in broken:
        with pytest.raises(EmvQrProblem) as caught:
            parse_shopper_code(text_of(payload))
        shown += repr(caught.value) + str(caught.value)
    assert not any(piece in shown for piece in ("4761", "7390", "0101", repr(card)[2:-1], text_of(card)[:4]))
