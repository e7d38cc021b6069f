"""Fixtures of settlement's stories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from town import PhoneInHand, Till, Town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A mall with an open database."""
    opened = Town(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def till(town: Town) -> Till:
    """A terminal that has introduced itself."""
    return town.till()


@pytest.fixture
def li(town: Town) -> PhoneInHand:
    """A shopper with 1000.00 and a phone."""
    return town.shopper()
