"""A counter for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from counter_house import (
    CounterHouse,
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[CounterHouse]:
    house = CounterHouse(tmp_path)
    yield house
    house.close()
