"""Video4Linux2 by ioctl and mmap, without a library: as much as a webcam needs (linux/videodev2.h, streaming I/O)."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import select
from dataclasses import dataclass
from typing import Final

from device.drivers import v4l2_controls
from device.drivers.errors import DeviceFailed, DeviceMissing, DriverError, node_error
from device.drivers.v4l2_controls import Settings
from device.drivers.v4l2_structures import (
    CAPTURE,
    DQBUF,
    QBUF,
    QUERYBUF,
    QUERYCAP,
    REQBUFS,
    S_FMT,
    STREAMOFF,
    STREAMON,
    TRY_FMT,
    Buffer,
    Capability,
    Format,
    RequestBuffers,
)

_MMAP: Final = 1
_CAN_CAPTURE: Final = 0x00000001
_CAN_STREAM: Final = 0x04000000
_ERROR: Final = 0x40
_BUFFERS: Final = 4


def fourcc(name: str) -> int:
    """Give a pixel format's number from its four letters."""
    return int.from_bytes(name.encode("ascii"), "little")


@dataclass(frozen=True, slots=True)
class Picture:
    """The layout that the driver of the camera chose."""

    width: int
    height: int
    pixel_format: str
    stride: int
    """Bytes of a row; 0 for compressed pictures."""


class VideoStream:
    """One open camera that streams; `picture` says how its frames look. Raises DeviceMissing and DeviceFailed."""

    def __init__(self, device: str, path: str) -> None:
        self._device = device
        self._path = path
        self._descriptor = -1
        self._maps: list[mmap.mmap] = []
        self.card = ""
        self.lacking: list[str] = []
        """Settings that the camera does not offer."""
        self.picture = Picture(0, 0, "", 0)

    def open(self, width: int, height: int, wanted: tuple[str, ...], settings: Settings) -> None:
        """Open the camera in the best of the wanted formats, as near to the size as it can, and start the stream."""
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            self._check_capability()
            self.picture = self._choose_format(width, height, wanted)
            self.lacking = v4l2_controls.apply(settings, self._control)
            self._map_buffers()
            self._control(STREAMON, ctypes.c_int(CAPTURE))
        except OSError as error:
            self.close()
            raise self._translated(error) from error
        except DeviceFailed:
            self.close()
            raise

    def newest(self, timeout_s: float) -> bytes | None:
        """Wait for a frame and give the newest one; None if none came. Damaged frames are left out."""
        try:
            readable, _, _ = select.select([self._descriptor], [], [], timeout_s)
            return self._take_newest() if readable else None
        except (OSError, ValueError) as error:
            raise self._translated(error) from error

    def close(self) -> None:
        """Stop the stream and close the camera."""
        if self._descriptor < 0:
            return
        try:
            self._control(STREAMOFF, ctypes.c_int(CAPTURE))
        except OSError as error:
            if error.errno not in (errno.ENODEV, errno.EINVAL, errno.ENOTTY):
                raise self._translated(error) from error
        finally:
            for memory in self._maps:
                memory.close()
            self._maps = []
            os.close(self._descriptor)
            self._descriptor = -1

    def _check_capability(self) -> None:
        capability = Capability()
        self._control(QUERYCAP, capability)
        able = capability.device_caps or capability.capabilities
        if not able & _CAN_CAPTURE or not able & _CAN_STREAM:
            raise DeviceFailed(self._device, f"{self._path} is no camera that streams: try the next /dev/video*")
        self.card = capability.card.decode("utf-8", "replace")

    def _choose_format(self, width: int, height: int, wanted: tuple[str, ...]) -> Picture:
        """Set the first of the formats that come nearest to the size: a size is often offered compressed only."""
        offers = [offer for name in wanted if (offer := self._ask_format(TRY_FMT, width, height, name))]
        if not offers:
            raise DeviceFailed(self._device, f"{self._path} offers none of the formats {', '.join(wanted)}")
        best = min(offers, key=lambda offer: abs(offer.width - width) + abs(offer.height - height))
        chosen = self._ask_format(S_FMT, best.width, best.height, best.pixel_format)
        if chosen is None:
            raise DeviceFailed(self._device, f"{self._path} offers {best.pixel_format} and does not take it")
        return chosen

    def _ask_format(self, request: int, width: int, height: int, name: str) -> Picture | None:
        asked = Format(type=CAPTURE)
        asked.fmt.pix.width, asked.fmt.pix.height = width, height
        asked.fmt.pix.pixelformat = fourcc(name)
        try:
            self._control(request, asked)
        except OSError as error:
            if request == TRY_FMT and error.errno == errno.EINVAL:
                return None
            raise
        pix = asked.fmt.pix
        return Picture(pix.width, pix.height, name, pix.bytesperline) if pix.pixelformat == fourcc(name) else None

    def _map_buffers(self) -> None:
        request = RequestBuffers(count=_BUFFERS, type=CAPTURE, memory=_MMAP)
        self._control(REQBUFS, request)
        for index in range(request.count):
            buffer = Buffer(index=index, type=CAPTURE, memory=_MMAP)
            self._control(QUERYBUF, buffer)
            self._maps.append(mmap.mmap(self._descriptor, buffer.length, offset=buffer.m.offset))
            self._control(QBUF, buffer)

    def _take_newest(self) -> bytes | None:
        newest: bytes | None = None
        while (buffer := self._dequeue()) is not None:
            if not buffer.flags & _ERROR and buffer.bytesused:
                newest = self._maps[buffer.index][: buffer.bytesused]
            self._control(QBUF, buffer)
        return newest

    def _dequeue(self) -> Buffer | None:
        buffer = Buffer(type=CAPTURE, memory=_MMAP)
        try:
            self._control(DQBUF, buffer)
        except BlockingIOError:
            return None
        return buffer

    def _control(self, request: int, argument: ctypes.Structure | ctypes.c_int) -> None:
        fcntl.ioctl(self._descriptor, request, argument)

    def _translated(self, error: OSError | ValueError) -> DriverError:
        if isinstance(error, ValueError):  # select was given the descriptor of a camera that is closed
            return DeviceMissing(self._device, str(error))
        if error.errno in (errno.EINVAL, errno.ENOTTY):
            return DeviceFailed(self._device, f"{self._path} does not work as a camera: {error}")
        return node_error(self._device, error, "video")
