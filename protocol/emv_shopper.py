"""EMVCo consumer-presented codes (EMV QRCPS, consumer-presented mode 1.0): checked for structure, passed on unopened.

The terminal holds no card keys. It makes sure that a code is one, finds the application identifiers by which it is
routed, and hands the bytes upstream. What was decoded is cardholder data: it is not kept, and nothing here shows it.
The problems are those of `emv_problems`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from protocol.emv_ber import BerObject, read_ber, tag_name
from protocol.emv_problems import BadLength, DuplicateObject, MissingObject, NotShopperCode, TooLong

LONGEST_CODE = 1024
"""Characters; our own bound, several times what wallets show."""

_START = re.compile(r"hQVDUFYwM[Q-Za-f]")
"""Base64 of 85 05 "CPV01", the payload format that comes first, and the first four bits of whatever follows."""
_APPLICATION, _COMMON, _NAME = "61", "62", "4F"
_SHORTEST_NAME, _LONGEST_NAME = 5, 16


@dataclass(frozen=True, slots=True)
class ShopperCode:
    """A sound consumer-presented code: an opaque proof of payment, and who may be able to charge it."""

    payload: bytes = field(repr=False)
    """The decoded bytes; cardholder data, for the acquirer alone."""
    application_ids: tuple[str, ...]
    """In the shopper's order of preference, upper-case hexadecimal."""


def looks_like_shopper_code(text: str) -> bool:
    """Tell whether a text begins as a consumer-presented code; cheap, for sorting what was scanned."""
    return _START.match(text) is not None


def parse_shopper_code(text: str) -> ShopperCode:
    """Check a consumer-presented code; EmvQrProblem if it is none, damaged, ambiguous or names no application."""
    payload = _decode(text)
    objects = read_ber(payload)
    _check_once(item for item in objects if item.tag != _APPLICATION)
    applications = [item for item in objects if item.tag == _APPLICATION]
    if not applications:
        raise MissingObject("tag 61 (application template)")
    names = tuple(_application_id(application) for application in applications)
    _check_disjoint(applications, [item for item in objects if item.tag == _COMMON])
    return ShopperCode(payload, names)


def _decode(text: str) -> bytes:
    """Decode base64 that is written the one canonical way."""
    if not looks_like_shopper_code(text) or not text.isascii():
        raise NotShopperCode
    if len(text) > LONGEST_CODE:
        raise TooLong(LONGEST_CODE)
    try:
        payload = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise NotShopperCode from None
    if base64.b64encode(payload).decode() != text:
        raise NotShopperCode
    return payload


def _check_once(objects: Iterable[BerObject]) -> None:
    """Raise DuplicateObject if a tag stands twice among these or within any template of theirs."""
    siblings = list(objects)
    for tag, count in Counter(item.tag for item in siblings).items():
        if count > 1:
            raise DuplicateObject(tag_name(tag))
    for item in siblings:
        _check_once(item.parts)


def _application_id(application: BerObject) -> str:
    _check_once(application.parts)
    name = next((part.value for part in application.parts if part.tag == _NAME), None)
    if name is None:
        raise MissingObject("tag 4F (application identifier)")
    if not _SHORTEST_NAME <= len(name) <= _LONGEST_NAME:
        raise BadLength("tag 4F (application identifier)", f"it has 5 to 16 bytes, not {len(name)}")
    return name.hex().upper()


def _check_disjoint(applications: list[BerObject], common: list[BerObject]) -> None:
    """Raise DuplicateObject for a tag that is both in an application template and in the common one."""
    shared = set(_tags(common))
    for tag in _tags(applications):
        if tag in shared:
            raise DuplicateObject(f"{tag_name(tag)} (in an application and in the common template)")


def _tags(templates: Iterable[BerObject]) -> Iterator[str]:
    """Walk the tags of everything inside the templates."""
    for template in templates:
        for part in template.parts:
            yield part.tag
            yield from _tags([part])
