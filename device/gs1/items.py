"""One piece of goods as a code describes it: number, weight, price, count and dates."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from device.gs1 import dates
from device.gs1.elements import ElementString
from device.gs1.labels import Label
from device.gs1.measures import Measure
from protocol import currencies

_GTIN_DIGITS = 14
_NUMERIC_DIGITS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeItem:
    """What a code says of the thing in front of the reader. Dates are six digits, empty where it says none."""

    gtin: str
    """14 digits; what the catalogue has it under."""
    weight: Measure | None = None
    """Kilograms."""
    price: Measure | None = None
    """Of this piece, in major units."""
    currency: str = ""
    """Of the price, where the code says it."""
    count: int | None = None
    use_by: str = ""
    sell_by: str = ""
    best_before: str = ""
    serial: str = field(default="", repr=False)

    def is_expired(self, today: date) -> bool:
        """Tell whether it must not be sold any more: the last day to use or to sell it is over."""
        return any(dates.read_date(day, today) < today for day in (self.use_by, self.sell_by) if day)

    def is_past_best(self, today: date) -> bool:
        """Tell whether its best days are over; it may still be sold where the law says so."""
        return bool(self.best_before) and dates.read_date(self.best_before, today) < today


def item_of_elements(elements: ElementString) -> TradeItem | None:
    """Give the goods of an element string: a GTIN, a piece of a set, or several of one kind; None if there are none."""
    gtin = elements.get("01") or elements.get("02") or (elements.get("8006") or "")[:_GTIN_DIGITS]
    if not gtin:
        return None
    price, currency = _price(elements)
    count = elements.get("30") or elements.get("37")
    return TradeItem(
        gtin=gtin,
        weight=_measure(elements, "310n"),
        price=price,
        currency=currency,
        count=int(count) if count else None,
        use_by=elements.get("17") or (elements.get("7003") or "")[:6],
        sell_by=elements.get("16") or "",
        best_before=elements.get("15") or "",
        serial=elements.get("21") or "",
    )


def item_of_label(label: Label) -> TradeItem:
    """Give the goods of a number of the store."""
    return TradeItem(gtin=label.item.zfill(_GTIN_DIGITS), weight=label.weight, price=label.price, count=label.count)


def _measure(elements: ElementString, family: str) -> Measure | None:
    element = elements.find(family)
    return Measure(int(element.value), int(element.identifier[-1])) if element else None


def _price(elements: ElementString) -> tuple[Measure | None, str]:
    if local := _measure(elements, "392n"):
        return local, ""
    priced = elements.find("393n")
    if priced is None:
        return None, ""
    currency = currencies.by_numeric(priced.value[:_NUMERIC_DIGITS]).code
    return Measure(int(priced.value[_NUMERIC_DIGITS:]), int(priced.identifier[-1])), currency
