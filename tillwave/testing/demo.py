"""`scripts/demo`: plays a business day, prints what happened, and leaves the pages open until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from device.drivers.simulated.control import SimulationError
from protocol.money import Money
from tillwave.testing import office
from tillwave.testing.business_day import OWNERS, BusinessDay, DayWentWrong
from tillwave.testing.mall import BoxedMall, MallPlan
from tillwave.testing.processes import ProgramFailed
from tillwave.testing.register import RegisterRefused
from wallet.errors import WalletProblem

console = Console(highlight=False)

_TROUBLE = (DayWentWrong, ProgramFailed, RegisterRefused, SimulationError, WalletProblem, httpx.HTTPError, OSError)
"""What a day can meet; all of them say it in a sentence."""


def main() -> int:
    """Play the day; 0 if register, terminals and ledger agree, 1 if not."""
    words = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    words.add_argument("--once", action="store_true", help="end after the table instead of leaving the pages open")
    words.add_argument("--keep", type=Path, metavar="FOLDER", help="keep everything in this folder, to look at")
    chosen = words.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    folder = chosen.keep or Path(tempfile.mkdtemp(prefix="tillwave-demo-"))
    try:
        return _play(folder, once=chosen.once)
    finally:
        if chosen.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _play(folder: Path, *, once: bool) -> int:
    began = time.monotonic()
    _say("Provisioning a mall with throw-away certificates: authority, broker, settlement")
    try:
        with BoxedMall(folder, MallPlan(owners=OWNERS)) as mall:
            day = BusinessDay(mall, _say)
            day.play()
            good = _report(day, time.monotonic() - began)
            if not once:
                _leave_open(day)
            return 0 if good else 1
    except _TROUBLE as error:
        console.print(f"[bold red]The day went wrong:[/] {error}", soft_wrap=True)
        return 1


def _end(number: int, _: object) -> None:
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)  # a second Ctrl-C must not leave programs and folders behind
    os.write(sys.stderr.fileno(), b"\nEnding terminals, settlement and broker\n")
    sys.exit(128 + number)


def _report(day: BusinessDay, seconds: float) -> bool:
    table = Table("terminal", "presented", "amount", "outcome", "ms", title="The day's sales")
    table.columns[2].justify = table.columns[4].justify = "right"
    for row in day.rows:
        colour = "green" if row.outcome == "paid" else "yellow"
        took = "" if row.milliseconds is None else str(row.milliseconds)
        table.add_row(row.terminal, row.presented, row.amount.decimal, f"[{colour}]{row.outcome}[/]", took)
    console.print(table)
    console.print("[dim]ms: from presentation to outcome; of sound from its last sample, which it may not need.[/]")
    return _report_ledger(day, seconds)


def _report_ledger(day: BusinessDay, seconds: float) -> bool:
    totals = office.read_ledger(day.mall.settlement_settings)
    table = Table("party", "balance", title="The ledger by party")
    table.columns[1].justify = "right"
    for party, minor in totals["parties"].items():
        table.add_row(party, Money(minor, totals["currency"]).decimal)
    console.print(table)
    good = bool(totals["balanced"])
    console.print(f"The ledger sums to zero: {'yes' if good else 'NO'}. From start to table: {seconds:.1f} s.")
    return good


def _leave_open(day: BusinessDay) -> None:
    from wallet.server import Listening, WalletServer

    with WalletServer(day.shoppers[0].phone, Listening("127.0.0.1", 0)) as phone:
        console.print("\n[bold]The pages stay open until Ctrl-C:[/]")
        for counter in day.counters:
            url, code = counter.terminal.url, counter.terminal.open_pairing()
            console.print(f"  {counter.terminal.name}: cashier {url}/cashier#pair={code}", soft_wrap=True)
            console.print(f"  {counter.terminal.name}: display {url}/display", soft_wrap=True)
        console.print(f"  {day.shoppers[0].name}'s phone: {phone.address}", soft_wrap=True)
        bench = day.counters[0].terminal.bench.folder
        console.print(f"  work the devices: .venv/bin/tillwave simulate devices --bench {bench}", soft_wrap=True)
        while True:
            time.sleep(3600)


def _say(text: str) -> None:
    console.print(f"[dim]{time.strftime('%H:%M:%S')}[/] {text}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
