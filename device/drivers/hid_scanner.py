"""A scanner that poses as a USB keyboard, through evdev; its keys are kept from the console."""

from __future__ import annotations

import errno
import importlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from device.drivers.base import DriverOptions, Scanner
from device.drivers.errors import DeviceMissing, DriverError, DriverUnsupported, node_error
from device.drivers.framing import Framer
from device.drivers.keeper import Keeper, now_ms
from device.drivers.keyboard import KeyDecoder
from device.drivers.places import find_device
from device.drivers.scans import ScanAssembler, ScanningOptions, text_framer

_EV_KEY: Final = 1
_DROPPED: Final = (0, 3)
"""SYN_DROPPED: keys were lost, because they came faster than they were read (the kernel's Documentation/input)."""


class HidOptions(ScanningOptions, frozen=True, kw_only=True):
    """Settings of a keyboard scanner."""

    path: str
    """The device by its stable name: "/dev/input/by-id/usb-...-event-kbd"; `*` and `?` may stand for parts of it."""
    grab: bool = True
    """Keep the keys from every other program."""


class HidScanner(Scanner):
    """A scanner that types."""

    Options = HidOptions
    _options: HidOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._keeper: Keeper | None = None

    def _open(self) -> None:
        if importlib.util.find_spec("evdev") is None:
            raise DriverUnsupported(self.name, 'evdev is not installed: "pip install tillwave[hid]"')
        self._keeper = Keeper(self.name, self._session, self._report)
        self._keeper.start()

    def _close(self) -> None:
        if self._keeper is not None:
            self._keeper.end()
            self._keeper = None

    def _session(self, keeper: Keeper) -> None:
        keys = KeyDecoder()
        framer = text_framer(self._options)
        scans = ScanAssembler(self.name, framer, self._deliver, self._options.codes_per_second)
        with _translated(self.name), self._keyboard() as keyboard:
            while not keeper.stop.is_set():
                keeper.say(scans.trouble, keyboard.name)
                typed = b""
                if keeper.stop.wait_for(keyboard.fileno(), scans.seconds_to_wait(now_ms())):
                    typed = _typed(keyboard, keys, framer, scans)
                scans.feed(typed, now_ms())

    @contextmanager
    def _keyboard(self) -> Iterator[Any]:
        evdev = importlib.import_module("evdev")
        keyboard = evdev.InputDevice(find_device(self.name, self._options.path))
        try:
            if self._options.grab:
                keyboard.grab()
            yield keyboard
        finally:
            keyboard.close()


def _typed(keyboard: Any, keys: KeyDecoder, framer: Framer, scans: ScanAssembler) -> bytes:
    """Read the keys; a code of which the kernel lost some is dropped to its end."""
    typed = b""
    for key in keyboard.read():
        if (key.type, key.code) == _DROPPED:
            scans.feed(typed, now_ms())
            framer.tear(now_ms())
            keys.clear()
            typed = b""
        elif key.type == _EV_KEY:
            typed += keys.feed(key.code, key.value)
    return typed


@contextmanager
def _translated(device: str) -> Iterator[None]:
    try:
        yield
    except DriverError:
        raise
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise DeviceMissing(device, "another program has grabbed the keyboard") from error
        raise node_error(device, error, "input") from error
