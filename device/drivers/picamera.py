"""The Raspberry Pi's own camera, through picamera2.

picamera2 hangs in ways that no call can end (a loose cable, a dead listener thread), and opening it again in the same
process leaks contiguous memory. So it is configured once, never again; every wait has a time-out; and a camera that was
lost is left alone: `read` raises DeviceMissing, and the next `start` DeviceFailed, until the process has been replaced.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import errno
import importlib
import time
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

import numpy as np
from msgspec import Meta

from device.drivers.base import Camera, DriverOptions
from device.drivers.errors import DeviceFailed, DeviceMissing, DriverError, DriverUnsupported, health_of
from device.ports import Health, HealthState

_SHORTEST_WAIT_S: Final = 0.001
_LOOK_AGAIN_S: Final = 2.0
_AF_MANUAL: Final = 0
_MACRO_DIOPTRES: Final = 8.0
_YUV_PLANES: Final = 3

Size = Annotated[int, Meta(ge=64, le=4608, multiple_of=2)]


class PiCameraOptions(DriverOptions, frozen=True, kw_only=True):
    """Settings of the Pi's camera."""

    number: Annotated[int, Meta(ge=0, le=7)] = 0
    """Which camera, if there are several."""
    width: Size = 1280
    height: Size = 720
    frames_per_second: Annotated[float, Meta(gt=0, le=60)] = 15.0
    fixed_focus: bool = True
    """Hold the lens still, in cameras that have a lens drive; false leaves the focus to the camera."""
    lens_dioptres: Annotated[float, Meta(ge=0, le=20)] = _MACRO_DIOPTRES
    """Where the fixed focus lies: at 1/dioptres metres (8 is 12 cm)."""
    exposure_us: Annotated[int, Meta(ge=50, le=1_000_000)] | None = None
    """Fixed exposure time; if not given, the camera chooses. Telephones need a short one, or their picture flickers."""
    gain: Annotated[float, Meta(ge=1, le=64)] | None = None
    """Fixed analogue gain; if not given, the camera chooses."""
    stream: Literal["lores", "main"] = "lores"
    """Which stream to read; USB cameras have no lores, and then the main one is read anyway."""


