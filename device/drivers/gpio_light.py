"""The lamp that lights codes, and the light that shows where to hold them, on the pins of the Raspberry Pi.

A dimmed lamp is a lamp that is switched fast. A camera whose exposure is not much longer than one period sees stripes,
so the frequency is high, and higher still for short exposures.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from device.drivers.base import Aim, DriverOptions, Illumination, Light
from device.drivers.gpio import Pin, PinOptions, opening, pin_factory, reported, set_light
from device.ports import Health, HealthState


class IlluminationOptions(PinOptions, frozen=True, kw_only=True):
    """Settings of the lamp."""

    pin: Pin = 12
    active_high: bool = True
    pwm: bool = False
    """True for a lamp whose driver bears being switched fast: it can then be dimmed."""
    hertz: Annotated[int, Meta(ge=50, le=10_000)] = 4000


class AimOptions(PinOptions, frozen=True, kw_only=True):
    """Settings of the light beside the camera."""

    pin: Pin = 25
    active_high: bool = True


class GpioIllumination(Illumination):
    """A lamp on a pin, dimmed by pulse width if it is wired for that."""

    Options = IlluminationOptions
    _options: IlluminationOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._lamp: Any = None
        self._level = 0.0

    @property
    def dimmable(self) -> bool:
        """Whether the pin gives pulses."""
        return self._options.pwm

    def shine(self, level: float) -> None:
        """Shine so brightly; a lamp that cannot be dimmed is on at any level above 0."""
        self._level = min(1.0, max(0.0, level))
        if self._lamp is not None:
            with reported(self):
                self._lamp.value = self._level if self.dimmable else self._level > 0

    def _open(self) -> None:
        options = self._options
        with opening(self.name):
            from gpiozero import LED, PWMLED  # noqa: PLC0415  gpiozero costs 11 MB

            factory = pin_factory(options.factory)
            if options.pwm:
                self._lamp = PWMLED(
                    options.pin, active_high=options.active_high, frequency=options.hertz, pin_factory=factory
                )
            else:
                self._lamp = LED(options.pin, active_high=options.active_high, pin_factory=factory)
        self._report(Health(HealthState.WORKING))
        self.shine(self._level)

    def _close(self) -> None:
        lamp, self._lamp = self._lamp, None
        lamp.close()


class GpioAim(Aim):
    """A small light on a pin."""

    Options = AimOptions
    _options: AimOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._led: Any = None
        self._light = Light.OFF

    def show(self, light: Light) -> None:
        """Light up, blink or go out."""
        self._light = light
        if self._led is not None:
            with reported(self):
                set_light(self._led, light)

    def _open(self) -> None:
        options = self._options
        with opening(self.name):
            from gpiozero import LED  # noqa: PLC0415  gpiozero costs 11 MB

            self._led = LED(options.pin, active_high=options.active_high, pin_factory=pin_factory(options.factory))
        self._report(Health(HealthState.WORKING))
        self.show(self._light)

    def _close(self) -> None:
        led, self._led = self._led, None
        led.close()
