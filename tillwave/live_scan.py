"""Codes as they come, for the command line: from a camera in its own process, or from a scanner on a serial line."""

from __future__ import annotations

import queue
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from device.config import DeviceSettings, SettingsMissing, load_settings
from device.decode.camera_process import CameraProcess
from device.decode.scanned import ScannerDecoder
from device.drivers.base import Scan, Scanner
from device.drivers.registry import convert_options, find_driver, installed, make_driver
from device.ports import Health, Reading
from device.sight import Guidance, LiveView, PlacedReading

_MOST_EVENTS: Final = 1000
_LOOK_S: Final = 0.2
_WATCH_EVERY_S: Final = 1.0
_WIDEST: Final = 1920
_LAST_PICTURE_S: Final = 5.0


class NoSuchCamera(ValueError):
    """Neither a camera of the settings nor a driver."""


class BadOption(ValueError):
    """An option is not of the form key=value."""


Event = Reading | Health | Guidance


@dataclass(slots=True)
class _Line:
    """What happens, in order; what comes faster than anybody reads is left out."""

    events: queue.Queue[Event] = field(default_factory=lambda: queue.Queue(_MOST_EVENTS))

    def put(self, event: Event) -> None:
        if not self.events.full():
            self.events.put(event)

    def within(self, seconds: float) -> Event | None:
        try:
            return self.events.get(timeout=seconds)
        except queue.Empty:
            return None


class LiveCamera:
    """One camera, with the same process and decoder as in a terminal."""

    def __init__(self, device: DeviceSettings, *, with_pictures: bool) -> None:
        self._line = _Line()
        self._with_pictures = with_pictures
        self._asked_s = 0.0
        self._readings: list[PlacedReading] = []
        self._view: LiveView | None = None
        self._camera = CameraProcess(
            device.name,
            device.driver,
            device.options,
            deliver=self._take,
            watch=lambda _, health: self._line.put(health),
            guide=self._line.put,
            symbologies=device.symbologies,
            itf_digits=device.itf_digits,
        )
        self._camera.show_to(self._see)

    def start(self) -> None:
        """Begin."""
        self._camera.start()

    def stop(self) -> None:
        """End."""
        self._camera.stop()

    def next_event(self) -> Event | None:
        """Give what happens next; None if nothing does for a moment."""
        self._ask()
        return self._line.within(_LOOK_S)

    def last_look(self) -> tuple[LiveView | None, Sequence[PlacedReading]]:
        """Wait a moment for the picture of the last reading; give the last picture, and all readings."""
        wanted_ms = self._readings[-1].at_ms if self._readings else 0
        deadline = time.monotonic() + _LAST_PICTURE_S
        while time.monotonic() < deadline and (self._view is None or self._view.at_ms < wanted_ms):
            self._ask()
            time.sleep(_LOOK_S / 4)
        return self._view, tuple(self._readings)

    def _ask(self) -> None:
        if self._with_pictures and time.monotonic() - self._asked_s >= _WATCH_EVERY_S:
            self._asked_s = time.monotonic()
            self._camera.look(_WIDEST, veiled=False)

    def _take(self, reading: Reading) -> None:
        if isinstance(reading, PlacedReading):
            self._readings = [*self._readings[-_MOST_EVENTS:], reading]
        self._line.put(reading)

    def _see(self, view: LiveView) -> None:
        """Keep the newest picture, but rather one with codes that were read."""
        before = self._view
        if before is None or any(mark.symbology for mark in view.marks) or not any(m.symbology for m in before.marks):
            self._view = view


class LiveScanner:
    """One scanner on a serial line, with the same framing and decoder as in a terminal."""

    def __init__(self, path: str, profile: str, folder: str = "") -> None:
        self._line = _Line()
        options = {"path": path, "profile": profile, "profile_folder": folder}
        scanner = make_driver("scanner", "serial", "scanner", options)
        assert isinstance(scanner, Scanner)
        self._scanner = scanner
        self._decoder = ScannerDecoder()
        scanner.listen(self._take)
        scanner.watch(lambda _, health: self._line.put(health))

    def start(self) -> None:
        """Begin."""
        self._scanner.start()

    def stop(self) -> None:
        """End."""
        self._scanner.stop()

    def next_event(self) -> Event | None:
        """Give what happens next; None if nothing does for a moment."""
        return self._line.within(_LOOK_S)

    def _take(self, scan: Scan) -> None:
        for reading in self._decoder.feed(scan):
            self._line.put(reading)


def events_of(source: LiveCamera | LiveScanner, seconds: float | None) -> Iterator[Event]:
    """Give what happens until the time is over."""
    deadline = None if seconds is None else time.monotonic() + seconds
    while deadline is None or time.monotonic() < deadline:
        event = source.next_event()
        if event is not None:
            yield event


def camera_named(name: str, config: Path, options: Sequence[str]) -> DeviceSettings:
    """Give a camera of the terminal's settings, or one by its driver; NoSuchCamera, BadOption, or a DriverError."""
    device = _of_settings(name, config)
    if device is None:
        if name not in installed("camera"):
            drivers = ", ".join(installed("camera"))
            raise NoSuchCamera(f'"{name}" is neither a camera of {config} nor a driver; drivers are {drivers}')
        device = DeviceSettings(kind="camera", name="camera", driver=name)
    given = dict(_option(text) for text in options)
    found = msgspec.structs.replace(device, options={**device.options, **given})
    convert_options(find_driver("camera", found.driver, found.name).Options, found.name, found.options)
    return found


def _of_settings(name: str, config: Path) -> DeviceSettings | None:
    try:
        settings = load_settings(config)
    except SettingsMissing:
        return None
    return next((each for each in settings.devices if (each.kind, each.name) == ("camera", name)), None)


def _option(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise BadOption(f'an option is key=value, "{text}" is not')
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value