class PiCamera(Camera):
    """A camera that libcamera knows."""

    Options = PiCameraOptions
    _options: PiCameraOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._camera: Any = None
        self._stream = ""
        self._look_again_s = 0.0
        self._reason = "the camera is not started"
        self._lost: list[Any] = []

    def read(self, timeout_s: float) -> np.ndarray | None:
        """Wait for a frame; raises DeviceMissing, after that time, while the camera is gone."""
        deadline = time.monotonic() + timeout_s
        try:
            if self._camera is None:
                self._connect_again()
            return self._capture(max(_SHORTEST_WAIT_S, deadline - time.monotonic()))
        except DriverError as error:
            self._lose(error)
            time.sleep(max(0.0, deadline - time.monotonic()))
            raise DeviceMissing(self.name, error.detail) from error

    def _open(self) -> None:
        if self._lost:
            raise DeviceFailed(self.name, f"{self._reason}: the camera's process must be replaced")
        try:
            self._connect()
        except DeviceMissing as error:
            self._lose(error)

    def _close(self) -> None:
        camera, self._camera = self._camera, None
        if camera is not None:
            with _translated(self.name):
                camera.cancel_all_and_flush()
                camera.stop()
                camera.close()

    def _connect_again(self) -> None:
        if self._lost or time.monotonic() < self._look_again_s:
            raise DeviceMissing(self.name, self._reason)
        self._look_again_s = time.monotonic() + _LOOK_AGAIN_S
        self._connect()

    def _connect(self) -> None:
        library = self._library()
        with _translated(self.name):
            if not library.global_camera_info():
                raise DeviceMissing(self.name, "libcamera finds no camera: is the cable in, with its contacts right?")
            camera = library(self._options.number)
        try:
            with _translated(self.name):
                self._configure(camera)
                camera.start()
        except DriverError as error:
            self._lost.append(camera)
            self._reason = error.detail
            raise
        self._camera = camera
        shown = camera.camera_configuration()[self._stream]
        detail = f"{camera.camera_properties.get('Model', 'camera')}, {shown['size'][0]} x {shown['size'][1]}"
        self._report(Health(HealthState.WORKING, detail))

    def _library(self) -> Any:
        try:
            return importlib.import_module("picamera2").Picamera2
        except ImportError as error:
            detail = f"picamera2 cannot be loaded ({error}): on Raspberry Pi OS, apt install python3-picamera2"
            raise DriverUnsupported(self.name, detail) from error

    def _configure(self, camera: Any) -> None:
        options = self._options
        own = "ColorFilterArrangement" in camera.camera_properties
        picture = {"size": (options.width, options.height), "format": "YUV420" if own else "YUYV"}
        has_lores = own and options.stream == "lores"
        streams = {"main": picture} | ({"lores": picture} if has_lores else {})
        camera.configure(camera.create_video_configuration(**streams, controls=self._controls(camera)))
        self._stream = "lores" if has_lores else "main"

    def _controls(self, camera: Any) -> dict[str, Any]:
        """Choose controls that this camera has, because libcamera refuses any other."""
        options = self._options
        frame_us = round(1_000_000 / options.frames_per_second)
        wanted: dict[str, Any] = {"FrameDurationLimits": (frame_us, frame_us)}
        if options.fixed_focus:
            wanted |= {"AfMode": _AF_MANUAL, "LensPosition": options.lens_dioptres}
        if options.exposure_us is not None:
            wanted |= {"ExposureTime": options.exposure_us}
        if options.gain is not None:
            wanted |= {"AnalogueGain": options.gain}
        return {name: value for name, value in wanted.items() if name in camera.camera_controls}

    def _capture(self, timeout_s: float) -> np.ndarray | None:
        shown = self._camera.camera_configuration()[self._stream]
        try:
            with _translated(self.name):
                array = self._camera.capture_array(self._stream, wait=timeout_s)
        except concurrent.futures.TimeoutError:
            self._camera.cancel_all_and_flush()
            return None
        return _luma(array, shown["size"], shown["format"])

    def _lose(self, error: DriverError) -> None:
        self._reason = error.detail
        if self._camera is not None:
            # Kept and not closed: stop(), close() and its destructor may block for ever once a camera has failed.
            self._lost.append(self._camera)
            self._camera = None
        self._report(health_of(error))


def _luma(array: np.ndarray, size: tuple[int, int], pixel_format: str) -> np.ndarray:
    """Cut the padding of the rows, and the colours behind or between the gray."""
    width, height = size
    if pixel_format == "YUYV":
        return np.ascontiguousarray(array.reshape(height, -1)[:, : 2 * width : 2])
    if array.ndim == _YUV_PLANES:
        return np.ascontiguousarray(array[:height, :width, 1])  # green is most of what the eye calls bright
    return np.ascontiguousarray(array[:height, :width])


@contextlib.contextmanager
def _translated(device: str) -> Iterator[None]:
    """Turn what picamera2 raises into our errors; a time-out passes as it is."""
    try:
        yield
    except (DriverError, concurrent.futures.TimeoutError):
        raise
    except IndexError as error:
        raise DeviceMissing(device, "there is no camera of that number") from error
    except OSError as error:
        if error.errno == errno.ENOMEM:
            raise DeviceFailed(device, "no contiguous memory is left: the camera's process must be replaced") from error
        raise DeviceMissing(device, str(error)) from error
    except RuntimeError as error:
        raise DeviceMissing(device, f"the camera is in use or does not start: {error}") from error
    except concurrent.futures.CancelledError as error:
        raise DeviceMissing(device, "the camera stopped while a frame was awaited") from error
