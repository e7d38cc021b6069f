"""The simulated printer: makes the very bytes of a real one, and keeps them instead of paper."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from device.drivers.base import DriverOptions, Printer, Slip
from device.drivers.keeper import Jobs, now_ms
from device.drivers.simulated.control import Answer, Refused, Request
from device.drivers.simulated.device import Common, Fault, SimulatedDevice
from device.drivers.simulated.paper import PaperReader
from device.drivers.slips import PaperOptions, slip_bytes
from device.ports import Health, HealthState

_KEPT: Final = 200
_MOST_WAITING: Final = 20
_FINISH_S: Final = 3.0


class PrinterOptions(PaperOptions, frozen=True, kw_only=True):
    """Settings of the simulated printer."""

    bench: str


class Slips(Request, frozen=True, kw_only=True, tag="slips"):
    """Tell what was printed, oldest first; forget it then if `forget`."""

    forget: bool = False


class SimulatedPrinter(SimulatedDevice, Printer):
    """A printer whose slips the bench can read."""

    Options = PrinterOptions
    Requests = Common | Slips
    faults: ClassVar[Mapping[str, Fault]] = {"paper-out": Fault("the paper is out", HealthState.FAILED)}
    _options: PrinterOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._lock = threading.Lock()
        self._printed: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._jobs: Jobs[Slip] | None = None

    def print(self, slip: Slip) -> None:
        """Print after what is printing now, and return at once."""
        if self._jobs is None or not self._jobs.put(slip):
            self._report(Health(HealthState.FAILED, "too many slips wait for the printer; one was dropped"))

    def _begin(self) -> None:
        self._jobs = Jobs(self.name, self._print, _MOST_WAITING)
        self._jobs.start()

    def _end(self) -> None:
        if self._jobs is not None:
            self._jobs.end(_FINISH_S)
            self._jobs = None

    def _obey(self, request: Any) -> Answer:
        match request:
            case Slips(forget=forget):
                with self._lock:
                    printed = list(self._printed)
                    if forget:
                        self._printed.clear()
                return {"slips": printed}
        raise Refused("a printer cannot do that")

    def _print(self, slip: Slip) -> None:
        try:
            data = slip_bytes(slip, self._options)
            text = PaperReader(self._options.encoding).read(data)
        except ValueError as error:
            self._report(Health(HealthState.FAILED, f"a slip was not printed: {error}"))
            return
        self._report(self._standing_health())
        if self.plugged and not self.fault:
            with self._lock:
                self._printed.append({"at_ms": now_ms(), "data": data, "text": text})
