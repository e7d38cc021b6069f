"""Cameras without libcamera: a USB webcam by Video4Linux2, and picture files in place of a camera."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
from msgspec import Meta
from PIL import Image

from device.drivers.base import Camera, DriverOptions
from device.drivers.errors import DeviceMissing, DriverError, health_of
from device.drivers.exposure import Microseconds, without_bands
from device.drivers.places import find_device
from device.drivers.v4l2 import Picture, VideoStream
from device.drivers.v4l2_controls import Settings
from device.ports import Health, HealthState

_FORMATS: Final = ("GREY", "NV12", "YU12", "YUYV", "MJPG")
_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".pgm"})
_KINDS: Final = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "PPM")
"""Nothing that starts another program, as PostScript does."""
_MOST_PIXELS: Final = 24_000_000
_BYTES_OF_LUMA: Final = {"GREY": 1, "NV12": 1, "YU12": 1, "YUYV": 2}


class WebcamOptions(DriverOptions, frozen=True, kw_only=True):
    """Settings of a webcam."""

    path: str = "/dev/video0"
    """The device, best by its stable name: "/dev/v4l/by-id/usb-...-video-index0"; `*` may stand for parts of it."""
    width: Annotated[int, Meta(ge=160, le=4096)] = 1280
    height: Annotated[int, Meta(ge=120, le=4096)] = 720
    formats: tuple[str, ...] = _FORMATS
    """Pixel formats to ask for, best first; of those that come nearest to the size."""
    frames_per_second: Annotated[float, Meta(gt=0, le=120)] | None = None
    exposure_us: Microseconds | None = None
    """Fixed exposure time, in steps of 100; if not given, the camera chooses."""
    flicker_us: Microseconds | None = None
    """Period of the light: a fixed exposure is a whole multiple of it."""
    gain: Annotated[int, Meta(ge=0)] | None = None
    """Fixed gain, in the camera's own steps; if not given, the camera chooses."""
    focus_position: Annotated[int, Meta(ge=0)] | None = None
    """Fixed focus, in the camera's own steps (`v4l2-ctl -L` shows them); if not given, the camera may search."""
    mains_hz: Literal[50, 60] | None = None
    """Mains of the lamps: exposures that the camera chooses then show no bands."""

    def __post_init__(self) -> None:
        """Refuse formats that nobody here can read."""
        if unknown := set(self.formats) - set(_FORMATS):
            raise ValueError(f'"formats" knows {", ".join(_FORMATS)}, not {", ".join(sorted(unknown))}')

    def settings(self) -> Settings:
        """Give what goes to the camera's controls."""
        exposure_us = None if self.exposure_us is None else without_bands(self.exposure_us, self.flicker_us)
        return Settings(self.frames_per_second, exposure_us, self.gain, self.focus_position, self.mains_hz)


class Webcam(Camera):
    """A USB camera. One that was unplugged is looked for again at every `read`."""

    Options = WebcamOptions
    _options: WebcamOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._stream: VideoStream | None = None

    def read(self, timeout_s: float) -> np.ndarray | None:
        """Wait for the next picture; raises DeviceMissing, after that time, while the camera is gone."""
        deadline = time.monotonic() + timeout_s
        try:
            stream = self._stream or self._connect()
            data = stream.newest(max(0.0, deadline - time.monotonic()))
            return None if data is None else luma(data, stream.picture)
        except DriverError as error:
            self._lose(error)
            time.sleep(max(0.0, deadline - time.monotonic()))
            raise _as_missing(error) from error

    def _open(self) -> None:
        try:
            self._connect()
        except DriverError as error:
            self._lose(error)

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _connect(self) -> VideoStream:
        stream = VideoStream(self.name, find_device(self.name, self._options.path))
        options = self._options
        stream.open(options.width, options.height, options.formats, options.settings())
        self._stream = stream
        shown = stream.picture
        detail = f"{stream.card}, {shown.width} x {shown.height} {shown.pixel_format}"
        if stream.lacking:
            detail += f", without {', '.join(stream.lacking)}"
        self._report(Health(HealthState.WORKING, detail))
        return stream

    def _lose(self, error: DriverError) -> None:
        self._close()
        self._report(health_of(error))


class FilesOptions(DriverOptions, frozen=True, kw_only=True):
    """Settings of picture files in place of a camera."""

    folder: str
    """Its image files are shown in the order of their names."""
    frames_per_second: Annotated[float, Meta(gt=0, le=120)] = 5.0
    repeat: bool = True
    """Begin again after the last file; else the last one stays away and no picture comes any more."""


class PictureFiles(Camera):
    """A camera that shows image files; files that appear later are shown too, what is no picture is left out."""

    Options = FilesOptions
    _options: FilesOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._waiting: list[Path] = []
        self._shown: set[Path] = set()
        self._due_s = 0.0

    def read(self, timeout_s: float) -> np.ndarray | None:
        """Wait for the next picture; raises DeviceMissing, after that time, while the folder is gone."""
        deadline = time.monotonic() + timeout_s
        path = self._next_file()
        if path is None or self._due_s > deadline:
            time.sleep(max(0.0, deadline - time.monotonic()))
            if self._health.state is HealthState.MISSING:
                raise DeviceMissing(self.name, self._health.detail)
            return None
        time.sleep(max(0.0, self._due_s - time.monotonic()))
        self._due_s = time.monotonic() + 1 / self._options.frames_per_second
        self._waiting.remove(path)
        self._shown.add(path)
        return self._load(path)

    def _open(self) -> None:
        self._waiting, self._shown, self._due_s = [], set(), 0.0
        self._next_file()

    def _close(self) -> None:
        self._waiting = []

    def _next_file(self) -> Path | None:
        if not self._waiting:
            self._waiting = self._list()
        return self._waiting[0] if self._waiting else None

    def _list(self) -> list[Path]:
        folder = Path(self._options.folder)
        if not folder.is_dir():
            self._report(Health(HealthState.MISSING, f"there is no folder {folder}"))
            return []
        self._report(Health(HealthState.WORKING))
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
        return files if self._options.repeat else [path for path in files if path not in self._shown]

    def _load(self, path: Path) -> np.ndarray | None:
        try:
            return decode_picture(path.read_bytes())
        except (OSError, ValueError, SyntaxError) as error:
            self._report(Health(HealthState.FAILED, f"{path} is no picture: {error}"))
            return None


def luma(data: bytes, picture: Picture) -> np.ndarray | None:
    """Give the gray of a frame as height x width; None for a frame that is not whole."""
    if picture.pixel_format == "MJPG":
        try:
            return decode_picture(data)
        except (OSError, ValueError, SyntaxError):
            return None  # USB loses parts of frames, and the next one follows at once
    size = _BYTES_OF_LUMA[picture.pixel_format]
    stride = picture.stride or picture.width * size
    if len(data) < stride * picture.height:
        return None
    rows = np.frombuffer(data, np.uint8, stride * picture.height).reshape(picture.height, stride)
    return np.ascontiguousarray(rows[:, : picture.width * size : size])


def decode_picture(file: bytes) -> np.ndarray:
    """Decode an image file to gray; raises OSError, ValueError or SyntaxError if it is none."""
    try:
        with Image.open(io.BytesIO(file), formats=_KINDS) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise ValueError(f"{image.width} x {image.height} pixels are too many")
            return np.asarray(image.convert("L"))
    except Image.DecompressionBombError as error:
        raise ValueError(str(error)) from error


def _as_missing(error: DriverError) -> DeviceMissing:
    return error if isinstance(error, DeviceMissing) else DeviceMissing(error.device, error.detail)
