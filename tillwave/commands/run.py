"""`tillwave run`: the terminal's daemon."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from tillwave.commands.options import TERMINAL_CONFIG, TerminalConfig

_SMALL = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""One event loop and a few quiet threads need no memory of their own for each processor."""


def run(
    config: TerminalConfig = TERMINAL_CONFIG,
    *,
    verbose: Annotated[bool, typer.Option("--verbose", help="Also log what is only of use to developers.")] = False,
) -> None:
    """Run the terminal until SIGTERM or Ctrl-C; a running sale is resolved or recorded as unknown first.

    Exit codes: 0 stopped as asked, 1 it broke down or runs
    already, 3 the settings are wrong, 4 settings, a key, a certificate or the
    journal is missing or unusable, 5 the address of the local server is taken.
    """
    words = [sys.executable, "-m", "tillwave.daemon", str(config), *(["--verbose"] if verbose else [])]
    os.execve(sys.executable, words, {**_SMALL, **os.environ})  # noqa: S606 - the same program, without typer
