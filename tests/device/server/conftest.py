from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from server_host import Host


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with Host(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def quiet_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A server for tests that leave no trace in it."""
    with Host(tmp_path_factory.mktemp("quiet")) as running:
        yield running
