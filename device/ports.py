"""The small types and ports that all rooms of the device share."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from enum import Enum, IntEnum
from pathlib import Path
from typing import Protocol


class Source(Enum):
    """By which sense a reading came in."""

    OPTICAL = "optical"
    SCANNER = "scanner"
    ACOUSTIC = "acoustic"


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that a driver and a decoder got out of the world."""

    source: Source
    device: str
    """Name of the driver in the configuration, empty for a file."""
    symbology: str
    """"QR", "EAN13", "CODE128", ... or the name of a waveform, or "UNKNOWN" for scanner text without an identifier."""
    raw: bytes
    """The exact bytes of the payload, without AIM identifier, prefix or suffix."""
    at_ms: int
    """Clock.monotonic_ms() when the picture, the text or the last sample arrived."""
    aim: str = ""
    """AIM symbology identifier such as "]Q1", empty if unknown (ISO/IEC 15424)."""

    @property
    def text(self) -> str:
        """The payload as text; bytes that are not UTF-8 appear as Latin-1."""
        try:
            return self.raw.decode("utf-8")
        except UnicodeDecodeError:
            return self.raw.decode("latin-1")

    def __repr__(self) -> str:
        """Name everything but the payload, which may be a token and must not reach a log."""
        return f"<Reading {self.source.value} {self.symbology} from {self.device!r}, {len(self.raw)} bytes>"


class TimeQuality(IntEnum):
    """How far the wall clock can be trusted."""

    UNKNOWN = 0
    """Not set since power-on: a Raspberry Pi without network believes in the time of its last shutdown."""
    FREE_RUNNING = 1
    SYNCHRONISED = 2


@dataclass(frozen=True, slots=True)
class WallTime:
    """Wall time, milliseconds since 1970-01-01 UTC, with its quality."""

    ms: int
    quality: TimeQuality


class Clock(Protocol):
    """Time as the device knows it."""

    def wall(self) -> WallTime:
        """Give the wall time and its quality."""

    def monotonic_ms(self) -> int:
        """Give milliseconds since an arbitrary point of this boot; never goes back."""

    def boot_id(self) -> bytes:
        """Give 16 bytes that change with every boot of the machine."""


class Randomness(Protocol):
    """Where identifiers, challenges and jitter come from."""

    def token_bytes(self, length: int) -> bytes:
        """Give unpredictable bytes."""


class SystemClock:
    """The clock of the machine."""

    _SYNCHRONISED = Path("/run/systemd/timesync/synchronized")
    _BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

    def __init__(self) -> None:
        self._boot_id = bytes.fromhex(self._BOOT_ID.read_text().strip().replace("-", ""))

    def wall(self) -> WallTime:
        """Give the wall time; it counts as synchronised once systemd-timesyncd has said so."""
        synchronised = self._SYNCHRONISED.exists()
        quality = TimeQuality.SYNCHRONISED if synchronised else TimeQuality.FREE_RUNNING
        return WallTime(time.time_ns() // 1_000_000, quality)

    def monotonic_ms(self) -> int:
        """Give CLOCK_MONOTONIC in milliseconds."""
        return time.monotonic_ns() // 1_000_000

    def boot_id(self) -> bytes:
        """Give the kernel's boot id."""
        return self._boot_id


class SystemRandomness:
    """The random generator of the kernel."""

    def token_bytes(self, length: int) -> bytes:
        """Give bytes of os.urandom."""
        return secrets.token_bytes(length)


class HealthState(Enum):
    """How a part of the terminal is doing."""

    STARTING = "starting"
    WORKING = "working"
    MISSING = "missing"
    """Not there, or unplugged: it is looked for again and again."""
    FAILED = "failed"
    """There, but it does not work."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Health:
    """The state of one part, with a sentence for the technician."""

    state: HealthState
    detail: str = ""
