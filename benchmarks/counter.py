"""How quick and how small a counter is: the figures of README, on this machine, over a real broker with TLS.

    .venv/bin/python benchmarks/counter.py            # latencies, journal, memory, time to ready
    .venv/bin/python benchmarks/counter.py --sales 50

From token presented to outcome shown is measured outside the terminal: from the moment in which the scanner's text,
the picture or the last sample is handed to the device until the outcome is on the shopper's display (server-sent
event). Memory is that of the terminal's own process, without the camera's, with the real drivers: gpiozero on its mock
pins (without the tamper switch, which would find the case open), a scanner on a pseudo-terminal, a HID scanner and
sound devices that are not there, a printer that is a file; and a simulated microphone beside them, so that sound is
really decoded.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from device.payment.journal import Journal
from device.ports import SystemClock
from keys.file import FileKey
from protocol.records import Started
from provisioning.layout import Device
from tillwave.testing.hand_scanner import HandScanner
from tillwave.testing.mall import BoxedMall, TerminalPlan
from tillwave.testing.shopper import Shopper
from tillwave.testing.terminal import BoxedTerminal
from wallet.sound import wav_of

_LOADED = 10_000_000
_PHONES = 4


def main() -> None:
    """Measure everything and print a table in Markdown."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--sales", type=int, default=30, help="of each way to present a token")
    chosen = words.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tillwave-benchmark-"))
    print("| what | median | worst | n |\n| --- | ---: | ---: | ---: |")
    try:
        _measure_journal(folder)
        with BoxedMall(folder / "mall") as mall:
            _measure_counter(mall, chosen.sales)
            _measure_size(mall)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure_journal(folder: Path) -> None:
    key = FileKey.create(folder / "record.key")
    journal = Journal(folder / "journal.db", "t1", key, SystemClock())
    journal.start()
    times = []
    for _ in range(200):
        began = time.perf_counter()
        journal.commit((Started(software="benchmark", settings=bytes(32)),))
        times.append((time.perf_counter() - began) * 1000)
    journal.stop()
    _row("journal: sign and commit one record, ms", times, digits=2)


