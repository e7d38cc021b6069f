"""The demonstration's day, as a test: every way to pay, and what goes wrong at a counter."""

from __future__ import annotations

from pathlib import Path

import pytest

from tillwave.testing import office
from tillwave.testing.business_day import OWNERS, BusinessDay
from tillwave.testing.mall import BoxedMall, MallPlan

pytestmark = pytest.mark.broker


def test_register_terminal_and_ledger_agree_at_the_end_of_a_day(tmp_path: Path) -> None:
    said: list[str] = []
    with BoxedMall(tmp_path, MallPlan(owners=OWNERS)) as mall:
        day = BusinessDay(mall, said.append)
        day.play()
        ledger = office.read_ledger(mall.settlement_settings)
    outcomes = [row.outcome for row in day.rows]
    assert outcomes.count("paid") == 9
    assert ledger["balanced"], ledger["complaints"]
    assert ledger["payments"]["count"] == 9
    assert all(ledger["parties"][party] > 0 for party in ("merchant", "platform", "store", "guide", "mall", "third"))
    assert sum("register, terminal and ledger agree" in line for line in said) == 2
