"""Double entry: what does not add up, or is booked already, is never written."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from town import Town

from settlement import ledger
from settlement.errors import Overdrawn, SettlementProblem, Unbalanced
from settlement.ledger import Entry


def entry(key: str = "pay:1", **legs: int) -> Entry:
    return Entry(key=key, kind="pay", currency="CNY", legs=legs or {"a": 5, "b": -5}, at_ms=1)


def test_uneven_entry_is_refused(town: Town) -> None:
    with pytest.raises(Unbalanced), town.service.store.writing() as connection:
        ledger.post(connection, entry(a=5, b=-4))
    assert town.balances() == {}


def test_entry_is_booked_once(town: Town) -> None:
    with town.service.store.writing() as connection:
        ledger.post(connection, entry())
        assert [booked.key for booked in ledger.of_account(connection, "a")] == ["pay:1"]
    with pytest.raises(SettlementProblem, match="booked already"), town.service.store.writing() as connection:
        ledger.post(connection, entry())
    assert town.balances() == {"a": 5, "b": -5}


def test_wallet_never_goes_below_zero(town: Town) -> None:
    legs = {"wallet:0102030405": -1, "mall": 1}
    with pytest.raises(Overdrawn), town.service.store.writing() as connection:
        ledger.post(connection, Entry(key="k", kind="pay", currency="CNY", legs=legs, at_ms=1))
    assert town.balances() == {}


@pytest.mark.parametrize("table", ["entries", "postings"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET entry = 7"])
def test_what_is_booked_stays_booked(town: Town, table: str, change: str) -> None:
    with town.service.store.writing() as connection:
        ledger.post(connection, entry())
    with pytest.raises(IntegrityError, match="stays booked"), town.service.store.writing() as connection:
        connection.execute(text(change.format(table)))


def test_wrong_balance_is_found(town: Town) -> None:
    with town.service.store.writing() as connection:
        ledger.post(connection, entry())
        connection.execute(text("UPDATE balances SET minor = 6 WHERE account = 'a'"))
        assert ledger.check(connection) == [
            "the balance of a is 6, its postings add up to 5 CNY",
            "the balances do not add up to zero",
        ]
