"""The terminal's side of the camera's process: starts it, listens to it, ends it when it is stuck, starts it again.

Nothing of numpy or of a decoder is loaded here. A camera can block in its driver for ever, and a decoder can end the
process; both cost the readings of some seconds, and nothing else. Times of readings come from the same clock
(CLOCK_MONOTONIC), which is one for all processes of the machine.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from device.decode.camera_wire import (
    Beat,
    Begin,
    Condition,
    FromProcess,
    Guide,
    Lines,
    Rearm,
    Seen,
    Shown,
    Watch,
    WireError,
    decode_from_process,
    encode,
)
from device.decode.wanted import RETAIL_ITF
from device.drivers.keeper import StopSignal
from device.ports import Health, HealthState, Reading, Source
from device.sight import Guidance, LiveView, PlacedReading

log = logging.getLogger(__name__)

_PROGRAM: Final = (sys.executable, "-X", "faulthandler", "-m", "device.decode.camera_worker")
_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_UNWELL: Final = (HealthState.MISSING, HealthState.FAILED)
_EXCUSED: Final = frozenset(state.value for state in _UNWELL)
"""A camera in this state need not give pictures."""
_CHUNK: Final = 65_536
_jitter = secrets.SystemRandom().uniform


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the terminal waits for the camera's process, in seconds."""

    open_s: float = 30.0
    """For the libraries to load, or the camera to open."""
    beat_s: float = 5.0
    """For a sign of life: reading the camera blocks no longer than half a second, unless it is stuck."""
    frame_s: float = 5.0
    """For the next picture of a camera that calls itself working."""
    stop_s: float = 2.0
    """For the camera to close."""
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
    """Before a new process; the pause doubles from one to the next."""
    steady_s: float = 60.0
    """A process that ran for so long lets the pause begin small again."""


def _nobody(_: object) -> None:
    pass


