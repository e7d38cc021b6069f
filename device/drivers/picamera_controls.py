"""Settings of the Pi's camera, and the libcamera controls that they become (libcamera, control_ids_core.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from device.drivers.base import DriverOptions
from device.drivers.exposure import Microseconds, without_bands

_MACRO_DIOPTRES: Final = 8.0
_AF_MANUAL: Final = 0
_AF_CONTINUOUS: Final = 2
_RANGE_MACRO: Final = 1
_SPEED_FAST: Final = 1
_MANUAL: Final = 1
_FLICKER_MANUAL: Final = 1
_CONSTRAINT_HIGHLIGHT: Final = 1
_EXPOSURE_SHORT: Final = 1
_METERING: Final = {"centre": 0, "spot": 1, "whole": 2}

Size = Annotated[int, Meta(ge=64, le=4608, multiple_of=2)]


class PiCameraOptions(DriverOptions, frozen=True, kw_only=True):
    """Settings of the Pi's camera."""

    number: Annotated[int, Meta(ge=0, le=7)] = 0
    """Which camera, if there are several."""
    width: Size = 1280
    height: Size = 720
    sensor: tuple[Size, Size] | None = None
    """Size of the sensor's mode; without it a small one is taken, which may show only the middle of the field."""
    frames_per_second: Annotated[float, Meta(gt=0, le=60)] = 15.0
    focus: Literal["fixed", "continuous"] = "fixed"
    """Hold the lens still, or let the camera search all the time; nothing to modules without a lens drive."""
    lens_dioptres: Annotated[float, Meta(ge=0, le=32)] = _MACRO_DIOPTRES
    """Where the fixed focus lies: at 1/dioptres metres (8 is 12 cm)."""
    exposure_us: Microseconds | None = None
    """Fixed exposure time; if not given, the camera chooses."""
    gain: Annotated[float, Meta(ge=1, le=64)] | None = None
    """Fixed analogue gain; if not given, the camera chooses."""
    flicker_us: Microseconds | None = None
    """Period of the light: exposures are whole multiples of it, whoever chooses them."""
    metering: Literal["centre", "spot", "whole"] = "centre"
    """Where the camera measures if it chooses."""
    spare_highlights: bool = True
    """Choose short exposures that keep a bright display in a dark picture from turning white all over."""
    exposure_value: Annotated[float, Meta(ge=-8, le=8)] = 0.0
    """Lighter or darker than the camera would choose, in stops."""
    stream: Literal["lores", "main"] = "lores"
    """Which stream to read; USB cameras have no lores, and then the main one is read anyway."""


def controls(options: PiCameraOptions, offered: Mapping[str, Any]) -> dict[str, Any]:
    """Choose controls that this camera offers (its `camera_controls`), because libcamera refuses any other."""
    wanted = _pace(options) | _focus(options, offered) | _exposure(options)
    return {name: value for name, value in wanted.items() if name in offered}


def lacking(options: PiCameraOptions, offered: Mapping[str, Any]) -> list[str]:
    """Name the settings that someone has chosen and that this camera does not offer."""
    chosen = {
        "exposure_us": ("ExposureTime", options.exposure_us is not None),
        "gain": ("AnalogueGain", options.gain is not None),
        "focus": ("AfMode", options.focus == "continuous"),
        "exposure_value": ("ExposureValue", options.exposure_value != 0),
    }
    return [setting for setting, (control, is_chosen) in chosen.items() if is_chosen and control not in offered]


def _pace(options: PiCameraOptions) -> dict[str, Any]:
    frame_us = round(1_000_000 / options.frames_per_second)
    return {"FrameDurationLimits": (frame_us, frame_us)}


def _focus(options: PiCameraOptions, offered: Mapping[str, Any]) -> dict[str, Any]:
    if options.focus == "continuous":
        return {"AfMode": _AF_CONTINUOUS, "AfRange": _RANGE_MACRO, "AfSpeed": _SPEED_FAST}
    nearest = offered.get("LensPosition", (0.0, options.lens_dioptres))[1]
    return {"AfMode": _AF_MANUAL, "LensPosition": min(options.lens_dioptres, nearest)}


def _exposure(options: PiCameraOptions) -> dict[str, Any]:
    wanted: dict[str, Any] = {"AeMeteringMode": _METERING[options.metering]}
    if options.spare_highlights:
        wanted |= {"AeConstraintMode": _CONSTRAINT_HIGHLIGHT, "AeExposureMode": _EXPOSURE_SHORT}
    if options.exposure_value:
        wanted |= {"ExposureValue": options.exposure_value}
    if options.flicker_us is not None:
        wanted |= {"AeFlickerMode": _FLICKER_MANUAL, "AeFlickerPeriod": options.flicker_us}
    if options.exposure_us is not None:
        exposure_us = without_bands(options.exposure_us, options.flicker_us)
        wanted |= {"ExposureTimeMode": _MANUAL, "ExposureTime": exposure_us}
    if options.gain is not None:
        wanted |= {"AnalogueGainMode": _MANUAL, "AnalogueGain": options.gain}
    return wanted
