"""Which of these a reading is: by its identifier first, then by its shape, then by what the sale waits for.

The shapes of foreign wallets' codes and of member cards are settings, because their issuers change them. Numbers that
carry an identifier of GS1 (goods, logistics) are never taken for payment codes, however alike they look. Where a number
could be two things, goods that the store sells come first while the basket is made of scanned goods, and a member card
while there is none; else it is a payment code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from device.gs1 import carriers, gtin, labels
from device.gs1.coupons import read_manufacturer_coupon
from device.gs1.elements import Element, ElementString
from device.gs1.items import TradeItem, item_of_elements, item_of_label
from device.gs1.labels import Layout
from device.gs1.problems import BadLabel, BadNumber, Gs1Problem
from device.payment.presented import (
    Attribution,
    Badge,
    CouponCode,
    ForeignToken,
    Goods,
    MemberCard,
    Presented,
    TechnicianCode,
    Unknown,
    WalletToken,
)
from device.ports import Reading, Source
from protocol import emv_shopper, ids, tokens
from protocol.emv_problems import EmvQrProblem
from protocol.errors import BadToken


class CodeShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the codes of one wallet look."""

    scheme: str
    pattern: str
    aims: tuple[str, ...] = ()
    """AIM identifiers of the only codes in which they come, such as "]Q1"; empty for any."""


class MemberShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the member cards of one issuer look."""

    pattern: str
    aims: tuple[str, ...] = ()


SHAPES = (
    CodeShape("wechat", r"1[0-5]\d{16}"),
    CodeShape("alipay", r"(?:2[5-9]|30)\d{14,22}"),
    CodeShape("alipay", r"fp.{33}"),
    CodeShape("unionpay", r"62\d{17}"),
)
"""Published shapes; a terminal's settings may replace them."""

_ARTICLE_SYMBOLOGIES = frozenset({"EAN13", "EAN8", "UPCA", "UPCE"})
_LINEAR_AIMS = frozenset("ACFGI")
"""Letters of linear codes without a meaning of their own, in which scales print."""
_HOUSE_CODE = re.compile(r"[A-Z2-7]{16,32}", re.ASCII)
_UPCE_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Awaits:
    """What the running sale has use for; a sale that begins has use for everything."""

    goods: bool = True
    member: bool = True


