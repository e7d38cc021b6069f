"""`tillwave run`: the terminal's daemon."""

from __future__ import annotations

import asyncio
import logging
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tillwave.exits import Exit, exit_on, leave
from tillwave.logs import begin_log

if TYPE_CHECKING:
    from device.terminal import Terminal

log = logging.getLogger(__name__)


def run(
    config: Annotated[Path, typer.Option(help="The terminal's settings.")] = Path("/etc/tillwave/terminal.toml"),
    *,
    verbose: Annotated[bool, typer.Option("--verbose", help="Also log what is only of use to developers.")] = False,
) -> None:
    """Run the terminal until SIGTERM or Ctrl-C; a running sale is resolved or recorded as unknown first.

    Exit codes: 0 stopped as asked, 1 it broke down, 3 the settings are wrong, 4 a key, certificate or the journal is
    missing or unusable, 5 the address of the local server is taken.
    """
    begin_log(verbose=verbose)
    from device.config import SettingsMissing, SettingsProblem, load_settings, settings_hash
    from device.payment.goods import BadCatalogue
    from device.payment.journal import JournalProblem
    from device.ports import SystemClock, SystemRandomness
    from device.server.serve import PortTaken, ServeProblem
    from device.terminal import Terminal
    from keys.port import KeyProblem

    codes: dict[type[Exception], Exit] = {
        SettingsMissing: Exit.SOMETHING_MISSING,
        SettingsProblem: Exit.SETTINGS_WRONG,
        BadCatalogue: Exit.SETTINGS_WRONG,
        KeyProblem: Exit.SOMETHING_MISSING,
        JournalProblem: Exit.SOMETHING_MISSING,
        PortTaken: Exit.UNREACHABLE,
        ServeProblem: Exit.SETTINGS_WRONG,
    }
    with exit_on(codes):
        settings = load_settings(config)
        terminal = Terminal(settings, settings_hash(config), clock=SystemClock(), randomness=SystemRandomness())
        try:
            asyncio.run(_until_stopped(terminal))
        except BaseExceptionGroup as group:
            raise _cause_of(group, codes) from group


async def _until_stopped(terminal: Terminal) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, terminal.stop)
    await terminal.run()


def _cause_of(group: BaseExceptionGroup[BaseException], codes: dict[type[Exception], Exit]) -> BaseException:
    """Give the error that a technician should read first."""
    known = group.subgroup(tuple(codes))
    first = _first(known or group)
    if known is None:
        log.error("the terminal broke down", exc_info=group)
        return leave(Exit.FAILED, f"broke down: {type(first).__name__}: {first}")
    return first


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
