"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

TERMINAL_CONFIG = Path("/etc/tillwave/terminal.toml")
SETTLEMENT_CONFIG = Path("/etc/tillwave-settlement/settlement.toml")

TerminalConfig = Annotated[Path, typer.Option(help="The terminal's settings.")]
SettlementConfig = Annotated[Path, typer.Option(help="Settlement's settings.")]
