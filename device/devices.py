"""All devices of a terminal: made from the settings, started side by side, and stopped together.

A device that is missing or broken is said and passed over; the rest of the terminal goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from device.config import DeviceSettings
from device.decode.disturbance import JammingSettings, Sound
from device.decode.scanned import ScannerDecoder
from device.drivers.base import (
    Aim,
    Button,
    Buzzer,
    Driver,
    Illumination,
    Lamps,
    Microphone,
    Printer,
    Scan,
    Scanner,
    Speaker,
    Tamper,
)
from device.drivers.errors import DriverError
from device.drivers.registry import make_driver
from device.ports import Health, HealthState, Reading
from device.sight import Guidance
from protocol.waveform import DEFAULT_WAVEFORM

if TYPE_CHECKING:
    from device.decode.camera_process import CameraProcess
    from device.ears import Ears

log = logging.getLogger(__name__)


class Part(Protocol):
    """Anything with the lifecycle of a driver."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""


class Sense(Protocol):
    """A decoder that gives a code once for as long as it is there."""

    def rearm(self) -> None:
        """Give it once more."""


class Devices:
    """Makes, starts and stops the drivers, and hands on what they deliver (from their threads)."""

    def __init__(
        self,
        settings: Iterable[DeviceSettings],
        *,
        read: Callable[[Reading], None],
        pressed: Callable[[], None],
        tampered: Callable[[bool], None],
        health: Callable[[str, Health], None],
        guide: Callable[[Guidance], None] = lambda _: None,
        waveforms: tuple[str, ...] = (DEFAULT_WAVEFORM,),
        notice: Callable[[str, Sound], None] = lambda _device, _sound: None,
        jamming: JammingSettings = JammingSettings(),  # noqa: B008 - frozen
    ) -> None:
        self._read = read
        self._waveforms = waveforms
        self._pressed = pressed
        self._tampered = tampered
        self._health = health
        self._guide = guide
        self._notice = notice
        self._jamming = jamming
        self._parts: list[tuple[str, Part]] = []
        self._drivers: list[Driver] = []
        self._senses: list[Sense] = []
        self.ears: list[Ears] = []
        self.cameras: list[CameraProcess] = []
        for device in settings:
            self._add(device)

    @property
    def lamps(self) -> list[Lamps]:
        """All sets of lamps."""
        return [driver for driver in self._drivers if isinstance(driver, Lamps)]

    @property
    def illuminations(self) -> list[Illumination]:
        """All lamps that light codes."""
        return [driver for driver in self._drivers if isinstance(driver, Illumination)]

    @property
    def aims(self) -> list[Aim]:
        """All lights that show where to hold a code."""
        return [driver for driver in self._drivers if isinstance(driver, Aim)]

    @property
    def buzzers(self) -> list[Buzzer]:
        """All buzzers."""
        return [driver for driver in self._drivers if isinstance(driver, Buzzer)]

    @property
    def speakers(self) -> list[Speaker]:
        """All loudspeakers."""
        return [driver for driver in self._drivers if isinstance(driver, Speaker)]

    @property
    def printers(self) -> list[Printer]:
        """All slip printers."""
        return [driver for driver in self._drivers if isinstance(driver, Printer)]

    def rearm(self) -> None:
        """Read again what is still held up or being played: a new sale has begun."""
        for sense in self._senses:
            sense.rearm()

    def deafen(self, until_ms: int) -> None:
        """Let no microphone judge what the terminal itself plays until then."""
        for ears in self.ears:
            ears.deafen(until_ms)

    async def run(self) -> None:
        """Start all devices, and stop them when cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for name, part in self._parts:
                    group.create_task(asyncio.to_thread(self._start, name, part), name=f"start {name}")
            await asyncio.Event().wait()
        finally:
            async with asyncio.TaskGroup() as group:
                for name, part in self._parts:
                    group.create_task(asyncio.to_thread(part.stop), name=f"stop {name}")

    def _add(self, device: DeviceSettings) -> None:
        try:
            self._parts.append((device.name, self._make(device)))
        except DriverError as error:
            self._fail(device.name, error)

    def _make(self, device: DeviceSettings) -> Part:
        if device.kind == "camera":
            from device.decode.camera_process import CameraProcess  # noqa: PLC0415  # only where there is a camera

            camera = CameraProcess(
                device.name,
                device.driver,
                device.options,
                deliver=self._read,
                watch=self._health,
                guide=self._guide,
                symbologies=device.symbologies,
                itf_digits=device.itf_digits,
            )
            self._senses.append(camera)
            self.cameras.append(camera)
            return camera
        driver = make_driver(device.kind, device.driver, device.name, device.options)
        driver.watch(self._health)
        self._drivers.append(driver)
        if isinstance(driver, Microphone):
            from device.ears import Ears  # noqa: PLC0415  # brings numpy

            ears = Ears(
                driver,
                self._read,
                self._waveforms,
                partial(self._tell_of_waveform, driver.name),
                tell=self._notice,
                jamming=self._jamming,
            )
            self._senses.append(ears)
            self.ears.append(ears)
            return ears
        self._listen(driver)
        return driver

    def _tell_of_waveform(self, device: str, waveform: str, trouble: str) -> None:
        if trouble:
            log.error("%s: %s", device, trouble)
        state = HealthState.FAILED if trouble else HealthState.WORKING
        self._health(f"{device} {waveform}", Health(state, trouble))

    def _listen(self, driver: Driver) -> None:
        match driver:
            case Scanner():
                driver.listen(self._scanned(ScannerDecoder()))
            case Button():
                driver.listen(self._pressed)
            case Tamper():
                driver.listen(self._tampered)
            case _:
                pass

    def _scanned(self, decoder: ScannerDecoder) -> Callable[[Scan], None]:
        def take(scan: Scan) -> None:
            for reading in decoder.feed(scan):
                self._read(reading)

        return take

    def _start(self, name: str, part: Part) -> None:
        try:
            part.start()
        except DriverError as error:
            self._fail(name, error)

    def _fail(self, name: str, error: DriverError) -> None:
        log.error("device %s is left out: %s", name, error.detail)
        self._health(name, Health(HealthState.FAILED, error.detail))
