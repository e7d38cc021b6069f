"""What one piece of goods costs, and whether it may be sold today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import msgspec

from device.gs1.items import TradeItem
from device.gs1.labels import COUNTRIES, Layout
from device.gs1.measures import Measure
from device.gs1.problems import Gs1Problem
from device.payment.sale import LARGEST_DUE_MINOR
from device.payment.wording import LONGEST_LABEL
from protocol import currencies
from protocol.money import Money
from protocol.records import Line


class Article(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One article of the catalogue file."""

    label: str
    price: int
    """Minor units of the terminal's currency, for a piece or a kilogram."""
    unit: Literal["piece", "kg"] = "piece"


class GoodsRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a store labels its goods, and what it does not sell."""

    labels_of: str = ""
    """A country of `labels.COUNTRIES`, whose layouts its scales follow."""
    labels: tuple[Layout, ...] = ()
    """The store's own layouts, before those of the country."""
    sell_past_best: bool = True
    """Whether goods are sold, with a notice, after their best days."""

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """All layouts, in the order in which they are tried."""
        return self.labels + COUNTRIES.get(self.labels_of, ())


@dataclass(frozen=True, slots=True)
class Priced:
    """A line for the basket, or None; `notice` is the word that the pages explain."""

    line: Line | None
    notice: str


class _NoPrice(Exception):
    """There is no price; the text is the notice."""


def price_item(article: Article, item: TradeItem, *, currency: str, today: date, rules: GoodsRules) -> Priced:
    """Price one piece of goods; no line when it must not be sold or its price cannot be told."""
    try:
        is_past_best = item.is_past_best(today)
        if item.is_expired(today) or (is_past_best and not rules.sell_past_best):
            return Priced(None, "goods-expired")
        minor = _minor(article, item, currency)
    except Gs1Problem:
        return Priced(None, "goods-unreadable")
    except _NoPrice as reason:
        return Priced(None, str(reason))
    line = Line(
        code=item.gtin,
        label=_label(article, item.weight),
        quantity=1 if item.count is None else item.count,
        amount=Money(minor, currency),
    )
    return Priced(line, "goods-past-best" if is_past_best else "goods-added")


def _minor(article: Article, item: TradeItem, currency: str) -> int:
    """Give the price: the one on the label, or by weight, rounded half up, or by count."""
    if item.price is not None:
        minor = _marked(item.price, item.currency, currency)
    elif article.unit == "kg":
        minor = _weighed(article.price, item.weight)
    else:
        minor = article.price * (1 if item.count is None else item.count)
    if minor > LARGEST_DUE_MINOR:
        raise _NoPrice("basket-full")
    if minor <= 0 or item.count == 0:
        raise _NoPrice("goods-unreadable")
    return minor


def _marked(price: Measure, its_currency: str, currency: str) -> int:
    minor = price.scaled(currencies.by_code(currency).exponent)
    if minor is None or its_currency not in ("", currency):
        raise _NoPrice("goods-unreadable")
    return minor


def _weighed(per_kilogram: int, weight: Measure | None) -> int:
    if weight is None:
        raise _NoPrice("goods-need-weight")
    whole = int(10**weight.decimals)
    return (2 * per_kilogram * weight.digits + whole) // (2 * whole)


def _label(article: Article, weight: Measure | None) -> str:
    behind = f" {weight} kg" if weight else ""
    return article.label[: LONGEST_LABEL - len(behind)] + behind
