"""`tillwave settle`: the central service."""

from __future__ import annotations

from typing import Annotated

import typer

from tillwave.commands.options import SETTLEMENT_CONFIG, SettlementConfig
from tillwave.exits import Exit, exit_on
from tillwave.logs import begin_log


def settle(
    config: SettlementConfig = SETTLEMENT_CONFIG,
    *,
    verbose: Annotated[bool, typer.Option("--verbose", help="Also log what is only of use to developers.")] = False,
) -> None:
    """Run settlement until SIGTERM or Ctrl-C.

    Exit codes: 0 stopped as asked, 1 it broke down, 3 the settings are wrong, 4 a key or certificate is missing or
    unusable, 5 the address for phones cannot be used. A broker that is not there yet is waited for.
    """
    begin_log(verbose=verbose)
    from datetime import UTC, datetime

    from keys.port import KeyProblem
    from settlement.config import load_settings
    from settlement.errors import CannotListen, SettingsWrong, SettlementProblem, SomethingMissing
    from settlement.opening import make_office
    from settlement.service import Service, check_files

    codes: dict[type[Exception], Exit] = {
        SomethingMissing: Exit.SOMETHING_MISSING,
        SettingsWrong: Exit.SETTINGS_WRONG,
        KeyProblem: Exit.SOMETHING_MISSING,
        CannotListen: Exit.UNREACHABLE,
        SettlementProblem: Exit.FAILED,
        OSError: Exit.FAILED,
    }
    with exit_on(codes):
        settings = load_settings(config)
        check_files(settings, datetime.now(UTC))
        Service(make_office(settings)).run()
