"""`tillwave journal`: look at, check and export the records of a terminal."""

from __future__ import annotations

import json as json_text
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tillwave.commands.options import TERMINAL_CONFIG, TerminalConfig
from tillwave.exits import Exit, exit_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.config import Settings
    from device.payment.journal import Entry

app = typer.Typer(help="The signed records of this terminal.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
_SECRET_FIELDS = frozenset({"token", "nonce"})


@app.command("list")
def list_records(
    config: TerminalConfig = TERMINAL_CONFIG,
    *,
    last: Annotated[int, typer.Option(min=1, help="Only so many of the newest.")] = 50,
    json: Json = False,
) -> None:
    """List the newest records; tokens are left out."""
    with _refusals():
        rows = [_describe(entry) for entry in _entries(_settings(config))][-last:]
    if json:
        for row in rows:
            typer.echo(json_text.dumps(row, ensure_ascii=False))
        return
    _print_table(rows)


@app.command()
def verify(config: TerminalConfig = TERMINAL_CONFIG, *, json: Json = False) -> None:
    """Check the signature of every record and the whole chain; exit code 1 at the first that does not hold."""
    from device.payment.journal import JournalDamaged
    from device.payment.journal import verify as verify_journal
    from keys.certificates import load_certificate, public_key_of

    with _refusals():
        settings = _settings(config)
        public_key = public_key_of(load_certificate(settings.keys.record_certificate))
        try:
            count = verify_journal(settings.journal, public_key)
        except JournalDamaged as error:
            if json:
                typer.echo(json_text.dumps({"journal": str(settings.journal), "good": False, "error": str(error)}))
            raise
    if json:
        typer.echo(json_text.dumps({"journal": str(settings.journal), "records": count, "good": True}))
    else:
        typer.echo(f"{count} records, all signed by this terminal, unbroken from the first to the last")


@app.command()
def export(
    config: TerminalConfig = TERMINAL_CONFIG,
    *,
    output: Annotated[Path | None, typer.Option(help="A file instead of standard output.")] = None,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, with the signed bytes in hexadecimal.")
    ] = False,
) -> None:
    """Write all signed records as they are: a CBOR sequence (RFC 8742) of COSE_Sign1, or JSON lines.

    The export holds used payment tokens, as settlement has them too: give it to nobody else.
    """
    with _refusals():
        pieces = (_exported(entry, json=json) for entry in _entries(_settings(config)))
        if output is None:
            sys.stdout.buffer.writelines(pieces)
        else:
            output.touch(mode=0o600)
            with output.open("wb") as file:
                file.writelines(pieces)


def _refusals() -> Any:
    from device.config import SettingsMissing, SettingsProblem
    from device.payment.journal import JournalDamaged, JournalProblem
    from keys.port import KeyProblem

    return exit_on(
        {
            SettingsMissing: Exit.SOMETHING_MISSING,
            SettingsProblem: Exit.SETTINGS_WRONG,
            JournalDamaged: Exit.FAILED,
            JournalProblem: Exit.SOMETHING_MISSING,
            KeyProblem: Exit.SOMETHING_MISSING,
        }
    )


def _settings(config: Path) -> Settings:
    from device.config import load_settings

    return load_settings(config)


def _entries(settings: Settings) -> Iterator[Entry]:
    from device.payment.journal import read_entries

    return read_entries(settings.journal)


def _exported(entry: Entry, *, json: bool) -> bytes:
    if not json:
        return entry.message
    row = {"number": entry.number, "kind": entry.kind, "hash": entry.hash.hex(), "message": entry.message.hex()}
    return json_text.dumps(row).encode() + b"\n"


def _describe(entry: Entry) -> dict[str, Any]:
    import dataclasses

    from protocol.envelope import ContentType, take_apart
    from protocol.records import parse_record

    record = parse_record(take_apart(entry.message, ContentType.RECORD).payload)
    fields = {
        field.name: _plain(getattr(record.body, field.name))
        for field in dataclasses.fields(record.body)
        if field.name not in _SECRET_FIELDS
    }
    return {"number": entry.number, "kind": entry.kind, "wall_ms": record.stamp.wall_ms, **fields}


def _plain(value: Any) -> Any:
    from enum import IntEnum

    from protocol.money import Money

    if isinstance(value, Money):
        return {"minor": value.minor, "currency": value.currency}
    if isinstance(value, IntEnum):
        return value.name.lower()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


def _print_table(rows: list[dict[str, Any]]) -> None:
    from datetime import datetime

    from rich.console import Console
    from rich.table import Table

    table = Table("number", "time", "kind", "what", box=None)
    for row in rows:
        when = datetime.fromtimestamp(row["wall_ms"] / 1000).astimezone().strftime("%m-%d %H:%M:%S")
        rest = {key: value for key, value in row.items() if key not in ("number", "kind", "wall_ms")}
        table.add_row(str(row["number"]), when, row["kind"], "  ".join(f"{key}={_short(rest[key])}" for key in rest))
    Console().print(table, highlight=False)


def _short(value: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"minor", "currency"}:
        from protocol.money import Money

        return str(Money(**value))
    return "-" if value in (None, "", []) else str(value)
