"""Settings of a webcam by Video4Linux2 controls (linux/v4l2-controls.h), as far as the camera offers them."""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from device.drivers.v4l2_structures import CAPTURE, request

_DISABLED: Final = 0x0001
_READ_ONLY: Final = 0x0004
_TIME_PER_FRAME: Final = 0x1000
_EXPOSURE_STEP_US: Final = 100
_REFUSALS: Final = (errno.EINVAL, errno.ENOTTY, errno.ERANGE, errno.EIO, errno.EACCES, errno.EBUSY)
"""Cheap cameras list controls that they refuse, and one that another has made inactive is not accessible."""

EXPOSURE_AUTO: Final = 0x009A0901
EXPOSURE_ABSOLUTE: Final = 0x009A0902
EXPOSURE_AUTO_PRIORITY: Final = 0x009A0903
AUTOGAIN: Final = 0x00980912
GAIN: Final = 0x00980913
POWER_LINE_FREQUENCY: Final = 0x00980918
FOCUS_ABSOLUTE: Final = 0x009A090A
FOCUS_AUTO: Final = 0x009A090C

_EXPOSURE_MANUAL: Final = 1
_POWER_LINE: Final = {50: 1, 60: 2}


class QueryControl(ctypes.Structure):
    """struct v4l2_queryctrl."""

    _fields_ = (
        ("id", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("name", ctypes.c_uint8 * 32),
        ("minimum", ctypes.c_int32),
        ("maximum", ctypes.c_int32),
        ("step", ctypes.c_int32),
        ("default_value", ctypes.c_int32),
        ("flags", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 2),
    )


class Control(ctypes.Structure):
    """struct v4l2_control."""

    _fields_ = (("id", ctypes.c_uint32), ("value", ctypes.c_int32))


class _CaptureParameters(ctypes.Structure):
    _fields_ = (
        ("capability", ctypes.c_uint32),
        ("capturemode", ctypes.c_uint32),
        ("numerator", ctypes.c_uint32),
        ("denominator", ctypes.c_uint32),
        ("extendedmode", ctypes.c_uint32),
        ("readbuffers", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 4),
    )


class _ParametersUnion(ctypes.Union):
    _fields_ = (("capture", _CaptureParameters), ("raw", ctypes.c_uint8 * 200))


class StreamParameters(ctypes.Structure):
    """struct v4l2_streamparm."""

    _fields_ = (("type", ctypes.c_uint32), ("parm", _ParametersUnion))


G_PARM: Final = request(3, 21, ctypes.sizeof(StreamParameters))
S_PARM: Final = request(3, 22, ctypes.sizeof(StreamParameters))
S_CTRL: Final = request(3, 28, ctypes.sizeof(Control))
QUERYCTRL: Final = request(3, 36, ctypes.sizeof(QueryControl))

Ioctl = Callable[[int, ctypes.Structure], None]
"""Asks the kernel about the open camera; raises OSError."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a webcam is asked for; None leaves a thing to the camera."""

    frames_per_second: float | None = None
    exposure_us: int | None = None
    gain: int | None = None
    focus_position: int | None = None
    mains_hz: int | None = None


def apply(settings: Settings, ioctl: Ioctl) -> list[str]:
    """Set what the camera offers, at the nearest value; give the names of the settings that it does not offer."""
    lacking = []
    if settings.frames_per_second is not None and not _set_pace(settings.frames_per_second, ioctl):
        lacking.append("frames_per_second")
    for name, (helpers, control, value) in _controls(settings).items():
        for helper, helping in helpers.items():
            _set(helper, helping, ioctl)
        if not _set(control, value, ioctl):
            lacking.append(name)
    return lacking


def _controls(settings: Settings) -> dict[str, tuple[dict[int, int], int, int]]:
    """Give, by setting, what must be switched off before, the control and its value."""
    wanted: dict[str, tuple[dict[int, int], int, int]] = {}
    if settings.exposure_us is not None:
        steps = round(settings.exposure_us / _EXPOSURE_STEP_US)
        wanted["exposure_us"] = {EXPOSURE_AUTO: _EXPOSURE_MANUAL, EXPOSURE_AUTO_PRIORITY: 0}, EXPOSURE_ABSOLUTE, steps
    if settings.gain is not None:
        wanted["gain"] = {AUTOGAIN: 0}, GAIN, settings.gain
    if settings.focus_position is not None:
        wanted["focus_position"] = {FOCUS_AUTO: 0}, FOCUS_ABSOLUTE, settings.focus_position
    if settings.mains_hz is not None:
        wanted["mains_hz"] = {}, POWER_LINE_FREQUENCY, _POWER_LINE[settings.mains_hz]
    return wanted


def _set(control: int, value: int, ioctl: Ioctl) -> bool:
    """Set one control within its bounds; False if the camera has none, or does not take it."""
    asked = QueryControl(id=control)
    try:
        ioctl(QUERYCTRL, asked)
        if asked.flags & (_DISABLED | _READ_ONLY):
            return False
        ioctl(S_CTRL, Control(control, min(max(value, asked.minimum), asked.maximum)))
    except OSError as error:
        if error.errno in _REFUSALS:
            return False
        raise
    return True


def _set_pace(frames_per_second: float, ioctl: Ioctl) -> bool:
    parameters = StreamParameters(type=CAPTURE)
    try:
        ioctl(G_PARM, parameters)
        if not parameters.parm.capture.capability & _TIME_PER_FRAME:
            return False
        parameters.parm.capture.numerator = 1000
        parameters.parm.capture.denominator = round(1000 * frames_per_second)
        ioctl(S_PARM, parameters)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOTTY):
            return False
        raise
    return True
