"""The door to EMVCo codes: what a scanner may read by chance or on purpose, and the code that a terminal shows.

The terminal's dynamic code carries its challenge in Tillwave's own template (account template 26, identifier
`org.tillwave.pay`: 01 terminal, 02 sale, 03 nonce) and repeats sale and terminal in the standard's labels 62/05 and
62/07, so that a foreign wallet's statement names them too.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol.emv_merchant import (
    TILLWAVE_GUID,
    MerchantCode,
    MerchantDetails,
    build_dynamic_code,
    looks_like_merchant_code,
    parse_merchant_code,
)
from protocol.emv_problems import EmvQrProblem, NotChallengeCode
from protocol.emv_shopper import ShopperCode, looks_like_shopper_code, parse_shopper_code
from protocol.errors import BadToken
from protocol.money import Money
from protocol.tokens import Challenge

__all__ = [
    "TILLWAVE_GUID",
    "ChallengeCode",
    "EmvQrProblem",
    "MerchantCode",
    "MerchantDetails",
    "ShopperCode",
    "build_dynamic_code",
    "looks_like_merchant_code",
    "looks_like_shopper_code",
    "parse_merchant_code",
    "parse_shopper_code",
    "read_challenge_code",
    "write_challenge_code",
]


@dataclass(frozen=True, slots=True)
class ChallengeCode:
    """What a wallet learns from a terminal's code; unsigned, so settlement decides what is really due."""

    challenge: Challenge
    amount: Money
    merchant_name: str
    """In Latin letters; as the code says, for display only."""
    local_name: str | None
    """The merchant's name in the language of the code."""


def write_challenge_code(challenge: Challenge, *, merchant: MerchantDetails, amount: Money) -> str:
    """Write the dynamic code by which a wallet pays this sale; EmvQrProblem if the amount is not positive."""
    return build_dynamic_code(
        merchant=merchant,
        amount=amount,
        reference=challenge.sale,
        terminal=challenge.terminal,
        template=challenge.template(),
    )


def read_challenge_code(text: str) -> ChallengeCode:
    """Read the code of a Tillwave terminal; EmvQrProblem if it is none or contradicts itself."""
    code = parse_merchant_code(text)
    fields = code.template(TILLWAVE_GUID)
    if fields is None:
        raise NotChallengeCode("another scheme's merchant is to be paid")
    amount = code.amount
    if amount is None or amount.minor <= 0 or not code.is_dynamic:
        raise NotChallengeCode("it asks for no amount of one sale")
    challenge = _challenge_of(fields)
    if (code.reference_label, code.terminal_label) != (challenge.sale, challenge.terminal):
        raise NotChallengeCode("its labels name another sale or terminal than its challenge")
    return ChallengeCode(challenge, amount, code.merchant_name or "", code.local_name)


def _challenge_of(fields: dict[str, str]) -> Challenge:
    try:
        return Challenge.from_template(fields)
    except BadToken as problem:
        raise NotChallengeCode(str(problem)) from None
