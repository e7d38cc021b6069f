"""The command `tillwave`: joins the commands of the rooms; each imports its room when it is called."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from tillwave.commands import (
    account,
    coupon,
    daily,
    journal,
    ledger,
    pair,
    provision,
    run,
    scan,
    scanner,
    settle,
    simulate,
    sound,
    status,
    wallet,
)

app = typer.Typer(
    name="tillwave",
    help="An in-store payment terminal: pay by code or by sound, signed on the device, settled over MQTT.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
)

_TERMINAL, _CENTRAL, _SHOPPER, _SETUP = "On the terminal", "Central service", "Shopper", "Setting up"

app.command("run", rich_help_panel=_TERMINAL)(run.run)
app.command("status", rich_help_panel=_TERMINAL)(status.status)
app.command("pair", rich_help_panel=_TERMINAL)(pair.pair)
app.add_typer(journal.app, name="journal", rich_help_panel=_TERMINAL)
app.command("scan", rich_help_panel=_TERMINAL, epilog=scan.EXAMPLES)(scan.scan)
app.add_typer(scanner.app, name="scanner", rich_help_panel=_TERMINAL)
app.add_typer(sound.app, name="sound", rich_help_panel=_TERMINAL)
app.add_typer(simulate.app, name="simulate", rich_help_panel=_TERMINAL)
app.command("settle", rich_help_panel=_CENTRAL)(settle.settle)
app.command("ledger", rich_help_panel=_CENTRAL)(ledger.ledger)
app.command("daily", rich_help_panel=_CENTRAL)(daily.daily)
app.add_typer(account.app, name="account", rich_help_panel=_CENTRAL)
app.add_typer(coupon.app, name="coupon", rich_help_panel=_CENTRAL)
app.add_typer(wallet.app, name="wallet", rich_help_panel=_SHOPPER)
app.add_typer(provision.app, name="provision", rich_help_panel=_SETUP)


@app.callback()
def options(
    *,
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", is_eager=True)
    ] = False,
) -> None:
    """Take what stands before the command."""
    if show_version:
        typer.echo(f"tillwave {version('tillwave')}")
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    app()
