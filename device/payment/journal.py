"""The durable file of a terminal: every record, and the latest state of every sale and refund.

SQLite in WAL mode with synchronous=FULL, which keeps every commit that returned through a power cut on a disk that does
not lie about syncing. Records and the states they lead to are one transaction. The part above the last receipt is the
offline queue; only settlement's signed receipt moves that mark.

JournalProblem
+-- JournalDamaged    the chain does not hold, or the file is no journal; sales must not go on
+-- JournalInUse      another terminal works with it
+-- JournalFull       the disk refuses to keep more (also an OSError)
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from device.ports import Clock
from keys.port import Signer
from protocol import chain
from protocol.chain import Head
from protocol.envelope import ContentType, take_apart
from protocol.errors import ProtocolProblem
from protocol.records import Body, Record, Stamp, kind_of, open_record, parse_record, seal_record

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE record (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, hash BLOB NOT NULL, message BLOB NOT NULL);
CREATE TABLE state (
    kind TEXT NOT NULL, id TEXT NOT NULL, register TEXT NOT NULL, request TEXT NOT NULL, digest BLOB NOT NULL,
    final INTEGER NOT NULL, opened_ms INTEGER NOT NULL, payment TEXT NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (kind, id), UNIQUE (kind, register, request));
CREATE INDEX state_by_time ON state (kind, opened_ms);
CREATE INDEX state_by_payment ON state (payment) WHERE payment <> '';
CREATE INDEX record_by_kind ON record (kind, number);
CREATE INDEX state_open ON state (kind) WHERE final = 0;
CREATE TABLE mark (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO mark VALUES ('receipted', 0);
"""


class JournalProblem(Exception):
    """The journal cannot be used; the text tells what to do."""


class JournalDamaged(JournalProblem):
    """What is in the file is not what was written."""


class JournalInUse(JournalProblem):
    """Two writers would tear the chain apart."""


class JournalFull(JournalProblem, OSError):
    """The disk does not take any more."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as it lies in the journal."""

    number: int
    kind: str
    hash: bytes
    message: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StateRow:
    """The latest state of a sale or refund, under its own id and under the id that the register gave."""

    kind: str
    """"sale" or "refund"."""
    id: str
    register: str
    request: str
    digest: bytes
    """Names the content of the request, so that the same id with other content is noticed."""
    final: bool
    opened_ms: int
    payment: str
    """Id of the payment that paid the sale, empty until then and for refunds."""
    content: bytes


