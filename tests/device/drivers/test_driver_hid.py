"""The keyboard scanner over a pipe that carries the kernel's input events."""

import errno
import os
import struct
import sys
from types import SimpleNamespace

import pytest
from driver_stand import wait_until

from device.drivers.registry import make_driver
from device.ports import HealthState

EVENT = struct.Struct("@llHHi")  # struct input_event of linux/input.h
EV_SYN, EV_KEY, EV_MSC = 0, 1, 4
SYN_DROPPED = 3
SHIFT, ENTER = 42, 28
KEYS = {"1": 2, "2": 3, "T": 20, "W": 17, ":": 39, "a": 30}


class InputDevice:
    """evdev's InputDevice over a named pipe instead of /dev/input/event*."""

    name = "Barcode scanner"
    grabbed = 0
    busy = False

    def __init__(self, path: str) -> None:
        self.descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def fileno(self) -> int:
        return self.descriptor

    def grab(self) -> None:
        if InputDevice.busy:
            raise OSError(errno.EBUSY, "Device or resource busy")
        InputDevice.grabbed += 1

    def read(self):
        data = os.read(self.descriptor, 64 * EVENT.size)
        if not data:
            raise OSError(errno.ENODEV, "No such device")
        for _, _, kind, code, value in EVENT.iter_unpack(data):
            yield SimpleNamespace(type=kind, code=code, value=value)

    def close(self) -> None:
        os.close(self.descriptor)


class Keyboard:
    """The other end of the pipe: a scanner that types."""

    def __init__(self, path) -> None:
        self.path = path
        self.plug()

    def plug(self) -> None:
        os.mkfifo(self.path)
        self.descriptor = os.open(self.path, os.O_RDWR)

    def unplug(self) -> None:
        self.path.unlink()
        os.close(self.descriptor)

    def type(self, text: str) -> None:
        for letter in text:
            shifted = letter.isupper() or letter == ":"
            if shifted:
                self.send(SHIFT, 1)
            self.send(ENTER if letter == "\n" else KEYS[letter], 1)
            self.send(ENTER if letter == "\n" else KEYS[letter], 0)
            if shifted:
                self.send(SHIFT, 0)

    def send(self, code: int, value: int) -> None:
        events = (EV_MSC, 4, 0x70004), (EV_KEY, code, value), (EV_SYN, 0, 0)
        os.write(self.descriptor, b"".join(EVENT.pack(0, 0, *event) for event in events))


@pytest.fixture
def keyboard(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "evdev", SimpleNamespace(InputDevice=InputDevice, __spec__=SimpleNamespace()))
    monkeypatch.setattr(InputDevice, "grabbed", 0)
    monkeypatch.setattr(InputDevice, "busy", False)
    keyboard = Keyboard(tmp_path / "event0")
    yield keyboard
    if keyboard.path.exists():
        keyboard.unplug()


@pytest.fixture
def scans():
    return []


@pytest.fixture
def scanner(keyboard, scans):
    scanner = make_driver("scanner", "hid", "wedge", {"path": str(keyboard.path), "patience_ms": 200})
    scanner.listen(scans.append)
    scanner.start()
    assert wait_until(lambda: scanner.health.state is HealthState.WORKING)
    yield scanner
    scanner.stop()


def test_code_is_typed_and_kept_from_the_console(scanner, keyboard, scans):
    keyboard.type("TW1:a2\n12\n")
    assert wait_until(lambda: [scan.raw for scan in scans] == [b"TW1:a2", b"12"])
    assert InputDevice.grabbed == 1
    assert scanner.health.detail == "Barcode scanner"


def test_code_without_enter_is_dropped(scanner, keyboard, scans):
    keyboard.type("12")
    assert not wait_until(lambda: scans, 0.4)
    keyboard.type("21\n")
    assert wait_until(lambda: [scan.raw for scan in scans] == [b"21"])


def test_code_of_which_the_kernel_lost_keys_is_dropped_to_its_end(scanner, keyboard, scans):
    keyboard.type("11\nTW")
    keyboard.send(SHIFT, 1)
    os.write(keyboard.descriptor, EVENT.pack(0, 0, EV_SYN, SYN_DROPPED, 0))
    keyboard.type("12\na2\n")
    assert wait_until(lambda: [scan.raw for scan in scans] == [b"11", b"a2"])


def test_unplugged_in_the_middle_and_plugged_in_again(scanner, keyboard, scans):
    keyboard.type("1")
    keyboard.send(SHIFT, 1)
    keyboard.unplug()
    assert wait_until(lambda: scanner.health.state is HealthState.MISSING)
    keyboard.plug()
    assert wait_until(lambda: scanner.health.state is HealthState.WORKING)
    keyboard.type("a2\n")
    assert wait_until(lambda: [scan.raw for scan in scans] == [b"a2"])


def test_keyboard_that_another_program_holds_is_missing_until_it_is_free(keyboard, monkeypatch):
    monkeypatch.setattr(InputDevice, "busy", True)
    scanner = make_driver("scanner", "hid", "wedge", {"path": str(keyboard.path)})
    scanner.start()
    assert wait_until(lambda: scanner.health.state is HealthState.MISSING)
    assert "another program" in scanner.health.detail
    monkeypatch.setattr(InputDevice, "busy", False)
    assert wait_until(lambda: scanner.health.state is HealthState.WORKING)
    scanner.stop()
