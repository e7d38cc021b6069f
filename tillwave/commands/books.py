"""What the commands about settlement's books share: options, the opened database, tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tillwave.exits import Exit, exit_on, leave

if TYPE_CHECKING:
    from protocol.money import Money
    from settlement.accounts import Wallet
    from settlement.office import Office
    from settlement.store import Store

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def books(config: Path, *, new: bool = False) -> Iterator[tuple[Office, Store]]:
    """Open the books; ends the command with one sentence when something is wrong."""
    from keys.port import KeyProblem
    from settlement.books import open_books
    from settlement.errors import SettingsWrong, SettlementProblem, SomethingMissing

    codes: dict[type[Exception], Exit] = {
        SomethingMissing: Exit.SOMETHING_MISSING,
        SettingsWrong: Exit.SETTINGS_WRONG,
        KeyProblem: Exit.SOMETHING_MISSING,
        SettlementProblem: Exit.FAILED,
        OSError: Exit.FAILED,
    }
    with exit_on(codes), open_books(config, new=new) as opened:
        yield opened


def amount_of(office: Office, text: str) -> Money:
    """Read an amount in major units that somebody typed; wrong use when it is none."""
    from protocol.money import MoneyProblem, parse_decimal

    try:
        return parse_decimal(text, office.settings.currency)
    except MoneyProblem as error:
        raise typer.BadParameter(str(error)) from error


def wallet_of(store: Store, name: str) -> Wallet:
    """Find an account, or end the command."""
    from settlement import accounts

    with store.reading() as connection:
        wallet = accounts.by_name(connection, name)
    if wallet is None:
        raise leave(Exit.FAILED, f"there is no account of {name!r}; see: tillwave account list")
    return wallet


def decimal(minor: int, currency: str) -> str:
    """Write minor units for people."""
    from protocol.money import Money

    return Money(minor, currency).decimal


def print_json(value: object) -> None:
    """Print one JSON value."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table; columns whose name begins with ">" are numbers."""
    if not rows:
        typer.echo(f"{title}: none")
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column.removeprefix(">"), justify="right" if column.startswith(">") else "left")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    Console().print(table)
