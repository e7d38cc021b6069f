from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import ids
from protocol.emv_problems import BadAmount, EmvQrProblem, NotChallengeCode
from protocol.emv_qr import (
    MerchantDetails,
    build_dynamic_code,
    parse_merchant_code,
    read_challenge_code,
    write_challenge_code,
)
from protocol.money import Money
from protocol.tokens import Challenge

# dtinth/promptpay-qr, index.test.js
PROMPTPAY = "00020101021229370016A000000677010111011300660000000005802TH530376454044.226304E469"
MERCHANT = MerchantDetails(name="Tea House", city="Xiamen", country="CN", local_language="zh", local_name="茶馆")
CHALLENGE = Challenge("till-7", "abcdefghijklmnop", bytes(range(16)))


def terminal_code(**changes: object) -> str:
    arguments = {
        "merchant": MERCHANT,
        "amount": Money(3150, "CNY"),
        "reference": CHALLENGE.sale,
        "terminal": CHALLENGE.terminal,
        "template": CHALLENGE.template(),
    }
    return build_dynamic_code(**{**arguments, **changes})


@given(
    st.from_regex(r"[a-z0-9-]{1,20}", fullmatch=True),
    st.binary(min_size=10, max_size=10).map(ids.make_id),
    st.binary(min_size=16, max_size=16),
    st.integers(1, 10**10),
)
def test_wallet_reads_the_challenge_that_the_terminal_shows(terminal: str, sale: str, nonce: bytes, minor: int):
    challenge = Challenge(terminal, sale, nonce)
    code = read_challenge_code(write_challenge_code(challenge, merchant=MERCHANT, amount=Money(minor, "CNY")))
    assert (code.challenge, code.amount) == (challenge, Money(minor, "CNY"))
    assert (code.merchant_name, code.local_name) == ("Tea House", "茶馆")


def test_longest_names_fit_into_the_template():
    challenge = Challenge("t" * 20, "a" * 16, b"\xff" * 16)
    code = parse_merchant_code(write_challenge_code(challenge, merchant=MERCHANT, amount=Money(1, "CNY")))
    assert code.template("org.tillwave.pay") == challenge.template()
    assert (code.reference_label, code.terminal_label) == ("a" * 16, "t" * 20)


def test_merchant_without_local_name_is_named_in_latin_letters():
    latin = MerchantDetails(name="Tea House", city="Xiamen", country="CN")
    code = read_challenge_code(write_challenge_code(CHALLENGE, merchant=latin, amount=Money(1, "CNY")))
    assert (code.merchant_name, code.local_name) == ("Tea House", None)


def test_code_of_another_scheme_is_no_challenge():
    with pytest.raises(NotChallengeCode, match="another scheme"):
        read_challenge_code(PROMPTPAY)


@pytest.mark.parametrize(
    "changes",
    [
        {"reference": "ponmlkjihgfedcba"},
        {"terminal": "till-8"},
        {"template": {}},
        {"template": {**CHALLENGE.template(), "01": "TILL 7"}},
        {"template": {**CHALLENGE.template(), "02": "short"}},
        {"template": {**CHALLENGE.template(), "03": "AAAA"}},
        {"template": {**CHALLENGE.template(), "03": "not base32!"}},
        {"template": {**CHALLENGE.template(), "03": "最" * 26}},
    ],
)
def test_code_that_contradicts_itself_is_refused(changes: dict[str, object]):
    with pytest.raises(NotChallengeCode):
        read_challenge_code(terminal_code(**changes))


def test_nothing_is_due_for_nothing():
    with pytest.raises(BadAmount):
        write_challenge_code(CHALLENGE, merchant=MERCHANT, amount=Money(0, "CNY"))


@given(st.text())
def test_any_text_is_refused(text: str):
    with pytest.raises(EmvQrProblem):
        read_challenge_code(text)
