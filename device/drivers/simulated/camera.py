"""The simulated camera: real pictures at the pace of a camera, of whatever the bench holds before it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

import numpy as np
from msgspec import Meta

from device.drivers.base import Camera, DriverOptions
from device.drivers.errors import DeviceFailed, DeviceMissing
from device.drivers.keeper import now_ms
from device.drivers.simulated.control import Answer, Refused, Request, Standing, state_path
from device.drivers.simulated.device import Common, Fault, SimulatedDevice, SimulatedOptions
from device.drivers.simulated.scene import Gray, Pose, SensorNoise, background, compose, picture_card, qr_card
from device.ports import HealthState

_HANGS: Final = 3600.0
_LOOK_AGAIN_S: Final = 0.05

Share = Annotated[float, Meta(gt=0, le=4)]
Angle = Annotated[float, Meta(ge=-75, le=75)]


class CameraOptions(SimulatedOptions, frozen=True, kw_only=True):
    """Settings of the simulated camera."""

    width: Annotated[int, Meta(ge=64, le=4096)] = 1280
    height: Annotated[int, Meta(ge=64, le=4096)] = 720
    frames_per_second: Annotated[float, Meta(gt=0, le=120)] = 10.0
    noise: Annotated[float, Meta(ge=0, le=128)] = 3.0
    """Standard deviation of the sensor's noise, in steps of gray."""
    seed: int = 1
    fault: str = ""
    """How the camera is broken from the first, until the bench mends it or breaks it otherwise."""


class Show(Request, frozen=True, kw_only=True, tag="show"):
    """Hold something before the camera: a QR code of text or of bytes, or a picture file."""

    text: str | None = None
    data: bytes | None = None
    picture: bytes | None = None
    tilt_degrees: Angle = 0.0
    nod_degrees: Angle = 0.0
    turn_degrees: float = 0.0
    size: Share = 0.6
    blur: Annotated[float, Meta(ge=0, le=30)] = 0.0
    noise: Annotated[float, Meta(ge=0, le=128)] | None = None
    seconds: Annotated[float, Meta(gt=0)] | None = None
    frames: Annotated[int, Meta(gt=0)] | None = None


class ClearView(Request, frozen=True, kw_only=True, tag="clear-view"):
    """Take away what is held before the camera."""


@dataclass(slots=True)
class _View:
    """What is held before the camera, and for how long."""

    picture: Gray
    noise: SensorNoise
    until_s: float | None = None
    frames_left: int | None = None

    def is_over(self) -> bool:
        return self.frames_left == 0 or (self.until_s is not None and time.monotonic() >= self.until_s)


