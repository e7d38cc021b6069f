"""How much processor time one picture may cost."""

from __future__ import annotations

import time


class Budget:
    """So many milliseconds of this thread's processor time from now on."""

    def __init__(self, milliseconds: float) -> None:
        self._until = _now_ms() + milliseconds

    @property
    def left_ms(self) -> float:
        """What is left; less than nothing once it is overdrawn."""
        return self._until - _now_ms()

    def allows(self, milliseconds: float) -> bool:
        """Whether a step that is likely to cost so much may begin."""
        return self.left_ms >= milliseconds


def _now_ms() -> float:
    return time.thread_time_ns() / 1e6
