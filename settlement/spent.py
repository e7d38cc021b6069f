"""Tokens that may not be used any more: tried in another sale, or burned by a terminal that saw them."""

from __future__ import annotations

from sqlalchemy import Connection, select

from protocol import tokens
from settlement.tables import spent_tokens


def objection(connection: Connection, token: bytes, terminal: str, sale: str) -> str:
    """Give the reason word why a token may not be used in a sale, empty when it may."""
    query = select(spent_tokens).where(spent_tokens.c.token_hash.in_(_hashes(token)))
    rows = connection.execute(query).all()
    if any(row.burned for row in rows):
        return "token-burned"
    return "token-used" if any((row.terminal, row.sale) != (terminal, sale) for row in rows) else ""


def mark(connection: Connection, token: bytes, terminal: str, sale: str, at_ms: int) -> None:
    """Note the sale in which a token was tried first."""
    known = select(spent_tokens).where(spent_tokens.c.token_hash.in_(_hashes(token)))
    if connection.execute(known).first() is None:
        values = {"terminal": terminal, "sale": sale, "burned": False, "at_ms": at_ms}
        connection.execute(spent_tokens.insert().values(token_hash=tokens.token_hash(token), **values))


def burn(connection: Connection, token_hash: bytes, terminal: str, sale: str, at_ms: int) -> None:
    """Make a token useless that a terminal saw but did not use."""
    row = spent_tokens.c.token_hash == token_hash
    if connection.execute(spent_tokens.update().where(row).values(burned=True)).rowcount == 0:
        values = {"terminal": terminal, "sale": sale, "burned": True, "at_ms": at_ms}
        connection.execute(spent_tokens.insert().values(token_hash=token_hash, **values))


def _hashes(token: bytes) -> list[bytes]:
    return [tokens.token_hash(same) for same in tokens.same_tokens(token)]
