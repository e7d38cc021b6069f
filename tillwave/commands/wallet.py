"""`tillwave wallet`: a shopper's phone on the command line and as a page."""

from __future__ import annotations

import json as json_text
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from protocol.money import Money
from tillwave.exits import Exit, exit_on, leave

if TYPE_CHECKING:
    from wallet.phone import Offer, PayResult, Phone
    from wallet.settlement_client import Statement

app = typer.Typer(
    help="A shopper's phone: payment codes, sound, scanning, and a page of its own.", no_args_is_help=True
)

Folder = Annotated[Path, typer.Argument(help="The folder of the phone.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PORT = 8470
PATIENCE_S = 45.0


@app.command()
def enrol(
    folder: Annotated[Path, typer.Argument(help="A new folder, which will hold the account and its key.")],
    *,
    settlement: Annotated[str, typer.Option(help="Address of settlement for phones, https://...")],
    code: Annotated[str, typer.Option(help="The one-time code that `tillwave account open` gave.")],
    ca: Annotated[Path | None, typer.Option(help="The mall's authority, if this machine does not know it.")] = None,
    json: Json = False,
) -> None:
    """Make a key and bring it to an account."""
    from wallet.account import enrol as enrol_phone

    with _refusals():
        account = enrol_phone(folder, settlement, code, ca)
    if json:
        _print_json({"folder": str(folder), "name": account.name, "currency": account.currency})
    else:
        typer.echo(f"{account.name}'s phone is ready in {folder}; open its page with: tillwave wallet serve {folder}")


@app.command()
def show(folder: Folder, *, json: Json = False) -> None:
    """Show balance, coupons, member card and last payments."""
    with _refusals(), _opened(folder) as phone:
        name, statement = phone.account.name, phone.statement()
    if json:
        _print_json({"name": name, **_describe_statement(statement)})
    else:
        _print_statement(name, statement)


@app.command("code")
def show_code(
    folder: Folder,
    *,
    signed: Annotated[bool, typer.Option(help="A code that is good where the counter is offline, too.")] = False,
    png: Annotated[Path | None, typer.Option(help="Write it as PNG instead.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Write it as SVG instead.")] = None,
    json: Json = False,
) -> None:
    """Make a payment code, good once and for 90 seconds, and show it as QR."""
    from wallet.qr import characters_of, png_of, svg_of

    with _refusals(), _opened(folder) as phone:
        text = phone.payment_text(signed=signed)
        if png is not None:
            png.write_bytes(png_of(text))
        if svg is not None:
            svg.write_bytes(svg_of(text))
    if json:
        _print_json({"text": text})
    elif png is None and svg is None:
        typer.echo(characters_of(text), nl=False)


@app.command()
def sound(
    folder: Folder,
    out: Annotated[Path, typer.Argument(help="The WAV file to write.")],
    *,
    signed: Annotated[bool, typer.Option(help="A token that is good where the counter is offline, too.")] = False,
    high: Annotated[bool, typer.Option(help="At 15 to 19.5 kHz, which few people hear.")] = False,
) -> None:
    """Make a payment token, good once and for 90 seconds, and write it as sound."""
    from wallet.sound import wav_of

    with _refusals(), _opened(folder) as phone:
        token = phone.signed_token() if signed else phone.short_token()
        out.write_bytes(wav_of(token, high=high))


@app.command()
def pay(
    folder: Folder,
    code_text: Annotated[str, typer.Argument(help="The text of a terminal's code, or a link that carries it.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    patience: Annotated[float, typer.Option(min=0, help="Seconds to ask again while it is undecided.")] = PATIENCE_S,
    json: Json = False,
) -> None:
    """Pay what a terminal's code asks for; exit code 0 means paid, 1 not paid or not known."""
    with _refusals(), _opened(folder) as phone:
        offer = phone.vouched(phone.scan(code_text))
        if not yes:
            typer.confirm(f"Pay {offer.amount} to {offer.merchant}?", abort=True, err=True)
        result = phone.pay_patiently(offer, patience)
    _print_result(offer, result, json=json)


@app.command()
def serve(
    folder: Folder,
    *,
    host: Annotated[
        str, typer.Option(help="Address to listen on; away from this machine only with HTTPS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = PORT,
    certificate: Annotated[Path | None, typer.Option(help="Certificate for HTTPS, PEM.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its key, PEM.")] = None,
    json: Json = False,
) -> None:
    """Serve the phone's page until Ctrl-C."""
    from wallet.server import Listening, WalletServer

    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    with _refusals(), _opened(folder) as phone, WalletServer(phone, Listening(host, port, certificate, key)) as page:
        if json:
            _print_json({"address": page.address})
        else:
            typer.echo(f"{phone.account.name}'s phone: {page.address}\nWhoever has this address can pay. End: Ctrl-C")
        over.wait()


@contextmanager
def _refusals() -> Iterator[None]:
    from keys.port import KeyMissing, KeyProblem
    from wallet.errors import (
        AccountDamaged,
        AccountMissing,
        AnswerLost,
        BadSettings,
        Unreachable,
        Untrusted,
        WalletProblem,
    )

    kinds: dict[type[Exception], Exit] = {
        AccountMissing: Exit.SOMETHING_MISSING,
        KeyMissing: Exit.SOMETHING_MISSING,
        AccountDamaged: Exit.SETTINGS_WRONG,
        BadSettings: Exit.SETTINGS_WRONG,
        KeyProblem: Exit.SETTINGS_WRONG,
        Unreachable: Exit.UNREACHABLE,
        Untrusted: Exit.UNREACHABLE,
        AnswerLost: Exit.UNREACHABLE,
        WalletProblem: Exit.FAILED,
        OSError: Exit.FAILED,
    }
    with exit_on(kinds):
        yield


@contextmanager
def _opened(folder: Path) -> Iterator[Phone]:
    from wallet.phone import Phone

    phone = Phone.open(folder)
    try:
        yield phone
    finally:
        phone.close()


def _print_result(offer: Offer, result: PayResult, *, json: bool) -> None:
    from wallet.settlement_client import Verdict

    sentences = {
        Verdict.APPROVED: "Paid",
        Verdict.DECLINED: f"Not paid, declined ({result.reason or 'no reason given'})",
        Verdict.PENDING: "Not decided yet; run the same command again",
        Verdict.UNKNOWN: "Not known yet, no answer came; run the same command again, nothing is paid twice",
    }
    if json:
        said = {"verdict": result.verdict.value, "reason": result.reason, "order": result.order}
        _print_json({**said, "amount": _describe_money(result.amount), "merchant": offer.merchant})
    elif result.verdict is Verdict.APPROVED:
        typer.echo(f"{sentences[result.verdict]}: {result.amount} to {offer.merchant}")
    if result.verdict is not Verdict.APPROVED:
        raise leave(Exit.FAILED, f"{sentences[result.verdict]}: {result.amount} to {offer.merchant}")


def _print_statement(name: str, statement: Statement) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    console.print(f"[bold]{statement.balance}[/]  {escape(name)}")
    if statement.member:
        console.print(f"Member card {escape(statement.member)}")
    for coupon in statement.coupons:
        console.print(f"Coupon {escape(coupon.code)}  {escape(coupon.label)}")
    table = Table("when", "amount", "outcome", "merchant", "sale")
    for payment in statement.payments:
        texts = (str(payment.amount), payment.verdict, payment.merchant, payment.sale)
        table.add_row(_when(payment.at_ms), *map(escape, texts))
    if statement.payments:
        console.print(table)


def _describe_statement(statement: Statement) -> dict[str, Any]:
    import msgspec

    fields: dict[str, Any] = msgspec.to_builtins(statement)
    del fields["voucher"]
    return fields


def _describe_money(amount: Money) -> dict[str, Any]:
    return {"minor": amount.minor, "currency": amount.currency}


def _when(at_ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _print_json(value: dict[str, Any]) -> None:
    typer.echo(json_text.dumps(value, ensure_ascii=False))
