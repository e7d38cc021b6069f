"""Prices of goods, from a catalogue file of the store."""

from __future__ import annotations

from pathlib import Path

import msgspec

from device.gs1.gtin import DIGITS, read_gtin
from device.gs1.problems import BadNumber
from device.payment.errors import CounterProblem
from device.payment.pricing import Article
from device.payment.sale import LARGEST_DUE_MINOR
from device.payment.wording import LONGEST_LABEL, is_wording


class BadCatalogue(CounterProblem, ValueError):
    """The catalogue file cannot be used; the text names file and article."""

    reason = "bad-catalogue"


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
        """Read a TOML file of tables `["6901234567892"]` with `label`, `price`, `unit`; BadCatalogue if it is wrong."""
        try:
            articles = msgspec.toml.decode(path.read_bytes(), type=dict[str, Article])
        except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
            raise BadCatalogue(f"{path}: {error}") from error
        for gtin, article in articles.items():
            _check(path, gtin, article)
        by_number = {gtin.zfill(DIGITS): article for gtin, article in articles.items()}
        if len(by_number) < len(articles):
            raise BadCatalogue(f"{path}: an article is there twice, with and without leading zeros")
        return cls(by_number, currency)

    @property
    def currency(self) -> str:
        """The currency of all prices."""
        return self._currency

    def find(self, gtin: str) -> Article | None:
        """Give an article by 14 digits; None if the store does not sell it."""
        return self._articles.get(gtin)

    def sells(self, gtin: str) -> bool:
        """Tell whether the store sells it."""
        return gtin in self._articles


def _check(path: Path, gtin: str, article: Article) -> None:
    try:
        read_gtin(gtin)
    except BadNumber as problem:
        raise BadCatalogue(f"{path}: {gtin} is not an article number with a right check digit") from problem
    if not 0 < article.price <= LARGEST_DUE_MINOR:
        raise BadCatalogue(f"{path}: the price of {gtin} is not between 1 and {LARGEST_DUE_MINOR} minor units")
    if not is_wording(article.label, LONGEST_LABEL):
        raise BadCatalogue(f"{path}: the label of {gtin} is not 1 to {LONGEST_LABEL} printable characters")
