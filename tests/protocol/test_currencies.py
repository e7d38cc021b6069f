"""The table of currencies is that of ISO 4217."""

from __future__ import annotations

import pytest
from signing import load_vectors

from protocol.currencies import UnknownCurrency, by_code, by_numeric


def test_every_currency_of_the_standard_is_known() -> None:
    table = load_vectors("iso4217.json")["currencies"]
    assert len(table) == 178
    for code, entry in table.items():
        if entry["exponent"] is None:
            with pytest.raises(UnknownCurrency):
                by_code(code)
            continue
        currency = by_code(code)
        assert (currency.numeric, currency.exponent) == (entry["numeric"], entry["exponent"]), code
        assert by_numeric(entry["numeric"]) is currency


@pytest.mark.parametrize(("code", "numeric", "exponent"), [("CNY", "156", 2), ("JPY", "392", 0), ("TWD", "901", 2)])
def test_common_currencies_are_right(code: str, numeric: str, exponent: int) -> None:
    currency = by_code(code)
    assert (currency.code, currency.numeric, currency.exponent) == (code, numeric, exponent)


@pytest.mark.parametrize("code", ["", "cny", "XAU", "156", "C" * 1000])
def test_other_codes_are_refused_in_a_short_sentence(code: str) -> None:
    with pytest.raises(UnknownCurrency, match="is not a currency") as problem:
        by_code(code)
    assert len(str(problem.value)) < 80
    with pytest.raises(UnknownCurrency):
        by_numeric("CNY")
