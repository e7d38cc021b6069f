"""The books opened beside a running service, for commands: same database, same rules, no broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from settlement.config import load_settings
from settlement.errors import SomethingMissing
from settlement.office import Office
from settlement.opening import make_office
from settlement.store import Store


@contextmanager
def open_books(config: Path, *, new: bool = False) -> Iterator[tuple[Office, Store]]:
    """Open the database that settlement.toml names; SomethingMissing when there is none, unless it may be `new`."""
    settings = load_settings(config)
    store = Store(settings.database_url)
    if not new and not store.exists:
        raise SomethingMissing(f"there is no database yet; run: tillwave settle --config {config}")
    office = make_office(settings)
    store.start()
    try:
        yield office, store
    finally:
        store.stop()
