"""From the bytes of a scanner to its scans: what the serial, the HID and the simulated scanner share."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated, Final

from msgspec import Meta

from device.drivers.base import DriverOptions, Scan
from device.drivers.framing import LONGEST_CODE, Framer, Pace, Suffix

log = logging.getLogger(__name__)

_SAY_AGAIN_MS: Final = 10_000


class ScanningOptions(DriverOptions, frozen=True, kw_only=True):
    """Settings of every scanner that sends text."""

    suffix: Suffix = "any"
    """What ends a code: "cr", "lf", "crlf", "tab", "any" of these, or "none" for a scanner that only falls silent."""
    prefix: str = ""
    """What the scanner puts before each code, if it does; a code without it is dropped."""
    silence_ms: Annotated[int, Meta(ge=5, le=500)] = 40
    """Ends a code if the suffix is "none"."""
    patience_ms: Annotated[int, Meta(ge=50, le=10_000)] = 1000
    """How long a suffix may be late before the code counts as torn."""
    longest: Annotated[int, Meta(ge=1, le=65_536)] = LONGEST_CODE
    """Bytes of the longest code."""
    codes_per_second: Annotated[int, Meta(ge=1, le=1000)] = 40
    """More than a hand can scan; what comes faster is dropped."""


class ScanAssembler:
    """Frames the bytes of one scanner, delivers its codes, and says in the log what had to be dropped."""

    def __init__(self, device: str, options: ScanningOptions, deliver: Callable[[Scan], None]) -> None:
        self._device = device
        self._deliver = deliver
        self._framer = Framer(
            options.suffix,
            prefix=options.prefix.encode(),
            silence_ms=options.silence_ms,
            patience_ms=options.patience_ms,
            longest=options.longest,
        )
        self._pace = Pace(options.codes_per_second)
        self._said = 0
        self._said_ms = -_SAY_AGAIN_MS

    @property
    def dropped(self) -> int:
        """How many codes were not delivered."""
        return self._framer.dropped.total() + self._pace.refused

    def seconds_to_wait(self, now_ms: int) -> float | None:
        """Tell how long to wait for more before `feed(b"")` is due, None for ever."""
        due_ms = self._framer.due_ms
        return None if due_ms is None else max(0, due_ms - now_ms) / 1000

    def feed(self, piece: bytes, now_ms: int) -> None:
        """Take bytes, or none when the wait is over, and deliver what is complete."""
        for frame in self._framer.feed(piece, now_ms):
            if self._pace.allows(frame.at_ms):
                self._deliver(Scan(frame.raw, self._device, frame.at_ms))
        self._say_dropped(now_ms)

    def clear(self) -> None:
        """Forget a code that was being sent when the scanner went away."""
        self._framer.clear()

    def _say_dropped(self, now_ms: int) -> None:
        if self.dropped == self._said or now_ms < self._said_ms + _SAY_AGAIN_MS:
            return
        self._said, self._said_ms = self.dropped, now_ms
        dropped = self._framer.dropped
        log.warning(
            "%s: dropped since start: %d too long, %d torn (no suffix came: does the scanner send CR, LF or TAB?), "
            "%d without prefix, %d too fast",
            self._device,
            dropped.too_long,
            dropped.torn,
            dropped.without_prefix,
            self._pace.refused,
        )
