"""`tillwave ledger`: what settlement has booked."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tillwave.commands.books import Json, books, decimal, print_json, print_table
from tillwave.commands.options import SETTLEMENT_CONFIG, SettlementConfig
from tillwave.exits import Exit, leave


def ledger(
    config: SettlementConfig = SETTLEMENT_CONFIG,
    *,
    sale: Annotated[str, typer.Option(help="Only this sale.")] = "",
    party: Annotated[str, typer.Option(help='Only a party ("merchant") or one account ("guide:li").')] = "",
    json: Json = False,
) -> None:
    """Show balances by account and party, one sale, or one party; exit code 1 when the books do not add up."""
    from settlement import reports

    with books(config) as (office, store), store.reading() as connection:
        if sale:
            shown = reports.of_sale(connection, sale)
        elif party:
            shown = reports.of_party(connection, office, party)
        else:
            shown = reports.totals(connection, office)
    if json:
        print_json(shown)
    else:
        _print(shown, office.settings.currency)
    if not shown.get("balanced", True):
        raise leave(Exit.FAILED, "the books do not add up: " + "; ".join(shown["complaints"]))
    if sale and not shown["entries"]:
        raise leave(Exit.FAILED, f"nothing is booked for sale {sale}")
    if party and not shown["accounts"]:
        raise leave(Exit.FAILED, f"there is no account of {party}; see: tillwave ledger")


def _print(shown: dict[str, Any], currency: str) -> None:
    if "accounts" in shown:
        rows = [(name, decimal(minor, currency)) for name, minor in shown["accounts"].items()]
        print_table(f"Accounts, {currency}", ("account", ">balance"), [*rows, ("sum", decimal(shown["sum"], currency))])
    if "parties" in shown:
        rows = [(name, decimal(minor, currency)) for name, minor in shown["parties"].items()]
        print_table("Parties", ("party", ">balance"), rows)
        paid, refunded = shown["payments"], shown["refunds"]
        typer.echo(f"payments: {paid['count']}, together {decimal(paid['minor'], currency)} {currency}")
        typer.echo(f"refunds: {refunded['count']}, together {decimal(refunded['minor'], currency)} {currency}")
    _print_warnings(shown, currency)
    for entry in shown.get("entries", ()):
        rows = [(posting["account"], decimal(posting["minor"], currency)) for posting in entry["postings"]]
        print_table(f"{entry['kind']}  {entry['key']}", ("account", ">amount"), rows)


def _print_warnings(shown: dict[str, Any], currency: str) -> None:
    if losses := shown.get("offline_losses"):
        rows = [
            (loss["terminal"], loss["sale"], loss["payer"], decimal(loss["minor"], currency), loss["reason"])
            for loss in losses
        ]
        print_table("Lost offline", ("terminal", "sale", "payer", ">amount", "reason"), rows)
    if alarms := shown.get("alarms"):
        print_table(
            "Alarms",
            ("terminal", "kind", "detail"),
            [(alarm["terminal"], alarm["kind"], alarm["detail"]) for alarm in alarms],
        )
