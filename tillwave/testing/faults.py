"""`scripts/test-faults`: sells while terminal, settlement and broker are killed, and then counts everything again.

Each program is ended by SIGKILL 20 times (`--kills`) during 500 sales (`--sales`), at random moments: before a token is
presented, while it is decided, after the outcome. The register does what a register must: it repeats a request with the
same id until it has an answer. At the end every sale must have one outcome that register, terminal and ledger share.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import httpx

from device.drivers.simulated.control import SimulationError
from device.payment.journal import verify
from keys.certificates import load_certificate, public_key_of
from provisioning.layout import Device
from tillwave.testing import office
from tillwave.testing.mall import BoxedMall, TerminalPlan
from tillwave.testing.processes import ProgramFailed
from tillwave.testing.register import FINAL_PHASES, Register, RegisterRefused
from tillwave.testing.shopper import Shopper
from tillwave.testing.terminal import BoxedTerminal

_PHONES = 10
_LOADED = 1_000_000
_PATIENCE_S = 60.0
_LONGEST_DELAY_S = 0.06
"""A kill comes up to so long after a token was presented: most outcomes are there by then, some are not."""
_VICTIMS = ("terminal", "settlement", "broker")
_Answer = TypeVar("_Answer")


class Mismatch(AssertionError):
    """Something was lost or booked twice."""


class FaultRun:
    """One run with its random order of kills, which `seed` repeats."""

    def __init__(self, mall: BoxedMall, *, sales: int, kills: int, seed: int) -> None:
        self._mall = mall
        self._sales = sales
        self._random = random.Random(seed)  # noqa: S311 - a test that can be repeated
        self._victims = self._draw_victims(kills)
        self._killed: Counter[str] = Counter()

    def play(self) -> None:
        """Sell, kill, count; Mismatch if anything is not right."""
        self._open()
        began = time.monotonic()
        for number in range(1, self._sales + 1):
            self._sell(number, self._victims.get(number))
            if number % 50 == 0:
                print(f"{number} sales, killed {dict(self._killed)}, {time.monotonic() - began:.0f} s", flush=True)
        self._settle_down()
        self._count()

    def _draw_victims(self, kills: int) -> dict[int, str]:
        order = [victim for victim in _VICTIMS for _ in range(kills)]
        self._random.shuffle(order)
        places = sorted(self._random.sample(range(1, self._sales + 1), len(order)))
        return dict(zip(places, order, strict=True))

    def _open(self) -> None:
        bench = self._mall.folder / "t1" / "bench"
        devices = [Device("scanner", "hand", "simulated", {"bench": str(bench)})]
        self._terminal: BoxedTerminal = self._mall.add_terminal("t1", TerminalPlan(devices=devices))
        self._register: Register = self._terminal.pair_register()
        with ThreadPoolExecutor(2) as workers:
            names = [f"shopper-{number}" for number in range(_PHONES)]
            self._shoppers: list[Shopper] = list(workers.map(lambda name: self._mall.add_shopper(name, _LOADED), names))

    def _sell(self, number: int, victim: str | None) -> None:
        request, amount = f"sale-{number:05d}", 100 + number
        moment = self._random.choice(("before", "during", "after")) if victim else ""
        if victim and moment == "before":
            self._kill(victim)
        self._insist(lambda: self._open_sale(request, amount))
        self._present(number)
        if victim and moment == "during":
            time.sleep(self._random.uniform(0, _LONGEST_DELAY_S))
            self._kill(victim)
        self._until_free(request)
        if victim and moment == "after":
            self._kill(victim)

    def _open_sale(self, request: str, amount: int) -> dict[str, Any]:
        return self._register.pay(amount, id=request)

    def _present(self, number: int) -> None:
        phone = self._shoppers[number % _PHONES].phone
        self._insist(lambda: self._terminal.bench.type_barcode(phone.payment_text()))

    def _until_free(self, request: str) -> None:
        """Wait until the sale no longer holds the counter; one that stays open is cancelled, as a cashier would."""
        patience = time.monotonic() + 4.0
        while True:
            phase = self._insist(lambda: self._register.payment(request))["phase"]
            if phase in FINAL_PHASES or phase in ("unknown", "cancelling"):
                return
            if phase == "gathering" and time.monotonic() > patience:
                self._insist(lambda: self._register.cancel(request))
            time.sleep(0.01)

    def _kill(self, victim: str) -> None:
        self._killed[victim] += 1
        if victim == "terminal":
            self._terminal.program.kill()
            self._terminal.start(online=True)
        elif victim == "settlement":
            self._mall.settlement.kill()
            self._mall.start_settlement()
            self._terminal.wait_online()
        else:
            self._mall.broker.kill()
            self._mall.start_broker()
            self._terminal.wait_online()

    def _insist(self, call: Callable[[], _Answer]) -> _Answer:
        """Repeat a call until it is answered; refusals that pass by themselves are waited for."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return call()
            except RegisterRefused as refused:
                if refused.reason not in ("busy", "out-of-service", "too-late"):
                    raise
                if refused.reason == "too-late" or time.monotonic() > deadline:
                    raise
            except (httpx.TransportError, SimulationError):
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.05)

    def _settle_down(self) -> None:
        self._terminal.wait_online()
        for number in range(1, self._sales + 1):
            request = f"sale-{number:05d}"
            self._register.wait(request, _PATIENCE_S)
        self._terminal.wait_drained()

    def _count(self) -> None:
        payments = [self._register.payment(f"sale-{number:05d}") for number in range(1, self._sales + 1)]
        paid = {one["sale"]: one["amount"]["minor"] for one in payments if one["phase"] == "paid"}
        ledger = office.read_ledger(self._mall.settlement_settings)
        settings = self._terminal.settings.parent
        records = verify(settings / "state" / "journal.db", public_key_of(load_certificate(settings / "record.crt")))
        _check(ledger["balanced"], f"the ledger does not add up: {ledger['complaints']}")
        _check(ledger["payments"]["count"] == len(paid), f"{len(paid)} sales are paid, booked are {ledger['payments']}")
        _check(ledger["payments"]["minor"] == sum(paid.values()), f"paid {sum(paid.values())}, {ledger['payments']}")
        left = ledger["parties"]["wallet"]
        _check(left == _PHONES * _LOADED - sum(paid.values()), f"the wallets hold {left}")
        day = self._register.close_day()
        _check(day["agrees"], f"terminal and settlement do not agree: {day}")
        phases = Counter(one["phase"] for one in payments)
        print(f"{self._sales} sales {dict(phases)}, {records} records, killed {dict(self._killed)}")
        print("nothing lost, nothing booked twice, the ledger sums to zero")


def main() -> int:
    """Run it; 0 if all is right."""
    words = argparse.ArgumentParser(prog="scripts/test-faults", description=__doc__)
    words.add_argument("--sales", type=int, default=500)
    words.add_argument("--kills", type=int, default=20, help="of each: terminal, settlement, broker")
    words.add_argument("--seed", type=int, default=int(time.time()))
    words.add_argument("--keep", type=Path, metavar="FOLDER", help="keep logs and databases in this folder")
    chosen = words.parse_args()
    folder = chosen.keep or Path(tempfile.mkdtemp(prefix="tillwave-faults-"))
    print(f"seed {chosen.seed}", flush=True)
    try:
        with BoxedMall(folder) as mall:
            FaultRun(mall, sales=chosen.sales, kills=chosen.kills, seed=chosen.seed).play()
    except (Mismatch, ProgramFailed, RegisterRefused, TimeoutError) as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    finally:
        if chosen.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def _check(good: object, what: str) -> None:
    if not good:
        raise Mismatch(what)


if __name__ == "__main__":
    sys.exit(main())
