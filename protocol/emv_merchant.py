"""EMVCo merchant-presented codes (EMV QRCPS, merchant-presented mode 1.1): read any, write the terminal's dynamic one.

The reader takes what the field writes: any order, absent 52, 59 and 60, long cities. It refuses what leaves a doubt
about whom and how much. The writer keeps to the letter of the standard. The problems are those of `emv_problems`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from protocol import currencies, money
from protocol.emv_objects import DataObject, check_text, crc16, read_objects, write_object, write_template
from protocol.emv_problems import (
    BadAmount,
    BadCrc,
    BadLength,
    BadTag,
    BadValue,
    MissingObject,
    NotMerchantCode,
    TooLong,
)
from protocol.money import Money

TILLWAVE_GUID = "org.tillwave.pay"
LONGEST_CODE = 512
LONGEST_NAME = 25
LONGEST_CITY = 15
LONGEST_REFERENCE = 25
LONGEST_AMOUNT = 13

_START = "000201"
_CRC_HEAD = "6304"
_CRC_DIGITS = 4
_ASK_SHOPPER = "***"
_MANDATORY = ("53", "58")
_RULES = {
    "01": (re.compile(r"1[12]", re.ASCII), "11 for a static or 12 for a dynamic code"),
    "52": (re.compile(r"\d{4}", re.ASCII), "four digits"),
    "53": (re.compile(r"\d{3}", re.ASCII), "the three digits of a currency"),
    "54": (re.compile(r"[\d.]{1,13}", re.ASCII), "1 to 13 digits with at most one point"),
    "58": (re.compile(r"[A-Z]{2}"), "the two capital letters of a country"),
}
_PRINTABLE = re.compile(r"[ -~]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2}")
_SUB_FIELD = re.compile(r"(?!00)\d\d", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class MerchantCode:
    """A merchant-presented code taken apart, objects in the order of the text."""

    objects: tuple[DataObject, ...]

    def __repr__(self) -> str:
        kind = "dynamic" if self.is_dynamic else "static"
        return f"MerchantCode({kind}, {len(self.objects)} objects)"

    @property
    def is_dynamic(self) -> bool:
        """Whether the code is for one transaction."""
        return self._value("01") == "12"

    @property
    def currency(self) -> str:
        """The currency's three letters."""
        return _currency_of(self._value("53") or "")

    @property
    def amount(self) -> Money | None:
        """The amount, without a tip or fee that the shopper's app may add; None if the shopper chooses it."""
        text = self._value("54")
        return None if text is None else _money_of(text, self.currency)

    @property
    def merchant_name(self) -> str | None:
        """The merchant's name in Latin letters."""
        return self._value("59")

    @property
    def local_name(self) -> str | None:
        """The merchant's name in the language of the code."""
        return self._part("64", "01")

    @property
    def city(self) -> str | None:
        """The merchant's city in Latin letters."""
        return self._value("60")

    @property
    def reference_label(self) -> str | None:
        """The merchant's reference of the transaction; None also if the shopper is to be asked."""
        return self._label("05")

    @property
    def terminal_label(self) -> str | None:
        """The merchant's name of the terminal; None also if the shopper is to be asked."""
        return self._label("07")

    def template(self, guid: str) -> dict[str, str] | None:
        """Give the sub-fields (without 00) of the first template of this identifier, in either case of its letters."""
        for item in (*self._between("26", "51"), *self._between("80", "99")):
            if (item.part("00") or "").lower() == guid.lower():
                return {part.id: part.value for part in item.parts if part.id != "00"}
        return None

    def _between(self, first: str, last: str) -> Iterator[DataObject]:
        return (item for item in self.objects if first <= item.id <= last)

    def _object(self, object_id: str) -> DataObject | None:
        return next((item for item in self.objects if item.id == object_id), None)

    def _value(self, object_id: str) -> str | None:
        found = self._object(object_id)
        return None if found is None else found.value

    def _part(self, object_id: str, part_id: str) -> str | None:
        found = self._object(object_id)
        return None if found is None else found.part(part_id)

    def _label(self, part_id: str) -> str | None:
        label = self._part("62", part_id)
        return None if label == _ASK_SHOPPER else label


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantDetails:
    """Who is paid, as a code names them: name and city in Latin letters, and again in a language of their own.

    Long names are shortened when a code is written. BadValue if the standard has no place for what is given.
    """

    name: str
    city: str
    country: str
    """ISO 3166, two capital letters."""
    category_code: str = "0000"
    """ISO 18245, four digits; 0000 is unknown."""
    local_language: str = ""
    """ISO 639, two letters, for example zh; empty if there is no local name."""
    local_name: str = ""
    local_city: str = ""

    def __post_init__(self) -> None:
        _check_latin("object 59 (merchant name)", self.name)
        _check_latin("object 60 (merchant city)", self.city)
        _check_rule("52", self.category_code)
        _check_rule("58", self.country)
        if self.local_language or self.local_name or self.local_city:
            self._check_local()

    def _check_local(self) -> None:
        if not _LANGUAGE.fullmatch(self.local_language):
            raise BadValue("object 64/00 (language)", "a local name or city needs the two letters of its language")
        if not self.local_name.strip():
            raise BadValue("object 64/01 (local name)", "a language needs the merchant's name in it")
        check_text(self.local_name + self.local_city, "object 64 (local name and city)")


