"""What an operator must look into: forks, second keys, opened cases, stories that differ."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import Connection, select

from settlement.clock import Clock
from settlement.errors import Suspicious
from settlement.store import Store
from settlement.tables import alarms

log = logging.getLogger(__name__)

_LONGEST_DETAIL = 200


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm."""

    terminal: str
    kind: str
    detail: str
    at_ms: int


def sound(
    connection: Connection, terminal: str, kind: str, detail: str, *, at_ms: int, evidence: bytes | None = None
) -> None:
    """Keep an alarm, and say it in the log; one that repeats the newest of the terminal is kept once."""
    newest = connection.execute(
        select(alarms).where(alarms.c.terminal == terminal).order_by(alarms.c.alarm.desc()).limit(1)
    ).first()
    if newest is not None and (newest.kind, newest.detail) == (kind, detail):
        return
    log.error("alarm at terminal %s: %s: %s", terminal, kind, detail)
    connection.execute(
        alarms.insert().values(
            terminal=terminal, kind=kind, detail=detail[:_LONGEST_DETAIL], at_ms=at_ms, evidence=evidence
        )
    )


class Watch:
    """Keeps a Suspicious refusal as an alarm, after the transaction inside the block was undone."""

    def __init__(self, store: Store, clock: Clock, terminal: str, evidence: bytes) -> None:
        self._store = store
        self._clock = clock
        self._terminal = terminal
        self._evidence = evidence

    def __enter__(self) -> None:
        """Begin to watch."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Suspicious):
            now = self._clock.now_ms()
            with self._store.writing() as connection:
                sound(connection, self._terminal, error.reason, str(error), at_ms=now, evidence=self._evidence)


def newest(connection: Connection, limit: int = 100) -> list[Alarm]:
    """Give the newest alarms, newest first."""
    query = select(alarms).order_by(alarms.c.alarm.desc()).limit(limit)
    return [Alarm(row.terminal, row.kind, row.detail, row.at_ms) for row in connection.execute(query)]
