"""`tillwave scan`: read codes out of pictures, tokens out of recordings, and both as they come."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tillwave.commands.options import TERMINAL_CONFIG, TerminalConfig
from tillwave.exits import Exit, exit_on, leave

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from device.decode.annotated import Finding
    from device.ports import Reading
    from tillwave.live_scan import Event, LiveCamera, LiveScanner

EXAMPLES = """
tillwave scan code.jpg token.wav | tillwave scan shelf.jpg --annotate found.png |
tillwave scan --camera front --seconds 20 --annotate seen.png |
tillwave scan --camera webcam --option path=/dev/video0 |
tillwave scan --serial '/dev/serial/by-id/usb-*' --profile newland --json
"""


def scan(
    files: Annotated[list[Path] | None, typer.Argument(help="Pictures and WAV files.", show_default=False)] = None,
    *,
    camera: Annotated[
        str | None, typer.Option(help="Read live: a camera of the terminal's settings by its name, or a driver.")
    ] = None,
    serial: Annotated[
        str | None, typer.Option(help="Read live: a scanner on this serial device; * may stand in it.")
    ] = None,
    profile: Annotated[str, typer.Option(help="The scanner's make; see tillwave scanner profiles.")] = "generic-ascii",
    profile_folder: Annotated[str, typer.Option(help="A folder with profiles of your own.")] = "",
    option: Annotated[
        list[str] | None, typer.Option(help="A setting of the camera's driver as key=value; may be repeated.")
    ] = None,
    config: TerminalConfig = TERMINAL_CONFIG,
    annotate: Annotated[
        Path | None, typer.Option(help="Write a PNG of what was found, and of what was seen but not read.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Live: leave after this time; else Ctrl+C.")] = None,
    codes: Annotated[int | None, typer.Option(min=1, help="Live: leave after so many codes.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a file, or a code that is read live.")] = False,
) -> None:
    """Read codes and tokens: in files, or live from a camera or a serial scanner.

    Prints payloads, which may be payment tokens. Live, the terminal must not
    run meanwhile: a device serves one program; what is wrong with the device,
    and why a code is not read, is said on standard error.

    Exit codes: 0 all files could be read, or something was read live; 1 a file
    could not be read, or nothing was read live; 2 wrong use; 3 the settings or
    the driver's options are wrong.
    """
    if sum(bool(source) for source in (files, camera, serial)) != 1:
        raise typer.BadParameter("give files, or --camera, or --serial")
    if annotate is not None and (serial or len(files or ()) > 1):
        raise typer.BadParameter("--annotate needs one picture or a camera")
    with _refusals():
        if files:
            _scan_files(files, annotate, json=json)
        else:
            source = (
                _live(camera, config, option or (), with_pictures=annotate is not None)
                if camera
                else _scanner(serial or "", profile, profile_folder)
            )
            _scan_live(source, _Limits(seconds, codes), annotate, json=json)


@dataclass(frozen=True, slots=True)
class _Limits:
    """When to leave."""

    seconds: float | None
    codes: int | None


def _scan_files(files: list[Path], annotate: Path | None, *, json: bool) -> None:
    results = (_result(path, annotate) for path in files)
    unread = _print_json(results) if json else _print_table(results)
    if unread:
        raise typer.Exit(Exit.FAILED)


def _live(camera: str, config: Path, options: Sequence[str], *, with_pictures: bool) -> LiveCamera:
    from tillwave.live_scan import LiveCamera, camera_named

    return LiveCamera(camera_named(camera, config, options), with_pictures=with_pictures)


def _scanner(path: str, profile: str, folder: str) -> LiveScanner:
    from tillwave.live_scan import LiveScanner

    return LiveScanner(path, profile, folder)


def _scan_live(source: LiveCamera | LiveScanner, limits: _Limits, annotate: Path | None, *, json: bool) -> None:
    from tillwave.live_scan import LiveCamera

    source.start()
    try:
        read = _print_live(source, limits, json=json)
        if annotate is not None and isinstance(source, LiveCamera):
            _annotate_live(source, annotate)
    finally:
        source.stop()
    if not read:
        raise leave(Exit.FAILED, "nothing was read")


def _print_live(source: LiveCamera | LiveScanner, limits: _Limits, *, json: bool) -> int:
    """Print readings as they come, until the time is over or Ctrl+C is pressed; give how many there were."""
    from tillwave.live_scan import events_of

    read = 0
    with suppress(KeyboardInterrupt):
        for event in events_of(source, limits.seconds):
            read += _print_event(event, json=json)
            if limits.codes is not None and read >= limits.codes:
                break
    return read


def _print_event(event: Event, *, json: bool) -> bool:
    """Print a reading on standard output, everything else on standard error; True for a reading."""
    from device.decode.annotated import why
    from device.ports import Health, Reading

    if isinstance(event, Reading):
        shown = _describe(event)
        if json:
            typer.echo(json_text.dumps({**shown, "device": event.device, "at_ms": event.at_ms, "place": _place(event)}))
        else:
            typer.echo(f"{event.symbology:<10} {event.aim or '-':<3} {len(event.raw)} bytes: {_printable(event.text)}")
        return True
    if isinstance(event, Health):
        typer.secho(_printable(f"{event.state.value}: {event.detail}" if event.detail else event.state.value), err=True)
    elif event.hint is not None:
        typer.secho(f"not read: {why(event.hint)}", err=True, fg=typer.colors.YELLOW)
    return False


def _annotate_live(source: LiveCamera, path: Path) -> None:
    from device.decode.annotated import findings_of_view, picture_of

    view, readings = source.last_look()
    if view is None:
        raise leave(Exit.FAILED, f"the camera gave no picture: {path} is not written")
    _write(picture_of(view), findings_of_view(view, readings), path)


def _write(picture: np.ndarray, findings: Sequence[Finding], path: Path) -> None:
    from device.decode.annotated import annotated

    annotated(picture, findings).save(path, "PNG")


def _result(path: Path, annotate: Path | None) -> dict[str, Any]:
    """Describe what is in a file, or what is wrong with it."""
    from device.decode.files import FileRefused, read_file
    from protocol.waveform.errors import WaveformError

    try:
        readings = read_file(path) if annotate is None else _read_annotated(path, annotate)
    except (FileRefused, WaveformError) as error:
        return {"file": str(path), "readings": [], "error": str(error)}
    return {"file": str(path), "readings": [_describe(reading) for reading in readings]}


def _read_annotated(path: Path, annotate: Path) -> Sequence[Reading]:
    from device.decode.annotated import findings_of
    from device.decode.files import load_picture
    from device.decode.optical import read_still

    picture = load_picture(path)
    readings = read_still(picture)
    _write(picture, findings_of(picture, readings), annotate)
    return readings


def _describe(reading: Reading) -> dict[str, str]:
    return {
        "source": reading.source.value,
        "symbology": reading.symbology,
        "aim": reading.aim,
        "text": reading.text,
        "hex": reading.raw.hex(),
    }


def _place(reading: Reading) -> list[float] | None:
    """Give left, top, right and bottom in parts of the picture, if the reading has a place."""
    place = getattr(reading, "place", None)
    return None if place is None else [round(side, 4) for side in (place.left, place.top, place.right, place.bottom)]


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
            typer.secho(_printable(f"{result['file']}: {result['error']}"), err=True, fg=typer.colors.RED)
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


def _refusals() -> AbstractContextManager[None]:
    from device.config import SettingsProblem
    from device.drivers.errors import DriverError
    from tillwave.live_scan import BadOption, NoSuchCamera

    return exit_on(
        {
            SettingsProblem: Exit.SETTINGS_WRONG,
            DriverError: Exit.SETTINGS_WRONG,
            NoSuchCamera: Exit.SETTINGS_WRONG,
            BadOption: Exit.SETTINGS_WRONG,
            OSError: Exit.FAILED,
        }
    )
