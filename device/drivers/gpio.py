"""Lamps, buzzer, button and tamper switch on the pins of the Raspberry Pi, through gpiozero.

Pins have the numbers of the chip (BCM), not of the header. The defaults keep away from the pins of I2C (2, 3), the
serial line (14, 15), SPI (7 to 11) and I2S sound (18 to 21). The pin factory is always named, because gpiozero would
otherwise fall back without a word to one that works differently.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import threading
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from device.drivers.base import Button, Buzzer, Chime, Driver, DriverOptions, Lamp, Lamps, Light, Tamper
from device.drivers.errors import DeviceFailed, DriverUnsupported
from device.drivers.keeper import Jobs, Keeper
from device.ports import Health, HealthState

_BLINK_S: Final = 0.4
_MOST_CHIMES: Final = 4
_FINISH_S: Final = 1.0
_LOOK_S: Final = 0.5
_FACTORIES: Final = {
    "lgpio": "gpiozero.pins.lgpio:LGPIOFactory",
    "rpigpio": "gpiozero.pins.rpigpio:RPiGPIOFactory",
    "pigpio": "gpiozero.pins.pigpio:PiGPIOFactory",
    "native": "gpiozero.pins.native:NativeFactory",
    "mock": "gpiozero.pins.mock:MockFactory",
}

Pin = Annotated[int, Meta(ge=0, le=27)]

# (Hz, seconds on, seconds off after it); a buzzer with a tone of its own ignores the Hz.
_CHIMES: Final[dict[Chime, tuple[tuple[float, float, float], ...]]] = {
    Chime.SEEN: ((2400, 0.04, 0.0),),
    Chime.PAID: ((1800, 0.09, 0.05), (2700, 0.18, 0.0)),
    Chime.DECLINED: ((500, 0.5, 0.0),),
    Chime.ATTENTION: ((1200, 0.1, 0.1), (1200, 0.1, 0.1), (1200, 0.1, 0.0)),
}


class PinOptions(DriverOptions, frozen=True, kw_only=True):
    """Settings of everything on pins."""

    factory: Literal["lgpio", "rpigpio", "pigpio", "native", "mock"] = "lgpio"


class LampsOptions(PinOptions, frozen=True, kw_only=True):
    """Settings of the lamps."""

    ready: Pin = 17
    working: Pin = 27
    trouble: Pin = 22
    active_high: bool = True
    """False for lamps that light when their pin is low."""

    def __post_init__(self) -> None:
        """Refuse two lamps on one pin."""
        if len({self.ready, self.working, self.trouble}) < len(Lamp):
            raise ValueError("each lamp needs a pin of its own")


class BuzzerOptions(PinOptions, frozen=True, kw_only=True):
    """Settings of the buzzer."""

    pin: Pin = 13
    passive: bool = False
    """True for a buzzer without a tone of its own: the pin then gives the tone (13 can do that in hardware)."""
    active_high: bool = True


class ButtonOptions(PinOptions, frozen=True, kw_only=True):
    """Settings of the button: it connects its pin to ground."""

    pin: Pin = 23
    bounce_s: Annotated[float, Meta(gt=0, le=1)] = 0.03


class TamperOptions(PinOptions, frozen=True, kw_only=True):
    """Settings of the tamper switch: the closed case connects its pin to ground, so that a cut wire counts as open."""

    pin: Pin = 24
    bounce_s: Annotated[float, Meta(gt=0, le=1)] = 0.05


@functools.cache
def pin_factory(name: str) -> Any:
    """Give gpiozero's factory of that name: one for the whole process, as the pins are."""
    module_name, _, class_name = _FACTORIES[name].partition(":")
    module = importlib.import_module(module_name)
    if name == "mock":
        return module.MockFactory(pin_class=module.MockPWMPin)
    return getattr(module, class_name)()


class GpioLamps(Lamps):
    """Three lamps, each on a pin."""

    Options = LampsOptions
    _options: LampsOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._leds: dict[Lamp, Any] = {}
        self._lights: dict[Lamp, Light] = {}

    def show(self, lamp: Lamp, light: Light) -> None:
        """Set one lamp; what was set before the start is shown with it."""
        self._lights[lamp] = light
        led = self._leds.get(lamp)
        if led is not None:
            with reported(self):
                set_light(led, light)

    def _open(self) -> None:
        options = self._options
        pins = {Lamp.READY: options.ready, Lamp.WORKING: options.working, Lamp.TROUBLE: options.trouble}
        with opening(self.name), contextlib.ExitStack() as undo:
            from gpiozero import LED  # noqa: PLC0415  gpiozero costs 11 MB

            leds = {}
            for lamp, pin in pins.items():
                leds[lamp] = LED(pin, active_high=options.active_high, pin_factory=pin_factory(options.factory))
                undo.callback(leds[lamp].close)
            undo.pop_all()
            self._leds = leds
        self._report(Health(HealthState.WORKING))
        for lamp, light in tuple(self._lights.items()):
            self.show(lamp, light)

    def _close(self) -> None:
        leds, self._leds = self._leds, {}
        for led in leds.values():
            led.close()


