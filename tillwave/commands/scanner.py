"""`tillwave scanner`: the profiles of scanners, and a look at what one sends."""

from __future__ import annotations

import json as json_text
import logging
import queue
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tillwave.exits import Exit, exit_on, leave

if TYPE_CHECKING:
    from device.drivers.base import Scan, Scanner
    from device.drivers.scanners.profile import Profile
    from device.ports import Health

app = typer.Typer(
    help="Find the right profile for a scanner: list and print them, see what a scanner sends, or pretend to be one.",
    no_args_is_help=True,
)

Folder = Annotated[str, typer.Option("--folder", help="A folder with profiles of your own, which come first.")]
Event = tuple[str, str]

_TRY = """
Try first with the scanner's own profile, then with generic-ascii; what comes in is shown in hexadecimal. On a serial
line that shows nothing or nonsense, try --baud 9600, 19200, 38400 and 115200.

tillwave scanner try /dev/serial/by-id/usb-Zebra_... --profile zebra-ssi
"""
_PRETEND = """
tillwave scanner pretend /tmp/usb-gm65 --profile gm65 --aim ]Q1

tillwave scanner try /tmp/usb-gm65 --profile gm65
"""
_COLOURS: Final = {
    "code": typer.colors.GREEN,
    "failed": typer.colors.RED,
    "missing": typer.colors.YELLOW,
    "refused": typer.colors.YELLOW,
}
_MOST_EVENTS: Final = 1000
_LOOK_S: Final = 0.2


@app.command()
def profiles(
    *, folder: Folder = "", json: Annotated[bool, typer.Option("--json", help="One JSON object a profile.")] = False
) -> None:
    """List the profiles of scanners, with the driver that each belongs to."""
    from device.drivers.scanners.profile import find_profile, profile_names

    with _refusals():
        found = {name: find_profile(name, folder) for name in profile_names(folder)}
    for name, profile in found.items():
        if json:
            row = {"name": name, "driver": _driver(profile), "protocol": profile.protocol, "title": profile.title}
            typer.echo(json_text.dumps(row | {"devices": profile.devices, "setup": profile.setup}))
        else:
            typer.echo(f"{name:<20} {_driver(profile):<8} {profile.title}")


@app.command()
def show(name: Annotated[str, typer.Argument(help="Name of a profile.")], *, folder: Folder = "") -> None:
    """Print a profile, to read or to begin one of your own with."""
    from device.drivers.scanners.profile import find_profile, profile_path

    with _refusals():
        find_profile(name, folder)
        typer.echo(profile_path(name, folder).read_text("utf-8"), nl=False)


@app.command("try", epilog=_TRY)
def try_one(
    device: Annotated[str, typer.Argument(help="The device, such as /dev/serial/by-id/usb-...; * may stand in it.")],
    *,
    profile: Annotated[str, typer.Option(help="Name of a profile.")] = "generic-ascii",
    folder: Folder = "",
    baud: Annotated[int | None, typer.Option(min=300, max=4_000_000, help="Instead of the profile's.")] = None,
    codes: Annotated[int | None, typer.Option(min=1, help="Leave after so many codes.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Leave after this time; else Ctrl+C leaves.")] = None,
) -> None:
    """Show what a scanner sends and what is read in it; exit code 1 if nothing was read.

    The terminal must not run meanwhile: a scanner serves one program. Prints payloads, which may be payment tokens.
    """
    events: queue.Queue[Event] = queue.Queue(_MOST_EVENTS)
    with _refusals(), _without_health_in_the_log():
        scanner = _make(device, profile, folder, baud, _teller(events))
        scanner.start()
        try:
            read = _show(events, seconds, codes)
        finally:
            scanner.stop()
    if not read:
        raise leave(Exit.FAILED, "nothing was read")