class SimulatedCamera(SimulatedDevice, Camera):
    """A camera that sees what the bench shows."""

    Options = CameraOptions
    Requests = Common | Show | ClearView
    faults: ClassVar[Mapping[str, Fault]] = {
        "freeze": Fault("the front end timed out: no frame any more, and no error; a new start heals it", lasts=False),
        "dead": Fault("the front end timed out: no frame any more, and no error"),
        "hang": Fault("reading blocks for ever; a new start heals it", lasts=False),
        "hang-start": Fault("opening blocks for ever"),
        "hang-stop": Fault("closing blocks for ever, as it does once the cable was disturbed"),
        "die": Fault("a library ends the process at the next frame; a new start heals it", lasts=False),
        "busy": Fault("another process uses the camera", HealthState.MISSING),
        "no-memory": Fault("no contiguous memory is left for pictures", HealthState.FAILED),
    }
    _options: CameraOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._changes = threading.Condition()
        self._closed = True
        self._next_frame_s = 0.0
        self._view: _View | None = None
        self._empty: _View | None = None
        self._frames = 0

    def read(self, timeout_s: float) -> np.ndarray | None:
        """Wait for the next frame; None while the camera is frozen, DeviceMissing while it is gone."""
        with self._changes:
            if not self._wait_for_frame(time.monotonic() + timeout_s):
                return None
            view = self._current_view()
            self._frames += 1
            if view.frames_left is not None:
                view.frames_left -= 1
        return view.noise.add(view.picture)

    def _left_standing(self) -> Standing:
        if (fault := self._options.fault) and fault not in self.faults:
            raise DeviceFailed(self.name, f'it cannot break by "{fault}"; known are: {", ".join(self.faults)}')
        return super()._left_standing() if self._was_touched() else Standing(fault=fault)

    def _was_touched(self) -> bool:
        return state_path(self._bench, self.kind, self.name).exists()

    def _close(self) -> None:
        while self.fault == "hang-stop":
            time.sleep(_LOOK_AGAIN_S)
        super()._close()

    def _begin(self) -> None:
        while self.fault == "hang-start":
            time.sleep(_LOOK_AGAIN_S)
            self._standing = self._left_standing()
        if self.fault == "no-memory":
            raise DeviceFailed(self.name, self.faults["no-memory"].what)
        noise = self._noise(self._options.noise)
        self._empty = _View(background(self._options.width, self._options.height), noise)
        self._next_frame_s = time.monotonic()
        self._closed = False

    def _end(self) -> None:
        with self._changes:
            self._closed = True
            self._view = self._empty = None
            self._changes.notify_all()

    def _standing_changed(self) -> None:
        with self._changes:
            self._changes.notify_all()

    def _obey(self, request: Any) -> Answer:
        match request:
            case Show():
                return self._show(self._compose(request))
            case ClearView():
                return self._show(None)
        raise Refused("a camera cannot do that")

    def _wait_for_frame(self, deadline_s: float) -> bool:
        """Wait, holding the lock, until the frame's time has come; False if it does not come before the deadline."""
        self._sleep_until(min(self._next_frame_s, deadline_s))
        if self.fault == "die":
            os.abort()
        if self.fault in ("freeze", "dead", "hang"):
            self._sleep_until(deadline_s if self.fault != "hang" else time.monotonic() + _HANGS)
            return False
        if gone := self._reason_gone():
            self._sleep_until(deadline_s)
            raise DeviceMissing(self.name, gone)
        if time.monotonic() < self._next_frame_s:
            return False
        period_s = 1 / self._options.frames_per_second
        missed = (time.monotonic() - self._next_frame_s) // period_s
        self._next_frame_s += (missed + 1) * period_s
        return True

    def _sleep_until(self, moment_s: float) -> None:
        standing = self._standing
        while (left := moment_s - time.monotonic()) > 0 and not self._closed and self._standing == standing:
            self._changes.wait(left)

    def _reason_gone(self) -> str:
        if self._closed:
            return "the camera is not started"
        if not self.plugged:
            return "unplugged"
        return self.faults[self.fault].what if self.fault in ("busy", "no-memory") else ""

    def _current_view(self) -> _View:
        assert self._empty is not None
        if self._view is None or self._view.is_over():
            self._view = None
            return self._empty
        return self._view

    def _show(self, view: _View | None) -> Answer:
        with self._changes:
            self._view = view
            return {"at_ms": now_ms(), "frames": self._frames}

    def _compose(self, show: Show) -> _View:
        assert self._empty is not None
        pose = Pose(show.tilt_degrees, show.nod_degrees, show.turn_degrees, show.size)
        picture = compose(_card(show), self._empty.picture, pose, show.blur)
        noise = self._empty.noise if show.noise is None else self._noise(show.noise)
        until_s = None if show.seconds is None else time.monotonic() + show.seconds
        return _View(picture, noise, until_s, show.frames)

    def _noise(self, deviation: float) -> SensorNoise:
        return SensorNoise(self._options.width, self._options.height, deviation, self._options.seed)


def _card(show: Show) -> Gray:
    match show:
        case Show(text=str() as text, data=None, picture=None):
            return qr_card(text)
        case Show(text=None, data=bytes() as data, picture=None):
            return qr_card(data)
        case Show(text=None, data=None, picture=bytes() as file):
            return picture_card(file)
    raise Refused("show one of text, data and picture")
