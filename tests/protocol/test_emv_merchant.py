from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.emv_merchant import (
    MerchantCode,
    looks_like_merchant_code,
    parse_merchant_code,
)
from protocol.emv_objects import DataObject, crc16
from protocol.emv_problems import (
    BadAmount,
    BadCrc,
    BadLength,
    BadTag,
    BadValue,
    DuplicateObject,
    EmvQrProblem,
    MissingObject,
    NotMerchantCode,
    TooLong,
)
from protocol.money import Money

# dongri/emv-qrcode, emv/mpm/emv_mpm_test.go: the example of the EMVCo specification
TRANSPORT = (
    "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN5914BEST TRANSPORT"
    "6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412340603***0708A60086670902ME"
    "91320016A0112233449988770708123456786304A13A"
)
# dongri/emv-qrcode, README.md: yen with decimals under a right check value
YEN_WITH_DECIMALS = (
    "0002010102121313JCB12345678900416MASTER12345678905204531153033925407999.1235802JP5906DONGRI6005TOKYO"
    "62240104hoge0504fuga0704piyo6304C343"
)
# dtinth/promptpay-qr, index.test.js: no 52, 59 and 60
PROMPTPAY = "00020101021229370016A000000677010111011300660000000005802TH530376454044.226304E469"
# misterdevs/qris-parser, README.md: a published code with a check value that is none
QRIS_BAD_CRC = (
    "00020101021126610014COM.GO-JEK.WWW01189360091234285490450210G6285936550303UMI51440014ID.CO.QRIS.WWW"
    "0215ID10253801632580303UMI5204504553033605802ID5910Misterdevs6007JAKARTA61051234562070703A016304M2B3"
)
# thalesog/pix-utils, tests/emvCodes.ts: *** asks the shopper's app for the reference
PIX_STATIC = (
    "00020126510014br.gov.bcb.pix0115thalesog@me.com0210Pedido 123520400005303986540510.005802BR"
    "5914THALES OGLIARI6015SAO MIGUEL DO O62070503***63040DC6"
)
REFUSED = {"dongri-readme-jcb": BadAmount, "qris-bad-crc": BadCrc}
VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"


def vectors(name: str) -> list[dict[str, Any]]:
    """Load published codes from the folder beside the project; the test skips where there is none."""
    file = VECTORS / name
    if not file.exists():
        pytest.skip(f"{name} is not on this machine")
    return json.loads(file.read_text(encoding="utf-8"))["vectors"]


def seal(body: str) -> str:
    """Close a code with its right check value."""
    return body + "6304" + crc16(body + "6304")


def tree(objects: tuple[DataObject, ...]) -> list[list[object]]:
    return [[item.id, tree(item.parts) if item.parts else item.value] for item in objects]


def test_check_value_of_the_catalogue():
    assert crc16("123456789") == "29B1"


def test_every_published_code_is_read_or_refused_as_it_should():
    published = vectors("emv_mpm.json")
    assert len(published) == 29
    for vector in published:
        expected_problem = REFUSED.get(vector["name"])
        if expected_problem:
            with pytest.raises(expected_problem):
                parse_merchant_code(vector["input"])
        else:
            assert tree(parse_merchant_code(vector["input"]).objects) == vector["expected"]["tlv"], vector["name"]


def test_no_other_payment_code_is_mistaken_for_a_merchant_code():
    others = [vector["input"] for name in ("other_payment_qr.json", "emv_cpm.json") for vector in vectors(name)]
    for text in others:
        assert not looks_like_merchant_code(text)
        with pytest.raises(NotMerchantCode):
            parse_merchant_code(text)


def test_example_of_the_standard_is_understood():
    code = parse_merchant_code(TRANSPORT)
    assert code.is_dynamic
    assert code.amount == Money(2372, "CNY")
    assert (code.merchant_name, code.city, code.local_name) == ("BEST TRANSPORT", "BEIJING", "最佳运输")
    assert (code.reference_label, code.terminal_label) == (None, "A6008667")
    assert code.template("d15600000001") == {"03": "12345678"}
    assert code.template("A011223344998877") == {"07": "12345678"}
    assert code.template("D1560000000") is None


def test_thai_code_without_merchant_is_tolerated():
    code = parse_merchant_code(PROMPTPAY)
    assert (code.amount, code.merchant_name, code.city) == (Money(422, "THB"), None, None)


def test_static_code_without_labels_is_understood():
    code = parse_merchant_code(PIX_STATIC)
    assert not code.is_dynamic
    assert (code.reference_label, code.terminal_label) == (None, None)


def test_check_value_may_be_in_lower_case():
    lower = PROMPTPAY[:-4] + PROMPTPAY[-4:].lower()
    assert lower != PROMPTPAY
    assert parse_merchant_code(lower).objects[:-1] == parse_merchant_code(PROMPTPAY).objects[:-1]


def test_lengths_counted_in_bytes_are_understood():
    body = "000201010212" + "2612" + "0008org.test" + "5303156" + "540523.72" + "5802CN" + "5912最佳运输" + "6006北京"
    code = parse_merchant_code(seal(body))
    assert (code.merchant_name, code.city) == ("最佳运输", "北京")


def test_byte_length_through_the_middle_of_a_character_is_refused():
    body = "000201010212" + "2612" + "0008org.test" + "5303156" + "5802CN" + "5911最佳运输"
    with pytest.raises(EmvQrProblem):
        parse_merchant_code(seal(body))