class GpioBuzzer(Buzzer):
    """A buzzer on a pin."""

    Options = BuzzerOptions
    _options: BuzzerOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._device: Any = None
        self._jobs: Jobs[Chime] | None = None
        self._hushed = threading.Event()

    def sound(self, chime: Chime) -> None:
        """Sound one chime after the one that sounds; a chime too many is left out."""
        if self._jobs is not None:
            self._jobs.put(chime)

    def _open(self) -> None:
        options = self._options
        with opening(self.name):
            from gpiozero import DigitalOutputDevice, PWMOutputDevice  # noqa: PLC0415  gpiozero costs 11 MB

            kind = PWMOutputDevice if options.passive else DigitalOutputDevice
            factory = pin_factory(options.factory)
            self._device = kind(options.pin, active_high=options.active_high, pin_factory=factory)
        self._hushed.clear()
        self._jobs = Jobs(self.name, self._chime, _MOST_CHIMES)
        self._jobs.start()
        self._report(Health(HealthState.WORKING))

    def _close(self) -> None:
        self._hushed.set()
        if self._jobs is not None:
            self._jobs.drop_waiting()
            self._jobs.end(_FINISH_S)
            self._jobs = None
        self._device.close()

    def _chime(self, chime: Chime) -> None:
        for hertz, on_s, off_s in _CHIMES[chime]:
            with reported(self):
                self._tone_on(hertz)
                self._hushed.wait(on_s)
                self._device.off()
            if self._hushed.wait(off_s):
                return

    def _tone_on(self, hertz: float) -> None:
        if self._options.passive:
            self._device.frequency = hertz
            self._device.value = 0.5
        else:
            self._device.on()


class GpioButton(Button):
    """A button on a pin."""

    Options = ButtonOptions
    _options: ButtonOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._device: Any = None

    def _open(self) -> None:
        options = self._options
        with opening(self.name):
            from gpiozero import Button as PinButton  # noqa: PLC0415  gpiozero costs 11 MB

            factory = pin_factory(options.factory)
            self._device = PinButton(options.pin, pull_up=True, bounce_time=options.bounce_s, pin_factory=factory)
            self._device.when_pressed = self._pressed
        self._report(Health(HealthState.WORKING))

    def _close(self) -> None:
        self._device.close()


class GpioTamper(Tamper):
    """A tamper switch on a pin: felt at each edge, and read every half second in case an edge is missed."""

    Options = TamperOptions
    _options: TamperOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._telling = threading.Lock()
        self._told: bool | None = None
        self._keeper: Keeper | None = None

    def _open(self) -> None:
        self._told = None
        self._keeper = Keeper(self.name, self._session, self._report)
        self._keeper.start()

    def _close(self) -> None:
        if self._keeper is not None:
            self._keeper.end()
            self._keeper = None

    def _session(self, keeper: Keeper) -> None:
        try:
            with self._switch() as switch:
                keeper.working()
                while not keeper.stop.is_set():
                    with opening(self.name):
                        self._tell(is_open=not switch.value)
                    keeper.stop.wait(_LOOK_S)
        except (DeviceFailed, DriverUnsupported):
            self._tell(is_open=True)
            raise

    @contextlib.contextmanager
    def _switch(self) -> Iterator[Any]:
        options = self._options
        with opening(self.name):
            from gpiozero import DigitalInputDevice  # noqa: PLC0415  gpiozero costs 11 MB

            switch = DigitalInputDevice(
                options.pin, pull_up=True, bounce_time=options.bounce_s, pin_factory=pin_factory(options.factory)
            )
            switch.when_activated = lambda: self._tell(is_open=False)
            switch.when_deactivated = lambda: self._tell(is_open=True)
        try:
            yield switch
        finally:
            switch.close()

    def _tell(self, *, is_open: bool) -> None:
        with self._telling:
            if is_open != self._told:
                self._told = is_open
                self._changed(is_open)


def set_light(led: Any, light: Light) -> None:
    """Let one of gpiozero's lights shine, blink or go out."""
    match light:
        case Light.ON:
            led.on()
        case Light.OFF:
            led.off()
        case Light.BLINK:
            led.blink(_BLINK_S, _BLINK_S)


@contextlib.contextmanager
def opening(device: str) -> Iterator[None]:
    """Turn what gpiozero and the libraries below it raise into our errors."""
    try:
        yield
    except ImportError as error:
        detail = f"the library of the pins cannot be loaded ({error}): on Raspberry Pi OS, apt install python3-lgpio"
        raise DriverUnsupported(device, detail) from error
    except Exception as error:  # lgpio, pigpio and gpiozero have no common root
        raise DeviceFailed(device, f"the pins cannot be used: {error}") from error


@contextlib.contextmanager
def reported(driver: Driver) -> Iterator[None]:
    """Let a pin that fails in use become health, because nobody waits for the answer."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  as above
        driver._report(Health(HealthState.FAILED, f"the pins cannot be used: {error}"))  # noqa: SLF001
    else:
        driver._report(Health(HealthState.WORKING))  # noqa: SLF001
