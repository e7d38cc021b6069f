"""The simulated lamps, lights, buzzer, button and tamper switch: they remember what they did, and are pressed."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from device.drivers.base import (
    Aim,
    Button,
    Buzzer,
    Chime,
    DriverOptions,
    Illumination,
    Lamp,
    Lamps,
    Light,
    Tamper,
)
from device.drivers.keeper import now_ms
from device.drivers.simulated.control import Answer, Refused, Request
from device.drivers.simulated.device import Common, Fault, SimulatedDevice, SimulatedOptions
from device.ports import HealthState

_KEPT: Final = 2000


class History(Request, frozen=True, kw_only=True, tag="history"):
    """Tell what the device did, oldest first; forget it then if `forget`."""

    forget: bool = False


class Press(Request, frozen=True, kw_only=True, tag="press"):
    """Press the button and let it go."""


class Case(Request, frozen=True, kw_only=True, tag="case"):
    """Open or close the case."""

    open: bool


class _Remembering(SimulatedDevice):
    """A device that keeps a history of what it did."""

    Requests = Common | History

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._lock = threading.Lock()
        self._history: deque[dict[str, str | int]] = deque(maxlen=_KEPT)

    def _remember(self, **event: str) -> None:
        with self._lock:
            self._history.append({"at_ms": now_ms(), **event})

    def _works(self) -> bool:
        return self._started and self.plugged and not self.fault

    def _obey(self, request: Any) -> Answer:
        match request:
            case History(forget=forget):
                with self._lock:
                    history = list(self._history)
                    if forget:
                        self._history.clear()
                return {"history": history, "now": self._now()}
        raise Refused(f"{self.kind} cannot do that")

    def _now(self) -> dict[str, str]:
        return {}


class SimulatedLamps(_Remembering, Lamps):
    """Three lamps whose light the bench can see."""

    Options = SimulatedOptions
    faults: ClassVar[Mapping[str, Fault]] = {"dark": Fault("the lamps stay as they are, and say nothing")}

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._lights = dict.fromkeys(Lamp, Light.OFF)

    def show(self, lamp: Lamp, light: Light) -> None:
        """Set one lamp; what was set before the start is shown with it."""
        if self._started and not self._works():
            return
        self._lights[lamp] = light
        if self._started:
            self._remember(lamp=lamp.value, light=light.value)

    def _end(self) -> None:
        self._lights = dict.fromkeys(Lamp, Light.OFF)

    def _now(self) -> dict[str, str]:
        return {lamp.value: (light if self.plugged else Light.OFF).value for lamp, light in self._lights.items()}


class IlluminationOptions(SimulatedOptions, frozen=True, kw_only=True):
    """Settings of the simulated lamp."""

    dimmable: bool = True


class SimulatedIllumination(_Remembering, Illumination):
    """A lamp whose level the bench can see."""

    Options = IlluminationOptions
    _options: IlluminationOptions
    faults: ClassVar[Mapping[str, Fault]] = {"dark": Fault("the lamp stays as it is, and says nothing")}

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._level = 0.0

    @property
    def dimmable(self) -> bool:
        """As the settings say."""
        return self._options.dimmable

    def shine(self, level: float) -> None:
        """Shine so brightly."""
        if self._started and not self._works():
            return
        self._level = min(1.0, max(0.0, level)) if self.dimmable else float(level > 0)
        if self._started:
            self._remember(level=f"{self._level:.3f}")

    def _end(self) -> None:
        self._level = 0.0

    def _now(self) -> dict[str, str]:
        return {"level": f"{self._level if self.plugged else 0.0:.3f}"}


class SimulatedAim(_Remembering, Aim):
    """A light beside the camera that the bench can see."""

    Options = SimulatedOptions
    faults: ClassVar[Mapping[str, Fault]] = {"dark": Fault("the light stays as it is, and says nothing")}

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._light = Light.OFF

    def show(self, light: Light) -> None:
        """Light up, blink or go out."""
        if self._started and not self._works():
            return
        self._light = light
        if self._started:
            self._remember(light=light.value)

    def _end(self) -> None:
        self._light = Light.OFF

    def _now(self) -> dict[str, str]:
        return {"light": (self._light if self.plugged else Light.OFF).value}


class SimulatedBuzzer(_Remembering, Buzzer):
    """A buzzer whose chimes the bench can count."""

    Options = SimulatedOptions
    faults: ClassVar[Mapping[str, Fault]] = {"mute": Fault("sounds nothing, and says nothing")}

    def sound(self, chime: Chime) -> None:
        """Sound one chime."""
        if self._works():
            self._remember(chime=chime.value)


class SimulatedButton(SimulatedDevice, Button):
    """A button that the bench presses."""

    Options = SimulatedOptions
    Requests = Common | Press
    faults: ClassVar[Mapping[str, Fault]] = {"worn": Fault("feels no press, and says nothing")}

    def _obey(self, request: Any) -> Answer:
        match request:
            case Press():
                felt = self.plugged and not self.fault
                if felt:
                    self._pressed()
                return {"felt": felt}
        raise Refused("a button cannot do that")


class SimulatedTamper(SimulatedDevice, Tamper):
    """A case that the bench opens; it is closed at first, and one that cannot be felt counts as open."""

    Options = SimulatedOptions
    Requests = Common | Case
    faults: ClassVar[Mapping[str, Fault]] = {"unreadable": Fault("the switch cannot be read", HealthState.FAILED)}

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._case_open = False
        self._told: bool | None = None

    def _begin(self) -> None:
        self._told = None
        self._tell_case()

    def _standing_changed(self) -> None:
        self._tell_case()

    def _obey(self, request: Any) -> Answer:
        match request:
            case Case(open=is_open):
                self._case_open = is_open
                self._tell_case()
                return {"open": self._felt_open()}
        raise Refused("a tamper switch cannot do that")

    def _felt_open(self) -> bool:
        return self._case_open or not self.plugged or bool(self.fault)

    def _tell_case(self) -> None:
        felt = self._felt_open()
        if felt != self._told:
            self._told = felt
            self._changed(felt)
