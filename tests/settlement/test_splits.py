"""Six parties, to the cent: payments add up, and refunds leave nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.money import allocate
from settlement.splits import Funding, Share, Terms, pay_legs, refund_legs

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "allocation.json"


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    cuts = sorted(draw(st.lists(st.integers(0, 10_000), min_size=5, max_size=5)))
    parts = [after - before for before, after in zip([0, *cuts], [*cuts, 10_000], strict=True)]
    shares = tuple(Share(f"party{number}", part) for number, part in enumerate(parts) if part)
    fundings = tuple(
        Funding(f"coupon-funding:{number}", minor)
        for number, minor in enumerate(draw(st.lists(st.integers(1, 10_000), max_size=2)))
    )
    return Terms(version="1", merchant="m", shares=shares, fundings=fundings)


@given(terms(), st.integers(0, 10**9))
def test_payment_adds_up_to_zero_and_nobody_pays_but_payers(agreed: Terms, paid: int) -> None:
    legs = pay_legs(agreed, "wallet", paid)
    assert sum(legs.values()) == 0
    assert all(minor >= 0 for name, minor in legs.items() if name.startswith("party"))
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


@pytest.mark.skipif(not VECTORS.exists(), reason="the vectors of the house are not here")
def test_allocation_follows_the_vectors() -> None:
    vectors = json.loads(VECTORS.read_text())["vectors"]
    assert len(vectors) >= 12
    for vector in vectors:
        given_, expected = vector["input"], vector["expected"]["largest_remainder_tie_first"]
        assert list(allocate(given_["total_minor"], given_["ratios"])) == expected, vector["name"]
