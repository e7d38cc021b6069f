"""A house wallet, and a phone enrolled with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from wallet_house import House, serve

from keys.file import FileKey
from wallet.account import Account, enrol
from wallet.phone import Phone
from wallet.ports import SeededRandomness, SteppedClock

NOW_MS = 1_790_000_000_250
CODE = "7K2M-Q4XD"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(FileKey.create(tmp_path / "issuer.key"))
    server = serve(made)
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def account(house: House, tmp_path: Path) -> Account:
    return enrol(tmp_path / "phone", house.url, CODE, None)


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(NOW_MS)


@pytest.fixture
def phone(account: Account, clock: SteppedClock) -> Iterator[Phone]:
    made = Phone(account, clock=clock, randomness=SeededRandomness(7))
    yield made
    made.close()
