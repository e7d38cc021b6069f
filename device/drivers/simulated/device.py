"""What all simulated devices have in common: the bench, the plug and the faults."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import msgspec

from device.drivers.base import Driver, DriverOptions
from device.drivers.simulated.control import (
    Answer,
    Break,
    ControlServer,
    Describe,
    Mend,
    Plug,
    Refused,
    Request,
    Standing,
    Unplug,
    read_standing,
    write_standing,
)
from device.ports import Health, HealthState

Common = Describe | Unplug | Plug | Break | Mend


class SimulatedOptions(DriverOptions, frozen=True, kw_only=True):
    """Settings of a simulated device; settings that extend those of a port instead name a `bench` of their own."""

    bench: str
    """Folder of the sockets, for example "/run/tillwave/bench"."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a device breaks."""

    what: str
    """A sentence for the technician."""
    health: HealthState = HealthState.WORKING
    """What the device then says of itself; many broken devices call themselves working."""
    lasts: bool = True
    """Whether a new start of the driver finds the device still broken."""


class SimulatedDevice(Driver):
    """A simulated device of any kind; comes before the port in a class's bases.

    Subclasses set `Requests` to what they take beside the common requests, `faults` to how they break, and write
    `_obey`, and `_begin`, `_end`, `_standing_changed` if they need them.
    """

    Options: ClassVar[type[DriverOptions]] = SimulatedOptions
    Requests: ClassVar[Any] = Common
    faults: ClassVar[Mapping[str, Fault]] = {}

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._bench = Path(cast(SimulatedOptions, options).bench)
        self._standing = Standing()
        self._control: ControlServer | None = None

    @property
    def plugged(self) -> bool:
        """Whether the device is plugged in."""
        return self._standing.plugged

    @property
    def fault(self) -> str:
        """How the device is broken, empty if it is whole."""
        return self._standing.fault

    def _open(self) -> None:
        self._standing = self._left_standing()
        control = ControlServer(self._bench, self.kind, self.name, self._receive)
        self._begin()
        try:
            control.start()
        except BaseException:
            self._end()
            raise
        self._control = control
        self._report(self._standing_health())

    def _close(self) -> None:
        if self._control is not None:
            self._control.end()
            self._control = None
        self._end()

    def _begin(self) -> None:
        """Start threads of the device."""

    def _end(self) -> None:
        """End threads of the device."""

    @abstractmethod
    def _obey(self, request: Any) -> Answer:
        """Do what the bench asks, and return at once; raises Refused."""

    def _standing_changed(self) -> None:
        """Notice that the device was unplugged, plugged in, broken or mended."""

    def _left_standing(self) -> Standing:
        standing = read_standing(self._bench, self.kind, self.name)
        fault = self.faults.get(standing.fault)
        return standing if fault is not None and fault.lasts else Standing(plugged=standing.plugged)

    def _standing_health(self) -> Health:
        if not self._standing.plugged:
            return Health(HealthState.MISSING, "unplugged")
        if fault := self.faults.get(self._standing.fault):
            return Health(fault.health, fault.what if fault.health is not HealthState.WORKING else "")
        return Health(HealthState.WORKING)

    def _receive(self, line: bytes) -> Answer:
        request: Request = msgspec.json.decode(line, type=self.Requests)
        match request:
            case Describe():
                return self._describe()
            case Unplug():
                return self._stand(Standing(plugged=False, fault=self.fault))
            case Plug():
                return self._stand(Standing(plugged=True, fault=self.fault))
            case Break(how=how):
                return self._break(how)
            case Mend():
                return self._stand(Standing(plugged=self.plugged))
            case _:
                return self._obey(request)

    def _break(self, how: str) -> Answer:
        if how not in self.faults:
            known = ", ".join(self.faults) or "nothing"
            raise Refused(f'it cannot break by "{how}"; known are: {known}')
        return self._stand(Standing(plugged=self.plugged, fault=how))

    def _stand(self, standing: Standing) -> Answer:
        write_standing(self._bench, self.kind, self.name, standing)
        self._standing = standing
        self._standing_changed()
        self._report(self._standing_health())
        return {"health": self.health.state.value}

    def _describe(self) -> Answer:
        return {
            "kind": self.kind,
            "name": self.name,
            "plugged": self.plugged,
            "fault": self.fault,
            "faults": {how: fault.what for how, fault in self.faults.items()},
            "health": self.health.state.value,
            "detail": self.health.detail,
        }
