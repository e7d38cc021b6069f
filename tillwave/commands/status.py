"""`tillwave status`: how the terminal on this machine is doing."""

from __future__ import annotations

import json as json_text
from typing import Annotated

import typer

from tillwave.commands.local import call_terminal
from tillwave.commands.options import TERMINAL_CONFIG, TerminalConfig
from tillwave.exits import Exit

_MINUTE_S, _HOUR_S = 60, 3600


def status(
    config: TerminalConfig = TERMINAL_CONFIG,
    *,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show service, line to settlement, queue and devices; exit code 1 when the terminal is out of service."""
    from device.payment.service import sentence_of

    state = call_terminal(config, "/status")
    if json:
        typer.echo(json_text.dumps(state, ensure_ascii=False))
    else:
        service = "in service" if state["in_service"] else f"OUT OF SERVICE: {sentence_of(state['trouble'])}"
        line = "online" if state["online"] else "OFFLINE: settlement is not heard"
        typer.echo(f"{state['terminal']}  tillwave {state['version']}, up {_duration(state['uptime_s'])}")
        typer.echo(f"{service}; {line}; records that wait for a receipt: {state['queue']}")
        for device in state["devices"]:
            typer.echo(f"  {device['name']:<12} {device['state']:<9} {device['detail']}".rstrip())
    if not state["in_service"]:
        raise typer.Exit(int(Exit.FAILED))


def _duration(seconds: int) -> str:
    hours, minutes = seconds // _HOUR_S, seconds % _HOUR_S // _MINUTE_S
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % _MINUTE_S} s"
