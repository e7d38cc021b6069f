"""How often somebody may try."""

from __future__ import annotations

import threading
from collections import deque

from settlement.clock import Clock

_MOST_CALLERS = 10_000


class RateLimit:
    """At most `count` tries in `window_s` seconds for each caller."""

    def __init__(self, clock: Clock, count: int, window_s: int) -> None:
        self._clock = clock
        self._count = count
        self._window_ms = window_s * 1000
        self._tries: dict[str, deque[int]] = {}
        self._lock = threading.Lock()

    def allows(self, caller: str) -> bool:
        """Count one try; False when it is one too many."""
        now = self._clock.now_ms()
        with self._lock:
            if caller not in self._tries and len(self._tries) >= _MOST_CALLERS:
                self._forget(now)
            tries = self._tries.setdefault(caller, deque(maxlen=self._count))
            if len(tries) == self._count and now - tries[0] < self._window_ms:
                return False
            tries.append(now)
            return True

    def _forget(self, now: int) -> None:
        """Make room: drop who was quiet, or everybody when nobody was."""
        quiet = [caller for caller, tries in self._tries.items() if now - tries[-1] >= self._window_ms]
        for caller in quiet or list(self._tries):
            del self._tries[caller]
