"""`tillwave daily`: the files that each party gets of a day."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tillwave.commands.books import Json, books, print_json
from tillwave.commands.options import SETTLEMENT_CONFIG, SettlementConfig
from tillwave.exits import Exit, leave

if TYPE_CHECKING:
    from settlement.batches import Batch


def daily(
    config: SettlementConfig = SETTLEMENT_CONFIG,
    *,
    day: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Default: yesterday.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the files, made if it is missing.")] = Path("daily"),
    json: Json = False,
) -> None:
    """Close a day of the books and write a file for each party, as CSV and JSON; the same day again, the same files."""
    from settlement import batches

    with books(config) as (office, store), store.writing() as connection:
        batch = batches.close_day(connection, office, day.date() if day else batches.yesterday(office))
        written = _write(batch, out)
    if json:
        print_json({"day": batch.day.isoformat(), "files": written, "sha256": batch.sha256.hex()})
    else:
        typer.echo(f"{batch.day}: {len(written)} files in {out}")


def _write(batch: Batch, folder: Path) -> list[str]:
    """Write what is not there yet; a file with other content is left alone and ends the command."""
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    for name, content in batch.files.items():
        path = folder / name
        if path.exists() and path.read_bytes() != content:
            raise leave(Exit.FAILED, f"{path} was changed since it was written; move it away and try again")
        if not path.exists():
            _write_whole(path, content)
    return sorted(batch.files)


def _write_whole(path: Path, content: bytes) -> None:
    """Leave the whole file or none, also when the power goes."""
    unfinished = path.with_name(f".{path.name}.new")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
