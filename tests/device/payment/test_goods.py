"""Prices come from a file that is right, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.payment.goods import BadCatalogue, Catalogue
from device.payment.pricing import Article


def load(tmp_path: Path, content: str | bytes) -> Catalogue:
    path = tmp_path / "catalogue.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Catalogue.load(path, "CNY")


def article(gtin: str, label: str = "Tea", price: object = 600) -> str:
    return f'["{gtin}"]\nlabel = "{label}"\nprice = {price}\n'


def test_articles_are_found_by_their_14_digits(tmp_path: Path) -> None:
    catalogue = load(tmp_path, article("6901234567892", "茶") + article("96385074", "Cup", 150))
    assert catalogue.find("06901234567892") == Article("茶", 600)
    assert catalogue.find("00000096385074") == Article("Cup", 150)
    assert catalogue.find("06901234567885") is None
    assert [catalogue.sells(gtin) for gtin in ("06901234567892", "06901234567885")] == [True, False]
    assert Catalogue.empty("CNY").find("06901234567892") is None


@pytest.mark.parametrize(
    "content",
    [
        article("6901234567893"),
        article("690123456789"),
        article("²²²²²²²²"),
        article(""),
        article("17"),
        article("tea"),
        article("6901234567892", price=0),
        article("6901234567892", price=-5),
        article("6901234567892", price=10**12),
        article("6901234567892") + 'unit = "pound"\n',
        article("6901234567892", price=6.5),
        article("6901234567892", price='"6"'),
        article("6901234567892", label=""),
        article("6901234567892", label="T" * 81),
        article("6901234567892", label="T\\u0000"),
        article("6901234567892") + article("06901234567892"),
        article("6901234567892") * 2,
        article("6901234567892") + "colour = 5\n",
        '["6901234567892"]\nlabel = "Tea"\n',
        "x = 5",
        "[",
        b"\xff\xfe",
    ],
)
def test_a_catalogue_that_is_wrong_is_refused_with_its_path(tmp_path: Path, content: str | bytes) -> None:
    with pytest.raises(BadCatalogue, match=r"catalogue\.toml"):
        load(tmp_path, content)


def test_a_catalogue_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadCatalogue, match=r"nothing\.toml"):
        Catalogue.load(tmp_path / "nothing.toml", "CNY")
