"""Six parties, to the cent: payments add up, and refunds leave nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.money import allocate
from settlement.splits import Charged, Funding, Share, Terms, pay_legs, refund_legs

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "allocation.json"


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    cuts = sorted(draw(st.lists(st.integers(0, 10_000), min_size=5, max_size=5)))
    parts = [after - before for before, after in zip([0, *cuts], [*cuts, 10_000], strict=True)]
    small = st.integers(0, 3_000)
    shares = tuple(
        Share(f"party{number}", part, draw(small), draw(st.none() | small), draw(small))
        for number, part in enumerate(parts)
        if part
    )
    fundings = tuple(
        Funding(f"coupon-funding:{number}", minor)
        for number, minor in enumerate(draw(st.lists(st.integers(1, 10_000), max_size=2)))
    )
    fees = tuple(Charged(f"acquirer:{number}", draw(st.integers(0, 500)), draw(small)) for number in range(2))
    return Terms(version="1", merchant="m", shares=shares, fundings=fundings, fees=fees)


@given(terms(), st.integers(0, 10**9))
def test_payment_adds_up_to_zero_and_nobody_pays_but_payers(agreed: Terms, paid: int) -> None:
    legs = pay_legs(agreed, "wallet", paid)
    assert sum(legs.values()) == 0
    assert all(minor >= 0 for name, minor in legs.items() if not name.startswith(("wallet", "coupon-funding")))
    assert legs["wallet"] == -paid


@given(terms(), st.lists(st.integers(1, 5_000), min_size=1, max_size=8))
def test_refunds_in_any_pieces_leave_zero_everywhere(agreed: Terms, pieces: list[int]) -> None:
    paid, before = sum(pieces), 0
    balances = pay_legs(agreed, "wallet", paid)
    for piece in pieces:
        legs = refund_legs(agreed, "wallet", paid, before, piece)
        assert sum(legs.values()) == 0
        assert legs["wallet"] == piece
        balances = {name: minor + legs.get(name, 0) for name, minor in balances.items()}
        before += piece
    assert set(balances.values()) == {0}


def terms_of(*shares: Share, fees: tuple[Charged, ...] = ()) -> Terms:
    rest = 10_000 - sum(share.basis_points for share in shares)
    return Terms(version="1", merchant="Tea", shares=(Share("merchant:Tea", rest), *shares), fees=fees)


@pytest.mark.parametrize(
    ("paid", "guide"),
    [(999, 0), (1_000, 70), (2_000, 90), (100_000, 500)],
    ids=["below the minimum", "with its fixed part", "in proportion", "at its cap"],
)
def test_a_guide_gets_a_fixed_part_up_to_a_cap_from_a_minimum_on(paid: int, guide: int) -> None:
    legs = pay_legs(terms_of(Share("guide:li", 200, 50, 500, 1_000)), "wallet", paid)
    assert legs == {"merchant:Tea": paid - guide, "guide:li": guide, "wallet": -paid}


def test_fixed_parts_end_where_the_merchants_part_ends() -> None:
    legs = pay_legs(terms_of(Share("guide:li", 0, 80), Share("mall", 0, 80)), "wallet", 100)
    assert legs == {"merchant:Tea": 0, "guide:li": 80, "mall": 20, "wallet": -100}


def test_the_merchant_pays_the_fees_of_acquirer_and_platform() -> None:
    fees = (Charged("acquirer:alipay", 60, 0), Charged("platform", 0, 5))
    legs = pay_legs(terms_of(Share("platform", 300), fees=fees), "alipay", 1_250)
    assert legs == {"merchant:Tea": 1_250 - 37 - 5 - 8, "platform": 37 + 5, "acquirer:alipay": 8, "alipay": -1_250}


def test_a_partial_refund_takes_from_each_what_it_got() -> None:
    agreed = terms_of(Share("guide:li", 0, 100), fees=(Charged("acquirer:alipay", 100, 0),))
    assert pay_legs(agreed, "alipay", 1_000) == {
        "merchant:Tea": 890,
        "guide:li": 100,
        "acquirer:alipay": 10,
        "alipay": -1_000,
    }
    half = refund_legs(agreed, "alipay", 1_000, 0, 500)
    assert half == {"merchant:Tea": -445, "guide:li": -50, "acquirer:alipay": -5, "alipay": 500}


def test_terms_from_before_limits_and_fees_are_still_read() -> None:
    kept = '{"version":"1","merchant":"Tea","shares":[["merchant:Tea",9000],["platform",1000]],"fundings":[]}'
    legs = pay_legs(Terms.from_json(kept), "wallet", 100)
    assert legs == {"merchant:Tea": 90, "platform": 10, "wallet": -100}


@pytest.mark.skipif(not VECTORS.exists(), reason="the vectors of the house are not here")
def test_allocation_follows_the_vectors() -> None:
    vectors = json.loads(VECTORS.read_text())["vectors"]
    assert len(vectors) >= 12
    for vector in vectors:
        given_, expected = vector["input"], vector["expected"]["largest_remainder_tie_first"]
        assert list(allocate(given_["total_minor"], given_["ratios"])) == expected, vector["name"]
