"""`tillwave coupon`: coupons and member cards."""

from __future__ import annotations

from typing import Annotated

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

app = typer.Typer(help="Coupons and member cards.", no_args_is_help=True)

_BASIS_POINTS_A_PERCENT = 100
Owner = Annotated[str, typer.Option("--for", help="The account whose phone shows it.")]


@app.command()
def issue(
    label: Annotated[str, typer.Argument(help="What the shopper reads.")],
    config: SettlementConfig = SETTLEMENT_CONFIG,
    *,
    amount: Annotated[str, typer.Option(help="What it takes off, in major units.")] = "",
    percent: Annotated[int, typer.Option(min=0, max=100, help="Or the part that it takes off.")] = 0,
    threshold: Annotated[str, typer.Option(help="From which amount on, in major units.")] = "0",
    funder: Annotated[str, typer.Option(help="Who pays: merchant, platform or brand.")] = "merchant",
    days: Annotated[int, typer.Option(min=0, help="How long it is good; 0 for ever.")] = 0,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 1,
    red_packet: Annotated[bool, typer.Option(help="Print them as red packets.")] = False,
    owner: Owner = "",
    json: Json = False,
) -> None:
    """Issue coupons, each good once, and print their codes."""
    if bool(amount) == bool(percent):
        raise typer.BadParameter("give either --amount or --percent")
    from settlement import offers

    with books(config, new=True) as (office, store):
        wallet = wallet_of(store, owner) if owner else None
        terms = offers.CouponTerms(
            label=label,
            funder=funder,
            minor=amount_of(office, amount).minor if amount else 0,
            basis_points=percent * _BASIS_POINTS_A_PERCENT,
            threshold=amount_of(office, threshold).minor,
            days=days or None,
        )
        with store.writing() as connection:
            issued = [
                offers.issue_coupon(connection, office, terms, wallet.alias if wallet else None) for _ in range(count)
            ]
    text_of = offers.red_packet_text if red_packet else offers.coupon_text
    _print_codes([text_of(coupon) for coupon in issued], json=json)


@app.command()
def member(
    name: Annotated[str, typer.Argument(help="Whose card.")],
    config: SettlementConfig = SETTLEMENT_CONFIG,
    *,
    percent: Annotated[int, typer.Option(min=0, max=99, help="What the member price takes off.")] = 0,
    card: Annotated[str, typer.Option(help="The number of a card that another issuer made.")] = "",
    owner: Owner = "",
    json: Json = False,
) -> None:
    """Issue a member card and print its code."""
    from settlement import offers

    with books(config, new=True) as (office, store):
        wallet = wallet_of(store, owner) if owner else None
        with store.writing() as connection:
            basis_points = percent * _BASIS_POINTS_A_PERCENT
            owner_alias = wallet.alias if wallet else None
            issued = offers.issue_member(connection, office, name, basis_points, owner_alias, card=card)
    _print_codes([card or offers.member_text(issued)], json=json)


@app.command("list")
def list_(config: SettlementConfig = SETTLEMENT_CONFIG, *, json: Json = False) -> None:
    """List coupons with what became of them, and member cards."""
    from settlement import reports

    with books(config) as (office, store), store.reading() as connection:
        coupons, members = reports.all_coupons(connection), reports.all_members(connection)
    if json:
        print_json({"coupons": coupons, "members": members})
        return
    currency = office.settings.currency
    rows = [
        (
            coupon["code"],
            coupon["label"],
            coupon["funder"],
            decimal(coupon["minor"], currency) if coupon["minor"] else f"{coupon['basis_points'] / 100:g} %",
            "used" if coupon["redeemed_ms"] else "reserved" if coupon["sale"] else "free",
        )
        for coupon in coupons
    ]
    print_table("Coupons", ("code", "label", "funder", ">worth", "state"), rows)
    cards = [(card["code"], card["name"], f"{card['basis_points'] / 100:g} %") for card in members]
    print_table("Member cards", ("code", "name", ">price off"), cards)


def _print_codes(codes: list[str], *, json: bool) -> None:
    if json:
        print_json({"codes": codes})
    else:
        for code in codes:
            typer.echo(code)
