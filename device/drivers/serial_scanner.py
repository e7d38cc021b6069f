"""A scanner on a serial line or USB CDC-ACM, through pyserial: found again after it was unplugged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final, Literal

import serial
from msgspec import Meta

from device.drivers.base import DriverOptions, Scanner
from device.drivers.errors import DriverError, node_error
from device.drivers.keeper import Keeper, now_ms
from device.drivers.places import find_device
from device.drivers.scans import ScanAssembler, ScanningOptions

_PIECE: Final = 4096
_PARITIES: Final = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}


class SerialOptions(ScanningOptions, frozen=True, kw_only=True):
    """Settings of a serial scanner."""

    path: str
    """The device, best by its stable name: "/dev/serial/by-id/usb-..."; `*` and `?` may stand for parts of it."""
    baud: Annotated[int, Meta(ge=300, le=4_000_000)] = 9600
    """USB ignores it."""
    data_bits: Literal[7, 8] = 8
    parity: Literal["none", "even", "odd"] = "none"
    stop_bits: Literal[1, 2] = 1


class SerialScanner(Scanner):
    """A scanner that sends text over a serial line."""

    Options = SerialOptions
    _options: SerialOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._keeper: Keeper | None = None

    def _open(self) -> None:
        self._keeper = Keeper(self.name, self._session, self._report)
        self._keeper.start()

    def _close(self) -> None:
        if self._keeper is not None:
            self._keeper.end()
            self._keeper = None

    def _session(self, keeper: Keeper) -> None:
        scans = ScanAssembler(self.name, self._options, self._deliver)
        with _translated(self.name), self._port() as port:
            keeper.working(port.port)
            while not keeper.stop.is_set():
                piece = b""
                if keeper.stop.wait_for(port.fileno(), scans.seconds_to_wait(now_ms())):
                    piece = port.read(_PIECE)
                scans.feed(piece, now_ms())

    def _port(self) -> serial.Serial:
        options = self._options
        port = serial.Serial(
            find_device(self.name, options.path),
            options.baud,
            bytesize=options.data_bits,
            parity=_PARITIES[options.parity],
            stopbits=options.stop_bits,
            timeout=0,
            exclusive=True,
        )
        port.reset_input_buffer()
        return port


@contextmanager
def _translated(device: str) -> Iterator[None]:
    """Turn what pyserial raises (SerialException is an OSError, and not all are SerialException) into our errors."""
    try:
        yield
    except DriverError:
        raise
    except OSError as error:
        raise node_error(device, error, "dialout") from error
