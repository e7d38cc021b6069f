"""The Raspberry Pi's own camera, through picamera2.

The gray is copied once, out of the camera's buffer: the camera needs the buffer back, while a decoder may compare
several pictures. The frames go no further than this process.

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
from typing import Any, Final

import numpy as np

from device.drivers.base import Camera, DriverOptions
from device.drivers.errors import DeviceFailed, DeviceMissing, DriverError, DriverUnsupported, health_of
from device.drivers.picamera_controls import PiCameraOptions, controls, lacking
from device.ports import Health, HealthState

_SHORTEST_WAIT_S: Final = 0.001
_LOOK_AGAIN_S: Final = 2.0
_SETTLING_S: Final = 0.2
_BUFFERS: Final = 4
_STEP: Final = {"YUYV": 2, "BGR888": 3, "RGB888": 3, "XBGR8888": 4, "XRGB8888": 4}
"""Bytes from one pixel to the next; one in formats whose gray is a plane of its own."""
_GREEN: Final = 1
"""Which byte of a coloured pixel is nearest to what the eye calls bright."""
_PLANAR: Final = frozenset({"YUV420", "YVU420", "NV12", "NV21"})


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
            if not library.Picamera2.global_camera_info():
                raise DeviceMissing(self.name, "libcamera finds no camera: is the cable in, with its contacts right?")
            camera = library.Picamera2(self._options.number)
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
        if without := lacking(self._options, camera.camera_controls):
            detail += f", without {', '.join(without)}"
        self._report(Health(HealthState.WORKING, detail))

    def _library(self) -> Any:
        """Give the module picamera2."""
        try:
            return importlib.import_module("picamera2")
        except ImportError as error:
            detail = f"picamera2 cannot be loaded ({error}): on Raspberry Pi OS, apt install python3-picamera2"
            raise DriverUnsupported(self.name, detail) from error

    def _configure(self, camera: Any) -> None:
        options = self._options
        own = "ColorFilterArrangement" in camera.camera_properties
        picture = {"size": (options.width, options.height), "format": "YUV420" if own else "YUYV"}
        has_lores = own and options.stream == "lores"
        more = {"lores": dict(picture)} if has_lores else {}
        if options.sensor is not None:
            more["sensor"] = {"output_size": options.sensor}
        camera.configure(
            camera.create_video_configuration(
                main=picture,
                raw=None,  # else buffers of the sensor's whole size, which nobody reads
                buffer_count=_BUFFERS,
                controls=controls(options, camera.camera_controls),
                **more,
            )
        )
        self._stream = "lores" if has_lores else "main"

    def _capture(self, timeout_s: float) -> np.ndarray | None:
        with _translated(self.name):
            request = self._next_request(timeout_s)
            if request is None:
                return None
            try:
                return self._gray(request)
            finally:
                request.release()

    def _next_request(self, timeout_s: float) -> Any:
        """Wait for a request of the camera, which must be released; None if none came in time."""
        job = self._camera.capture_request(wait=False)
        try:
            return job.get_result(timeout=timeout_s)
        except concurrent.futures.TimeoutError:
            self._camera.cancel_all_and_flush()
        try:
            # It may have come in the last moment: whoever lets such a one go without release starves the camera.
            return job.get_result(timeout=_SETTLING_S)
        except (concurrent.futures.TimeoutError, concurrent.futures.CancelledError):
            return None

    def _gray(self, request: Any) -> np.ndarray:
        shown = self._camera.camera_configuration()[self._stream]
        with self._library().MappedArray(request, self._stream, reshape=False, write=False) as buffer:
            try:
                return luma(buffer.array, shown["size"], shown["stride"], shown["format"])
            except ValueError as error:
                raise DeviceFailed(self.name, str(error)) from error

    def _lose(self, error: DriverError) -> None:
        self._reason = error.detail
        if self._camera is not None:
            # Kept and not closed: stop(), close() and its destructor may block for ever once a camera has failed.
            self._lost.append(self._camera)
            self._camera = None
        self._report(health_of(error))


def luma(data: np.ndarray, size: tuple[int, int], stride: int, pixel_format: str) -> np.ndarray:
    """Copy the gray out of a buffer: height x width, without padding and colours; ValueError for a strange format."""
    width, height = size
    step = 1 if pixel_format in _PLANAR else _STEP.get(pixel_format, 0)
    if not step:
        raise ValueError(f'the camera gives pictures of the format "{pixel_format}": try the driver webcam')
    rows = data[: height * stride].reshape(height, stride)
    first = 0 if step < _STEP["BGR888"] else _GREEN
    return np.ascontiguousarray(rows[:, first : width * step : step]) if step > 1 else rows[:, :width].copy()


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
