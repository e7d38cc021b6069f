"""What Video4Linux2 and its users say to each other (linux/videodev2.h), as far as a webcam needs it."""

from __future__ import annotations

import ctypes
from typing import Final

CAPTURE: Final = 1
"""V4L2_BUF_TYPE_VIDEO_CAPTURE."""


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


def request(direction: int, number: int, size: int) -> int:
    """Compose an ioctl number as linux/ioctl.h does: direction 1 writes to the kernel, 2 reads from it."""
    return direction << 30 | size << 16 | ord("V") << 8 | number


QUERYCAP: Final = request(2, 0, ctypes.sizeof(Capability))
S_FMT: Final = request(3, 5, ctypes.sizeof(Format))
REQBUFS: Final = request(3, 8, ctypes.sizeof(RequestBuffers))
QUERYBUF: Final = request(3, 9, ctypes.sizeof(Buffer))
QBUF: Final = request(3, 15, ctypes.sizeof(Buffer))
DQBUF: Final = request(3, 17, ctypes.sizeof(Buffer))
STREAMON: Final = request(1, 18, ctypes.sizeof(ctypes.c_int))
STREAMOFF: Final = request(1, 19, ctypes.sizeof(ctypes.c_int))
TRY_FMT: Final = request(3, 64, ctypes.sizeof(Format))
