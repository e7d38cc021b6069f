"""The database, where the settings name it wrongly."""

from __future__ import annotations

import pytest

from settlement.errors import StoreUnusable
from settlement.store import Store


@pytest.mark.parametrize("url", ["nonsense", "postgresql+nobody://x"])
def test_a_wrong_address_of_the_database_is_said_in_a_sentence(url: str) -> None:
    with pytest.raises(StoreUnusable, match="database"):
        Store(url).start()
