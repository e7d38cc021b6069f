"""A serial scanner on a USB cable from the machine to itself: the kernel plays both ends, and pulls the plug."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
import serial

from device.drivers.registry import make_driver
from device.ports import HealthState

GADGET = Path("/sys/kernel/config/usb_gadget/scanner")
SCANNER_END = "/dev/ttyGS0"


class Cable:
    """A USB device with one serial line, and its plug."""

    def __init__(self) -> None:
        for part in ("strings/0x409", "configs/c.1", "functions/acm.GS0"):
            (GADGET / part).mkdir(parents=True)
        (GADGET / "idVendor").write_text("0x1d6b")
        (GADGET / "idProduct").write_text("0x0104")
        (GADGET / "strings/0x409/serialnumber").write_text("S1")
        (GADGET / "configs/c.1/acm.GS0").symlink_to(GADGET / "functions/acm.GS0")

    def plug(self) -> None:
        (GADGET / "UDC").write_text("dummy_udc.0")
        wait_until(lambda: any(Path("/dev/serial/by-id").glob("usb-*")))

    def unplug(self) -> None:
        (GADGET / "UDC").write_text("\n")
        wait_until(lambda: not any(Path("/dev/serial/by-id").glob("usb-*")))

    def close(self) -> None:
        if (GADGET / "UDC").read_text().strip():
            self.unplug()
        (GADGET / "configs/c.1/acm.GS0").unlink()
        for part in ("configs/c.1", "functions/acm.GS0", "strings/0x409", ""):
            (GADGET / part).rmdir()


def wait_until(true) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def cable():
    cable = Cable()
    yield cable
    subprocess.run(["udevadm", "settle"], check=True)
    cable.close()


@pytest.fixture
def scanner():
    scanner = make_driver("scanner", "serial", "hand", {"path": "/dev/serial/by-id/usb-*"})
    scans = []
    scanner.listen(scans.append)
    scanner.scans = scans
    scanner.start()
    yield scanner
    scanner.stop()


def send(data: bytes) -> None:
    with serial.Serial(SCANNER_END, 9600, timeout=5, write_timeout=20) as end:
        end.write(data)
        end.flush()


def test_scanner_is_found_by_its_stable_name_whenever_it_is_plugged_in(cable, scanner):
    wait_until(lambda: scanner.health.state is HealthState.MISSING)
    for times in (1, 2, 3):
        cable.plug()
        wait_until(lambda: scanner.health.state is HealthState.WORKING)
        send(b"6901234567892\r")
        wait_until(lambda times=times: len(scanner.scans) >= times)
        assert [scan.raw for scan in scanner.scans] == [b"6901234567892"] * times
        cable.unplug()
        wait_until(lambda: scanner.health.state is HealthState.MISSING)
        assert scanner.health.detail


def test_torn_code_over_usb_is_put_together(cable, scanner):
    cable.plug()
    wait_until(lambda: scanner.health.state is HealthState.WORKING)
    for piece in (b"69012", b"345678", b"92\r4006381333931\r"):
        send(piece)
    wait_until(lambda: len(scanner.scans) == 2)
    assert [scan.raw for scan in scanner.scans] == [b"6901234567892", b"4006381333931"]
