"""What may be accepted while settlement cannot be reached. Off unless the settings switch it on."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from device.payment.presented import ForeignToken, WalletToken
from protocol import tokens
from protocol.money import Money


class OfflineLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much a merchant dares; amounts in minor units of the terminal's currency."""

    enabled: bool = False
    limit_per_sale: int = 5_000
    limit_total: int = 50_000
    limit_count: int = 20


@dataclass(frozen=True, slots=True)
class Exposure:
    """What was accepted offline and is not yet receipted."""

    count: int = 0
    minor: int = 0


def offline_refusal(
    presented: WalletToken | ForeignToken,
    amount: Money,
    limits: OfflineLimits,
    exposure: Exposure,
) -> str:
    """Give the reason word why this payment may not be accepted offline, empty if it may; BadToken if it is none."""
    if not limits.enabled:
        return "offline"
    if not isinstance(presented, WalletToken) or not presented.is_signed:
        return "offline-needs-signed-token"
    voucher = tokens.parse_signed_token(presented.token).voucher
    if voucher.limit.currency != amount.currency or voucher.limit < amount:
        return "offline-limit-wallet"
    if amount.minor > limits.limit_per_sale:
        return "offline-limit-sale"
    if exposure.minor + amount.minor > limits.limit_total or exposure.count + 1 > limits.limit_count:
        return "offline-limit-total"
    return ""