@app.command(epilog=_PRETEND)
def pretend(
    link: Annotated[Path, typer.Argument(help="Where the scanner appears; the terminal's `path`.")],
    *,
    profile: Annotated[str, typer.Option(help="Name of a profile for driver serial.")] = "generic-ascii",
    folder: Folder = "",
    aim: Annotated[str, typer.Option(help="AIM identifier of the codes, such as ]Q1, if the scanner sends one.")] = "",
    mood: Annotated[str, typer.Option(help="good, torn, damaged, deaf, babbling or flooding.")] = "good",
) -> None:
    """Be a scanner of a make, on a pseudo-terminal: each line of standard input is a code; its end pulls the plug."""
    from device.drivers.scanners.profile import find_profile
    from device.drivers.simulated.pty_scanner import Mood, PtyScanner
    from device.drivers.simulated.voices import make_voice

    with _refusals():
        made = find_profile(profile, folder)
    if made.protocol == "hid-pos" or mood not in {each.value for each in Mood}:
        raise leave(Exit.SETTINGS_WRONG, "pretend takes profiles of driver serial, and one of the moods in its help")
    scanner = PtyScanner(make_voice(made), link)
    scanner.mood = Mood(mood)
    with exit_on({OSError: Exit.FAILED}):
        scanner.plug()
    try:
        typer.echo(f"{profile} is plugged in as {link}")
        for line in sys.stdin.buffer:
            scanner.scan(line.rstrip(b"\n"), aim)
        scanner.finish()
    except KeyboardInterrupt:
        pass
    finally:
        scanner.unplug()


def _make(device: str, profile: str, folder: str, baud: int | None, tell: Callable[[str, str], None]) -> Scanner:
    from device.drivers.registry import make_driver
    from device.drivers.scanners.profile import find_profile

    driver = _driver(find_profile(profile, folder))
    options: dict[str, object] = {"path": device, "profile": profile, "profile_folder": folder}
    if baud is not None and driver == "serial":
        options["baud"] = baud
    scanner: Any = make_driver("scanner", driver, "scanner", options)
    scanner.watch(lambda _, health: tell(*_health(health)))
    scanner.listen(lambda scan: tell(*_read(scan)))
    scanner.tap(lambda received, sent: _tell_line(tell, received, sent))
    found: Scanner = scanner
    return found


def _teller(events: queue.Queue[Event]) -> Callable[[str, str], None]:
    """Give what drivers call from their threads; what a flood sends beyond all sense is not shown."""

    def tell(kind: str, text: str) -> None:
        if text and not events.full():
            events.put((kind, text))

    return tell


def _show(events: queue.Queue[Event], seconds: float | None, codes: int | None) -> int:
    """Print what happens, and give how many codes were read."""
    read = 0
    for event in _until(events, seconds):
        read += _print(event)
        if codes is not None and read >= codes:
            break
    return read


@contextmanager
def _without_health_in_the_log() -> Iterator[None]:
    """Say health once: among the events."""
    log = logging.getLogger("device.drivers.base")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


def _tell_line(tell: Callable[[str, str], None], received: bytes, sent: bytes) -> None:
    tell("in", received.hex(" "))
    tell("out", sent.hex(" "))


def _until(events: queue.Queue[Event], seconds: float | None) -> Iterator[Event]:
    """Give what happens until the time is over, or Ctrl+C."""
    deadline = None if seconds is None else time.monotonic() + seconds
    try:
        while deadline is None or time.monotonic() < deadline:
            try:
                yield events.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
    except KeyboardInterrupt:
        return


def _print(event: Event) -> bool:
    """Print one event; True if it was a code."""
    kind, text = event
    colour = _COLOURS.get(kind)
    typer.secho(f"{kind:<8} {text}", fg=colour)
    return kind == "code"


def _health(health: Health) -> Event:
    return health.state.value, health.detail or "-"


def _read(scan: Scan) -> Event:
    """Say what was read, or why it is no code; nothing in it can steer the technician's screen."""
    from device.decode.scanned import ScanRefused, reading_of

    try:
        reading = reading_of(scan)
    except ScanRefused as refused:
        return "refused", str(refused)
    return "code", f"{reading.symbology} {reading.aim or '-'} {len(reading.raw)} bytes: {reading.text!r}"


def _driver(profile: Profile) -> str:
    return "hid-pos" if profile.protocol == "hid-pos" else "serial"


def _refusals() -> AbstractContextManager[None]:
    from device.drivers.errors import DriverError

    return exit_on({DriverError: Exit.SETTINGS_WRONG})
