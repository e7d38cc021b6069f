"""Tells a scanner that babbles or floods from one that dropped a code now and then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from device.drivers.framing import Frame

_UNWELL: Final = 10.0
_FULL: Final = 20.0
_WELL: Final = 2.0
_LEAK_PER_S: Final = 10.0
_SEPARATORS: Final = b"\x04\x1c\x1d\x1e\x1f"
_NOISE: Final = frozenset(range(0x20)) - frozenset(_SEPARATORS)
_TROUBLE: Final = (
    "sends noise, or more than a hand can scan: check its line settings and its profile, "
    "and whether something lies before it"
)


class Composure:
    """A leaking bucket of what a scanner sent in vain: ten within a second are too many, two quiet seconds forgive."""

    def __init__(self) -> None:
        self._level = 0.0
        self._last_ms = 0
        self._is_unwell = False

    @property
    def trouble(self) -> str:
        """A sentence for the technician, empty while the scanner behaves."""
        return _TROUBLE if self._is_unwell else ""

    @property
    def due_ms(self) -> int | None:
        """When `notice(0, (), now)` may find the scanner well again; None while it is well."""
        if not self._is_unwell:
            return None
        return self._last_ms + int(max(0.0, self._level - _WELL) / _LEAK_PER_S * 1000) + 1

    def notice(self, dropped: int, frames: Sequence[Frame], now_ms: int) -> None:
        """Take how many frames were dropped now, and those that were not."""
        self._level = max(0.0, self._level - (now_ms - self._last_ms) * _LEAK_PER_S / 1000)
        self._last_ms = now_ms
        noisy = sum(any(byte in _NOISE for byte in frame.raw) for frame in frames)
        self._level = min(_FULL, self._level + dropped + noisy)
        self._is_unwell = self._level >= _UNWELL or (self._is_unwell and self._level > _WELL)
