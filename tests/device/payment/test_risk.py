"""What a terminal dares alone."""

from __future__ import annotations

import pytest
from counter_house import START_MS, cny, make_key

from device.payment.presented import ForeignToken, WalletToken
from device.payment.risk import Exposure, OfflineLimits, offline_refusal
from protocol import tokens
from protocol.errors import BadToken
from protocol.money import Money

ISSUER, PHONE = make_key(), make_key()
LIMITS = OfflineLimits(enabled=True, limit_per_sale=2_000, limit_total=3_000, limit_count=3)


def signed(limit: Money | None = None) -> WalletToken:
    voucher = tokens.make_voucher(
        ISSUER, alias=b"alias", public_key=PHONE.public_key, expires_s=START_MS // 1000, limit=limit or cny(10_000)
    )
    return WalletToken(tokens.make_signed_token(PHONE, voucher, START_MS // 1000))


@pytest.mark.parametrize(
    ("minor", "exposure", "refusal"),
    [
        (2_000, Exposure(), ""),
        (2_001, Exposure(), "offline-limit-sale"),
        (1_000, Exposure(1, 2_000), ""),
        (1_001, Exposure(1, 2_000), "offline-limit-total"),
        (1, Exposure(2, 0), ""),
        (1, Exposure(3, 0), "offline-limit-total"),
    ],
)
def test_limits_hold_to_the_cent(minor: int, exposure: Exposure, refusal: str) -> None:
    assert offline_refusal(signed(), cny(minor), LIMITS, exposure) == refusal


@pytest.mark.parametrize(("limit", "refusal"), [(cny(500), ""), (cny(499), "offline-limit-wallet")])
def test_a_wallet_has_a_limit_of_its_own(limit: Money, refusal: str) -> None:
    assert offline_refusal(signed(limit), cny(500), LIMITS, Exposure()) == refusal


def test_a_voucher_in_another_currency_is_no_limit() -> None:
    assert offline_refusal(signed(Money(10_000, "JPY")), cny(1), LIMITS, Exposure()) == "offline-limit-wallet"


@pytest.mark.parametrize("token", [ForeignToken("alipay", b"28"), WalletToken(bytes(16))])
def test_only_signed_tokens_are_proofs(token: ForeignToken | WalletToken) -> None:
    assert offline_refusal(token, cny(1), LIMITS, Exposure()) == "offline-needs-signed-token"


def test_nothing_is_accepted_offline_unless_it_is_switched_on() -> None:
    assert OfflineLimits().enabled is False
    assert offline_refusal(signed(), cny(1), OfflineLimits(), Exposure()) == "offline"


def test_a_malformed_token_is_a_bad_token() -> None:
    with pytest.raises(BadToken):
        offline_refusal(WalletToken(b"\x21" + bytes(180)), cny(1), LIMITS, Exposure())
