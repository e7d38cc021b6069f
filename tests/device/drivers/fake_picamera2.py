"""A picamera2 without libcamera, as treacherous as the real one, behind the part of its interface that the driver uses.

Frames come from a thread of its own; `wait=0` and `wait=False` give a job; a stride is longer than the row; controls
that are not advertised are refused; a frozen camera gives neither frames nor errors.
"""

from __future__ import annotations

import concurrent.futures
import errno
import threading
import time
from typing import Any, ClassVar, Self

import numpy as np

ALIGNMENT = 64


class World:
    """What the test decides about the camera."""

    def __init__(self) -> None:
        self.present = True
        self.busy = False
        self.out_of_memory = False
        self.frozen = False
        self.broken = False
        self.late = False
        self.is_own = True
        self.pixel_format = ""
        self.has_lens = True
        self.opened = 0
        self.configured: list[dict[str, Any]] = []
        self.closed = 0


class Request:
    """A completed request: its buffer belongs to the camera again once it is released."""

    def __init__(self, camera: Picamera2, number: int) -> None:
        self.camera = camera
        self.number = number

    def release(self) -> None:
        self.camera.held -= 1
        assert self.camera.held >= 0, "released twice"


class MappedArray:
    def __init__(self, request: Request, stream: str, *, reshape: bool, write: bool) -> None:
        assert not reshape, "with reshape the rows of some formats come out in colours"
        assert not write
        self._request = request
        self._stream = stream

    def __enter__(self) -> Self:
        configuration = self._request.camera.camera_configuration()
        self.array = _buffer(configuration[self._stream], self._request.number)
        return self

    def __exit__(self, *_: object) -> None:
        self.array.fill(0)  # the camera writes the next picture into it


class Job:
    def __init__(self) -> None:
        self.future: concurrent.futures.Future[Request] = concurrent.futures.Future()

    def get_result(self, timeout: float | None = None) -> Request:
        return self.future.result(timeout)


class Picamera2:
    world: ClassVar[World] = World()

    def __init__(self, camera_num: int = 0) -> None:
        if self.world.busy:
            raise RuntimeError("Camera __init__ sequence did not complete.")
        if camera_num:
            raise IndexError("list index out of range")
        self.world.opened += 1
        self.held = 0
        self._configuration: dict[str, Any] = {}
        self._jobs: list[Job] = []
        self._lock = threading.Lock()
        self._running = False
        self._thread: threading.Thread | None = None

    @classmethod
    def global_camera_info(cls) -> list[dict[str, Any]]:
        return [{"Model": "imx708", "Num": 0}] if cls.world.present else []

    @property
    def camera_properties(self) -> dict[str, Any]:
        own = {"ColorFilterArrangement": 0} if self.world.is_own else {}
        return {"Model": "imx708", **own}

    @property
    def camera_controls(self) -> dict[str, tuple[Any, Any, Any]]:
        lens = dict.fromkeys(("AfMode", "AfRange", "AfSpeed"), (0, 2, 0)) | {"LensPosition": (0.0, 15.0, 1.0)}
        automatic = {f"Ae{what}Mode": (0, 3, 0) for what in ("Metering", "Constraint", "Exposure", "Flicker")}
        return (
            {"FrameDurationLimits": (100, 10**6, None), "ExposureTime": (1, 66666, None)}
            | automatic
            | {"AeFlickerPeriod": (100, 10**6, None), "ExposureTimeMode": (0, 1, 0)}
            | (lens if self.world.has_lens else {})
        )

    def create_video_configuration(
        self,
        *,
        main: dict[str, Any],
        lores: dict[str, Any] | None = None,
        raw: dict[str, Any] | None = None,
        buffer_count: int = 6,
        controls: dict[str, Any] | None = None,
        sensor: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        return {
            "main": dict(main),
            "lores": dict(lores) if lores else None,
            "raw": raw,
            "buffer_count": buffer_count,
            "controls": dict(controls or {}),
            "sensor": sensor,
        }

    def configure(self, config: dict[str, Any]) -> None:
        if self._running:
            raise RuntimeError("Camera must be stopped before configuring")
        if self.world.out_of_memory:
            raise OSError(errno.ENOMEM, "Cannot allocate memory")
        for name in config["controls"]:
            if name not in self.camera_controls:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
        for stream in filter(None, (config["main"], config["lores"])):
            stream["format"] = self.world.pixel_format or stream["format"]
            samples = {"YUYV": 2, "RGB888": 3}.get(stream["format"], 1)
            stream["stride"] = -(-stream["size"][0] * samples // ALIGNMENT) * ALIGNMENT + ALIGNMENT
        self.world.configured.append(config)
        self._configuration = config

    def camera_configuration(self) -> dict[str, Any]:
        return self._configuration

    def start(self) -> None:
        self._running = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._running = False
        assert self._thread is not None
        self._thread.join()

    def close(self) -> None:
        assert not self._jobs, "cancel_all_and_flush() before close()"
        self.world.closed += 1

    def capture_request(self, wait: float | bool | None = None) -> Any:
        if self.world.broken:
            raise OSError(errno.ENODEV, "No such device")
        job = Job()
        with self._lock:
            self._jobs.append(job)
        if not wait and wait is not None:
            return job
        return job.get_result(None if wait is True else wait)

    def cancel_all_and_flush(self) -> None:
        with self._lock:
            jobs, self._jobs = self._jobs, []
        for job in jobs:
            if self.world.late:
                self._finish(job, 77)
            else:
                job.future.set_exception(concurrent.futures.CancelledError())

    def _run(self) -> None:
        number = 0
        while self._running:
            time.sleep(0.005)
            number += 1
            if self.held >= self._configuration["buffer_count"]:
                continue
            with self._lock:
                jobs, self._jobs = ([], self._jobs) if self.world.frozen else (self._jobs, [])
            for job in jobs:
                self._finish(job, number % 100)

    def _finish(self, job: Job, number: int) -> None:
        self.held += 1
        job.future.set_result(Request(self, number))


def _buffer(stream: dict[str, Any], number: int) -> np.ndarray:
    """A whole buffer as the camera has it: gray of `number`, everything else 200."""
    (width, height), stride = stream["size"], stream["stride"]
    planes = np.full((height * 3 // 2, stride), 200, np.uint8)
    match stream["format"]:
        case "YUYV":
            planes[:height, : 2 * width : 2] = number
        case "RGB888":
            planes[:height, 1 : 3 * width : 3] = number
        case _:
            planes[:height, :width] = number
    return planes.reshape(-1)
