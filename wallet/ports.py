"""Time and randomness as a phone knows them, each with the real one and one that a test or a demonstration steers."""

from __future__ import annotations

import random
import secrets
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time."""

    def now_ms(self) -> int:
        """Give milliseconds since 1970-01-01 UTC."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""


class Randomness(Protocol):
    """Random bytes."""

    def draw(self, count: int) -> bytes:
        """Give `count` bytes that nobody can guess."""


class SystemClock:
    """The time of this machine."""

    def now_ms(self) -> int:
        """Give milliseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1_000_000

    def sleep(self, seconds: float) -> None:
        """Block this thread."""
        time.sleep(seconds)


class SteppedClock:
    """A clock that moves only when it is told to, or slept on."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Give milliseconds since 1970-01-01 UTC."""
        return self._now_ms

    def sleep(self, seconds: float) -> None:
        """Step instead of blocking."""
        self.step(round(seconds * 1000))

    def step(self, milliseconds: int) -> None:
        """Move on, or back when negative."""
        self._now_ms += milliseconds


class SystemRandomness:
    """The randomness of this machine."""

    def draw(self, count: int) -> bytes:
        """Give `count` bytes that nobody can guess."""
        return secrets.token_bytes(count)


class SeededRandomness:
    """Bytes that are the same in every run; for tests alone."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 that it can be repeated is its purpose

    def draw(self, count: int) -> bytes:
        """Give the next `count` bytes of the seed."""
        return self._random.randbytes(count)
