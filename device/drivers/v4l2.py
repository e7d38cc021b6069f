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

from device.drivers.errors import DeviceFailed, DeviceMissing, DriverError, node_error

_CAPTURE: Final = 1
_MMAP: Final = 1
_CAN_CAPTURE: Final = 0x00000001
_CAN_STREAM: Final = 0x04000000
_ERROR: Final = 0x40
_BUFFERS: Final = 4


class Capability(ctypes.Structure):
    """struct v4l2_capability."""

    _fields_ = (
        ("driver", ctypes.c_char * 16),
        ("card", ctypes.c_char * 32),
        ("bus_info", ctypes.c_char * 32),
        ("version", ctypes.c_uint32),
        ("capabilities", ctypes.c_uint32),
        ("device_caps", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 3),
    )


class _PixelFormat(ctypes.Structure):
    _fields_ = (
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("pixelformat", ctypes.c_uint32),
        ("field", ctypes.c_uint32),
        ("bytesperline", ctypes.c_uint32),
        ("sizeimage", ctypes.c_uint32),
    )


class _FormatUnion(ctypes.Union):
    _fields_ = (("pix", _PixelFormat), ("raw", ctypes.c_uint8 * 200), ("align", ctypes.c_void_p))


class Format(ctypes.Structure):
    """struct v4l2_format."""

    _fields_ = (("type", ctypes.c_uint32), ("fmt", _FormatUnion))


class RequestBuffers(ctypes.Structure):
    """struct v4l2_requestbuffers."""

    _fields_ = (
        ("count", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("memory", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 2),
    )


class _Timecode(ctypes.Structure):
    _fields_ = (("raw", ctypes.c_uint32 * 4),)


class _Place(ctypes.Union):
    _fields_ = (("offset", ctypes.c_uint32), ("userptr", ctypes.c_ulong), ("planes", ctypes.c_void_p))


class Buffer(ctypes.Structure):
    """struct v4l2_buffer."""

    _fields_ = (
        ("index", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("bytesused", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("field", ctypes.c_uint32),
        ("timestamp", ctypes.c_long * 2),
        ("timecode", _Timecode),
        ("sequence", ctypes.c_uint32),
        ("memory", ctypes.c_uint32),
        ("m", _Place),
        ("length", ctypes.c_uint32),
        ("reserved2", ctypes.c_uint32),
        ("request_fd", ctypes.c_int32),
    )


def _request(direction: int, number: int, size: int) -> int:
    """Compose an ioctl number as linux/ioctl.h does: direction 1 writes to the kernel, 2 reads from it."""
    return direction << 30 | size << 16 | ord("V") << 8 | number


QUERYCAP: Final = _request(2, 0, ctypes.sizeof(Capability))
S_FMT: Final = _request(3, 5, ctypes.sizeof(Format))
REQBUFS: Final = _request(3, 8, ctypes.sizeof(RequestBuffers))
QUERYBUF: Final = _request(3, 9, ctypes.sizeof(Buffer))
QBUF: Final = _request(3, 15, ctypes.sizeof(Buffer))
DQBUF: Final = _request(3, 17, ctypes.sizeof(Buffer))
STREAMON: Final = _request(1, 18, ctypes.sizeof(ctypes.c_int))
STREAMOFF: Final = _request(1, 19, ctypes.sizeof(ctypes.c_int))


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
        self.picture = Picture(0, 0, "", 0)

    def open(self, width: int, height: int, wanted: tuple[str, ...]) -> None:
        """Open the camera in the first of the wanted formats that it takes, and start the stream."""
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            self._check_capability()
            self.picture = self._choose_format(width, height, wanted)
            self._map_buffers()
            self._control(STREAMON, ctypes.c_int(_CAPTURE))
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
            self._control(STREAMOFF, ctypes.c_int(_CAPTURE))
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
        for name in wanted:
            chosen = Format(type=_CAPTURE)
            chosen.fmt.pix.width, chosen.fmt.pix.height = width, height
            chosen.fmt.pix.pixelformat = fourcc(name)
            self._control(S_FMT, chosen)
            pix = chosen.fmt.pix
            if pix.pixelformat == fourcc(name):
                return Picture(pix.width, pix.height, name, pix.bytesperline)
        raise DeviceFailed(self._device, f"{self._path} offers none of the formats {', '.join(wanted)}")

    def _map_buffers(self) -> None:
        request = RequestBuffers(count=_BUFFERS, type=_CAPTURE, memory=_MMAP)
        self._control(REQBUFS, request)
        for index in range(request.count):
            buffer = Buffer(index=index, type=_CAPTURE, memory=_MMAP)
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
        buffer = Buffer(type=_CAPTURE, memory=_MMAP)
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
