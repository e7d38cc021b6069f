"""`tillwave scan`: read codes out of pictures and tokens out of recordings."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tillwave.exits import Exit

if TYPE_CHECKING:
    from device.ports import Reading


def scan(
    files: Annotated[list[Path], typer.Argument(help="Pictures and WAV files.", show_default=False)],
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a file.")] = False,
) -> None:
    """Read the codes in pictures and the tokens in WAV files; exit code 1 if a file cannot be read.

    Prints payloads, which may be payment tokens.
    """
    results = (_result(path) for path in files)
    unread = _print_json(results) if json else _print_table(results)
    if unread:
        raise typer.Exit(Exit.FAILED)


def _result(path: Path) -> dict[str, Any]:
    """Describe what is in a file, or what is wrong with it."""
    from device.decode.files import FileRefused, read_file
    from protocol.waveform.errors import WaveformError

    try:
        readings = read_file(path)
    except (FileRefused, WaveformError) as error:
        return {"file": str(path), "readings": [], "error": str(error)}
    return {"file": str(path), "readings": [_describe(reading) for reading in readings]}


def _describe(reading: Reading) -> dict[str, str]:
    return {
        "source": reading.source.value,
        "symbology": reading.symbology,
        "aim": reading.aim,
        "text": reading.text,
        "hex": reading.raw.hex(),
    }


def _print_json(results: Iterable[dict[str, Any]]) -> int:
    """Print a line a file as soon as it is read; give the number of files that could not be read."""
    unread = 0
    for result in results:
        typer.echo(json_text.dumps(result))
        unread += "error" in result
    return unread


def _print_table(results: Iterable[dict[str, Any]]) -> int:
    """Print what was read as a table, and a line on standard error for each file that could not be read."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for heading in ("file", "source", "symbology", "aim", "content"):
        table.add_column(heading, overflow="fold")
    unread = 0
    for result in results:
        if "error" in result:
            unread += 1
            typer.secho(f"{_printable(result['file'])}: {result['error']}", err=True, fg=typer.colors.RED)
        elif not result["readings"]:
            table.add_row(Text(_printable(result["file"])), "nothing found")
        for reading in result["readings"]:
            cells = (result["file"], reading["source"], reading["symbology"], reading["aim"], _content(reading))
            table.add_row(*(Text(_printable(cell)) for cell in cells))
    if table.row_count:
        Console().print(table)
    return unread


def _content(reading: dict[str, str]) -> str:
    """Give the text, or the bytes in hexadecimal where they are none."""
    return reading["text"] if reading["source"] == "optical" else reading["hex"]


def _printable(text: str) -> str:
    """Show control characters instead of obeying them: the content of a code must not steer the technician's screen."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in text)
