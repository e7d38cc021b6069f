"""The HID POS scanner: reports through a pseudo-terminal, and through the kernel where it can make such a device."""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path

import pytest
from driver_rigs import HidPosRig
from driver_stand import wait_until

from device.decode.scanned import reading_of
from device.drivers.hid_pos_scanner import is_point_of_sale
from device.drivers.registry import make_driver
from device.drivers.scanners.hid_pos import make_reports
from device.drivers.scanners.profile import BadProfile
from device.ports import HealthState

# HID 1.11 report descriptor: usage page 8C (bar code scanner), usage 02; report 2 of 63 bytes; feature report 254 of 1.
DESCRIPTOR = bytes.fromhex(
    "058C 0902 A101 8502 0912 A102 150026FF00 7508 953F 0913 8102 C0 85FE 0911 150026FF00 7508 9501 B102 C0"
)
KEYBOARD = bytes.fromhex("0501 0906 A101 0507 19E0 29E7 1500 2501 7501 9508 8102 C0")


@pytest.fixture
def rig(tmp_path):
    rig = HidPosRig(tmp_path)
    rig.subject.start()
    assert rig.is_in(HealthState.WORKING)
    yield rig
    rig.close()


def test_code_says_what_it_is(rig):
    rig.type("6901234567892")
    assert wait_until(lambda: rig.delivered)
    reading = reading_of(rig.delivered[0])
    assert (reading.symbology, reading.aim, reading.raw, reading.device) == ("EAN13", "]E0", b"6901234567892", "rig")


def test_long_code_comes_in_several_reports(rig):
    for report in make_reports(b"x" * 300, "]Q1"):
        os.write(rig.master, report)
    assert wait_until(lambda: [scan.raw for scan in rig.delivered] == [b"x" * 300])


def test_flood_is_said_and_ends(rig):
    report = make_reports(b"1", "]Q1")[0]
    for _ in range(30):
        os.write(rig.master, report * 10)
    assert rig.is_in(HealthState.FAILED)
    assert "noise" in rig.subject.health.detail
    assert rig.is_in(HealthState.WORKING, 20.0)
    assert len(rig.delivered) < 300


def test_report_that_makes_no_sense_is_dropped(rig):
    os.write(rig.master, b"\x02\xff" + bytes(62))
    rig.type("1")
    assert wait_until(lambda: [scan.raw for scan in rig.delivered] == [b"1"])


def test_profile_of_a_serial_scanner_is_refused(tmp_path):
    scanner = make_driver("scanner", "hid-pos", "hand", {"path": str(tmp_path / "x"), "profile": "gm65"})
    with pytest.raises(BadProfile, match='for driver "serial"'):
        scanner.start()


def test_profile_with_a_feature_report_wants_a_device_that_takes_it(tmp_path):
    rig = HidPosRig(tmp_path)
    options = {"path": str(tmp_path / "hidraw0"), "profile": "honeywell-hid-pos"}
    scanner = make_driver("scanner", "hid-pos", "hand", options)
    scanner.start()
    assert wait_until(lambda: scanner.health.state is HealthState.MISSING)
    assert "ioctl" in scanner.health.detail
    scanner.stop()
    rig.close()


def test_file_that_is_no_hidraw_device_is_not_taken_for_a_scanner(tmp_path):
    (tmp_path / "plain").write_bytes(b"x")
    assert not is_point_of_sale(str(tmp_path / "plain"))
    assert not is_point_of_sale(str(tmp_path / "away"))


class KernelDevice:
    """A HID device that the kernel believes in, through /dev/uhid (linux/uhid.h)."""

    CREATE2, INPUT2, SET_REPORT, SET_REPORT_REPLY = 11, 12, 13, 14

    def __init__(self, name: str, descriptor: bytes) -> None:
        self.set_reports: list[bytes] = []
        before = set(Path("/dev").glob("hidraw*"))
        self.uhid = os.open("/dev/uhid", os.O_RDWR | os.O_NONBLOCK)
        head = struct.pack(
            "=I128s64s64sHHIIII", self.CREATE2, name.encode(), b"", b"", len(descriptor), 3, 0x0C2E, 1, 0, 0
        )
        os.write(self.uhid, head + descriptor.ljust(4096, b"\0"))
        assert wait_until(lambda: set(Path("/dev").glob("hidraw*")) - before, 10.0)
        (self.node,) = set(Path("/dev").glob("hidraw*")) - before

    def send(self, report: bytes) -> None:
        os.write(self.uhid, struct.pack("=IH", self.INPUT2, len(report)) + report.ljust(4096, b"\0"))

    def take_set_reports(self) -> None:
        """Keep the feature reports that the driver has sent, and answer them."""
        with contextlib.suppress(BlockingIOError):
            while event := os.read(self.uhid, 8192):
                if struct.unpack_from("=I", event)[0] == self.SET_REPORT:
                    number, _, _, size = struct.unpack_from("=IBBH", event, 4)
                    self.set_reports.append(event[12 : 12 + size])
                    os.write(self.uhid, struct.pack("=IIH", self.SET_REPORT_REPLY, number, 0))

    def close(self) -> None:
        """Vanish; harmless when vanished."""
        if self.uhid >= 0:
            os.close(self.uhid)
            self.uhid = -1


@pytest.fixture
def kernel():
    if not os.access("/dev/uhid", os.W_OK):
        pytest.skip("there is no /dev/uhid to make a HID device of")
    made: list[KernelDevice] = []

    def make(name: str, descriptor: bytes) -> KernelDevice:
        made.append(KernelDevice(name, descriptor))
        return made[-1]

    yield make
    for device in made:
        device.close()


def test_kernel_device_is_read_and_a_keyboard_is_refused(kernel):
    scanner_device, keyboard = kernel("scanner of a test", DESCRIPTOR), kernel("keyboard of a test", KEYBOARD)
    assert is_point_of_sale(str(scanner_device.node))
    assert not is_point_of_sale(str(keyboard.node))
    heard = []
    scanner = make_driver("scanner", "hid-pos", "hand", {"path": str(scanner_device.node)})
    scanner.listen(heard.append)
    scanner.start()
    assert wait_until(lambda: scanner.health.state is HealthState.WORKING)
    for report in make_reports(b"y" * 100, "]Q1"):
        scanner_device.send(report)
    assert wait_until(lambda: [scan.raw for scan in heard] == [b"y" * 100])
    scanner_device.close()
    assert wait_until(lambda: scanner.health.state is HealthState.MISSING)
    scanner.stop()
    typist = make_driver("scanner", "hid-pos", "hand", {"path": str(keyboard.node)})
    typist.start()
    assert wait_until(lambda: typist.health.state is HealthState.FAILED)
    assert "no HID POS scanner" in typist.health.detail
    typist.stop()


def test_kernel_device_is_sent_the_feature_report_of_its_profile(kernel):
    device = kernel("scanner of a test", DESCRIPTOR)
    options = {"path": str(device.node), "profile": "honeywell-hid-pos"}
    scanner = make_driver("scanner", "hid-pos", "hand", options)
    scanner.start()
    assert wait_until(lambda: device.take_set_reports() or scanner.health.state is HealthState.WORKING, 20.0)
    assert device.set_reports == [b"\xfe\x01"]
    scanner.stop()
