"""Tokens that were presented and never tried.

Whoever stood near may have recorded them, so they are burned when their sale ends without a payment. While it may still
be paid they stay good: the same phone may be tried next. A bound token is of no use outside its own sale and is left
alone, since that sale may be the neighbour's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from device.payment.events import Now, Step, Timing, TokenSeen
from device.payment.sale import Sale
from protocol import tokens
from protocol.records import TokenBurned

MOST_SEEN = 32
"""Tokens remembered in one sale; nobody presents so many but to fill the journal."""


def see(sale: Sale, event: TokenSeen, _now: Now, _timing: Timing) -> Step:
    """Remember a token that is not tried, and say why."""
    told = sale.noticing(event.notice)
    if not _is_worth_burning(sale, event.token) or len(sale.seen) >= MOST_SEEN:
        return Step(told)
    return Step(replace(told, seen=(*sale.seen, tokens.token_hash(event.token))))


def see_after_payment(sale: Sale, event: TokenSeen, _now: Now, _timing: Timing) -> Step:
    """Say that a token came beside the one that has paid; it stays good, since the next shopper may have been quick."""
    return Step(sale.noticing(event.notice))


def see_too_late(sale: Sale, event: TokenSeen, _now: Now, _timing: Timing) -> Step:
    """Burn a token that was on its way when its sale ended."""
    if not _is_worth_burning(sale, event.token) or len(sale.seen) >= MOST_SEEN:
        return Step(sale)
    hashed = tokens.token_hash(event.token)
    return Step(replace(sale, seen=(*sale.seen, hashed)), (_burned(sale, hashed, sale.reason),))


def tried(seen: Sequence[bytes], token: bytes) -> tuple[bytes, ...]:
    """Leave out a token that is tried after all."""
    same = [tokens.token_hash(each) for each in tokens.same_tokens(token)]
    return tuple(each for each in seen if each not in same)


def burned(sale: Sale, reason: str) -> tuple[TokenBurned, ...]:
    """Burn what was presented in a sale that ends without a payment."""
    return tuple(_burned(sale, each, reason) for each in sale.seen)


def _is_worth_burning(sale: Sale, token: bytes) -> bool:
    return not tokens.is_bound(token) and tokens.token_hash(token) not in sale.seen


def _burned(sale: Sale, hashed: bytes, reason: str) -> TokenBurned:
    return TokenBurned(sale=sale.sale, token_hash=hashed, reason=reason)
