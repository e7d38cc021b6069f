"""`tillwave simulate`: work the simulated devices of a running terminal, by hand or from a script."""

from __future__ import annotations

import json as json_text
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

from tillwave.exits import Exit, exit_on, leave

app = typer.Typer(
    help="Work the simulated devices of a running terminal: show codes, play sound, type, press, unplug, break.",
    no_args_is_help=True,
)

Folder = Annotated[Path, typer.Option("--bench", help="The folder `bench` in the settings of the simulated devices.")]
_EXAMPLES = """
Commands, one a line: wait 1.5 | wait-for camera front | show-qr TEXT tilt=25 noise=8 | show-picture FILE | clear-view |
type 6901234567892 aim=]E0 pieces=3,4 | play token.wav | shop-noise 0.05 | press | open-case | close-case |
unplug scanner hand | plug scanner hand | break camera front freeze | mend camera front
"""


@app.command()
def devices(bench: Folder, *, json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """List the simulated devices, how they stand, and how each can be broken."""
    from device.drivers.simulated.bench import Bench

    with _refusals():
        found = Bench(bench).devices()
    if json:
        rows = [
            {"kind": one.kind, "name": one.name, "plugged": one.plugged, "fault": one.fault, "health": one.health}
            for one in found
        ]
        typer.echo(json_text.dumps(rows))
        return
    if not found:
        raise leave(
            Exit.FAILED, f"no simulated device listens in {bench}; is the terminal running, and is this its bench?"
        )
    for one in found:
        plugged = "plugged in" if one.plugged else "unplugged"
        typer.echo(f"{one.kind:<11} {one.name:<10} {one.health:<9} {plugged:<11} {one.fault or '-'}")
        for fault, sentence in one.faults.items():
            typer.echo(f"{'':<11} can {fault}: {sentence}")


@app.command("do", epilog=_EXAMPLES)
def do_one(command: Annotated[str, typer.Argument(help="One command, in quotes.")], bench: Folder) -> None:
    """Do one thing, for example: tillwave simulate do 'show-qr HELLO tilt=20' --bench bench."""
    from device.drivers.simulated.bench import Bench
    from device.drivers.simulated.script import run_line

    with _refusals():
        run_line(Bench(bench), command)


@app.command("run", epilog=_EXAMPLES)
def run_file(script: Annotated[Path, typer.Argument(help="A file of commands.", exists=True)], bench: Folder) -> None:
    """Run a script of commands to its end."""
    from device.drivers.simulated.bench import Bench
    from device.drivers.simulated.script import run_script

    with _refusals():
        run_script(Bench(bench), script, typer.echo)


def _refusals() -> AbstractContextManager[None]:
    from device.drivers.simulated.control import SimulationError

    return exit_on({SimulationError: Exit.FAILED})
