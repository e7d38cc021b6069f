"""Settlement's side for phones, and a phone enrolled with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from wallet_house import House

from wallet.account import Account, enrol
from wallet.phone import Phone
from wallet.ports import SeededRandomness, SteppedClock

NOW_MS = 1_790_000_000_250


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(NOW_MS)


@pytest.fixture
def house(tmp_path: Path, clock: SteppedClock) -> Iterator[House]:
    made = House(tmp_path, clock)
    made.start()
    yield made
    assert made.complaints() == []
    made.stop()


@pytest.fixture
def account(house: House, tmp_path: Path, clock: SteppedClock) -> Account:
    return enrol(tmp_path / "phone", house.url, house.code, None, clock=clock)


@pytest.fixture
def phone(account: Account, clock: SteppedClock) -> Iterator[Phone]:
    made = Phone(account, clock=clock, randomness=SeededRandomness(7))
    yield made
    made.close()
