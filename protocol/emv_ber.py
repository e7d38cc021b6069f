"""Strict BER-TLV as EMVCo writes it (EMV Book 3, annex B): tags of 1 to 3 bytes, definite lengths, shortest form.

No filler bytes, no indefinite lengths, no second way to write the same object: what two readers could read
differently is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol.emv_problems import BadLength, BadTag

LONGEST_TAG = 3
DEEPEST = 4
"""Templates in templates; a shopper code needs two levels."""

_CONSTRUCTED = 0x20
_MORE_TAG_BYTES = 0x1F
_CONTINUES = 0x80
_INDEFINITE = 0x80
_LONGEST_LENGTH = 2
_NAMED = (
    {"85", "61", "62", "63", "64", "4F", "50", "57", "5A", "82"}
    | {"5F20", "5F2D", "5F34", "5F50"}
    | {"9F08", "9F10", "9F19", "9F24", "9F25", "9F26", "9F27", "9F36", "9F37"}
)


@dataclass(frozen=True, slots=True, repr=False)
class BerObject:
    """One object; a constructed one also has the objects in it. Shows tag and size, never its value."""

    tag: str
    """Upper-case hexadecimal."""
    value: bytes
    parts: tuple[BerObject, ...] = ()

    def __repr__(self) -> str:
        return f"BerObject({tag_name(self.tag)}, {len(self.value)} bytes)"


def read_ber(data: bytes) -> tuple[BerObject, ...]:
    """Read a run of objects that fills the data exactly; BadTag or BadLength otherwise."""
    return _read(data, 1)


def tag_name(tag: str) -> str:
    """Name a tag for a message: one that EMVCo does not know may be a piece of a card number and is not shown."""
    return f"tag {tag}" if tag in _NAMED else "an unknown tag"


def _read(data: bytes, depth: int) -> tuple[BerObject, ...]:
    if depth > DEEPEST:
        raise BadTag("a template", f"templates stand in each other more than {DEEPEST} deep")
    objects = []
    position = 0
    while position < len(data):
        tag, position = _read_tag(data, position)
        length, position = _read_length(data, position, tag_name(tag.hex().upper()))
        objects.append(_cut(tag, data[position : position + length], length, depth))
        position += length
    return tuple(objects)


def _cut(tag: bytes, value: bytes, length: int, depth: int) -> BerObject:
    name = tag.hex().upper()
    if len(value) < length:
        raise BadLength(tag_name(name), f"it announces {length} bytes and has {len(value)}")
    return BerObject(name, value, _read(value, depth + 1) if tag[0] & _CONSTRUCTED else ())


def _read_tag(data: bytes, position: int) -> tuple[bytes, int]:
    end = position + 1
    if data[position] & _MORE_TAG_BYTES == _MORE_TAG_BYTES:
        while end < len(data) and data[end] & _CONTINUES:
            end += 1
        end += 1
    tag = data[position:end]
    if end > len(data):
        raise BadTag("the last tag", "it is cut off")
    if len(tag) > LONGEST_TAG:
        raise BadTag("a tag", f"it has more than {LONGEST_TAG} bytes")
    if tag[0] == 0 or tag[1:2] == bytes([_CONTINUES]):
        raise BadTag("a tag", "it is filler or not in its shortest form")
    return tag, end


def _read_length(data: bytes, position: int, place: str) -> tuple[int, int]:
    if position >= len(data):
        raise BadLength(place, "its length is missing")
    first = data[position]
    if first < _INDEFINITE:
        return first, position + 1
    count = first - _INDEFINITE
    if not 1 <= count <= _LONGEST_LENGTH:
        raise BadLength(place, f"its length announces {count} length bytes; 1 or 2 are possible")
    digits = data[position + 1 : position + 1 + count]
    length = int.from_bytes(digits)
    if len(digits) < count:
        raise BadLength(place, "its length is cut off")
    if length < _INDEFINITE or length >> 8 * (count - 1) == 0:
        raise BadLength(place, "its length is not in its shortest form")
    return length, position + 1 + count
