"""The slip printer: ESC/POS by USB, serial line, network or a device file, through python-escpos."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from device.drivers.base import DriverOptions, Printer, Slip
from device.drivers.errors import DeviceFailed, DeviceMissing, DriverError, DriverUnsupported
from device.drivers.escpos_loader import load_escpos
from device.drivers.keeper import Jobs, Keeper
from device.drivers.slips import PaperOptions, slip_bytes
from device.ports import Health, HealthState

log = logging.getLogger(__name__)

_LOOK_S: Final = 1.0
_STUCK_S: Final = 20.0
_MOST_WAITING: Final = 20
_FINISH_S: Final = 3.0
_USB_DEVICES: Final = Path("/sys/bus/usb/devices")

UsbId = Annotated[int, Meta(ge=0, le=0xFFFF)]


class EscposOptions(PaperOptions, frozen=True, kw_only=True):
    """Settings of a real printer; `connection` says which of the others are needed."""

    connection: Literal["usb", "serial", "network", "file"]
    path: str = ""
    """Device of "serial" (/dev/serial/by-id/...) and of "file" (/dev/usb/lp0)."""
    baud: Annotated[int, Meta(ge=1200, le=921_600)] = 9600
    vendor_id: UsbId = 0
    product_id: UsbId = 0
    host: str = ""
    port: Annotated[int, Meta(ge=1, le=65_535)] = 9100
    timeout_s: Annotated[float, Meta(gt=0, le=60)] = 5.0

    def __post_init__(self) -> None:
        """Refuse a connection whose address is missing."""
        needed = {"usb": self.vendor_id and self.product_id, "network": self.host}.get(self.connection, self.path)
        if not needed:
            names = {"usb": '"vendor_id" and "product_id"', "network": '"host"'}.get(self.connection, '"path"')
            raise ValueError(f'connection "{self.connection}" needs {names}')


class EscposPrinter(Printer):
    """A printer that python-escpos can reach. It is opened for each slip, so that it may be switched off in between."""

    Options = EscposOptions
    _options: EscposOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._keeper: Keeper | None = None
        self._jobs: Jobs[Slip] | None = None
        self._failure: DriverError | None = None
        self._printing_since_s: float | None = None

    def print(self, slip: Slip) -> None:
        """Print after what is printing now, and return at once."""
        if self._jobs is None or not self._jobs.put(slip):
            self._report(Health(HealthState.FAILED, "too many slips wait for the printer; one was dropped"))

    def _open(self) -> None:
        if self._options.connection == "usb" and importlib.util.find_spec("usb") is None:
            raise DriverUnsupported(self.name, 'pyusb is not installed: "pip install pyusb", or connection = "file"')
        self._failure = None
        self._jobs = Jobs(self.name, self._print, _MOST_WAITING)
        self._keeper = Keeper(self.name, self._watch, self._report)
        self._jobs.start()
        self._keeper.start()

    def _close(self) -> None:
        if self._jobs is not None:
            self._jobs.end(_FINISH_S)
        if self._keeper is not None:
            self._keeper.end()
        self._jobs = self._keeper = None

    def _watch(self, keeper: Keeper) -> None:
        while not keeper.stop.is_set():
            if reason := _reason_missing(self._options):
                self._failure = None
                raise DeviceMissing(self.name, reason)
            if self._is_stuck():
                raise DeviceFailed(self.name, "the printer does not take the slip: paper out, or cover open?")
            if failure := self._failure:
                raise failure
            keeper.working()
            keeper.stop.wait(_LOOK_S)

    def _is_stuck(self) -> bool:
        since_s = self._printing_since_s
        return since_s is not None and time.monotonic() > since_s + _STUCK_S

    def _print(self, slip: Slip) -> None:
        self._printing_since_s = time.monotonic()
        try:
            self._send(slip_bytes(slip, self._options))
        except Exception as error:  # noqa: BLE001  pyusb, pyserial, termios and python-escpos have no common root
            self._notice_failure(error)
        else:
            self._failure = None
            self._say(Health(HealthState.WORKING))
        finally:
            self._printing_since_s = None

    def _notice_failure(self, error: Exception) -> None:
        detail = f"a slip was not printed: {error.detail if isinstance(error, DriverError) else error}"
        if isinstance(error, DeviceMissing):
            # Only a printer in the network cannot be seen to come back, and stays missing until a slip is printed.
            self._failure = DeviceMissing(self.name, detail) if self._options.connection == "network" else None
            self._say(Health(HealthState.MISSING, detail))
        else:
            self._failure = DeviceFailed(self.name, detail)
            self._say(Health(HealthState.FAILED, detail))

    def _say(self, health: Health) -> None:
        """Report, unless this is the thread of a stuck printer that was left behind."""
        if self._jobs is not None:
            self._report(health)

    def _send(self, data: bytes) -> None:
        if reason := _reason_missing(self._options):
            raise DeviceMissing(self.name, reason)
        with self._connected() as printer:
            printer._raw(data)  # noqa: SLF001  the one call of python-escpos that sends bytes as they are

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Any]:
        from escpos.exceptions import DeviceNotFoundError, Error  # noqa: PLC0415

        try:
            printer = _connection(self._options)
            printer.open()
            try:
                yield printer
                printer.close()
            finally:
                _let_go(printer)
        except DeviceNotFoundError as error:
            raise DeviceMissing(self.name, f"the printer cannot be opened: {error}") from error
        except Error as error:
            raise DeviceFailed(self.name, str(error)) from error


def _connection(options: EscposOptions) -> Any:
    printer = load_escpos()
    match options.connection:
        case "usb":
            timeout_ms = round(1000 * options.timeout_s)
            return printer.Usb(options.vendor_id, options.product_id, timeout=timeout_ms, profile=options.profile)
        case "serial":
            return printer.Serial(options.path, options.baud, timeout=options.timeout_s, profile=options.profile)
        case "network":
            return printer.Network(options.host, options.port, timeout=options.timeout_s, profile=options.profile)
        case "file":
            return printer.File(options.path, profile=options.profile)


def _let_go(printer: Any) -> None:
    """Close even what fails to close, or python-escpos tries once more, and fails, when its garbage is collected."""
    try:
        printer.close()
    except Exception as error:  # noqa: BLE001  as above
        log.info("a printer that failed does not close: %s", error)
        broken, printer.device = printer.device, False
        try:
            broken.close()
        except Exception as error:  # noqa: BLE001  as above
            log.info("nor does its device: %s", error)


def _reason_missing(options: EscposOptions) -> str:
    """Look for the printer without opening it; a printer in the network shows only when a slip is printed."""
    if options.connection in ("serial", "file"):
        return "" if Path(options.path).exists() else f"there is no {options.path}"
    if options.connection == "usb" and not _is_on_usb(options.vendor_id, options.product_id):
        return f"no USB device {options.vendor_id:04x}:{options.product_id:04x} is plugged in"
    return ""


def _is_on_usb(vendor_id: int, product_id: int) -> bool:
    wanted = (f"{vendor_id:04x}", f"{product_id:04x}")
    return any(
        (vendor.read_text().strip(), vendor.with_name("idProduct").read_text().strip()) == wanted
        for vendor in _USB_DEVICES.glob("*/idVendor")
    )
