"""The data objects that a merchant-presented code is made of: ID (2 digits), length (2 digits), value.

Lengths count characters. Some encoders count UTF-8 bytes; such a text is read that way if it does not fit the other.
Templates are opened one level deep, because what lies below belongs to the scheme.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from protocol.emv_problems import BadLength, BadTag, BadValue, DuplicateObject, EmvQrProblem

LONGEST_VALUE = 99

_TEMPLATES = frozenset(f"{number:02d}" for number in (*range(26, 52), 62, 64, *range(80, 100)))
_TWO_DIGITS = re.compile(r"\d\d", re.ASCII)
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd\ufffe\uffff]")
"""Controls, half characters and the mark of a damaged one."""


@dataclass(frozen=True, slots=True, repr=False)
class DataObject:
    """One object; a template also has the objects in it. Shows its size, never its value."""

    id: str
    value: str
    parts: tuple[DataObject, ...] = ()

    def __repr__(self) -> str:
        return f"DataObject({self.id!r}, {len(self.value)} characters)"

    def part(self, part_id: str) -> str | None:
        """Give the value of the object of this id in the template."""
        return next((part.value for part in self.parts if part.id == part_id), None)


def crc16(text: str) -> str:
    """CRC-16/CCITT-FALSE over the UTF-8 bytes, as four upper-case hexadecimal digits."""
    return f"{binascii.crc_hqx(text.encode(), 0xFFFF):04X}"


def check_text(text: str, place: str) -> None:
    """Raise BadValue for characters that no code carries."""
    if _UNFIT.search(text):
        raise BadValue(place, "control characters and broken characters are not allowed")


def read_objects(text: str) -> tuple[DataObject, ...]:
    """Read a whole code, lengths counting characters or else bytes; EmvQrProblem if it is none."""
    try:
        return _read(text, "", str)
    except EmvQrProblem:
        if text.isascii():
            raise
        by_bytes = _read_by_bytes(text)
        if by_bytes is None:
            raise
        return by_bytes


def write_object(object_id: str, value: str, longest: int = LONGEST_VALUE) -> str:
    """Write one object; BadLength if the value is empty or longer than its object allows."""
    if not 1 <= len(value) <= longest:
        raise BadLength(f"object {object_id}", f"it holds 1 to {longest} characters, not {len(value)}")
    check_text(value, f"object {object_id}")
    return f"{object_id}{len(value):02d}{value}"


def write_template(object_id: str, parts: Iterable[str]) -> str:
    """Write a template around objects already written."""
    return write_object(object_id, "".join(parts))


def _read_by_bytes(text: str) -> tuple[DataObject, ...] | None:
    """Read a code whose lengths count bytes: each byte stands as one character until its value is cut out."""
    try:
        return _read(text.encode().decode("latin-1"), "", _characters_of_bytes)
    except EmvQrProblem:
        return None


def _characters_of_bytes(units: str) -> str:
    value = units.encode("latin-1").decode(errors="replace")
    check_text(value, "an object")
    return value


def _read(units: str, outer: str, decode: Callable[[str], str]) -> tuple[DataObject, ...]:
    objects: dict[str, DataObject] = {}
    position = 0
    while position < len(units):
        object_id, value = _cut(units, position, outer)
        if object_id in objects:
            raise DuplicateObject(_place(outer, object_id))
        parts = _read(value, object_id, decode) if not outer and object_id in _TEMPLATES else ()
        objects[object_id] = DataObject(object_id, decode(value), parts)
        position += 4 + len(value)
    return tuple(objects.values())


def _cut(units: str, position: int, outer: str) -> tuple[str, str]:
    """Cut the object that begins at `position` into id and value."""
    object_id, digits = units[position : position + 2], units[position + 2 : position + 4]
    if not _TWO_DIGITS.fullmatch(object_id):
        raise BadTag(f"in object {outer}" if outer else "in the code", "an object begins with two digits")
    if not _TWO_DIGITS.fullmatch(digits):
        raise BadLength(_place(outer, object_id), "its length is two digits")
    length = int(digits)
    value = units[position + 4 : position + 4 + length]
    if len(value) < length:
        raise BadLength(_place(outer, object_id), f"it announces {length} characters and has {len(value)}")
    return object_id, value


def _place(outer: str, object_id: str) -> str:
    return f"object {outer}/{object_id}" if outer else f"object {object_id}"