@pytest.mark.parametrize("text", [YEN_WITH_DECIMALS, QRIS_BAD_CRC])
def test_published_fault_is_refused(text: str):
    with pytest.raises((BadAmount, BadCrc)):
        parse_merchant_code(text)


ACCOUNT = "26120008org.test"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (f"000201{ACCOUNT}53031565802CN5802US", DuplicateObject),
        ("00020126280008org.test0104abcd0104efgh53031565802CN", DuplicateObject),
        (f"000201{ACCOUNT}5802CN", MissingObject),
        (f"000201{ACCOUNT}5303156", MissingObject),
        ("00020153031565802CN", MissingObject),
        (f"000201{ACCOUNT}53031565802CN5999TEA", BadLength),
        (f"000201{ACCOUNT}53031565802CN59xxTEA", BadLength),
        (f"000201{ACCOUNT}53031565802CNTEAHOUSE", BadTag),
        ("00020126120099org.test53031565802CN", BadLength),
        ("000201260812345678" + "53031565802CN", BadLength),
        ("0002012603010" + "53031565802CN", BadLength),
        (f"000201{ACCOUNT}53039995802CN", BadValue),
        (f"000201{ACCOUNT}530315x5802CN", BadValue),
        (f"000201{ACCOUNT}53031565802cn", BadValue),
        (f"000201010213{ACCOUNT}53031565802CN", BadValue),
        (f"000201{ACCOUNT}52031235303156" + "5802CN", BadValue),
        (f"000201{ACCOUNT}53031565802CN5904TE\nA", BadValue),
        (f"000201{ACCOUNT}5303\u0661\u0665\u06665802CN", BadValue),
    ],
)
def test_doubtful_code_is_refused(body: str, problem: type[EmvQrProblem]):
    with pytest.raises(problem):
        parse_merchant_code(seal(body))


@pytest.mark.parametrize(
    "amount", ["", "-1.00", "+1.00", "1e3", "1,00", "1.234", "1..2", ".", "\u0661\u0662", "0x10", "1" * 14]
)
def test_amount_that_is_none_is_refused(amount: str):
    body = f"000201{ACCOUNT}530315654{len(amount):02d}{amount}5802CN"
    with pytest.raises(BadAmount):
        parse_merchant_code(seal(body))


def test_amount_beyond_all_reason_is_refused():
    with pytest.raises(BadAmount):
        parse_merchant_code(seal(f"000201{ACCOUNT}530315654139999999999999" + "5802CN"))


def test_text_torn_or_altered_anywhere_is_refused():
    for position in range(len(TRANSPORT)):
        other = "1" if TRANSPORT[position] != "1" else "2"
        with pytest.raises(EmvQrProblem):
            parse_merchant_code(TRANSPORT[:position])
        with pytest.raises(EmvQrProblem):
            parse_merchant_code(TRANSPORT[:position] + other + TRANSPORT[position + 1 :])


def test_code_hidden_behind_the_check_value_is_refused():
    with pytest.raises(EmvQrProblem):
        parse_merchant_code(seal(TRANSPORT))


def test_endless_text_is_refused():
    with pytest.raises(TooLong):
        parse_merchant_code("000201" + "0" * 100_000)


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(BadValue):
        parse_merchant_code("000201\ud8006304FFFF")


@given(st.text())
def test_any_text_is_read_or_refused(text: str):
    for candidate in (text, "000201" + text):
        with pytest.raises(EmvQrProblem):
            parse_merchant_code(candidate)


@given(st.text(alphabet="0123456789AZ.*最\n", max_size=60))
def test_any_sealed_text_is_read_or_refused(text: str):
    for body in ("000201" + text, f"000201{ACCOUNT}53031565802CN{text}"):
        try:
            code = parse_merchant_code(seal(body))
        except EmvQrProblem:
            continue
        assert code.is_dynamic in (True, False)
        assert code.amount is None or code.amount.minor >= 0


values = st.text(alphabet="0123456789AZaz.*最", min_size=1, max_size=20)


object_ids = st.sampled_from(
    ["02", "15", "26", "30", "51", "52", "54", "59", "60", "61", "62", "64", "65", "80", "99"],
)


@given(st.lists(st.tuples(object_ids, values), max_size=6))
def test_any_objects_are_read_in_their_order_or_refused(pairs: list[tuple[str, str]]):
    objects = [("26", "0008org.test"), ("53", "156"), ("58", "CN"), *pairs]
    body = "000201" + "".join(f"{object_id}{len(value):02d}{value}" for object_id, value in objects)
    try:
        code = parse_merchant_code(seal(body))
    except EmvQrProblem:
        return
    assert [(item.id, item.value) for item in code.objects[1:-1]] == objects


def test_nothing_read_shows_in_repr_or_error():
    card = "4111111111111111"
    body = f"0002010216{card}5303156" + "5802CN"
    code = parse_merchant_code(seal(body))
    shown = repr(code) + repr(code.objects) + str(code)
    for broken in (seal(body + "5802CN"), seal(body + "5499"), seal(f"0002010299{card}"), body + "63040000"):
        with pytest.raises(EmvQrProblem) as caught:
            parse_merchant_code(broken)
        shown += repr(caught.value) + str(caught.value)
    assert "1111" not in shown
    assert isinstance(code, MerchantCode)
