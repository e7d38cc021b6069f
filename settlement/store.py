"""The database: SQLite in the state folder by default, PostgreSQL by its address.

SQLite runs with WAL and synchronous=FULL, so that what was committed survives a power cut, and its writers take the
lock at once (BEGIN IMMEDIATE), so that none fails half-way. Threads of one process queue for the writer in memory.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, event, select
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

from settlement import tables
from settlement.errors import StoreUnusable

_BUSY_MS = 15_000
_READ = "tillwave_read"
_NO_DATABASE = "`database` in settlement.toml is no address of a database, for example sqlite:////srv/settlement.db"


class Store:
    """The engine with its two kinds of transaction. Opened by `start`, closed by `stop`."""

    def __init__(self, url: str) -> None:
        self._url = _url_of(url)
        self._engine: Engine | None = None
        self._writer = threading.RLock()

    def start(self) -> None:
        """Open the database, and make its tables when it is new; StoreUnusable otherwise."""
        if self._engine is not None:
            return
        engine = self._make_engine()
        if engine.dialect.name == "sqlite":
            self._make_folder()
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        self._engine = engine
        try:
            self._migrate()
        except DatabaseError as error:
            self.stop()
            raise StoreUnusable(f"{self._name}: {type(error.orig).__name__}: {error.orig}") from error
        except StoreUnusable:
            self.stop()
            raise

    def stop(self) -> None:
        """Close all connections."""
        if self._engine is not None:
            self._engine.dispose()
        self._engine = None

    @property
    def exists(self) -> bool:
        """Tell whether there is a database; one on a server is taken to be there."""
        is_file = self._url.get_backend_name() == "sqlite" and self._url.database is not None
        return not is_file or Path(self._url.database or "").exists()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Run one transaction that may write; all of it is kept, or nothing when an exception leaves the block."""
        with self._writer, self._opened.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read a consistent state without holding up writers."""
        with self._opened.connect().execution_options(**{_READ: True}) as connection, connection.begin():
            yield connection

    @property
    def _opened(self) -> Engine:
        if self._engine is None:
            raise StoreUnusable("the database is not open")
        return self._engine

    @property
    def _name(self) -> str:
        return self._url.render_as_string(hide_password=True)

    def _make_folder(self) -> None:
        if self._url.database:
            path = Path(self._url.database)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))

    def _make_engine(self) -> Engine:
        try:
            # Else errors of the database, and with them the log, would show secrets of wallets and tokens in records.
            return sqlalchemy.create_engine(self._url, hide_parameters=True)
        except (NoSuchModuleError, ImportError) as error:
            raise StoreUnusable(f"there is no driver for the database {self._url.drivername}: {error}") from error

    def _migrate(self) -> None:
        with self.writing() as connection:
            tables.schema.create(connection, checkfirst=True)
            version = connection.scalar(select(tables.schema.c.version))
            if version is None:
                tables.metadata.create_all(connection)
                connection.execute(tables.schema.insert().values(version=tables.SCHEMA_VERSION))
            elif version > tables.SCHEMA_VERSION:
                raise StoreUnusable(f"{self._name} has version {version}, and this program needs another")
            elif version < tables.SCHEMA_VERSION:
                _upgrade(connection, version)


def _upgrade(connection: Connection, version: int) -> None:
    """Lead a database of an older version to this one, in the transaction that found it."""
    tables.metadata.create_all(connection)
    for step in range(version + 1, tables.SCHEMA_VERSION + 1):
        for statement in tables.UPGRADES[step]:
            connection.execute(sqlalchemy.text(statement))
    connection.execute(tables.schema.update().values(version=tables.SCHEMA_VERSION))


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_BUSY_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    is_read = connection.get_execution_options().get(_READ, False)
    connection.exec_driver_sql("BEGIN" if is_read else "BEGIN IMMEDIATE")


def _url_of(text: str) -> sqlalchemy.URL:
    try:
        return sqlalchemy.make_url(text)
    except ArgumentError as error:
        raise StoreUnusable(_NO_DATABASE) from error
