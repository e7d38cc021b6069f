"""A pytest plugin for whoever connects a register to Tillwave: a whole mall on loopback, with simulated devices.

    def test_my_register_takes_a_payment(tillwave_terminal, tillwave_shopper):
        register = tillwave_terminal.pair_register()
        payment = register.pay(1230)
        tillwave_terminal.bench.show_qr(tillwave_shopper.phone.payment_text())
        assert register.wait(payment["id"])["phase"] == "paid"

Needs mosquitto on the machine; a test is skipped with a reason where it is missing. The mall lives as long as the test
session, terminal, register and shopper as long as one test module.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tillwave.testing.processes import find_program

if TYPE_CHECKING:
    from tillwave.testing.mall import BoxedMall
    from tillwave.testing.register import Register
    from tillwave.testing.shopper import Shopper
    from tillwave.testing.terminal import BoxedTerminal

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def tillwave_mall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoxedMall]:
    """Give a mall: authority, broker, settlement, and what it takes to add terminals and shoppers."""
    if find_program("mosquitto") is None:
        pytest.skip("mosquitto is not installed; on Debian: apt-get install mosquitto")
    from tillwave.testing.mall import BoxedMall

    with BoxedMall(tmp_path_factory.mktemp("mall")) as mall:
        yield mall


@pytest.fixture(scope="session")
def tillwave_settlement(tillwave_mall: BoxedMall) -> BoxedMall:
    """Give the mall, whose `.settlement` is the central service and `.settlement_settings` its file."""
    return tillwave_mall


@pytest.fixture(scope="module")
def tillwave_terminal(tillwave_mall: BoxedMall) -> Iterator[BoxedTerminal]:
    """Give a running terminal with one simulated device of every kind."""
    terminal = tillwave_mall.add_terminal(f"till-{next(_numbers)}")
    yield terminal
    terminal.close()


@pytest.fixture(scope="module")
def tillwave_register(tillwave_terminal: BoxedTerminal) -> Register:
    """Give a register that is paired with the terminal."""
    return tillwave_terminal.pair_register()


@pytest.fixture(scope="module")
def tillwave_shopper(tillwave_mall: BoxedMall) -> Iterator[Shopper]:
    """Give a shopper with 1000.00 in the house wallet."""
    shopper = tillwave_mall.add_shopper(f"shopper-{next(_numbers)}", load_minor=100_000)
    yield shopper
    shopper.close()