class Classifier:
    """Says what readings are, with the shapes of one terminal's settings."""

    def __init__(
        self,
        shapes: tuple[CodeShape, ...] = SHAPES,
        *,
        members: tuple[MemberShape, ...] = (),
        layouts: tuple[Layout, ...] = (),
        sells: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._shapes = tuple((shape.scheme, _Shape(shape.pattern, shape.aims)) for shape in shapes)
        self._members = tuple(_Shape(member.pattern, member.aims) for member in members)
        self._layouts = layouts
        self._sells = sells

    def classify(self, reading: Reading, awaits: Awaits = Awaits()) -> Presented:
        """Say what a reading is."""
        if reading.source is Source.ACOUSTIC:
            return _heard(reading.raw)
        text = reading.text.strip()
        return (
            self._goods(reading, text)
            or _house_code(text)
            or self._store_label(reading, text, awaits)
            or self._member(reading, text, awaits)
            or self._payment_code(reading, text)
            or _other(text)
        )

    def _goods(self, reading: Reading, text: str) -> Presented | None:
        try:
            carried = self._carried(reading, text)
        except Gs1Problem:
            is_link = reading.aim in carriers.LINKS and reading.symbology not in _ARTICLE_SYMBOLOGIES
            return None if is_link else Unknown("goods-unreadable")
        if isinstance(carried, ElementString):
            return _of_elements(carried)
        return self._of_number(carried) if carried else None

    def _carried(self, reading: Reading, text: str) -> carriers.Number | ElementString | None:
        if reading.symbology in _ARTICLE_SYMBOLOGIES and reading.aim not in carriers.NUMBERS:
            return carriers.Number(gtin.read_gtin(text))
        if not reading.aim and gtin.is_digits(text) and len(text) in gtin.LENGTHS:
            return _bare_number(text)
        return carriers.read_carrier(reading.aim, text)

    def _of_number(self, number: carriers.Number) -> Presented:
        label = self._label(number.gtin.removeprefix("0"))
        if label is not None:
            return label
        more = number.more.elements if number.more else ()
        item = item_of_elements(ElementString((Element("01", number.gtin), *more)))
        return Goods(item or TradeItem(gtin=number.gtin))

    def _label(self, digits: str) -> Presented | None:
        for layout in self._layouts:
            if labels.is_laid_out(layout, digits):
                try:
                    return Goods(item_of_label(labels.read_label(layout, digits)))
                except BadLabel:
                    return Unknown("goods-unreadable")
        return None

    def _store_label(self, reading: Reading, text: str, awaits: Awaits) -> Presented | None:
        """Read a label of a scale that is no article number; it may look like a payment code."""
        is_linear = not reading.aim or reading.aim[1:2] in _LINEAR_AIMS
        if not awaits.goods or not is_linear or reading.aim in carriers.IDENTIFIERS:
            return None
        label = self._label(text)
        if isinstance(label, Goods) and self._sells(label.item.gtin):
            return label
        return None if self._payment_code(reading, text) else label

    def _member(self, reading: Reading, text: str, awaits: Awaits) -> Presented | None:
        if awaits.member and any(shape.fits(reading, text) for shape in self._members):
            return MemberCard(text)
        return None

    def _payment_code(self, reading: Reading, text: str) -> Presented | None:
        if emv_shopper.looks_like_shopper_code(text):
            return _shopper_code(text)
        if reading.aim in carriers.IDENTIFIERS:
            return None
        for scheme, shape in self._shapes:
            if shape.fits(reading, text):
                return ForeignToken(scheme, text.encode())
        return None


class _Shape:
    """A pattern, and the codes in which it counts."""

    def __init__(self, pattern: str, aims: tuple[str, ...]) -> None:
        self._pattern = re.compile(pattern, re.ASCII)
        self._aims = aims

    def fits(self, reading: Reading, text: str) -> bool:
        """Tell whether a reading has this shape."""
        return (not self._aims or reading.aim in self._aims) and self._pattern.fullmatch(text) is not None


def _heard(raw: bytes) -> Presented:
    return WalletToken(raw) if tokens.is_wallet_token(raw) else Unknown("not-a-payment")


def _bare_number(text: str) -> carriers.Number | None:
    """Take a number without identifier for an article if a check digit says so."""
    if gtin.has_check_digit(text):
        return carriers.Number(gtin.read_gtin(text))
    if len(text) != _UPCE_DIGITS:
        return None
    try:
        return carriers.Number(gtin.read_upce(text))
    except BadNumber:
        return None


def _of_elements(elements: ElementString) -> Presented:
    item = item_of_elements(elements)
    if item is not None:
        return Goods(item)
    coupon = elements.get("8110")
    if coupon is not None:
        return CouponCode(f"(8110){coupon}", read_manufacturer_coupon(coupon))
    for identifier in ("8112", "255"):
        value = elements.get(identifier)
        if value is not None:
            return CouponCode(f"({identifier}){value}")
    return Unknown("not-a-payment")


def _house_code(text: str) -> Presented | None:
    upper, prefix = text.upper(), text[:4].upper()
    if prefix in (tokens.SHORT_PREFIX, tokens.SIGNED_PREFIX):
        try:
            return WalletToken(tokens.token_from_text(upper))
        except BadToken:
            return Unknown("code-damaged")
    if prefix == tokens.ATTRIBUTION_PREFIX:
        party = text[4:].lower()
        return Attribution(party) if ids.is_name(party) else Unknown("code-damaged")
    kinds: dict[str, Callable[[str], Presented]] = {
        tokens.COUPON_PREFIX: CouponCode,
        tokens.RED_PACKET_PREFIX: CouponCode,
        tokens.MEMBER_PREFIX: MemberCard,
        tokens.BADGE_PREFIX: Badge,
        tokens.TECHNICIAN_PREFIX: TechnicianCode,
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