def looks_like_merchant_code(text: str) -> bool:
    """Tell whether a text begins as a merchant-presented code; cheap, for sorting what was scanned."""
    return text.startswith(_START)


def parse_merchant_code(text: str) -> MerchantCode:
    """Read a merchant-presented code; EmvQrProblem if it is none or leaves a doubt about whom or how much."""
    if not looks_like_merchant_code(text):
        raise NotMerchantCode
    if len(text) > LONGEST_CODE:
        raise TooLong(LONGEST_CODE)
    check_text(text, "the code")
    _check_crc(text)
    objects = read_objects(text)
    _check_objects(objects)
    return MerchantCode(objects)


def build_dynamic_code(
    *, merchant: MerchantDetails, amount: Money, reference: str, terminal: str, template: Mapping[str, str]
) -> str:
    """Write the code of one transaction, `template` being the sub-fields 01..99 of Tillwave's own template.

    EmvQrProblem if the amount is not positive or anything is too long for its object.
    """
    objects = [
        _START,
        write_object("01", "12"),
        _write_tillwave(template),
        write_object("52", merchant.category_code),
        write_object("53", currencies.by_code(amount.currency).numeric),
        _write_amount(amount),
        write_object("58", merchant.country),
        write_object("59", _shorten(merchant.name, LONGEST_NAME)),
        write_object("60", _shorten(merchant.city, LONGEST_CITY)),
        _write_labels(reference, terminal),
        *_write_local(merchant),
    ]
    unsealed = "".join(objects) + _CRC_HEAD
    if len(unsealed) + _CRC_DIGITS > LONGEST_CODE:
        raise TooLong(LONGEST_CODE)
    return unsealed + crc16(unsealed)


def _check_crc(text: str) -> None:
    sealed, digits = text[:-_CRC_DIGITS], text[-_CRC_DIGITS:]
    if not sealed.endswith(_CRC_HEAD):
        raise MissingObject("object 63")
    if digits.upper() != crc16(sealed):
        raise BadCrc


def _check_objects(objects: tuple[DataObject, ...]) -> None:
    values = {item.id: item.value for item in objects}
    if objects[-1].id != "63":
        raise MissingObject("object 63")
    for object_id in _MANDATORY:
        if object_id not in values:
            raise MissingObject(f"object {object_id}")
    if not any("02" <= object_id <= "51" for object_id in values):
        raise MissingObject("a merchant account (objects 02 to 51)")
    for object_id in _RULES.keys() & values.keys():
        _check_rule(object_id, values[object_id])
    currency = _currency_of(values["53"])
    if "54" in values:
        _money_of(values["54"], currency)


def _check_rule(object_id: str, value: str) -> None:
    pattern, rule = _RULES[object_id]
    if not pattern.fullmatch(value):
        raise BadAmount(rule) if object_id == "54" else BadValue(f"object {object_id}", rule)


def _check_latin(place: str, text: str) -> None:
    if not text.strip() or not _PRINTABLE.fullmatch(text):
        raise BadValue(place, "write it in printable ASCII; other scripts go into the local name and city")


def _currency_of(numeric: str) -> str:
    try:
        return currencies.by_numeric(numeric).code
    except currencies.UnknownCurrency:
        raise BadValue("object 53", "no currency with minor units has this number") from None


def _money_of(text: str, currency: str) -> Money:
    try:
        return money.parse_decimal(text, currency)
    except money.MoneyProblem as problem:
        raise BadAmount(str(problem)) from None


def _write_amount(amount: Money) -> str:
    if amount.minor <= 0:
        raise BadAmount("a dynamic code asks for a positive amount")
    if len(amount.decimal) > LONGEST_AMOUNT:
        raise BadAmount(f"it has more than {LONGEST_AMOUNT} characters")
    return write_object("54", amount.decimal)


def _write_tillwave(template: Mapping[str, str]) -> str:
    for field in template:
        if not _SUB_FIELD.fullmatch(field):
            raise BadTag("in object 26", "its sub-fields are 01 to 99")
    fields = [write_object(field, value) for field, value in sorted(template.items())]
    return write_template("26", [write_object("00", TILLWAVE_GUID), *fields])


def _write_labels(reference: str, terminal: str) -> str:
    for place, label in (("object 62/05 (reference)", reference), ("object 62/07 (terminal label)", terminal)):
        if not 1 <= len(label) <= LONGEST_REFERENCE:
            raise BadLength(place, f"it holds 1 to {LONGEST_REFERENCE} characters, not {len(label)}")
        if label == _ASK_SHOPPER:
            raise BadValue(place, "three asterisks would make the shopper's app ask for it")
    return write_template("62", [write_object("05", reference), write_object("07", terminal)])


def _write_local(merchant: MerchantDetails) -> Iterator[str]:
    if not merchant.local_name:
        return
    parts = [
        write_object("00", merchant.local_language.upper()),
        write_object("01", _shorten(merchant.local_name, LONGEST_NAME)),
    ]
    if merchant.local_city.strip():
        parts.append(write_object("02", _shorten(merchant.local_city, LONGEST_CITY)))
    yield write_template("64", parts)


def _shorten(text: str, longest: int) -> str:
    return text.strip()[:longest].rstrip()
