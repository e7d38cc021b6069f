"""`tillwave account`: shoppers' accounts at the house wallet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tillwave.commands.books import (
    Json,
    amount_of,
    books,
    decimal,
    print_json,
    print_table,
    wallet_of,
)
from tillwave.commands.options import SETTLEMENT_CONFIG, SettlementConfig

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from settlement.accounts import Wallet
    from settlement.office import Office

app = typer.Typer(help="Shoppers' accounts at the house wallet.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Whose account.")]
Hours = Annotated[int, typer.Option(min=1, max=24 * 30, help="How long the enrolment code is good.")]


@app.command("open")
def open_(
    name: Name,
    config: SettlementConfig = SETTLEMENT_CONFIG,
    *,
    load: Annotated[str, typer.Option(help="Cash paid in, in major units, for example 100.00.")] = "",
    hours: Hours = 24,
    json: Json = False,
) -> None:
    """Open an account and print the code with which a phone enrols once."""
    from settlement import accounts

    with books(config, new=True) as (office, store), store.writing() as connection:
        wallet = accounts.open_account(connection, office, name)
        if load:
            accounts.load_money(connection, office, wallet, amount_of(office, load))
        code = accounts.make_code(connection, office, wallet, hours)
        row = _describe(connection, office, wallet)
    _print_code(row, code, json=json)


@app.command()
def code(name: Name, config: SettlementConfig = SETTLEMENT_CONFIG, *, hours: Hours = 24, json: Json = False) -> None:
    """Print a new enrolment code, for a new phone; it ends what the phone before could do once it is used."""
    from settlement import accounts

    with books(config) as (office, store):
        wallet = wallet_of(store, name)
        with store.writing() as connection:
            new = accounts.make_code(connection, office, wallet, hours)
            row = _describe(connection, office, wallet)
    _print_code(row, new, json=json)


@app.command()
def load(
    name: Name,
    amount: Annotated[str, typer.Argument(help="In major units, for example 50.00.")],
    config: SettlementConfig = SETTLEMENT_CONFIG,
    *,
    json: Json = False,
) -> None:
    """Pay cash into an account."""
    from settlement import accounts

    with books(config) as (office, store):
        wallet = wallet_of(store, name)
        with store.writing() as connection:
            accounts.load_money(connection, office, wallet, amount_of(office, amount))
            row = _describe(connection, office, wallet)
    if json:
        print_json(row)
    else:
        typer.echo(f"{name} has {row['decimal']} {row['currency']}")


@app.command("list")
def list_(config: SettlementConfig = SETTLEMENT_CONFIG, *, json: Json = False) -> None:
    """List all accounts with their balances."""
    from settlement import accounts

    with books(config) as (office, store), store.reading() as connection:
        rows = [_describe(connection, office, wallet) for wallet in accounts.everybody(connection)]
    if json:
        print_json(rows)
        return
    cells = [(row["name"], row["account"], row["decimal"], "yes" if row["enrolled"] else "no") for row in rows]
    print_table(f"Accounts, {office.settings.currency}", ("name", "account", ">balance", "phone"), cells)


@app.command()
def show(name: Name, config: SettlementConfig = SETTLEMENT_CONFIG, *, json: Json = False) -> None:
    """Show one account: balance, coupons, member card and newest payments."""
    from settlement import reports

    with books(config) as (office, store):
        wallet = wallet_of(store, name)
        with store.reading() as connection:
            shown = _describe(connection, office, wallet) | reports.of_wallet(connection, office, wallet)
    if json:
        print_json(shown)
        return
    typer.echo(f"{name}: {shown['decimal']} {shown['currency']}, member card {shown['member'] or 'none'}")
    print_table("Coupons", ("code", "label"), [(coupon["code"], coupon["label"]) for coupon in shown["coupons"]])
    payments = [
        (paid["sale"], paid["merchant"], paid["amount"]["decimal"], paid["verdict"]) for paid in shown["payments"]
    ]
    print_table("Payments", ("sale", "merchant", ">amount", "verdict"), payments)


def _describe(connection: Connection, office: Office, wallet: Wallet) -> dict[str, Any]:
    from settlement import ledger

    currency = office.settings.currency
    minor = ledger.balance(connection, wallet.account, currency)
    return {
        "name": wallet.name,
        "account": wallet.account,
        "alias": wallet.alias.hex(),
        "minor": minor,
        "decimal": decimal(minor, currency),
        "currency": currency,
        "enrolled": wallet.public_key is not None,
    }


def _print_code(row: dict[str, Any], code: str, *, json: bool) -> None:
    if json:
        print_json(row | {"code": code})
    else:
        typer.echo(f"{row['name']} has {row['decimal']} {row['currency']}")
        typer.echo(f"enrolment code: {code}")
