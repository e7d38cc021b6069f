"""Fixtures: a provisioned mall, and its broker running."""

from __future__ import annotations

import pytest
from provisioned_mall import provision, running_broker

from tillwave.testing.processes import find_program


@pytest.fixture(scope="session")
def mall(tmp_path_factory):
    """A mall for tests that only read it or add to it."""
    return provision(tmp_path_factory.mktemp("mall"))


@pytest.fixture(scope="session")
def broker(mall):
    """The log of the mall's broker, which runs."""
    if find_program("mosquitto") is None:
        pytest.skip("mosquitto is not installed")
    with running_broker(mall.broker_configuration, mall.address.port) as log:
        yield log
