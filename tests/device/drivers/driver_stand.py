"""What a test needs to start a driver, see it deliver, unplug it and plug it in again."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from device.drivers.base import Driver, Slip, SlipLine
from device.drivers.errors import DeviceMissing
from device.drivers.registry import make_driver
from device.ports import Health, HealthState

SLIP = Slip((SlipLine("合计 Total", "12.34"),))


def wait_until(true: Any, seconds: float = 30.0) -> bool:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not (held := true()) and time.monotonic() < deadline:
        time.sleep(0.005)
    return bool(held)


class Rig(ABC):
    """A driver on its test stand."""

    kind: ClassVar[str]
    driver: ClassVar[str]
    can_be_unplugged: ClassVar[bool] = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.healths: list[Health] = []
        self.delivered: list[Any] = []
        self.subject = self.make()

    def make(self) -> Driver:
        options = self.options()
        threads = threading.active_count()
        subject = make_driver(self.kind, self.driver, "rig", options)
        self.threads_started_by_making = threading.active_count() - threads
        subject.watch(lambda name, health: self.healths.append(health))
        if hasattr(subject, "listen"):
            subject.listen(self.hear)
        return subject

    def hear(self, *what: Any) -> None:
        self.delivered.append(what[0] if what else None)

    def is_in(self, state: HealthState, seconds: float = 30.0) -> bool:
        return wait_until(lambda: self.poke() or self.subject.health.state is state, seconds)

    def poke(self) -> None:  # noqa: B027  most drivers need no poking
        """Do what the owner of the driver does all the time."""

    @abstractmethod
    def options(self) -> dict[str, Any]: ...

    @abstractmethod
    def deliver(self) -> bool:
        """Let something happen; tell whether it came through."""

    def unplug(self) -> None:
        raise NotImplementedError

    def plug(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.subject.stop()


class CameraRig(Rig):
    kind = "camera"

    def poke(self) -> None:
        with suppress(DeviceMissing):
            self.subject.read(0.02)

    def deliver(self) -> bool:
        frame = None
        for _ in range(50):
            frame = self.subject.read(0.1)
            if frame is not None:
                break
        return frame is not None and frame.dtype == np.uint8 and frame.ndim == 2 and frame.flags.c_contiguous


class ScannerRig(Rig):
    kind = "scanner"

    @abstractmethod
    def type(self, text: str) -> None: ...

    def deliver(self) -> bool:
        before = len(self.delivered)
        self.type("6901234567892")
        return (
            wait_until(lambda: len(self.delivered) > before)
            and self.delivered[-1].raw == b"6901234567892"
            and self.delivered[-1].device == "rig"
        )


class MicrophoneRig(Rig):
    kind = "microphone"

    def deliver(self) -> bool:
        before = len(self.delivered)
        return wait_until(lambda: len(self.delivered) > before + 2) and self.delivered[-1].rate_hz >= 16_000


class SpeakerRig(Rig):
    kind = "speaker"

    def play(self) -> None:
        self.subject.play(np.sin(np.arange(4410) / 10).astype(np.float32), 44_100)
