"""A thread that does jobs in order, and something else while there are none."""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from device.drivers.keeper import StopSignal

Job = TypeVar("Job")


class Line(Generic[Job]):
    """Runs `do(job, stop)` for each job and `idle()` in between; `idle` gives the seconds until it is due again."""

    def __init__(self, name: str, do: Callable[[Job, StopSignal], None], idle: Callable[[], float | None]) -> None:
        self._do = do
        self._idle = idle
        self._stop = StopSignal()
        self._woken = threading.Condition()
        self._again = False
        self._jobs: collections.deque[Job] = collections.deque()
        self._thread = threading.Thread(target=self._run, name=f"simulated-{name}", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def put(self, job: Job) -> None:
        """Add a job and return at once."""
        with self._woken:
            self._jobs.append(job)
            self._woken.notify()

    def wake(self) -> None:
        """Let `idle` run now."""
        with self._woken:
            self._again = True
            self._woken.notify()

    def end(self) -> None:
        """End the thread; jobs that have not begun are forgotten."""
        self._stop.set()
        self.wake()
        self._thread.join()
        self._stop.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            seconds = self._idle()
            job = self._next(seconds)
            if job is not None:
                self._do(job, self._stop)

    def _next(self, seconds: float | None) -> Job | None:
        with self._woken:
            if not self._jobs and not self._again:
                self._woken.wait(seconds)
            self._again = False
            return self._jobs.popleft() if self._jobs else None