class CameraProcess:
    """One camera with its decoder in a process of its own.

    `deliver(reading)`, `watch(name, health)`, `guide(guidance)` and who is named by `show_to` are called from a thread
    of this object, must return at once and not raise. `start` returns at once; `stop` ends the process; each may be
    called twice.
    """

    def __init__(
        self,
        name: str,
        driver: str,
        options: Mapping[str, Any],
        *,
        deliver: Callable[[Reading], None],
        watch: Callable[[str, Health], None],
        guide: Callable[[Guidance], None] = _nobody,
        patience: Patience | None = None,
        symbologies: Collection[str] | None = None,
        itf_digits: Collection[int] = RETAIL_ITF,
    ) -> None:
        self.name = name
        chosen = None if symbologies is None else tuple(symbologies)
        self._begin = Begin(name, driver, dict(options), chosen, tuple(itf_digits))
        self._deliver = deliver
        self._watch = watch
        self._guide = guide
        self._show: Callable[[LiveView], None] = _nobody
        self._guided = False
        self._patience = patience or Patience()
        self._lifecycle = threading.Lock()
        self._health = Health(HealthState.STOPPED)
        self._stop: StopSignal | None = None
        self._thread: threading.Thread | None = None
        self._writing = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def health(self) -> Health:
        """How the camera is doing."""
        return self._health

    @property
    def pid(self) -> int | None:
        """The process, None while there is none."""
        process = self._process
        return None if process is None else process.pid

    def start(self) -> None:
        """Begin, without waiting for the camera; harmless when started."""
        with self._lifecycle:
            if self._thread is not None:
                return
            self._stop = StopSignal()
            self._thread = threading.Thread(
                target=self._keep, args=(self._stop,), name=f"camera-{self.name}", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End the process, by force if it does not end by itself; harmless when stopped."""
        with self._lifecycle:
            if self._thread is None or self._stop is None:
                return
            self._stop.set()
            self._thread.join()
            self._stop.close()
            self._thread = self._stop = None

    def rearm(self) -> None:
        """Deliver again what is in view, for example because a sale has just begun; returns at once."""
        self._order(Rearm())

    def show_to(self, show: Callable[[LiveView], None] | None) -> None:
        """Give pictures to whoever looks, None for nobody."""
        self._show = show or _nobody

    def look(self, width: int, *, veiled: bool = True) -> None:
        """Have pictures of so many pixels across shown for the next `WATCH_S`; returns at once."""
        self._order(Watch(width, veiled))

    def __repr__(self) -> str:
        """Name the camera and its state."""
        return f"<CameraProcess {self.name!r} {self._health.state.value}>"

    def _order(self, order: Rearm | Watch) -> None:
        with self._writing:
            if self._process is not None and self._process.stdin is not None:
                with contextlib.suppress(BrokenPipeError, BlockingIOError):  # it is ending, or stuck: it will be new
                    os.write(self._process.stdin.fileno(), encode(order))

    def _keep(self, stop: StopSignal) -> None:
        """Run one process after another until stopped."""
        pause_s = self._patience.first_pause_s
        while not stop.is_set():
            began = time.monotonic()
            trouble = self._run(stop)
            if stop.is_set():
                break
            self._report_trouble(trouble)
            if time.monotonic() - began > self._patience.steady_s:
                pause_s = self._patience.first_pause_s
            stop.wait(_jitter(pause_s / 2, pause_s))
            pause_s = min(2 * pause_s, self._patience.longest_pause_s)
        self._report(Health(HealthState.STOPPED))

    def _run(self, stop: StopSignal) -> str:
        """Run one process to its end; give what was wrong with it."""
        self._report(Health(HealthState.STARTING))
        try:
            process = self._launch()
        except OSError as error:
            return f"its process cannot be started: {error.strerror}"
        try:
            return self._listen(process, stop)
        except WireError as error:
            return f"its process speaks nonsense: {error}"
        finally:
            self._end(process, self._patience.stop_s if stop.is_set() else 0.0)

    def _launch(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            _PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | _ONE_THREAD, bufsize=0
        )
        assert process.stdin is not None
        with self._writing:
            with contextlib.suppress(BrokenPipeError):  # it has ended already, which is noticed at its output
                process.stdin.write(encode(self._begin))
            os.set_blocking(process.stdin.fileno(), False)
            self._process = process
        return process

    def _listen(self, process: subprocess.Popen[bytes], stop: StopSignal) -> str:
        """Take what the process says, until stopped, or until something is wrong."""
        assert process.stdout is not None
        lines = Lines()
        vigil = _Vigil(self._patience)
        while vigil.left_s() > 0:
            if not stop.wait_for(process.stdout.fileno(), vigil.left_s()):
                break
            data = os.read(process.stdout.fileno(), _CHUNK)
            if not data:
                return f"its process {_how_it_ended(process)}"
            for line in lines.feed(data):
                self._take(decode_from_process(line), vigil)
        return vigil.what_is_missing()

    def _take(self, message: FromProcess, vigil: _Vigil) -> None:
        vigil.note(message)
        match message:
            case Seen():
                self._deliver(self._reading(message))
            case Guide():
                self._guided = message.guidance.hint is not None
                self._guide(message.guidance)
            case Shown():
                self._show(message.view)
            case Condition():
                self._report(_health(message))
            case Beat():
                pass

    def _reading(self, seen: Seen) -> PlacedReading:
        return PlacedReading(
            Source.OPTICAL, self.name, seen.symbology, seen.raw, seen.at_ms, seen.aim, place=seen.place
        )

    def _end(self, process: subprocess.Popen[bytes], patience_s: float) -> None:
        """Close the pipe, which is the order to stop; kill what does not obey in time."""
        assert process.stdin is not None
        assert process.stdout is not None
        with self._writing:
            self._process = None
            process.stdin.close()
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        if self._guided:
            self._guided = False
            self._guide(Guidance(self.name))

    def _report_trouble(self, trouble: str) -> None:
        """Say what was wrong, unless the process has said it better."""
        if self._health.state not in _UNWELL:
            self._report(Health(HealthState.FAILED, f"{trouble}; it is started again"))

    def _report(self, health: Health) -> None:
        another_try = health.state is HealthState.STARTING and self._health.state in _UNWELL
        if health == self._health or another_try:  # what was wrong stays wrong until a try succeeds
            return
        self._health = health
        unwell = health.state in _UNWELL
        log.log(logging.WARNING if unwell else logging.INFO, "%s %s: %s", self.name, health.state.value, health.detail)
        self._watch(self.name, health)


class _Vigil:
    """Knows by when the process must say what."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._state = HealthState.STARTING.value
        self._frames = 0
        self._sign_by = time.monotonic() + patience.open_s
        self._frame_by = math.inf

    def note(self, message: FromProcess) -> None:
        """Set the next deadlines: of the next sign of life, and, once the camera is open, of the next picture."""
        now = time.monotonic()
        self._sign_by = now + self._patience.beat_s
        if isinstance(message, Condition):
            self._state = message.state
            self._frame_by = math.inf
            if message.state == HealthState.STARTING.value:
                self._sign_by = now + self._patience.open_s
        elif isinstance(message, Beat) and self._state not in _EXCUSED:
            if message.frames != self._frames or self._frame_by == math.inf:
                self._frame_by = now + self._patience.frame_s
            self._frames = message.frames

    def left_s(self) -> float:
        """Give the seconds until the next deadline."""
        return max(0.0, min(self._sign_by, self._frame_by) - time.monotonic())

    def what_is_missing(self) -> str:
        """Say which deadline has passed."""
        return "it gives no picture any more" if self._frame_by <= self._sign_by else "its process is stuck"


def _health(condition: Condition) -> Health:
    try:
        return Health(HealthState(condition.state), condition.detail)
    except ValueError as error:
        raise WireError(f'no state of health is called "{condition.state}"') from error


def _how_it_ended(process: subprocess.Popen[bytes]) -> str:
    """Say how a process ended that has closed its output."""
    try:
        code = process.wait(1.0)
    except subprocess.TimeoutExpired:
        return "closed its output"
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
