"""A scanner of the USB class HID POS, through the kernel's hidraw: codes with their identifiers, nothing is typed."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Final

from msgspec import Meta

from device.drivers.base import DriverOptions, Scanner
from device.drivers.errors import DeviceFailed, DeviceMissing, DriverError, node_error
from device.drivers.framing import LONGEST_CODE
from device.drivers.keeper import Keeper, now_ms
from device.drivers.places import find_device
from device.drivers.scanners.hid_pos import REPORT_BYTES, ReportReader
from device.drivers.scanners.profile import BadProfile, Profile, find_profile, from_hex
from device.drivers.scans import CODES_PER_SECOND, ScanAssembler

DEFAULT: Final = "hid-pos"
_BREATH_S: Final = 0.05
_KEPT_REPORTS: Final = 64  # linux/hidraw.h: HIDRAW_BUFFER_SIZE
_GET_DESCRIPTOR_SIZE: Final = 0x80044801  # linux/hidraw.h: HIDIOCGRDESCSIZE
_GET_DESCRIPTOR: Final = 0x90044802  # HIDIOCGRDESC
_LONGEST_DESCRIPTOR: Final = 4096
_POINT_OF_SALE: Final = b"\x05\x8c"
"""Usage page 8C, as a report descriptor says it (HID 1.11, 6.2.2.7)."""


class HidPosOptions(DriverOptions, frozen=True, kw_only=True):
    """Settings of a HID POS scanner."""

    path: str = "/dev/scanners/*"
    """The device by its stable name, which the udev rules give: "/dev/scanners/usb-..."; `*` and `?` may stand for
    parts of it. "/dev/hidraw0" belongs to whoever was plugged in first."""
    profile: str = DEFAULT
    """The make of the scanner; `tillwave scanner profiles` lists them."""
    profile_folder: str = ""
    """Where the mall keeps profiles of its own, which come before the shipped ones."""
    codes_per_second: Annotated[int, Meta(ge=1, le=1000)] = CODES_PER_SECOND
    """More than a hand can scan; what comes faster is dropped."""
    longest: Annotated[int, Meta(ge=1, le=65_536)] = LONGEST_CODE
    """Bytes of the longest code."""


class HidPosScanner(Scanner):
    """A scanner that speaks the point-of-sale protocol of HID."""

    Options = HidPosOptions
    _options: HidPosOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._keeper: Keeper | None = None
        self._profile: Profile | None = None
        self._tap: Callable[[bytes, bytes], None] = _nobody

    def tap(self, seen: Callable[[bytes, bytes], None]) -> None:
        """Call `seen(report, b"")` for what comes in, which may be payment tokens; set before `start`."""
        self._tap = seen

    def _open(self) -> None:
        options = self._options
        profile = find_profile(options.profile, options.profile_folder, self.name)
        if profile.protocol != "hid-pos":
            raise BadProfile(self.name, f'profile "{options.profile}" is for driver "serial"')
        self._profile = profile
        self._keeper = Keeper(self.name, self._session, self._report)
        self._keeper.start()

    def _close(self) -> None:
        if self._keeper is not None:
            self._keeper.end()
            self._keeper = None

    def _session(self, keeper: Keeper) -> None:
        scans = ScanAssembler(
            self.name, ReportReader(self._options.longest), self._deliver, self._options.codes_per_second
        )
        with _translated(self.name), self._node() as (node, place):
            reports = [b""]
            while not keeper.stop.is_set():
                for report in reports:
                    self._tap(report, b"")
                    scans.feed(report, now_ms())
                keeper.say(scans.trouble, place)
                if scans.trouble:
                    keeper.stop.wait(_BREATH_S)
                reports = [b""]
                if keeper.stop.wait_for(node, scans.seconds_to_wait(now_ms())):
                    reports = self._read(node, place)

    def _read(self, node: int, place: str) -> list[bytes]:
        """Read what is there, at most as much as the kernel keeps; raises DeviceMissing if the device is gone."""
        reports: list[bytes] = []
        with suppress(BlockingIOError):
            while len(reports) < _KEPT_REPORTS:
                reports.append(os.read(node, REPORT_BYTES))
                if not reports[-1]:
                    raise DeviceMissing(self.name, f"{place} was unplugged")
        return reports

    @contextmanager
    def _node(self) -> Iterator[tuple[int, str]]:
        place = find_device(self.name, self._options.path, is_point_of_sale)
        features = self._features()
        node = os.open(place, (os.O_RDWR if features else os.O_RDONLY) | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            self._check(node, place)
            for feature in features:
                fcntl.ioctl(node, _set_feature(len(feature)), feature)
            _drain(node)
            yield node, place
        finally:
            os.close(node)

    def _check(self, node: int, place: str) -> None:
        """Refuse a device that is no scanner of this class; what cannot be asked is believed."""
        descriptor = report_descriptor(node)
        if descriptor is not None and _POINT_OF_SALE not in descriptor:
            raise DeviceFailed(self.name, f'{place} is no HID POS scanner: switch it to the interface "USB HID POS"')

    def _features(self) -> list[bytearray]:
        hid_pos = self._profile.hid_pos if self._profile is not None else None
        return [bytearray(from_hex(text)) for text in (hid_pos.features if hid_pos is not None else ())]


def report_descriptor(node: int) -> bytes | None:
    """Give what a hidraw device says of itself; None if the file is none."""
    size = bytearray(4)
    answer = bytearray(4 + _LONGEST_DESCRIPTOR)
    try:
        fcntl.ioctl(node, _GET_DESCRIPTOR_SIZE, size)
        answer[:4] = size
        fcntl.ioctl(node, _GET_DESCRIPTOR, answer)
    except OSError as error:
        if error.errno in (errno.ENOTTY, errno.EINVAL):
            return None
        raise
    (length,) = struct.unpack("=I", size)
    return bytes(answer[4 : 4 + length])


def is_point_of_sale(path: str) -> bool:
    """Tell whether a node is a scanner of this class; False also if it may not be opened."""
    try:
        node = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return _POINT_OF_SALE in (report_descriptor(node) or b"")
    finally:
        os.close(node)


def _set_feature(length: int) -> int:
    """Give the number of HIDIOCSFEATURE for a report of so many bytes (linux/hidraw.h)."""
    return 0xC0004806 | length << 16


def _drain(node: int) -> None:
    """Forget what was scanned before."""
    try:
        while os.read(node, REPORT_BYTES):
            pass
    except BlockingIOError:
        return


@contextmanager
def _translated(device: str) -> Iterator[None]:
    try:
        yield
    except DriverError:
        raise
    except OSError as error:
        raise node_error(device, error, "tillwave") from error


def _nobody(_received: bytes, _sent: bytes) -> None:
    pass
