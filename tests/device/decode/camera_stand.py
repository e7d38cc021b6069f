"""A terminal as its camera's process sees it."""

from __future__ import annotations

import os
import queue
import time
from pathlib import Path

from device.decode.camera_process import CameraProcess, Patience
from device.ports import HealthState

TOKEN = "TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA"
HASTY = Patience(beat_s=5.0, frame_s=5.0, stop_s=1.0, first_pause_s=0.1)
LONG_S = 60.0


class Terminal:
    """What a terminal keeps of its camera."""

    def __init__(
        self, driver: str, options: dict[str, object], patience: Patience = HASTY, name: str = "front"
    ) -> None:
        self.name = name
        self.before = children()
        self.readings: queue.Queue = queue.Queue()
        self.healths: queue.Queue = queue.Queue()
        self.camera = CameraProcess(
            name,
            driver,
            options,
            deliver=self.readings.put,
            watch=lambda name, health: self.healths.put((name, health)),
            patience=patience,
        )

    def reading(self, seconds: float = LONG_S):
        return self.readings.get(timeout=seconds)

    def health(self, state: HealthState, seconds: float = LONG_S):
        """Wait for a state and give its sentence."""
        while True:
            name, health = self.healths.get(timeout=seconds)
            assert name == self.name
            if health.state is state:
                return health.detail

    def processes(self) -> list[int]:
        """Give the processes that there are since this terminal is."""
        return sorted(children() - self.before)

    def pid(self) -> int:
        deadline = time.monotonic() + LONG_S
        while (pid := self.camera.pid) is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return pid


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_dead(pid: int) -> None:
    deadline = time.monotonic() + LONG_S
    while is_alive(pid):
        assert time.monotonic() < deadline, f"process {pid} lives on"
        time.sleep(0.02)


def children() -> set[int]:
    """Give the processes that this one has started and not buried yet."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == os.getpid():
            found.add(int(folder.name))
    return found
