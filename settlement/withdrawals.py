"""Attempts and orders that were reversed before they were charged: they never will be."""

from __future__ import annotations

from sqlalchemy import Connection, select

from settlement.tables import withdrawn


def withdraw(connection: Connection, terminal: str, subject: str) -> None:
    """Block an attempt or order for ever."""
    if not is_withdrawn(connection, terminal, subject):
        connection.execute(withdrawn.insert().values(terminal=terminal, subject=subject))


def is_withdrawn(connection: Connection, terminal: str, subject: str) -> bool:
    """Tell whether an attempt or order is blocked."""
    return connection.execute(select(withdrawn).filter_by(terminal=terminal, subject=subject)).first() is not None
