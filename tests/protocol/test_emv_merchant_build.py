from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.emv_merchant import TILLWAVE_GUID, MerchantDetails, build_dynamic_code, parse_merchant_code
from protocol.emv_objects import crc16
from protocol.emv_problems import BadAmount, BadLength, BadTag, BadValue, EmvQrProblem
from protocol.money import Money

DETAILS = MerchantDetails(name="Harbour Tea House", city="Shanghai", country="CN", category_code="5499")
CHALLENGE = {"01": "till-7", "02": "abcdefghijklmnop", "03": "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def build(**changes: Any) -> str:
    usual = {"merchant": DETAILS, "amount": Money(3150, "CNY"), "reference": "r1", "terminal": "t1", "template": {}}
    return build_dynamic_code(**{**usual, **changes})


def test_built_code_is_exactly_this():
    text = build(template=CHALLENGE, reference="abcdefghijklmnop", terminal="till-7")
    assert text[:-4] == (
        "000201010212" + "2680" + "0016org.tillwave.pay" + "0106till-7" + "0216abcdefghijklmnop"
        "0326ABCDEFGHIJKLMNOPQRSTUVWXYZ" + "52045499" + "5303156" + "540531.50" + "5802CN" + "5917Harbour Tea House"
        "6008Shanghai" + "6230" + "0516abcdefghijklmnop" + "0706till-7" + "6304"
    )
    assert text[-4:] == crc16(text[:-4])


latin = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40).filter(str.strip)
fit = st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffd\ufffe\uffff"))
fields = st.dictionaries(
    st.integers(1, 99).map(lambda number: f"{number:02d}"), fit.filter(lambda text: 1 <= len(text) <= 15), max_size=4
)
amounts = st.one_of(
    st.builds(Money, st.integers(1, 10**10), st.sampled_from(["CNY", "USD", "THB"])),
    st.builds(Money, st.integers(1, 10**13 - 1), st.sampled_from(["JPY", "KRW"])),
    st.builds(Money, st.integers(1, 10**12 - 1), st.just("KWD")),
)
labels = st.text(alphabet="abcdefghijklmnopqrstuvwxyz234567-", min_size=1, max_size=25)


@given(st.tuples(latin, latin), fields, amounts, st.tuples(labels, labels))
def test_what_is_built_is_read_back(
    merchant_texts: tuple[str, str], template: dict[str, str], amount: Money, label_pair: tuple[str, str]
):
    (name, city), (reference, terminal) = merchant_texts, label_pair
    merchant = MerchantDetails(name=name, city=city, country="CN")
    code = parse_merchant_code(
        build_dynamic_code(merchant=merchant, amount=amount, reference=reference, terminal=terminal, template=template)
    )
    assert code.is_dynamic
    assert code.amount == amount
    assert code.template(TILLWAVE_GUID) == template
    assert (code.reference_label, code.terminal_label) == (reference, terminal)
    assert (code.merchant_name, code.city) == (name.strip()[:25].rstrip(), city.strip()[:15].rstrip())


@given(fit.filter(str.strip), fit)
def test_local_names_are_read_back(name: str, city: str):
    merchant = MerchantDetails(
        name="Tea", city="Xiamen", country="CN", local_language="zh", local_name=name, local_city=city
    )
    assert parse_merchant_code(build(merchant=merchant)).local_name == name.strip()[:25].rstrip()


def test_chinese_merchant_stands_in_the_language_template():
    merchant = MerchantDetails(
        name="Best Transport",
        city="Beijing",
        country="CN",
        local_language="zh",
        local_name="最佳运输",
        local_city="北京",
    )
    assert "64200002ZH0104最佳运输0202北京6304" in build(merchant=merchant)


def test_fullest_code_keeps_within_the_limit():
    merchant = MerchantDetails(
        name="N" * 60, city="C" * 60, country="CN", local_language="zh", local_name="名" * 60, local_city="城" * 60
    )
    text = build(
        merchant=merchant,
        amount=Money(999_999_999_999, "CNY"),
        reference="r" * 25,
        terminal="t" * 25,
        template={"01": "x" * 75},
    )
    assert len(text) <= 512
    assert parse_merchant_code(text).amount == Money(999_999_999_999, "CNY")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"template": {"01": "x" * 76}}, BadLength),
        ({"template": {"01": "x" * 100}}, BadLength),
        ({"template": {"01": ""}}, BadLength),
        ({"template": {"00": "org.other"}}, BadTag),
        ({"template": {"1": "x"}}, BadTag),
        ({"template": {"01": "a\x00b"}}, BadValue),
        ({"reference": "r" * 26}, BadLength),
        ({"reference": ""}, BadLength),
        ({"reference": "***"}, BadValue),
        ({"terminal": "t" * 26}, BadLength),
        ({"terminal": ""}, BadLength),
        ({"amount": Money(0, "CNY")}, BadAmount),
        ({"amount": Money(-1, "CNY")}, BadAmount),
        ({"amount": Money(10**13 - 1, "CNY")}, BadAmount),
    ],
)
def test_what_does_not_fit_is_not_written(changes: dict[str, Any], problem: type[EmvQrProblem]):
    with pytest.raises(problem):
        build(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "   "},
        {"name": "最佳运输"},
        {"city": "北京"},
        {"country": "cn"},
        {"country": "CHN"},
        {"category_code": "54"},
        {"local_name": "最佳运输"},
        {"local_language": "zh"},
        {"local_language": "zh", "local_city": "北京"},
        {"local_language": "zh", "local_name": "最\n佳"},
        {"local_language": "中文", "local_name": "最佳运输"},
    ],
)
def test_merchant_without_a_place_in_the_standard_is_refused(changes: dict[str, str]):
    with pytest.raises(BadValue):
        MerchantDetails(**{"name": "Tea", "city": "Xiamen", "country": "CN", **changes})
