"""A picamera2 without libcamera, as treacherous as the real one, behind the part of its interface that the driver uses.

Frames come from a thread of its own; `wait=0` and `wait=False` give a job; a stride is longer than the row; controls
that are not advertised are refused; a frozen camera gives neither frames nor errors.
"""

from __future__ import annotations

import concurrent.futures
import errno
import threading
import time
from typing import Any, ClassVar

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
        self.is_own = True
        self.has_lens = True
        self.opened = 0
        self.configured: list[dict[str, Any]] = []
        self.closed = 0


class Job:
    def __init__(self) -> None:
        self.future: concurrent.futures.Future[np.ndarray] = concurrent.futures.Future()

    def get_result(self, timeout: float | None = None) -> np.ndarray:
        return self.future.result(timeout)


class Picamera2:
    world: ClassVar[World] = World()

    def __init__(self, camera_num: int = 0) -> None:
        if self.world.busy:
            raise RuntimeError("Camera __init__ sequence did not complete.")
        if camera_num:
            raise IndexError("list index out of range")
        self.world.opened += 1
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
        lens = {"AfMode": (0, 2, 0), "LensPosition": (0.0, 32.0, 1.0)} if self.world.has_lens else {}
        return {"FrameDurationLimits": (100, 10**6, None), "ExposureTime": (1, 66666, None), **lens}

    def create_video_configuration(
        self, main: dict[str, Any], lores: dict[str, Any] | None = None, controls: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        return {"main": dict(main), "lores": dict(lores) if lores else None, "controls": dict(controls or {})}

    def configure(self, config: dict[str, Any]) -> None:
        if self._running:
            raise RuntimeError("Camera must be stopped before configuring")
        if self.world.out_of_memory:
            raise OSError(errno.ENOMEM, "Cannot allocate memory")
        for name in config["controls"]:
            if name not in self.camera_controls:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
        for stream in filter(None, (config["main"], config["lores"])):
            samples = 2 if stream["format"] == "YUYV" else 1
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

    def capture_array(self, name: str = "main", wait: float | bool | None = None) -> Any:
        assert self._configuration[name] is not None
        if self.world.broken:
            raise OSError(errno.ENODEV, "No such device")
        job = Job()
        job.name = name
        with self._lock:
            self._jobs.append(job)
        if not wait and wait is not None:
            return job
        return job.get_result(None if wait is True else wait)

    def cancel_all_and_flush(self) -> None:
        with self._lock:
            self._jobs.clear()

    def _run(self) -> None:
        number = 0
        while self._running:
            time.sleep(0.005)
            number += 1
            with self._lock:
                jobs, self._jobs = ([], self._jobs) if self.world.frozen else (self._jobs, [])
            for job in jobs:
                job.future.set_result(self._frame(self._configuration[job.name], number))

    def _frame(self, stream: dict[str, Any], number: int) -> np.ndarray:
        (width, height), stride = stream["size"], stream["stride"]
        if stream["format"] == "YUYV":
            rows = np.full((height, stride), 200, np.uint8)
            rows[:, : 2 * width : 2] = number % 100
            return rows.reshape(height, stride // 2, 2)
        planes = np.full((height * 3 // 2, stride), 200, np.uint8)
        planes[:height, :width] = number % 100
        return planes
