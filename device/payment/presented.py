"""What a reading turns out to be: by its identifier first, then by its shape, never by a guess at its meaning.

The shapes of foreign wallets' codes are settings, because wallets change them. Numbers that carry an identifier of GS1
(goods, logistics) are never taken for payment codes, however alike they look.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from device.ports import Reading, Source
from protocol import emv_shopper, tokens
from protocol.emv_problems import EmvQrProblem
from protocol.errors import BadToken


@dataclass(frozen=True, slots=True)
class WalletToken:
    """A token of the house wallet."""

    token: bytes = field(repr=False)

    @property
    def is_signed(self) -> bool:
        """Tell whether the terminal alone can check it."""
        return len(self.token) == tokens.SIGNED_BYTES


@dataclass(frozen=True, slots=True)
class ForeignToken:
    """A code that another wallet can charge."""

    scheme: str
    """"alipay", "wechat", "unionpay" or "emv"."""
    token: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Goods:
    """An article number with a right check digit, as 14 digits."""

    gtin: str


@dataclass(frozen=True, slots=True)
class CouponCode:
    """A coupon of the house."""

    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MemberCard:
    """A member card of the house."""

    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Badge:
    """The card of a sales clerk or supervisor."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing that the counter can use; `notice` is the word that the pages explain."""

    notice: str


Presented = WalletToken | ForeignToken | Goods | CouponCode | MemberCard | Badge | Unknown


class CodeShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the codes of one wallet look."""

    scheme: str
    pattern: str


SHAPES = (
    CodeShape("wechat", r"1[0-5]\d{16}"),
    CodeShape("alipay", r"(?:2[5-9]|30)\d{14,22}"),
    CodeShape("alipay", r"fp.{33}"),
    CodeShape("unionpay", r"62\d{17}"),
)
"""Published shapes; a terminal's settings may replace them."""

_GS1_AIMS = frozenset({"]C1", "]E0", "]E3", "]E4", "]I1", "]e0", "]e1", "]e2", "]d2", "]Q3", "]J1"})
_ARTICLE_SYMBOLOGIES = frozenset({"EAN13", "EAN8", "UPCA", "UPCE"})
_GTIN_LENGTHS = frozenset({8, 12, 13, 14})
_HOUSE_CODE = re.compile(r"[A-Z2-7]{16,32}", re.ASCII)


class Classifier:
    """Says what readings are, with the shapes of one terminal's settings."""

    def __init__(self, shapes: tuple[CodeShape, ...] = SHAPES) -> None:
        self._shapes = tuple((shape.scheme, re.compile(shape.pattern, re.ASCII)) for shape in shapes)

    def classify(self, reading: Reading) -> Presented:
        """Say what a reading is."""
        if reading.source is Source.ACOUSTIC:
            return _heard(reading.raw)
        text = reading.text.strip()
        return _article(reading, text) or _house_code(text) or self._payment_code(reading, text) or _other(text)

    def _payment_code(self, reading: Reading, text: str) -> Presented | None:
        if emv_shopper.looks_like_shopper_code(text):
            return _shopper_code(text)
        if reading.aim in _GS1_AIMS:
            return None
        for scheme, pattern in self._shapes:
            if pattern.fullmatch(text):
                return ForeignToken(scheme, text.encode())
        return None


def has_check_digit(digits: str) -> bool:
    """Tell whether the last digit is the check digit of the others (GS1 General Specifications section 7.9)."""
    weighted = (int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(digits[:-1])))
    return (10 - sum(weighted) % 10) % 10 == int(digits[-1])


def _heard(raw: bytes) -> Presented:
    return WalletToken(raw) if tokens.is_wallet_token(raw) else Unknown("not-a-payment")


def _article(reading: Reading, text: str) -> Presented | None:
    is_number = text.isascii() and text.isdigit()
    if reading.symbology in _ARTICLE_SYMBOLOGIES or reading.aim in ("]E0", "]E4"):
        return _goods(text) if is_number else Unknown("goods-unreadable")
    if not reading.aim and is_number and len(text) in _GTIN_LENGTHS and has_check_digit(text):
        return _goods(text)
    return None


def _goods(text: str) -> Presented:
    if len(text) not in _GTIN_LENGTHS or not has_check_digit(text):
        return Unknown("goods-unreadable")
    return Goods(text.zfill(14))


def _house_code(text: str) -> Presented | None:
    upper, prefix = text.upper(), text[:4].upper()
    if prefix in (tokens.SHORT_PREFIX, tokens.SIGNED_PREFIX):
        try:
            return WalletToken(tokens.token_from_text(upper))
        except BadToken:
            return Unknown("code-damaged")
    kinds: dict[str, Callable[[str], Presented]] = {
        tokens.COUPON_PREFIX: CouponCode,
        tokens.MEMBER_PREFIX: MemberCard,
        tokens.BADGE_PREFIX: Badge,
    }
    if prefix not in kinds:
        return None
    return kinds[prefix](upper) if _HOUSE_CODE.fullmatch(upper[4:]) else Unknown("code-damaged")


def _shopper_code(text: str) -> Presented:
    try:
        emv_shopper.parse_shopper_code(text)
    except EmvQrProblem:
        return Unknown("code-damaged")
    return ForeignToken("emv", text.encode())


def _other(text: str) -> Presented:
    if text.startswith("000201"):
        return Unknown("merchant-code")
    return Unknown("not-a-payment")
