"""Counts failures of the last minute, so that guessing becomes slow."""

from __future__ import annotations

from collections import deque

from device.ports import Clock

_MINUTE_MS = 60_000


class Limiter:
    """Allows so many failures a minute, whoever causes them."""

    def __init__(self, clock: Clock, most: int) -> None:
        self._clock = clock
        self._most = most
        self._failures: deque[int] = deque(maxlen=most)

    @property
    def is_exhausted(self) -> bool:
        """Tell whether there were too many failures within the last minute."""
        oldest_that_counts = self._clock.monotonic_ms() - _MINUTE_MS
        while self._failures and self._failures[0] <= oldest_that_counts:
            self._failures.popleft()
        return len(self._failures) >= self._most

    def note_failure(self) -> None:
        """Count one failure."""
        self._failures.append(self._clock.monotonic_ms())
