"""`tillwave scan`: read codes out of pictures and tokens out of recordings."""

from __future__ import annotations

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
