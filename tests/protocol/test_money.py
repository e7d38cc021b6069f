"""Money is whole minor units, and shares add up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signing import load_vectors

from protocol import currencies, money
from protocol.money import LARGEST_MINOR, CurrencyMismatch, Money, MoneyProblem, allocate, parse_decimal

AMOUNTS = st.integers(-LARGEST_MINOR, LARGEST_MINOR)
RATIOS = st.lists(st.integers(0, 10_000), min_size=1, max_size=8).filter(any)
CODES = st.sampled_from(["CNY", "JPY", "KWD", "CLF", "EUR"])


@pytest.mark.parametrize(
    ("minor", "ratios", "shares"),
    [
        (5, (70, 30), (4, 1)),
        (5, (30, 70), (2, 3)),
        (800, (1, 1, 1), (267, 267, 266)),
        (100, (1, 1, 1), (34, 33, 33)),
        (999, (70, 20, 10), (699, 200, 100)),
        (-5, (70, 30), (-4, -1)),
        (0, (1, 2), (0, 0)),
    ],
)
def test_largest_fraction_gets_the_odd_cent(minor: int, ratios: tuple[int, ...], shares: tuple[int, ...]) -> None:
    """Figures of moneyphp's documentation and of the rule itself."""
    assert allocate(minor, ratios) == shares


def test_every_published_split_comes_out() -> None:
    vectors = load_vectors("allocation.json")["vectors"]
    for vector in vectors:
        shares = allocate(vector["input"]["total_minor"], vector["input"]["ratios"])
        assert list(shares) == vector["expected"]["largest_remainder_tie_first"], vector["name"]
    assert len(vectors) >= 12


@given(AMOUNTS, RATIOS)
def test_shares_always_add_up(minor: int, ratios: list[int]) -> None:
    shares = allocate(minor, ratios)
    assert sum(shares) == minor
    assert len(shares) == len(ratios)
    assert all(share == 0 for share, ratio in zip(shares, ratios, strict=True) if ratio == 0)


@given(AMOUNTS, RATIOS)
def test_no_share_is_more_than_one_cent_from_its_exact_part(minor: int, ratios: list[int]) -> None:
    whole = sum(ratios)
    for share, ratio in zip(allocate(minor, ratios), ratios, strict=True):
        assert abs(share * whole - minor * ratio) < whole


@given(AMOUNTS, RATIOS)
def test_money_back_is_shared_like_money_taken(minor: int, ratios: list[int]) -> None:
    assert allocate(-minor, ratios) == tuple(-share for share in allocate(minor, ratios))


@pytest.mark.parametrize("ratios", [(), (0, 0), (1, -1), (-1, 3)])
def test_ratios_that_share_nothing_are_refused(ratios: tuple[int, ...]) -> None:
    with pytest.raises(MoneyProblem):
        allocate(100, ratios)


@given(AMOUNTS, CODES)
def test_what_is_written_is_read_again(minor: int, code: str) -> None:
    amount = Money(minor, code)
    assert parse_decimal(amount.decimal, code) == amount


@pytest.mark.parametrize(
    ("minor", "code", "text"),
    [
        (1230, "CNY", "12.30"),
        (5, "CNY", "0.05"),
        (-5, "CNY", "-0.05"),
        (500, "JPY", "500"),
        (0, "JPY", "0"),
        (1, "KWD", "0.001"),
        (12345, "CLF", "1.2345"),
    ],
)
def test_decimals_follow_the_currency(minor: int, code: str, text: str) -> None:
    assert Money(minor, code).decimal == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1e2",
        "+1",
        ".5",
        "1.",
        "1.234",
        "1,20",
        " 1",
        "1 ",
        "--1",
        "\u0661",
        "1_0",
        "NaN",
        "0x10",
        "9" * 16,
        "1.2.3",
    ],
)
def test_text_that_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(MoneyProblem):
        parse_decimal(text, "CNY")


@given(st.text(max_size=20), CODES)
def test_any_text_is_an_amount_or_a_money_problem(text: str, code: str) -> None:
    try:
        amount = parse_decimal(text, code)
    except MoneyProblem:
        return
    assert amount.currency == code


def test_an_amount_without_decimals_refuses_them() -> None:
    with pytest.raises(MoneyProblem, match="JPY has 0 decimals"):
        parse_decimal("5.0", "JPY")


@pytest.mark.parametrize("minor", [1.0, True, "1", None, LARGEST_MINOR + 1, -LARGEST_MINOR - 1])
def test_what_is_no_count_of_cents_is_refused(minor: object) -> None:
    with pytest.raises(MoneyProblem):
        Money(minor, "CNY")  # type: ignore[arg-type]


def test_two_currencies_do_not_add() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(1, "CNY") + Money(1, "EUR")
    with pytest.raises(CurrencyMismatch):
        _ = Money(1, "CNY") < Money(1, "EUR")


def test_sums_stay_in_their_currency() -> None:
    assert money.total([Money(5, "CNY"), Money(-2, "CNY")], "CNY") == Money(3, "CNY")
    assert money.total([], "JPY") == Money(0, "JPY")
    assert -Money(5, "CNY") - Money(1, "CNY") == Money(-6, "CNY")
    assert Money(5, "CNY") <= Money(5, "CNY") < Money(6, "CNY")
    assert str(Money(1230, "CNY")) == "12.30 CNY"


def test_money_of_no_country_is_refused() -> None:
    with pytest.raises(currencies.UnknownCurrency):
        Money(1, "XXX")
