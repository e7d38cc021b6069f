"""The terminal's daemon itself: `python -m tillwave.daemon SETTINGS [--verbose]`, what `tillwave run` turns into.

Without the libraries of the command line, which a terminal with 512 MB need not keep in memory for weeks.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from device.config import SettingsMissing, SettingsProblem, load_settings, settings_hash
from device.payment.errors import CounterProblem
from device.payment.goods import BadCatalogue
from device.payment.journal import JournalInUse, JournalProblem
from device.ports import SystemClock, SystemRandomness
from device.server.serve import PortTaken, ServeProblem
from device.terminal import Terminal
from keys.port import KeyProblem
from tillwave.codes import Exit
from tillwave.logs import begin_log

log = logging.getLogger(__name__)

_CODES: Mapping[type[BaseException], Exit] = {
    SettingsMissing: Exit.SOMETHING_MISSING,
    SettingsProblem: Exit.SETTINGS_WRONG,
    BadCatalogue: Exit.SETTINGS_WRONG,
    KeyProblem: Exit.SOMETHING_MISSING,
    JournalInUse: Exit.FAILED,
    JournalProblem: Exit.SOMETHING_MISSING,
    CounterProblem: Exit.FAILED,
    PortTaken: Exit.UNREACHABLE,
    ServeProblem: Exit.SETTINGS_WRONG,
    OSError: Exit.SOMETHING_MISSING,
}


def main(settings: Path, *, verbose: bool) -> int:
    """Run the terminal until SIGTERM or SIGINT and give the exit code."""
    begin_log(verbose=verbose)
    try:
        terminal = Terminal(
            load_settings(settings), settings_hash(settings), clock=SystemClock(), randomness=SystemRandomness()
        )
        asyncio.run(_until_stopped(terminal))
    except tuple(_CODES) as error:
        return _say(error)
    except BaseExceptionGroup as group:
        known = group.subgroup(tuple(_CODES))
        if known is not None:
            return _say(_first(known))
        log.exception("the terminal broke down")
        return Exit.FAILED
    return 0


async def _until_stopped(terminal: Terminal) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, terminal.stop)
    await terminal.run()


def _say(error: BaseException) -> Exit:
    log.debug("why the terminal ends", exc_info=error)
    print(f"tillwave: {_sentence(error)}", file=sys.stderr)
    return next(code for kind, code in _CODES.items() if isinstance(error, kind))


def _sentence(error: BaseException) -> str:
    if type(error).__module__ == "builtins" and isinstance(error, OSError):
        return f"a file cannot be used ({error.filename or 'of the state folder'}): {error.strerror}"
    return str(error)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), verbose="--verbose" in sys.argv[2:]))
