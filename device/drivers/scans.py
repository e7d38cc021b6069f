"""From the bytes of a scanner to its scans: what all scanners share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Annotated, Final

from msgspec import Meta

from device.drivers.base import DriverOptions, Scan
from device.drivers.composure import Composure
from device.drivers.framing import LONGEST_CODE, Cutter, Frame, Framer, Pace, Suffix

log = logging.getLogger(__name__)

CODES_PER_SECOND: Final = 40
_SAY_AGAIN_MS: Final = 10_000
_IN_VAIN: Final = 2 * LONGEST_CODE
"""More bytes than this without a code are no code that is still coming."""
_A_DROP: Final = 512
"""So many of them count as one dropped code."""


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
    codes_per_second: Annotated[int, Meta(ge=1, le=1000)] = CODES_PER_SECOND
    """More than a hand can scan; what comes faster is dropped."""


def text_framer(options: ScanningOptions) -> Framer:
    """Give the framer that the settings ask for."""
    return Framer(
        options.suffix,
        prefix=options.prefix.encode(),
        silence_ms=options.silence_ms,
        patience_ms=options.patience_ms,
        longest=options.longest,
    )


class ScanAssembler:
    """Cuts what one scanner sends into codes, delivers them, and says in the log what had to be dropped."""

    def __init__(
        self, device: str, cutter: Cutter, deliver: Callable[[Scan], None], codes_per_second: int = CODES_PER_SECOND
    ) -> None:
        self._device = device
        self._deliver = deliver
        self._cutter = cutter
        self._pace = Pace(codes_per_second)
        self._composure = Composure()
        self._in_vain = 0
        self._said = 0
        self._said_ms = -_SAY_AGAIN_MS

    @property
    def dropped(self) -> int:
        """How many codes were not delivered."""
        return self._cutter.dropped.total() + self._pace.refused

    @property
    def trouble(self) -> str:
        """What is wrong with a scanner that sends noise or a flood, empty while it behaves."""
        return self._composure.trouble

    def seconds_to_wait(self, now_ms: int) -> float | None:
        """Tell how long to wait for more before `feed(b"")` is due, None for ever."""
        dues = [due_ms for due_ms in (self._cutter.due_ms, self._composure.due_ms) if due_ms is not None]
        return max(0, min(dues) - now_ms) / 1000 if dues else None

    def feed(self, piece: bytes, now_ms: int) -> None:
        """Take bytes, or none when the wait is over, and deliver what is complete."""
        before = self.dropped
        frames = self._cutter.feed(piece, now_ms)
        self._hand_on(frames)
        self._composure.notice(self.dropped - before + self._count_in_vain(len(piece), frames), frames, now_ms)
        self._say_dropped(now_ms)

    def clear(self) -> None:
        """Forget a code that was being sent when the scanner went away."""
        self._cutter.clear()

    def _count_in_vain(self, received: int, frames: Sequence[Frame]) -> int:
        """Count the bytes of which no code becomes, as dropped codes."""
        before = self._in_vain
        self._in_vain = 0 if frames else before + received
        return max(0, self._in_vain - _IN_VAIN) // _A_DROP - max(0, before - _IN_VAIN) // _A_DROP if not frames else 0

    def _hand_on(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            if self._pace.allows(frame.at_ms):
                self._deliver(Scan(frame.raw, self._device, frame.at_ms, frame.identifier))

    def _say_dropped(self, now_ms: int) -> None:
        if self.dropped == self._said or now_ms < self._said_ms + _SAY_AGAIN_MS:
            return
        self._said, self._said_ms = self.dropped, now_ms
        dropped = self._cutter.dropped
        log.warning(
            "%s: dropped since start: %d too long, %d torn (no suffix came: does the scanner send CR, LF or TAB?), "
            "%d without prefix, %d damaged, %d too fast",
            self._device,
            dropped.too_long,
            dropped.torn,
            dropped.without_prefix,
            dropped.damaged,
            self._pace.refused,
        )