class Journal:
    """The journal of one terminal. Used by one thread; `start` opens, `stop` closes, each may be called twice."""

    def __init__(self, path: Path, terminal: str, signer: Signer, clock: Clock) -> None:
        self._path = path
        self._terminal = terminal
        self._signer = signer
        self._clock = clock
        self._connection: sqlite3.Connection | None = None
        self._lock: int | None = None
        self._head = Head()
        self._receipted = 0

    def start(self) -> None:
        """Open or make the file for this writer alone, and check that its newest records hold; or JournalProblem."""
        if self._connection is not None:
            return
        self._lock = _lock(self._path)
        try:
            self._connection = _connect(self._path)
            self._head = self._read_head()
            self._receipted = self._read_mark()
        except JournalProblem:
            self.stop()
            raise

    def stop(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def head(self) -> Head:
        """The newest record."""
        return self._head

    @property
    def receipted(self) -> int:
        """Number of the last record that settlement has receipted."""
        return self._receipted

    @property
    def queue(self) -> int:
        """How many records wait for a receipt."""
        return self._head.number - self._receipted

    def commit(self, bodies: Sequence[Body], states: Sequence[StateRow] = ()) -> list[Entry]:
        """Sign and keep records and the states they lead to, all or nothing; on return they are on disk."""
        entries, head = self._seal(bodies)
        with self._transaction() as database:
            database.executemany(
                "INSERT INTO record VALUES (?, ?, ?, ?)",
                [(entry.number, entry.kind, entry.hash, entry.message) for entry in entries],
            )
            database.executemany(_KEEP_STATE, [_state_values(state) for state in states])
        self._head = head
        return entries

    def mark_receipted(self, number: int, message_hash: bytes) -> bool:
        """Note that settlement has kept the chain up to a record; False if it is not a record of this journal."""
        if number and self._hash_of(number) != message_hash:
            return False
        if number > self._receipted:
            with self._transaction() as database:
                database.execute("UPDATE mark SET number = ? WHERE name = 'receipted'", (number,))
            self._receipted = number
        return True

    def entries(self, after: int = 0, limit: int = -1) -> list[Entry]:
        """Give records in order, beginning behind number `after`."""
        rows = self._database.execute(
            "SELECT number, kind, hash, message FROM record WHERE number > ? ORDER BY number LIMIT ?", (after, limit)
        )
        return [Entry(*row) for row in rows]

    def state(self, kind: str, state_id: str) -> StateRow | None:
        """Give the latest state of a sale or refund."""
        return self._one_state("kind = ? AND id = ?", kind, state_id)

    def state_of_request(self, kind: str, register: str, request: str) -> StateRow | None:
        """Give the latest state of what a register asked for under its own id."""
        return self._one_state("kind = ? AND register = ? AND request = ?", kind, register, request)

    def state_by_payment(self, payment: str) -> StateRow | None:
        """Give the state of the sale that a payment has paid."""
        return self._one_state("kind = 'sale' AND payment = ?", payment)

    def last_of_kind(self, kind: str) -> int:
        """Give the number of the newest record of a kind, 0 if there is none."""
        (number,) = self._database.execute("SELECT max(number) FROM record WHERE kind = ?", (kind,)).fetchone()
        return number or 0

    def unfinished(self, kind: str) -> list[StateRow]:
        """Give all states that are not final, oldest first."""
        return self._states("kind = ? AND final = 0 ORDER BY opened_ms", kind)

    def latest(self, kind: str, count: int) -> list[StateRow]:
        """Give the newest states, newest first."""
        return self._states("kind = ? ORDER BY opened_ms DESC, rowid DESC LIMIT ?", kind, count)

    @property
    def _database(self) -> sqlite3.Connection:
        if self._connection is None:
            raise JournalProblem("the journal is closed")
        return self._connection

    def _seal(self, bodies: Sequence[Body]) -> tuple[list[Entry], Head]:
        head, entries = self._head, []
        for body in bodies:
            record = Record(
                terminal=self._terminal,
                number=head.number + 1,
                previous=head.hash,
                stamp=self._stamp(),
                body=body,
            )
            message = seal_record(record, self._signer)
            head = head.follow(record, message)
            entries.append(Entry(head.number, kind_of(body), head.hash, message))
        return entries, head

    def _stamp(self) -> Stamp:
        wall = self._clock.wall()
        return Stamp(
            boot_id=self._clock.boot_id(),
            monotonic_ms=self._clock.monotonic_ms(),
            wall_ms=wall.ms,
            wall_quality=int(wall.quality),
        )

    def _read_head(self) -> Head:
        row = self._database.execute("SELECT number, hash, message FROM record ORDER BY number DESC LIMIT 1").fetchone()
        if row is None:
            return Head()
        number, message_hash, message = row
        try:
            record = open_record(message, self._signer.public_key)
        except ProtocolProblem as error:
            raise JournalDamaged(f"{self._path}: the newest record is damaged or of another key ({error})") from error
        if chain.link(message) != message_hash or record.number != number or record.terminal != self._terminal:
            raise JournalDamaged(f"{self._path}: the newest record is not the one that was written")
        return Head(number, message_hash)

    def _read_mark(self) -> int:
        row = self._database.execute("SELECT number FROM mark WHERE name = 'receipted'").fetchone()
        if row is None or not 0 <= row[0] <= self._head.number:
            raise JournalDamaged(f"{self._path}: settlement has receipted records that are not there")
        return int(row[0])

    def _hash_of(self, number: int) -> bytes | None:
        row = self._database.execute("SELECT hash FROM record WHERE number = ?", (number,)).fetchone()
        return row[0] if row else None

    def _one_state(self, condition: str, *values: str) -> StateRow | None:
        rows = self._states(condition, *values)
        return rows[0] if rows else None

    def _states(self, condition: str, *values: str | int) -> list[StateRow]:
        rows = self._database.execute(f"SELECT {_STATE_COLUMNS} FROM state WHERE {condition}", values)  # noqa: S608
        return [_state_of(row) for row in rows]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        database = self._database
        try:
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")
        except BaseException as error:
            _roll_back(database)
            if isinstance(error, sqlite3.Error):
                raise _translated(self._path, error) from error
            raise


def read_record(entry: Entry) -> Record:
    """Read a record of the journal, which was verified when it was written; JournalDamaged if it is none any more."""
    try:
        return parse_record(take_apart(entry.message, ContentType.RECORD).payload)
    except ProtocolProblem as error:
        raise JournalDamaged(f"record {entry.number} of the journal is damaged: {error}") from error


def verify(path: Path, public_key: ec.EllipticCurvePublicKey) -> int:
    """Check every record of a journal file against key and chain, and count them; JournalDamaged at the first bad."""
    head = Head()
    for entry in read_entries(path):
        try:
            record = open_record(entry.message, public_key)
            head = head.follow(record, entry.message)
        except ProtocolProblem as error:
            raise JournalDamaged(f"{path}: record {entry.number}: {error}") from error
        if (head.number, head.hash, kind_of(record.body)) != (entry.number, entry.hash, entry.kind):
            raise JournalDamaged(f"{path}: record {entry.number} is not where it was written")
    return head.number


def read_entries(path: Path) -> Iterator[Entry]:
    """Give the records of a journal file, also while the terminal runs."""
    if not path.is_file():
        raise JournalProblem(f"there is no journal {path}")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise JournalProblem(f"the journal {path} cannot be opened: {error}") from error
    try:
        rows = connection.execute("SELECT number, kind, hash, message FROM record ORDER BY number")
        for row in rows:
            yield Entry(*row)
    except sqlite3.DatabaseError as error:
        raise JournalDamaged(f"{path}: {error}") from error
    finally:
        connection.close()


_STATE_COLUMNS = "kind, id, register, request, digest, final, opened_ms, payment, content"
_KEEP_STATE = (
    f"INSERT INTO state ({_STATE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "  # noqa: S608
    "ON CONFLICT (kind, id) DO UPDATE "
    "SET final = excluded.final, payment = excluded.payment, content = excluded.content"
)


def _state_values(state: StateRow) -> tuple[object, ...]:
    return (
        state.kind,
        state.id,
        state.register,
        state.request,
        state.digest,
        int(state.final),
        state.opened_ms,
        state.payment,
        state.content,
    )


def _state_of(row: Iterable[Any]) -> StateRow:
    kind, state_id, register, request, digest, final, opened_ms, payment, content = row
    return StateRow(kind, state_id, register, request, digest, bool(final), opened_ms, payment, content)


def _lock(path: Path) -> int:
    """Keep other terminals out as long as the descriptor is open; the kernel lets go of it however a process ends."""
    beside = path.with_name(path.name + ".lock")  # SQLite's own locks would not outlive a reader of the file itself
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise JournalProblem(f"the journal {path} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise JournalInUse(f"another terminal works with the journal {path}; stop it first") from error
    return descriptor


def _connect(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")
        _make_schema(path, connection)
    except sqlite3.Error as error:
        raise _translated(path, error) from error
    except OSError as error:
        raise JournalProblem(f"the journal {path} cannot be opened: {error.strerror}") from error
    return connection


def _roll_back(database: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):  # SQLite has rolled back by itself, or does when the file is opened again
        if database.in_transaction:
            database.execute("ROLLBACK")


def _make_schema(path: Path, connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
    elif version != SCHEMA_VERSION:
        raise JournalDamaged(f"{path} is of version {version}, and this software knows {SCHEMA_VERSION}")
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise JournalDamaged(f"{path} is damaged: {verdict}")


def _translated(path: Path, error: sqlite3.Error) -> JournalProblem:
    text = str(error)
    if "full" in text or "I/O" in text or "readonly" in text or "read-only" in text:
        return JournalFull(f"the disk does not keep the journal {path}: {text}")
    return JournalDamaged(f"the journal {path} cannot be used: {text}")
