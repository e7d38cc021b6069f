"""`tillwave pair`: let a register or a page pair with this terminal."""

from __future__ import annotations

import json as json_text
from typing import Annotated

import typer

from tillwave.commands.local import call_terminal
from tillwave.commands.options import TERMINAL_CONFIG, TerminalConfig


def pair(
    config: TerminalConfig = TERMINAL_CONFIG,
    *,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Open pairing for five minutes, as the button on the case does, and print the code."""
    answer = call_terminal(config, "/pair/open", with_key=True)
    if json:
        typer.echo(json_text.dumps(answer))
        return
    typer.echo(f"code {answer['code']}, good for {round(answer['seconds'] / 60)} minutes and one register or page")
    typer.echo(f"cashier's page: {answer['address']}/cashier#pair={answer['code']}")
    typer.echo(f"or technician's page: {answer['address']}/technician#pair={answer['code']}")
