"""A HID POS scanner on a USB cable from the machine to itself: the kernel, our udev rules, its name, our driver."""

from __future__ import annotations

import grp
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from device.drivers.registry import make_driver
from device.drivers.scanners.hid_pos import make_reports
from device.ports import HealthState

pytestmark = pytest.mark.skipif(
    not os.environ.get("TILLWAVE_TEST_VM"), reason="runs in the virtual machine of scripts/test-vm"
)

GADGET = Path("/sys/kernel/config/usb_gadget/point-of-sale")
RULES = Path(__file__).resolve().parents[2] / "systemd" / "60-tillwave.rules"
SCANNER_END = Path("/dev/hidg0")
# HID 1.11 report descriptor: usage page 8C (bar code scanner), usage 02; input report 2 of 63 bytes.
DESCRIPTOR = bytes.fromhex("058C 0902 A101 8502 0912 150026FF00 7508 953F 8102 C0")
CODE = b"TW1:MFRGGZDFMZTWQ2LKNNWG23TPOA" * 6


class Cable:
    """A USB device of Zebra's number with one HID POS interface, and its plug."""

    def __init__(self) -> None:
        for part in ("strings/0x409", "configs/c.1", "functions/hid.usb0"):
            (GADGET / part).mkdir(parents=True)
        (GADGET / "idVendor").write_text("0x05e0")
        (GADGET / "idProduct").write_text("0x1300")
        (GADGET / "strings/0x409/serialnumber").write_text("S7")
        function = GADGET / "functions/hid.usb0"
        (function / "protocol").write_text("0")
        (function / "subclass").write_text("0")
        (function / "report_length").write_text("64")
        (function / "report_desc").write_bytes(DESCRIPTOR)
        (GADGET / "configs/c.1/hid.usb0").symlink_to(function)

    def plug(self) -> None:
        (GADGET / "UDC").write_text("dummy_udc.0")
        wait_until(lambda: stable_names() and SCANNER_END.exists())

    def unplug(self) -> None:
        (GADGET / "UDC").write_text("\n")
        wait_until(lambda: not stable_names())

    def scan(self, code: bytes, aim: str) -> None:
        with SCANNER_END.open("wb", buffering=0) as end:
            for report in make_reports(code, aim):
                end.write(report)

    def close(self) -> None:
        if (GADGET / "UDC").read_text().strip():
            self.unplug()
        (GADGET / "configs/c.1/hid.usb0").unlink()
        for part in ("configs/c.1", "functions/hid.usb0", "strings/0x409", ""):
            (GADGET / part).rmdir()


def stable_names() -> list[Path]:
    return sorted(Path("/dev/scanners").glob("usb-*"))


def wait_until(true) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def cable():
    subprocess.run(["groupadd", "--force", "--system", "tillwave"], check=True)
    Path("/run/udev/rules.d").mkdir(parents=True, exist_ok=True)
    shutil.copy(RULES, "/run/udev/rules.d/")
    subprocess.run(["udevadm", "control", "--reload"], check=True)
    cable = Cable()
    yield cable
    subprocess.run(["udevadm", "settle"], check=True)
    cable.close()


@pytest.fixture
def scanner():
    scanner = make_driver("scanner", "hid-pos", "hand", {})
    scanner.scans = []
    scanner.listen(scanner.scans.append)
    scanner.start()
    yield scanner
    scanner.stop()


def test_rules_name_the_scanner_and_give_it_to_the_terminal(cable):
    cable.plug()
    (name,) = stable_names()
    assert name.name.startswith("usb-")
    assert name.name.endswith("S7-if00")
    assert grp.getgrgid(name.stat().st_gid).gr_name == "tillwave"
    assert name.stat().st_mode & 0o777 == 0o660


def test_scanner_is_found_by_its_stable_name_whenever_it_is_plugged_in(cable, scanner):
    wait_until(lambda: scanner.health.state is HealthState.MISSING)
    for times in (1, 2):
        cable.plug()
        wait_until(lambda: scanner.health.state is HealthState.WORKING)
        cable.scan(b"6901234567892", "]E0")
        cable.scan(CODE, "]Q1")
        wait_until(lambda times=times: len(scanner.scans) == 2 * times)
        assert [(scan.raw, scan.identifier) for scan in scanner.scans[-2:]] == [
            (b"6901234567892", "]E0"),
            (CODE, "]Q1"),
        ]
        cable.unplug()
        wait_until(lambda: scanner.health.state is HealthState.MISSING)
        assert scanner.health.detail
