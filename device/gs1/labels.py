"""Numbers that a store's own scales print: item, weight, price or count behind a prefix of 02 or 20 to 29.

Such numbers mean what the store says (GS1 General Specifications 2.1.11), so a layout is a setting. It has one letter
for each digit: `I` item, `P` price, `W` weight in kilograms, `N` count, `V` the inner check digit over what follows it,
`C` the check digit at the end; digits stand for themselves. "21IIIIIPPPPPC" is common in China, and so is
"26IIIIIPPPPPWWWWWC". Layouts of some countries are known by name (the rules of their GS1 organisations, after biip).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from device.gs1 import gtin
from device.gs1.measures import Measure
from device.gs1.problems import BadLabel

_LAYOUT = re.compile(r"([0-9]{2,})(I+)(?:V?(?:P+|W+|N+))(?:P+|W+|N+)?C")
_KEY_DIGITS = 12
_MOST_DECIMALS = 4
_INNER_LENGTHS = (4, 5)


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where things stand in one kind of number."""

    layout: str
    price_decimals: int = 2
    weight_decimals: int = 3


@dataclass(frozen=True, slots=True)
class Label:
    """What a number of the store says."""

    item: str
    """13 digits: prefix and item, zeros for the rest, and the check digit of these; so the catalogue has it."""
    price: Measure | None = None
    weight: Measure | None = None
    count: int | None = None


def check_layout(layout: Layout) -> None:
    """Raise BadLabel with a sentence for the technician if a layout makes no sense."""
    match = _LAYOUT.fullmatch(layout.layout)
    if match is None:
        raise BadLabel(f"{layout.layout!r}: a layout is a prefix in digits, I..., one or two of P... W... N..., and C")
    if len(match[1] + match[2]) > _KEY_DIGITS:
        raise BadLabel(f"{layout.layout!r}: prefix and item have at most {_KEY_DIGITS} digits")
    for decimals in (layout.price_decimals, layout.weight_decimals):
        if not 0 <= decimals <= _MOST_DECIMALS:
            raise BadLabel(f"{layout.layout!r}: decimals are 0 to {_MOST_DECIMALS}")
    if "V" in layout.layout and len(_checked(layout.layout)) not in _INNER_LENGTHS:
        raise BadLabel(f"{layout.layout!r}: an inner check digit is over 4 or 5 digits")


def is_laid_out(layout: Layout, digits: str) -> bool:
    """Tell whether a number has the length and the prefix of a layout, and the right check digit at its end."""
    prefix = layout.layout[: layout.layout.index("I")]
    sound = gtin.is_digits(digits) and len(digits) == len(layout.layout) and digits.startswith(prefix)
    return sound and gtin.has_check_digit(digits)


def read_label(layout: Layout, digits: str) -> Label:
    """Read a number by its layout; BadLabel if it does not fit or its inner check digit is wrong."""
    if not is_laid_out(layout, digits):
        raise BadLabel("the number does not fit its layout")
    places = layout.layout
    if "V" in places and digits[places.index("V")] != inner_check_digit(_under(places, digits, _checked(places)[0])):
        raise BadLabel("the inner check digit is wrong; scan the label again, or weigh anew")
    key = digits[: places.rindex("I") + 1].ljust(_KEY_DIGITS, "0")
    price, weight, count = (_under(places, digits, letter) for letter in "PWN")
    return Label(
        item=key + gtin.check_digit(key),
        price=Measure(int(price), layout.price_decimals) if price else None,
        weight=Measure(int(weight), layout.weight_decimals) if weight else None,
        count=int(count) if count else None,
    )


def inner_check_digit(value: str) -> str:
    """Give the check digit over the 4 or 5 digits of a price or weight (GS1 General Specifications 7.9.2 to 7.9.4)."""
    if len(value) == _INNER_LENGTHS[0]:
        weighted = _twice(value[0]) + _twice(value[1]) + 3 * int(value[2]) + _five_less(value[3])
        return str(3 * weighted % 10)
    weighted = _five_more(value[0]) + _twice(value[1]) + _five_less(value[2]) + _five_more(value[3]) + _twice(value[4])
    wanted = -weighted % 10
    return next(digit for digit in "0123456789" if _five_less(digit) == wanted)


def _under(layout: str, digits: str, letter: str) -> str:
    """Give the digits that stand under a letter."""
    return "".join(digit for place, digit in zip(layout, digits, strict=True) if place == letter)


def _checked(layout: str) -> str:
    """Give the letters that the inner check digit is over: those that follow it."""
    behind = layout[layout.index("V") + 1 :]
    return behind[: len(behind) - len(behind.lstrip(behind[0]))]


def _twice(digit: str) -> int:
    tens, units = divmod(2 * int(digit), 10)
    return (units - tens) % 10


def _five_less(digit: str) -> int:
    tens, units = divmod(5 * int(digit), 10)
    return (units - tens) % 10


def _five_more(digit: str) -> int:
    tens, units = divmod(5 * int(digit), 10)
    return (units + tens) % 10


_SCANDINAVIAN = (
    Layout("20IIIIIIPPPPC", 2),
    Layout("21IIIIIIPPPPC", 1),
    Layout("22IIIIIIPPPPC", 0),
    Layout("23IIIIIIWWWWC", 2, 3),
    Layout("24IIIIIIWWWWC", 2, 2),
    Layout("25IIIIIIWWWWC", 2, 1),
)
_BALTIC = _SCANDINAVIAN[3:]
COUNTRIES: dict[str, tuple[Layout, ...]] = {
    "denmark": (
        *(Layout(f"{prefix}IIIIPPPPPPC") for prefix in (21, 22, 23, 24)),
        *(Layout(f"{prefix}IIIIWWWWWWC") for prefix in (26, 28)),
        Layout("27IIIIIWWWWWC"),
    ),
    "estonia": _BALTIC,
    "finland": _BALTIC,
    "germany": (
        *(Layout(f"{prefix}IIIIVPPPPPC") for prefix in (22, 23)),
        *(Layout(f"{prefix}IIIIVNNNNNC") for prefix in (25, 26)),
        *(Layout(f"{prefix}IIIIVWWWWWC") for prefix in (28, 29)),
    ),
    "great-britain": (Layout("20IIIIIVPPPPC"),),
    "latvia": _BALTIC,
    "lithuania": _BALTIC,
    "norway": _SCANDINAVIAN,
    "sweden": _SCANDINAVIAN,
}
