"""What a code carries, by the AIM identifier that its reader sends before the data (ISO/IEC 15424).

The identifier decides first: the same digits are an article number in one kind of code and an element in another.
"""

from __future__ import annotations

from dataclasses import dataclass

from device.gs1.elements import ElementString, read_element_string
from device.gs1.gtin import read_gtin
from device.gs1.link import looks_like_link, read_link
from device.gs1.problems import BadNumber

ELEMENTS = frozenset({"]C1", "]e0", "]e1", "]e2", "]d2", "]Q3", "]J1"})
"""Codes that begin with FNC1: the data is an element string."""
NUMBERS = {"]E0": 13, "]E3": 13, "]E4": 8, "]I1": 14}
"""Codes of one article number, with its digits; UPC-A and UPC-E are sent as 13."""
LINKS = frozenset({"]Q0", "]Q1", "]Q2", "]d1", "]J0", "]z0", ""})
"""Codes of plain text, in which a link may stand."""
IDENTIFIERS = frozenset({*ELEMENTS, *NUMBERS, "]E1", "]E2"})
"""All codes whose data is GS1's, with the add-ons of magazines."""
_COMPOSITE = "|]e0"
"""Stands between the number of a linear code and the element string above it."""
_ADD_ON = "]E3"


@dataclass(frozen=True, slots=True)
class Number:
    """An article number, perhaps with the elements of a composite code above it."""

    gtin: str
    """14 digits."""
    more: ElementString | None = None


def read_carrier(aim: str, data: str) -> Number | ElementString | None:
    """Read what a code says of goods; None for plain text, Gs1Problem for data that is not what its kind promises."""
    if aim in ELEMENTS:
        return read_element_string(data)
    if aim in NUMBERS:
        return _number(aim, data)
    if aim in LINKS and looks_like_link(data):
        return read_link(data)
    return None


def _number(aim: str, data: str) -> Number:
    digits, composite, more = data.partition(_COMPOSITE)
    length = NUMBERS[aim]
    if aim == _ADD_ON:
        digits = digits[:length]
    if len(digits) != length:
        raise BadNumber(f"an article number in a code of this kind has {length} digits")
    return Number(read_gtin(digits), read_element_string(more) if composite else None)
