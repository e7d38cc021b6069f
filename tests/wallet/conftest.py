"""Settlement's side for phones, and a phone enrolled with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from wallet_browser import EAR_HZ, chromium, pages, play_to_microphone, show_to_camera
from wallet_house import House

from wallet.account import Account, enrol
from wallet.phone import Phone
from wallet.ports import SeededRandomness, SteppedClock
from wallet.server import WalletServer

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


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file that the fake camera plays; a test films into it before it opens the scanner."""
    path = tmp_path_factory.mktemp("camera") / "film.mjpeg"
    show_to_camera(path, None)
    return path


@pytest.fixture(scope="module")
def ear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file that the fake microphone hears; a test plays into it before the page listens."""
    path = tmp_path_factory.mktemp("microphone") / "ear.wav"
    play_to_microphone(path, np.zeros(EAR_HZ))
    return path


@pytest.fixture(scope="module")
def browser(film: Path, ear: Path) -> Iterator[object]:
    with chromium(film, ear) as opened:
        yield opened


@pytest.fixture
def server(account: Account) -> Iterator[WalletServer]:
    phone = Phone(account)
    with WalletServer(phone) as serving:
        yield serving
    phone.close()


@pytest.fixture
def open_page(browser, server: WalletServer) -> Iterator[Callable[..., object]]:
    with pages(browser, server.address) as open_one:
        yield open_one
