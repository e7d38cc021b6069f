"""Finds drivers by kind and name, and makes them.

A package offers a driver by an entry point of the group `tillwave.drivers.<kind>`; nothing of a driver is imported
before one is made.

DriverError
+-- BadDriverOptions      the settings of a device are wrong (also a ValueError)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

import msgspec

from device.drivers.base import Driver, DriverOptions
from device.drivers.errors import DriverError, DriverUnsupported, UnknownDriver

KINDS: Final = (
    "camera",
    "scanner",
    "microphone",
    "speaker",
    "lamps",
    "illumination",
    "aim",
    "buzzer",
    "button",
    "tamper",
    "printer",
)
"""The words that a configuration may use as `kind`."""

_GROUP: Final = "tillwave.drivers."
_UNKNOWN_KEY: Final = re.compile(r"unknown field `(?P<key>[^`]*)`")
_MISSING_KEY: Final = re.compile(r"missing required field `(?P<key>[^`]*)`")
_PATH: Final = re.compile(r"^(?P<what>.*) - at `\$\.?(?P<path>[^`]*)`$")


class BadDriverOptions(DriverError, ValueError):
    """The settings of one device are wrong; `key` is the setting, empty if none can be named."""

    def __init__(self, device: str, key: str, detail: str) -> None:
        self.key = key
        super().__init__(device, detail)


def installed(kind: str) -> tuple[str, ...]:
    """Name the drivers that installed packages offer for a kind, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=_GROUP + kind)}))


def find_driver(kind: str, driver: str, device: str = "") -> type[Driver]:
    """Import a driver's class; raises UnknownDriver, or DriverUnsupported if its module cannot be imported."""
    point = _entry_point(kind, driver, device or f"{kind} {driver}")
    try:
        found = point.load()
    except (ImportError, AttributeError) as error:
        raise DriverUnsupported(device or driver, f'driver "{driver}" cannot be loaded: {error}') from error
    if not (isinstance(found, type) and issubclass(found, Driver) and found.kind == kind):
        raise DriverUnsupported(device or driver, f'"{point.value}" is not a driver of kind "{kind}"')
    return found


def make_driver(kind: str, driver: str, name: str, options: Mapping[str, object]) -> Driver:
    """Make the driver of one device from its settings; raises UnknownDriver, DriverUnsupported, BadDriverOptions."""
    found = find_driver(kind, driver, name)
    return found(name, convert_options(found.Options, name, options))


def convert_options(wanted: type[DriverOptions], device: str, options: Mapping[str, object]) -> DriverOptions:
    """Check settings and give them their types; raises BadDriverOptions."""
    try:
        return msgspec.convert(dict(options), type=wanted, strict=True)
    except msgspec.ValidationError as error:
        raise _bad_options(wanted, device, str(error)) from error


def _entry_point(kind: str, driver: str, device: str) -> EntryPoint:
    if kind not in KINDS:
        raise UnknownDriver(device, f'there is no kind of device "{kind}"; use one of {", ".join(KINDS)}')
    for point in entry_points(group=_GROUP + kind, name=driver):
        return point
    offered = ", ".join(installed(kind)) or "none"
    raise UnknownDriver(device, f'no driver "{driver}" for kind "{kind}" is installed; installed are: {offered}')


def _bad_options(wanted: type[DriverOptions], device: str, message: str) -> BadDriverOptions:
    placed = _PATH.match(message)
    what, path = (placed["what"], placed["path"]) if placed else (message, "")
    if unknown := _UNKNOWN_KEY.search(what):
        known = ", ".join(_keys(wanted)) or "none"
        return BadDriverOptions(device, unknown["key"], f'unknown option "{unknown["key"]}"; known are: {known}')
    if missing := _MISSING_KEY.search(what):
        return BadDriverOptions(device, missing["key"], f'option "{missing["key"]}" is missing')
    said = what[:1].lower() + what[1:]
    return BadDriverOptions(device, path, f'option "{path}": {said}' if path else said)


def _keys(wanted: type[DriverOptions]) -> list[str]:
    fields: tuple[Any, ...] = msgspec.structs.fields(wanted)
    return [field.encode_name for field in fields]
