"""Prices of goods, from a catalogue file of the store."""

from __future__ import annotations

from pathlib import Path

import msgspec

from device.payment.errors import CounterProblem
from device.payment.presented import has_check_digit
from protocol.money import Money
from protocol.records import Line

_GTIN_DIGITS = 14


class BadCatalogue(CounterProblem, ValueError):
    """The catalogue file cannot be used; the text names file and article."""

    reason = "bad-catalogue"


class Article(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One article of the catalogue file."""

    label: str
    price: int
    """Minor units of the terminal's currency."""


class Catalogue:
    """Looks up articles by GTIN."""

    def __init__(self, articles: dict[str, Article], currency: str) -> None:
        self._articles = articles
        self._currency = currency

    @classmethod
    def empty(cls, currency: str) -> Catalogue:
        """Give a catalogue without articles."""
        return cls({}, currency)

    @classmethod
    def load(cls, path: Path, currency: str) -> Catalogue:
        """Read a TOML file of tables `["6901234567892"]` with `label` and `price`; BadCatalogue if it is wrong."""
        try:
            articles = msgspec.toml.decode(path.read_bytes(), type=dict[str, Article])
        except (OSError, msgspec.DecodeError) as error:
            raise BadCatalogue(f"{path}: {error}") from error
        for gtin, article in articles.items():
            if not gtin.isdigit() or not has_check_digit(gtin):
                raise BadCatalogue(f"{path}: {gtin} is not an article number with a right check digit")
            if article.price <= 0:
                raise BadCatalogue(f"{path}: the price of {gtin} is not above zero")
        return cls({gtin.zfill(_GTIN_DIGITS): article for gtin, article in articles.items()}, currency)

    def line(self, gtin: str) -> Line | None:
        """Give one piece of an article as a line of a basket; None if the store does not sell it."""
        article = self._articles.get(gtin)
        if article is None:
            return None
        return Line(code=gtin, label=article.label, quantity=1, amount=Money(article.price, self._currency))
