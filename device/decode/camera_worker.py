"""The camera's own process: pictures in, readings out. Started by `device.decode.camera_process`.

A camera that blocks for ever, a library that ends the process, memory that leaks: all stay in here, and end with it.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from device.decode.camera_wire import (
    Beat,
    Begin,
    Condition,
    Guide,
    Lines,
    Message,
    Rearm,
    Seen,
    Shown,
    Watch,
    decode_to_process,
    encode,
)
from device.decode.guiding import Guiding
from device.drivers.errors import DeviceFailed, DeviceMissing, DriverError
from device.ports import HealthState

if TYPE_CHECKING:
    import numpy as np

    from device.decode.live_picture import LivePicture
    from device.decode.optical import OpticalDecoder, OpticalReading
    from device.drivers.base import Camera

log = logging.getLogger(__name__)

_READ_S: Final = 0.5
_BEAT_MS: Final = 500
_LOOK_AGAIN_S: Final = 1.0
_LAST_MOMENT_S: Final = 2.0
_SET_DEATH_SIGNAL: Final = 1
"""PR_SET_PDEATHSIG of prctl(2)."""
CANNOT_WORK: Final = 3
"""Exit code: the camera cannot be used as it is set up."""


@dataclass(frozen=True, slots=True)
class _Eye:
    """A camera with what looks through it."""

    camera: Camera
    decoder: OpticalDecoder
    live: LivePicture


class Worker:
    """Keeps one camera open, and tells what it sees."""

    def __init__(self, begin: Begin, output: int) -> None:
        self._begin = begin
        self._output = output
        self._stopping = threading.Event()
        self._rearming = threading.Event()
        self._guiding = Guiding(begin.name)
        self._watch: Watch | None = None
        self._condition = Condition("")
        self._frames = 0
        self._beat_at_ms = 0

    def listen(self, lines: Lines, waiting: list[bytes]) -> None:
        """Obey the lines of the terminal until it closes the pipe, which is the order to stop; runs in a thread."""
        while True:
            for line in waiting:
                self._obey(decode_to_process(line))
            data = os.read(sys.stdin.fileno(), 4096)
            if not data:
                break
            waiting = lines.feed(data)
        self._stopping.set()
        time.sleep(_LAST_MOMENT_S)
        os._exit(0)  # the camera does not let go

    def run(self) -> int:
        """Work until stopped; give the exit code."""
        try:
            eye = self._make()
            while not self._stopping.is_set():
                self._session(eye)
        except DriverError as error:
            self._tell(HealthState.FAILED, error.detail)
            return CANNOT_WORK
        return 0

    def _obey(self, order: Begin | Rearm | Watch) -> None:
        if isinstance(order, Rearm):
            self._rearming.set()
        elif isinstance(order, Watch):
            self._watch = order

    def _make(self) -> _Eye:
        from device.decode.live_picture import LivePicture  # noqa: PLC0415 - after the death signal is set, not before
        from device.decode.optical import OpticalDecoder  # noqa: PLC0415 - same
        from device.drivers.registry import make_driver  # noqa: PLC0415 - same

        self._tell(HealthState.STARTING)
        camera = make_driver("camera", self._begin.driver, self._begin.name, self._begin.options)
        decoder = OpticalDecoder(
            self._begin.name, itf_digits=frozenset(self._begin.itf_digits), symbologies=self._begin.symbologies
        )
        return _Eye(cast("Camera", camera), decoder, LivePicture(self._begin.name))

    def _session(self, eye: _Eye) -> None:
        """Open the camera and read it until it is gone or the work is over."""
        self._tell(HealthState.STARTING)
        had = self._frames
        try:
            eye.camera.start()
            while not self._stopping.is_set():
                self._turn(eye)
                self._tell_health_of(eye.camera, has_pictures=self._frames > had)
        except DeviceMissing as missing:
            self._tell(HealthState.MISSING, missing.detail)
            self._guide_no_more()
            self._stopping.wait(_LOOK_AGAIN_S)
        finally:
            eye.camera.stop()

    def _turn(self, eye: _Eye) -> None:
        self._beat()
        picture = eye.camera.read(_READ_S)
        if picture is None:
            return
        self._frames += 1
        if self._rearming.is_set():
            self._rearming.clear()
            eye.decoder.rearm()
        now, began = _now_ms(), time.thread_time()
        try:
            readings = eye.decoder.feed(picture, at_ms=now)
        except ValueError as error:
            raise DeviceFailed(self._begin.name, f"the camera gives no usable picture: {error}") from error
        for reading in readings:
            self._send(_seen(reading))
        self._guide(eye.decoder, has_read=bool(readings), now=now)
        self._show(eye, picture, 1000 * (time.thread_time() - began), now)

    def _guide(self, decoder: OpticalDecoder, *, has_read: bool, now: int) -> None:
        guidance = self._guiding.feed(decoder.hint, decoder.places, has_read=has_read, at_ms=now)
        if guidance is not None:
            self._send(Guide(guidance))

    def _guide_no_more(self) -> None:
        guidance = self._guiding.end()
        if guidance is not None:
            self._send(Guide(guidance))

    def _show(self, eye: _Eye, picture: np.ndarray, picture_ms: float, now: int) -> None:
        """Send the picture if somebody looks and the next one is due."""
        watch, self._watch = self._watch, None
        if watch is not None:
            eye.live.order(watch, now)
        if eye.live.is_due(now):
            self._send(Shown(eye.live.make(picture, eye.decoder.marks, picture_ms, now)))

    def _tell_health_of(self, camera: Camera, *, has_pictures: bool) -> None:
        """Pass on what the driver says, but call nothing working that has given no picture."""
        health = camera.health
        if health.state is HealthState.WORKING and not has_pictures:
            return
        self._tell(health.state, health.detail)

    def _tell(self, state: HealthState, detail: str = "") -> None:
        condition = Condition(state.value, detail)
        if condition != self._condition:
            self._condition = condition
            self._send(condition)

    def _beat(self) -> None:
        now = _now_ms()
        if now - self._beat_at_ms >= _BEAT_MS:
            self._beat_at_ms = now
            self._send(Beat(self._frames))

    def _send(self, message: Message) -> None:
        data = encode(message)
        while data:
            data = data[os.write(self._output, data) :]


def main() -> int:
    """Read the first line and work; give the exit code."""
    _die_with_the_terminal()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the terminal's to answer
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("device.drivers.base").setLevel(logging.ERROR)  # the terminal logs the health of the camera
    output = _keep_output_for_messages()
    lines = Lines()
    waiting: list[bytes] = []
    while not waiting:
        data = os.read(sys.stdin.fileno(), 4096)
        if not data:
            return 0
        waiting = lines.feed(data)
    begin = decode_to_process(waiting.pop(0))
    if not isinstance(begin, Begin):
        log.error("the first line must name the camera; this module is started by the terminal, not by hand")
        return CANNOT_WORK
    worker = Worker(begin, output)
    threading.Thread(target=worker.listen, args=(lines, waiting), name="orders", daemon=True).start()
    try:
        return worker.run()
    except BrokenPipeError:
        return 0


def _die_with_the_terminal() -> None:
    """Ask the kernel to end this process together with its parent, even if that is killed."""
    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def _keep_output_for_messages() -> int:
    """Give a descriptor of the terminal's pipe that no print of a library can reach."""
    output = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return output


def _seen(reading: OpticalReading) -> Seen:
    return Seen(reading.symbology, reading.raw, reading.aim, reading.at_ms, reading.place)


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


if __name__ == "__main__":
    code = 1
    try:
        code = main()
    except Exception:
        log.exception("the camera's process ends")
    finally:
        os._exit(code)  # without tidying up: that is where libcamera hangs once a camera has failed
