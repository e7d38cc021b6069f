"""Time as a port."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Settlement's wall time."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""


class SystemClock:
    """The clock of the machine."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1_000_000
