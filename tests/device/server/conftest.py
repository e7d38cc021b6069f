from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from server_host import Host


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with Host(tmp_path) as running:
        yield running