def _measure_counter(mall: BoxedMall, sales: int) -> None:
    terminal = mall.add_terminal("t1")
    terminal.bench.wait_for("camera", "front")
    shoppers = [mall.add_shopper(f"shopper-{number}", _LOADED) for number in range(_PHONES)]
    teller = _Teller(terminal, shoppers)
    with _display(terminal) as outcomes:
        teller.outcomes = outcomes
        _row("wallet code by scanner to outcome shown, ms", [teller.by_scanner() for _ in range(sales)])
        _row("wallet QR to camera to outcome shown, ms", [teller.by_camera() for _ in range(sales)])
        _row("last sample of sound to outcome shown, ms", [teller.by_sound(mall.folder) for _ in range(sales // 2)])
    terminal.stop()


class _Teller:
    """Makes sales and takes the time."""

    def __init__(self, terminal: BoxedTerminal, shoppers: Sequence[Shopper]) -> None:
        self._terminal = terminal
        self._register = terminal.pair_register()
        self._shoppers = shoppers
        self._sales = 0
        self.outcomes: dict[str, float] = {}

    def by_scanner(self) -> float:
        sale, shopper = self._open()
        text = shopper.phone.payment_text()
        began = time.monotonic()
        self._terminal.bench.type_barcode(text)
        return self._outcome(sale) - began * 1000

    def by_camera(self) -> float:
        sale, shopper = self._open()
        at_ms = self._terminal.bench.show_qr(shopper.phone.payment_text(), tilt_degrees=15, noise=6, seconds=5)
        shown = self._outcome(sale) - at_ms
        self._terminal.bench.clear_view()
        time.sleep(0.3)
        return shown

    def by_sound(self, folder: Path) -> float:
        sale, shopper = self._open()
        path = folder / "token.wav"
        path.write_bytes(wav_of(shopper.phone.short_token()))
        ends_ms = self._terminal.bench.play_wav(path)
        return self._outcome(sale) - ends_ms

    def _open(self) -> tuple[str, Shopper]:
        self._sales += 1
        payment = self._register.pay(1_000 + self._sales)
        return payment["sale"], self._shoppers[self._sales % len(self._shoppers)]

    def _outcome(self, sale: str) -> float:
        deadline = time.monotonic() + 15
        while sale not in self.outcomes:
            if time.monotonic() > deadline:
                raise TimeoutError(f"sale {sale} has no outcome")
            time.sleep(0.001)
        return self.outcomes[sale]


@contextmanager
def _display(terminal: BoxedTerminal) -> Iterator[dict[str, float]]:
    """Follow the shopper's display: when each paid sale appeared, CLOCK_MONOTONIC in milliseconds."""
    outcomes: dict[str, float] = {}
    client = httpx.Client(timeout=None)  # noqa: S113 - a stream of events has no end
    with client.stream("GET", f"{terminal.url}/display/events") as stream:
        thread = threading.Thread(target=_follow, args=(stream, outcomes), daemon=True)
        thread.start()
        yield outcomes
    client.close()


def _follow(stream: httpx.Response, outcomes: dict[str, float]) -> None:
    try:
        for line in stream.iter_lines():
            if not line.startswith("data:"):
                continue
            sale = json.loads(line[5:]).get("sale") or {}
            if sale.get("phase") == "paid":
                outcomes.setdefault(sale["sale"], time.monotonic() * 1000)
    except (httpx.StreamClosed, httpx.TransportError):
        return


def _measure_size(mall: BoxedMall) -> None:
    scanner = HandScanner()
    gpio = [Device(kind, kind, "gpiozero", {"factory": "mock"}) for kind in ("lamps", "buzzer", "button")]
    light = [Device("scanner", "hand", "serial", {"path": scanner.port}), *gpio]
    paper = {"connection": "file", "path": str(mall.folder / "paper")}
    (mall.folder / "paper").touch()
    every = [
        *light,
        Device("scanner", "wedge", "hid", {"path": "/dev/input/by-id/none"}),
        Device("microphone", "mic", "sounddevice"),
        Device("microphone", "ear", "simulated", {"bench": str(mall.folder / "ear")}),
        Device("speaker", "speaker", "sounddevice"),
        Device("printer", "printer", "escpos", paper),
    ]
    _measure_terminal(mall, "without sound and printer", "light", light)
    _measure_terminal(mall, "with every driver", "every", every)
    scanner.close()


def _measure_terminal(mall: BoxedMall, what: str, name: str, devices: Sequence[Device]) -> None:
    terminal = mall.add_terminal(name, TerminalPlan(devices=devices))
    shopper = mall.add_shopper(f"shopper-{name}", _LOADED)
    _pay_on_the_phone(terminal, shopper)
    time.sleep(2)
    _row(f"resident memory {what}, MB", [_resident_mb(terminal.program.pid)])
    terminal.stop()
    began = time.monotonic()
    terminal.start(online=False)
    _row(f"start to serving {what}, ms", [(time.monotonic() - began) * 1000])
    terminal.stop()


def _pay_on_the_phone(terminal: BoxedTerminal, shopper: Shopper) -> None:
    """Take one payment, so that what is imported late is there, the printer's library above all."""
    register = terminal.pair_register()
    payment = register.pay(1_000)
    shopper.phone.pay_patiently(shopper.phone.scan(payment["challenge"]), 10)
    register.wait(payment["id"])


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _row(what: str, values: Sequence[float], digits: int = 0) -> None:
    median, worst = statistics.median(values), max(values)
    print(f"| {what} | {median:.{digits}f} | {worst:.{digits}f} | {len(values)} |", flush=True)


if __name__ == "__main__":
    main()
