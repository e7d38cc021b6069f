"""Threads of drivers: one that keeps a device open, one that does jobs in order."""

from __future__ import annotations

import logging
import os
import queue
import secrets
import select
import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from device.drivers.errors import DriverError, health_of
from device.ports import Health, HealthState

log = logging.getLogger(__name__)

_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 2.0
_JOIN_S: Final = 5.0
_jitter = secrets.SystemRandom().uniform

Job = TypeVar("Job")


def now_ms() -> int:
    """Give CLOCK_MONOTONIC in milliseconds."""
    return time.monotonic_ns() // 1_000_000


class StopSignal:
    """Set once, from any thread; a reader can wait for it together with its file descriptors."""

    def __init__(self) -> None:
        self._descriptor = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._is_set = False

    def set(self) -> None:
        """Wake every waiter, now and later."""
        self._is_set = True
        os.eventfd_write(self._descriptor, 1)

    def is_set(self) -> bool:
        """Tell whether the signal was set."""
        return self._is_set

    def wait(self, seconds: float) -> bool:
        """Wait until set, at most so long; True if set."""
        if not self._is_set:
            select.select([self._descriptor], [], [], max(0.0, seconds))
        return self._is_set

    def wait_for(self, descriptor: int, seconds: float | None) -> bool:
        """Wait until a descriptor can be read; False after the time, or when the signal is set."""
        readable, _, _ = select.select([descriptor, self._descriptor], [], [], seconds)
        return descriptor in readable and not self._is_set

    def fileno(self) -> int:
        """Give a descriptor that can be read once the signal is set."""
        return self._descriptor

    def close(self) -> None:
        """Give the descriptor back; nobody may wait any more."""
        os.close(self._descriptor)


class Keeper:
    """Keeps a device open: runs `session` in a thread, and runs it again, after a pause, when it has ended.

    `session(keeper)` opens the device, calls `keeper.working()`, and works until `keeper.stop` is set; it raises a
    DriverError when the device is missing or broken, which becomes the driver's health.
    """

    def __init__(
        self, name: str, session: Callable[[Keeper], None], report: Callable[[Health], None], pause_s: float = 0.0
    ) -> None:
        self.stop = StopSignal()
        self._name = name
        self._session = session
        self._report = report
        self._first_pause_s = pause_s or _FIRST_PAUSE_S
        self._pause_s = self._first_pause_s
        self._thread = threading.Thread(target=self._run, name=f"driver-{name}", daemon=True)

    def start(self) -> None:
        """Begin the first session."""
        self._thread.start()

    def end(self) -> None:
        """End the session and the thread."""
        self.stop.set()
        self._thread.join(_JOIN_S)
        if self._thread.is_alive():
            log.warning("%s: the thread of the device does not end; it is left behind", self._name)
        else:
            self.stop.close()

    def working(self, detail: str = "") -> None:
        """Say that the device works."""
        self._pause_s = self._first_pause_s
        self._report(Health(HealthState.WORKING, detail))

    def say(self, trouble: str, detail: str = "") -> None:
        """Say that the device works, or, if there is trouble, that it is there but does not work for now."""
        if trouble:
            self._report(Health(HealthState.FAILED, trouble))
        else:
            self.working(detail)

    def _run(self) -> None:
        while not self.stop.is_set():
            self._run_session()
            self.stop.wait(_jitter(self._first_pause_s / 2, self._pause_s))
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)

    def _run_session(self) -> None:
        try:
            self._session(self)
        except DriverError as error:
            self._report(health_of(error))
        except Exception as error:  # whatever a library throws must not end the search for the device
            log.exception("%s: unexpected error of the driver", self._name)
            self._report(Health(HealthState.FAILED, f"unexpected {type(error).__name__}"))


class Jobs(Generic[Job]):
    """Does jobs one after another in a thread; a job that does not fit into the queue is refused."""

    def __init__(self, name: str, do: Callable[[Job], None], capacity: int) -> None:
        self._name = name
        self._do = do
        self._queue: queue.Queue[Job | None] = queue.Queue(capacity)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"jobs-{name}", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def put(self, job: Job) -> bool:
        """Add a job and return at once; False if there are too many."""
        try:
            self._queue.put_nowait(job)
        except queue.Full:
            return False
        return True

    def drop_waiting(self) -> None:
        """Forget what has not begun."""
        try:
            while True:
                self._queue.get_nowait()
        except queue.Empty:
            return

    def end(self, seconds: float) -> None:
        """Let the waiting jobs finish, at most so long, then end the thread."""
        deadline = time.monotonic() + seconds
        try:
            self._queue.put(None, timeout=seconds)
        except queue.Full:
            log.warning("%s: jobs are left undone", self._name)
        self._thread.join(max(0.0, deadline - time.monotonic()))
        self._stopping.set()
        if self._thread.is_alive():
            log.warning("%s: the last job does not end; it is left behind", self._name)

    def _run(self) -> None:
        while not self._stopping.is_set():
            job = self._queue.get()
            if job is None:
                return
            try:
                self._do(job)
            except Exception:
                log.exception("%s: unexpected error of the driver", self._name)
