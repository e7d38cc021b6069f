"""Prices of goods, from a catalogue file of the store."""

from __future__ import annotations

from pathlib import Path

import msgspec

from device.payment.errors import CounterProblem
from device.payment.presented import has_check_digit
from device.payment.sale import LARGEST_DUE_MINOR
from device.payment.wording import LONGEST_LABEL, is_wording
from protocol.money import Money
from protocol.records import Line

_GTIN_DIGITS = 14
_LENGTHS = (8, 12, 13, 14)


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
        except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
            raise BadCatalogue(f"{path}: {error}") from error
        for gtin, article in articles.items():
            _check(path, gtin, article)
        by_number = {gtin.zfill(_GTIN_DIGITS): article for gtin, article in articles.items()}
        if len(by_number) < len(articles):
            raise BadCatalogue(f"{path}: an article is there twice, with and without leading zeros")
        return cls(by_number, currency)

    def line(self, gtin: str) -> Line | None:
        """Give one piece of an article as a line of a basket; None if the store does not sell it."""
        article = self._articles.get(gtin)
        if article is None:
            return None
        return Line(code=gtin, label=article.label, quantity=1, amount=Money(article.price, self._currency))


def _check(path: Path, gtin: str, article: Article) -> None:
    is_number = gtin.isascii() and gtin.isdigit() and len(gtin) in _LENGTHS
    if not is_number or not has_check_digit(gtin):
        raise BadCatalogue(f"{path}: {gtin} is not an article number with a right check digit")
    if not 0 < article.price <= LARGEST_DUE_MINOR:
        raise BadCatalogue(f"{path}: the price of {gtin} is not between 1 and {LARGEST_DUE_MINOR} minor units")
    if not is_wording(article.label, LONGEST_LABEL):
        raise BadCatalogue(f"{path}: the label of {gtin} is not 1 to {LONGEST_LABEL} printable characters")
