"""A scanner on a serial line or USB CDC-ACM, through pyserial: found again after it was unplugged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Final, Literal

import msgspec
import serial
from msgspec import UNSET, Meta, UnsetType

from device.drivers.base import DriverOptions, Scan, Scanner
from device.drivers.errors import DeviceFailed, DriverError, node_error
from device.drivers.framing import Suffix
from device.drivers.keeper import Keeper, now_ms
from device.drivers.places import find_device
from device.drivers.scanners.dialogue import Dialogue
from device.drivers.scanners.dialogues import make_dialogue
from device.drivers.scanners.profile import DEFAULT, BadProfile, Parity, Profile, find_profile
from device.drivers.scans import CODES_PER_SECOND, ScanAssembler

_PIECE: Final = 4096
_BREATH_S: Final = 0.05
_WRITE_S: Final = 1.0
_PARITIES: Final = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}
_LINE: Final = ("baud", "data_bits", "parity", "stop_bits")
_FRAMING: Final = ("suffix", "prefix", "silence_ms", "patience_ms", "longest")


class SerialOptions(DriverOptions, frozen=True, kw_only=True):
    """Settings of a serial scanner; what is left out is taken from the profile."""

    path: str
    """The device, best by its stable name: "/dev/serial/by-id/usb-..."; `*` and `?` may stand for parts of it."""
    profile: str = DEFAULT
    """The make of the scanner; `tillwave scanner profiles` lists them."""
    profile_folder: str = ""
    """Where the mall keeps profiles of its own, which come before the shipped ones."""
    codes_per_second: Annotated[int, Meta(ge=1, le=1000)] = CODES_PER_SECOND
    """More than a hand can scan; what comes faster is dropped."""
    baud: Annotated[int, Meta(ge=300, le=4_000_000)] | UnsetType = UNSET
    """USB ignores it."""
    data_bits: Literal[7, 8] | UnsetType = UNSET
    parity: Parity | UnsetType = UNSET
    stop_bits: Literal[1, 2] | UnsetType = UNSET
    suffix: Suffix | UnsetType = UNSET
    """What ends a code: "cr", "lf", "crlf", "tab", "any" of these, or "none" for a scanner that only falls silent."""
    prefix: str | UnsetType = UNSET
    """What the scanner puts before each code, if it does; a code without it is dropped."""
    silence_ms: Annotated[int, Meta(ge=5, le=500)] | UnsetType = UNSET
    """Ends a code if the suffix is "none"."""
    patience_ms: Annotated[int, Meta(ge=50, le=10_000)] | UnsetType = UNSET
    """How long the rest of a code may be late before the code counts as torn."""
    longest: Annotated[int, Meta(ge=1, le=65_536)] | UnsetType = UNSET
    """Bytes of the longest code."""


def serial_scanner(
    path: str, deliver: Callable[[Scan], None], profile: str = DEFAULT, profile_folder: str = "", name: str = "scanner"
) -> SerialScanner:
    """Give a scanner on a serial line by its profile, ready to be started."""
    scanner = SerialScanner(name, SerialOptions(path=path, profile=profile, profile_folder=profile_folder))
    scanner.listen(deliver)
    return scanner


class SerialScanner(Scanner):
    """A scanner on a serial line, of a make that a profile describes."""

    Options = SerialOptions
    _options: SerialOptions

    def __init__(self, name: str, options: DriverOptions) -> None:
        super().__init__(name, options)
        self._keeper: Keeper | None = None
        self._profile: Profile | None = None
        self._tap: Callable[[bytes, bytes], None] = _nobody

    def tap(self, seen: Callable[[bytes, bytes], None]) -> None:
        """Call `seen(received, sent)` for what goes over the line, which may be payment tokens; set before `start`."""
        self._tap = seen

    def _open(self) -> None:
        self._profile = profile_of(self.name, self._options)
        self._keeper = Keeper(self.name, self._session, self._report)
        self._keeper.start()

    def _close(self) -> None:
        if self._keeper is not None:
            self._keeper.end()
            self._keeper = None

    def _session(self, keeper: Keeper) -> None:
        assert self._profile is not None
        dialogue = make_dialogue(self._profile)
        scans = ScanAssembler(self.name, dialogue, self._deliver, self._options.codes_per_second)
        with _translated(self.name), self._port(self._profile) as port:
            piece, was_ready = b"", False
            while not keeper.stop.is_set():
                self._tap(piece, b"")
                scans.feed(piece, now_ms())
                sent = dialogue.answer()
                self._tap(b"", sent)
                port.write(sent)
                was_ready = was_ready or dialogue.is_ready
                self._say_state(keeper, dialogue, scans, port.port if was_ready else "")
                if scans.trouble:
                    keeper.stop.wait(_BREATH_S)  # a flood fills the kernel's buffer, not our time
                piece = b""
                if keeper.stop.wait_for(port.fileno(), scans.seconds_to_wait(now_ms())):
                    piece = port.read(_PIECE)

    def _say_state(self, keeper: Keeper, dialogue: Dialogue, scans: ScanAssembler, place: str) -> None:
        """Report how the scanner is doing; raises DeviceFailed when it cannot be used and is to be opened anew."""
        if dialogue.trouble:
            raise DeviceFailed(self.name, dialogue.trouble)
        if place:
            refused = "; ".join(dialogue.refusals)
            keeper.say(scans.trouble, f"{place}; the scanner would not: {refused}" if refused else place)

    def _port(self, profile: Profile) -> serial.Serial:
        port = serial.Serial(
            find_device(self.name, self._options.path),
            profile.line.baud,
            bytesize=profile.line.data_bits,
            parity=_PARITIES[profile.line.parity],
            stopbits=profile.line.stop_bits,
            timeout=0,
            write_timeout=_WRITE_S,
            exclusive=True,
        )
        port.reset_input_buffer()
        return port


def profile_of(device: str, options: SerialOptions) -> Profile:
    """Give the profile of a scanner with its own settings on top; raises UnknownProfile or BadProfile."""
    profile = find_profile(options.profile, options.profile_folder, device)
    if profile.protocol == "hid-pos":
        raise BadProfile(device, f'profile "{options.profile}" is for driver "hid-pos", not for a serial line')
    return msgspec.structs.replace(
        profile,
        line=msgspec.structs.replace(profile.line, **_given(options, _LINE)),
        framing=msgspec.structs.replace(profile.framing, **_given(options, _FRAMING)),
    )


def _given(options: SerialOptions, names: tuple[str, ...]) -> dict[str, object]:
    return {name: value for name in names if (value := getattr(options, name)) is not UNSET}


@contextmanager
def _translated(device: str) -> Iterator[None]:
    """Turn what pyserial raises (SerialException is an OSError, and not all are SerialException) into our errors."""
    try:
        yield
    except DriverError:
        raise
    except OSError as error:
        raise node_error(device, error, "dialout") from error


def _nobody(_received: bytes, _sent: bytes) -> None:
    pass
