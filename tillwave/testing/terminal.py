"""One terminal of a mall in a box: its process, its simulated devices, and registers paired with it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from device.drivers.simulated.bench import Bench
from provisioning.layout import Device
from tillwave.testing.processes import Program, accepts
from tillwave.testing.register import Register

_SIMULATED = (
    ("camera", "front"),
    ("scanner", "hand"),
    ("microphone", "mic"),
    ("speaker", "speaker"),
    ("lamps", "lamps"),
    ("illumination", "illumination"),
    ("aim", "aim"),
    ("buzzer", "buzzer"),
    ("button", "button"),
    ("tamper", "tamper"),
    ("printer", "printer"),
)


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Asks no proxy for this machine."""


def all_simulated(bench: Path) -> Sequence[Device]:
    """Give one simulated device of every kind, worked from one bench."""
    return [Device(kind, name, "simulated", {"bench": str(bench)}) for kind, name in _SIMULATED]


class BoxedTerminal:
    """A terminal process with its bench."""

    def __init__(self, *, name: str, settings: Path, port: int, bench_folder: Path, program: Program) -> None:
        self.name = name
        self.settings = settings
        self.url = f"http://127.0.0.1:{port}"
        self.bench = Bench(bench_folder)
        self.program = program
        self._port = port
        self._registers: list[Register] = []

    def start(self, *, online: bool = True) -> None:
        """Start the terminal and wait until it serves, and with `online` until settlement is heard."""
        self.program.start(lambda: accepts(self._port))
        if online:
            self.wait_online()

    def stop(self) -> int | None:
        """Stop the terminal as systemd would; gives its exit code."""
        return self.program.stop()

    def close(self) -> None:
        """Stop the terminal and end the connections of its registers; harmless when closed."""
        for register in self._registers:
            register.close()
        self.stop()

    def wait_online(self, patience_s: float = 20.0) -> None:
        """Wait until settlement is heard."""
        self.program.wait_for(lambda: bool(self.status()["online"]), patience_s)

    def wait_offline(self, patience_s: float = 20.0) -> None:
        """Wait until the terminal has noticed that settlement is out of reach."""
        self.program.wait_for(lambda: not self.status()["online"], patience_s)

    def wait_for_devices(self, patience_s: float = 20.0) -> None:
        """Wait until every device works; ProgramFailed, with what the log says of them, otherwise."""
        self.program.wait_for(
            lambda: all(device["state"] == "working" for device in self.status()["devices"]), patience_s
        )

    def wait_drained(self, patience_s: float = 30.0) -> None:
        """Wait until settlement has receipted every record."""
        self.program.wait_for(lambda: self.status()["queue"] == 0, patience_s)

    def status(self) -> dict[str, Any]:
        """Read what `tillwave status` reads."""
        return self._call("/status")

    def open_pairing(self) -> str:
        """Open pairing, as `tillwave pair` does, and give the code."""
        key = (self.settings.parent / "state" / "control.key").read_text().strip()
        answer = self._call("/pair/open", key)
        return str(answer["code"])

    def pair_register(self, name: str = "register-1") -> Register:
        """Give a register that is paired with this terminal; `close` closes it too."""
        register = Register(self.url, name)
        self._registers.append(register)
        register.pair(self.open_pairing())
        return register

    def _call(self, path: str, key: str = "") -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - always http on loopback
            self.url + path, headers={"Authorization": f"Bearer {key}"} if key else {}, method="POST" if key else "GET"
        )
        with _OPENER.open(request, timeout=10) as response:
            answer: dict[str, Any] = json.load(response)
            return answer
