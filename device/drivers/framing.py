"""Cuts what a scanner sends into codes: by a suffix, or by silence where the scanner sends none.

A code is delivered whole or not at all. Where a suffix is expected, what stays without one is torn and is dropped;
where silence ends a code, its pieces must follow one another without a pause. Too long is dropped to its very end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

Suffix = Literal["any", "cr", "lf", "crlf", "tab", "none"]

LONGEST_CODE: Final = 4296
"""Bytes of the longest text that a QR code holds (ISO/IEC 18004: 4296 alphanumeric characters)."""

_SUFFIXES: Final[dict[str, tuple[bytes, ...]]] = {
    "any": (b"\r", b"\n", b"\t"),
    "cr": (b"\r",),
    "lf": (b"\n",),
    "crlf": (b"\r\n",),
    "tab": (b"\t",),
    "none": (),
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One code, without prefix and suffix, and when its last byte came (milliseconds of any steady clock)."""

    raw: bytes = field(repr=False)
    at_ms: int
    identifier: str = ""
    """What the code is, where the scanner's protocol says it beside the text; see `Scan.identifier`."""


@dataclass(slots=True)
class Dropped:
    """How many frames were not delivered, and why."""

    too_long: int = 0
    torn: int = 0
    without_prefix: int = 0
    damaged: int = 0
    """Did not pass their own check, or were not of the scanner's protocol."""

    def total(self) -> int:
        """Count them all."""
        return self.too_long + self.torn + self.without_prefix + self.damaged


class Cutter(Protocol):
    """Anything that cuts codes out of what a scanner sends; knows no device and no clock."""

    dropped: Dropped

    @property
    def due_ms(self) -> int | None:
        """When `feed(b"")` has something to do, None if nothing is pending."""

    def feed(self, piece: bytes, at_ms: int) -> list[Frame]:
        """Take what the scanner sent, or nothing, and give the codes that are now complete."""

    def clear(self) -> None:
        """Forget what is pending."""


class Framer:
    """Puts pieces together and cuts codes out of them; knows no device and no clock."""

    def __init__(
        self,
        suffix: Suffix = "any",
        *,
        prefix: bytes = b"",
        silence_ms: int = 40,
        patience_ms: int = 1000,
        longest: int = LONGEST_CODE,
    ) -> None:
        self.dropped = Dropped()
        self._suffixes = _SUFFIXES[suffix]
        self._prefix = prefix
        self._pause_ms = patience_ms if self._suffixes else silence_ms
        self._longest = longest
        self._pending = bytearray()
        self._overflowing = False
        self._last_ms = 0

    @property
    def due_ms(self) -> int | None:
        """When `expire` has something to do, None if nothing is pending."""
        return self._last_ms + self._pause_ms if self._pending or self._overflowing else None

    def feed(self, piece: bytes, at_ms: int) -> list[Frame]:
        """Take what the scanner sent and give the codes that are now complete."""
        frames = self.expire(at_ms)
        if piece:
            self._last_ms = at_ms
        self._pending += piece
        while (cut := self._find_suffix()) is not None:
            begin, end = cut
            self._finish(bytes(self._pending[:begin]), at_ms, frames)
            del self._pending[:end]
        self._cap()
        return frames

    def expire(self, now_ms: int) -> list[Frame]:
        """Notice that the scanner has been silent."""
        frames: list[Frame] = []
        if self.due_ms is None or now_ms < self.due_ms:
            return frames
        if self._suffixes and self._pending and not self._overflowing:
            self.dropped.torn += 1
            self._pending.clear()
        else:
            self._finish(bytes(self._pending), self._last_ms, frames)
        self.clear()
        return frames

    def clear(self) -> None:
        """Forget what is pending, because the scanner was unplugged."""
        self._pending.clear()
        self._overflowing = False

    def tear(self, at_ms: int) -> None:
        """Notice that bytes were lost: the code that is being sent is dropped to its very end."""
        self.dropped.torn += 1
        self._pending.clear()
        self._overflowing = True
        self._last_ms = at_ms

    def _find_suffix(self) -> tuple[int, int] | None:
        found = [(at, at + len(end)) for end in self._suffixes if (at := self._pending.find(end)) >= 0]
        return min(found, default=None)

    def _finish(self, raw: bytes, at_ms: int, frames: list[Frame]) -> None:
        if self._overflowing:
            self._overflowing = False
        elif len(raw) > self._longest + len(self._prefix):
            self.dropped.too_long += 1
        elif not raw:
            return
        elif not raw.startswith(self._prefix):
            self.dropped.without_prefix += 1
        elif code := raw[len(self._prefix) :]:
            frames.append(Frame(code, at_ms))

    def _cap(self) -> None:
        begun_suffix = max((len(end) for end in self._suffixes), default=1) - 1
        if len(self._pending) <= self._longest + len(self._prefix) + begun_suffix:
            return
        if not self._overflowing:
            self.dropped.too_long += 1
        self._overflowing = True
        del self._pending[: len(self._pending) - begun_suffix]


class Pace:
    """Lets so many codes a second pass, and refuses the flood of a broken scanner."""

    def __init__(self, codes_per_second: int) -> None:
        self.refused = 0
        self._per_second = codes_per_second
        self._tokens = float(codes_per_second)
        self._last_ms: int | None = None

    def allows(self, at_ms: int) -> bool:
        """Tell whether one more code may pass now."""
        elapsed_ms = 0 if self._last_ms is None else at_ms - self._last_ms
        self._last_ms = at_ms
        self._tokens = min(self._per_second, self._tokens + elapsed_ms * self._per_second / 1000)
        if self._tokens < 1:
            self.refused += 1
            return False
        self._tokens -= 1
        return True
