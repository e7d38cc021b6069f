"""What registers asked and were answered, for 48 hours: a ServiceID runs once, and its answer can be asked for again.

The journal decides about money; this file only knows which message led to which request of the counter.
"""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from device.ports import Clock

KEPT_MS = 48 * 3600 * 1000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    register TEXT NOT NULL, service TEXT NOT NULL, category TEXT NOT NULL, content BLOB NOT NULL,
    request TEXT NOT NULL, header BLOB NOT NULL, answer BLOB, at_ms INTEGER NOT NULL,
    PRIMARY KEY (register, service)
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Logged:
    """A message that came before."""

    category: str
    content: bytes
    """SHA-256 of the message without its header."""
    request: str
    """The counter's name for it."""
    header: bytes
    """Of the answer, as JSON."""
    answer: bytes | None
    """As JSON; None while it runs."""


class MessageLog:
    """A small database beside the journal. Opened by `start`, closed by `stop`."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._opened: sqlite3.Connection | None = None

    def start(self) -> None:
        """Open the file, made with mode 0600."""
        if self._opened is not None:
            return
        self._path.touch(mode=0o600)
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(_SCHEMA)
        self._opened = connection

    def stop(self) -> None:
        """Close it."""
        if self._opened is not None:
            self._opened.close()
        self._opened = None

    def find(self, register: str, service: str) -> Logged | None:
        """Give a message of the last 48 hours."""
        row = self._database.execute(
            "SELECT category, content, request, header, answer FROM messages "
            "WHERE register = ? AND service = ? AND at_ms > ?",
            (register, service, self._oldest_ms),
        ).fetchone()
        return None if row is None else Logged(*row)

    def newest(self, register: str) -> Logged | None:
        """Give the newest message of a register."""
        row = self._database.execute(
            "SELECT category, content, request, header, answer FROM messages "
            "WHERE register = ? AND at_ms > ? ORDER BY rowid DESC LIMIT 1",
            (register, self._oldest_ms),
        ).fetchone()
        return None if row is None else Logged(*row)

    def enter(self, register: str, service: str, logged: Logged) -> None:
        """Note a message before anything is done for it, and forget old ones."""
        self._database.execute("DELETE FROM messages WHERE at_ms <= ?", (self._oldest_ms,))
        self._database.execute(
            "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                register,
                service,
                logged.category,
                logged.content,
                logged.request,
                logged.header,
                logged.answer,
                self._clock.wall().ms,
            ),
        )

    def settle(self, register: str, service: str, answer: bytes) -> None:
        """Note what was answered."""
        self._database.execute(
            "UPDATE messages SET answer = ? WHERE register = ? AND service = ?", (answer, register, service)
        )

    @property
    def _oldest_ms(self) -> int:
        return self._clock.wall().ms - KEPT_MS

    @property
    def _database(self) -> sqlite3.Connection:
        assert self._opened is not None, "the log is started"
        return self._opened


def content_of(body: bytes) -> bytes:
    """Name what a message asks for."""
    return hashlib.sha256(body).digest()
