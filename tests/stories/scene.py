"""What the stories share: counters with a scanner each, a wire that can be cut, a look into settlement's books."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from provisioning.layout import Device, Offline
from settlement import accounts, ledger, reports
from settlement.books import open_books
from tillwave.testing.mall import BoxedMall, TerminalPlan
from tillwave.testing.processes import Program
from tillwave.testing.register import Register
from tillwave.testing.shopper import Shopper
from tillwave.testing.terminal import BoxedTerminal

OFFLINE = Offline(enabled=True, limit_per_sale=5_000, limit_total=100_000, limit_count=50)
_numbers = itertools.count(1)
_MISSING = {"phase": "", "notice": "", "reason": ""}


class Counter:
    """A terminal with one scanner, and its register."""

    def __init__(self, mall: BoxedMall, **plan: Any) -> None:
        name = f"story-{next(_numbers)}-{os.getpid() % 10_000}"
        bench = str(mall.folder / name / "bench")
        scanner = Device("scanner", "hand", "simulated", {"bench": bench})
        self.mall = mall
        self.name = name
        self.terminal: BoxedTerminal = mall.add_terminal(
            name, TerminalPlan(devices=[scanner, *self.fitted(bench)], **plan)
        )
        self.register: Register = self.terminal.pair_register()

    def fitted(self, bench: str) -> list[Device]:
        """Give what the counter has beside its scanner."""
        return []

    def present(self, text: str) -> None:
        """Show a code to the scanner."""
        self.terminal.bench.type_barcode(text)

    def pay(self, minor: int, text: str, phase: str = "paid") -> dict[str, Any]:
        """Sell with one code, and give the payment when it stands."""
        payment = self.register.pay(minor)
        self.present(text)
        done = self.register.wait(payment["id"])
        assert done["phase"] == phase, done
        return done

    def until(self, payment: dict[str, Any], patience_s: float = 15.0, **wanted: Any) -> dict[str, Any]:
        """Wait until a payment shows these values."""
        state: dict[str, Any] = dict(_MISSING)

        def is_so() -> bool:
            state.update(self.register.payment(payment["id"]))
            return all(state[key] == value for key, value in wanted.items())

        wait_until(is_so, patience_s, lambda: f"{wanted} expected, found {state}")
        return state

    def drained(self) -> None:
        """Wait until settlement has everything."""
        self.terminal.wait_online()
        self.terminal.wait_drained()

    def tidy(self) -> None:
        """Make the counter free for the next story, whatever happened in this one."""
        self.mall.start_broker()
        self.mall.start_settlement()
        self.terminal.start()
        running = self.register.status()["payment"]
        if running is not None:
            self.register.cancel(running["id"])

    def close(self) -> None:
        """Stop the terminal."""
        self.terminal.close()


class Wire:
    """A TCP way to the broker that can be cut while everybody else stays connected."""

    def __init__(self, target_port: int) -> None:
        self._target = ("127.0.0.1", target_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._is_cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Where the terminal connects."""
        port: int = self._listener.getsockname()[1]
        return port

    def cut(self) -> None:
        """End what is connected and let nobody through."""
        self._is_cut = True
        for each in tuple(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let connections through again."""
        self._is_cut = False

    def close(self) -> None:
        """End everything."""
        self.cut()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._is_cut:
                near.close()
                continue
            try:
                far = socket.create_connection(self._target)
            except OSError:
                near.close()
                continue
            self._open |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        source.close()
        self._open.discard(source)


def wait_until(is_so: Callable[[], bool], patience_s: float, what: Callable[[], str]) -> None:
    """Wait for something; AssertionError with `what` when it does not come."""
    deadline = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < deadline, what()
        time.sleep(0.03)


@contextmanager
def on_wire(counter: Counter) -> Iterator[Wire]:
    """Lead a counter's way to the broker through a wire, and take it away afterwards."""
    wire = Wire(counter.mall.broker_port)
    _move(counter, counter.mall.broker_port, wire.port)
    try:
        yield wire
    finally:
        _move(counter, wire.port, counter.mall.broker_port)
        wire.close()


def _move(counter: Counter, old_port: int, new_port: int) -> None:
    counter.terminal.stop()
    text = counter.terminal.settings.read_text(encoding="utf-8")
    text = text.replace(f"port = {old_port}\n", f"port = {new_port}\n")
    counter.terminal.settings.write_text(text, encoding="utf-8")
    counter.terminal.start()


@contextmanager
def stopped(program: Program) -> Iterator[None]:
    """Freeze a program meanwhile."""
    os.kill(program.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(program.pid, signal.SIGCONT)


def of_sale(mall: BoxedMall, payment: dict[str, Any]) -> tuple[list[tuple[str, int]], list[str]]:
    """Give state and minor units of each payment of a sale, and the kinds of its ledger entries in order."""
    with open_books(mall.settlement_settings) as (_, store), store.reading() as connection:
        told = reports.of_sale(connection, payment["sale"])
    paid = [(one["state"], one["minor"]) for one in told["payments"]]
    return paid, [entry["kind"] for entry in told["entries"]]


def money_of(shopper: Shopper) -> int:
    """Give what a shopper has."""
    return shopper.phone.statement().balance.minor


def balances(mall: BoxedMall) -> dict[str, int]:
    """Give all balances of the ledger, which must add up."""
    with open_books(mall.settlement_settings) as (office, store), store.reading() as connection:
        assert ledger.check(connection) == []
        found = ledger.all_balances(connection, office.settings.currency)
    assert sum(found.values()) == 0
    return found


def alarms_of(mall: BoxedMall, terminal: str) -> list[str]:
    """Give the kinds of a terminal's alarms, newest first."""
    with open_books(mall.settlement_settings) as (office, store), store.reading() as connection:
        told = reports.totals(connection, office)["alarms"]
    return [alarm["kind"] for alarm in told if alarm["terminal"] == terminal]


def balance_in_books(mall: BoxedMall, name: str) -> int:
    """Give what an account has without asking the phone."""
    with open_books(mall.settlement_settings) as (office, store), store.reading() as connection:
        wallet = accounts.by_name(connection, name)
        assert wallet is not None
        return ledger.balance(connection, wallet.account, office.settings.currency)
