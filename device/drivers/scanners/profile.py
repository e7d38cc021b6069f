"""Profiles of scanners: line, framing, identifiers and start-up commands of one make, as data in a TOML file.

Shipped profiles lie in `profiles/` beside this module; a mall keeps its own in a folder of its own, which comes first.

BadProfile          the file is wrong, or names what this program does not know (also a DriverError and a ValueError)
UnknownProfile      no file of that name (also a DriverError and a LookupError)
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from device.drivers.errors import DriverError
from device.drivers.framing import LONGEST_CODE, Suffix
from device.drivers.scanners.ssi_packets import Opcode

Parity = Literal["none", "even", "odd"]
ProtocolName = Literal["plain", "newland", "honeywell", "msgget", "grow", "ssi", "hid-pos"]

SHIPPED: Final = Path(__file__).parent / "profiles"
DEFAULT: Final = "generic-ascii"

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_IDENTIFIER: Final = re.compile(r"\][A-Za-z][0-9A-Za-z]|[A-Z][A-Z0-9]{1,11}")
_WORDINGS: Final = {
    "newland": (re.compile(r"[@#][A-Z0-9]{6}[ -:<-~]*"), "@QRCENA1"),
    "honeywell": (re.compile(r"[A-Z0-9]{6}[A-Za-z0-9 ]*(?:;[A-Z0-9]{6}[A-Za-z0-9 ]*){0,3}[!.]"), "SUFBK2990D!"),
}
"""Protocols whose commands are told as text."""
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2}\s*)+")


class BadProfile(DriverError, ValueError):
    """A profile cannot be used; the text names file and key."""


class UnknownProfile(DriverError, LookupError):
    """There is no such profile; the text names those that there are."""


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file."""


class Line(_Section, frozen=True):
    """The serial line; USB ignores it."""

    baud: Annotated[int, Meta(ge=300, le=4_000_000)] = 9600
    data_bits: Literal[7, 8] = 8
    parity: Parity = "none"
    stop_bits: Literal[1, 2] = 1


class Framing(_Section, frozen=True):
    """Where a code begins and ends; the same words as the settings of a scanner."""

    suffix: Suffix = "any"
    prefix: str = ""
    silence_ms: Annotated[int, Meta(ge=5, le=500)] = 40
    patience_ms: Annotated[int, Meta(ge=50, le=10_000)] = 1000
    longest: Annotated[int, Meta(ge=1, le=65_536)] = LONGEST_CODE
    wrapped: bool = False
    """Codes come in frames of `03 LEN16`; only protocol "grow"."""


class Identifiers(_Section, frozen=True):
    """How the scanner says what kind of code it read."""

    kind: Literal["auto", "aim", "none", "table"] = "auto"
    """"auto": an AIM identifier before the code if there is one; "aim": always one, a code without is dropped;
    "none": never, and what looks like one is part of the code; "table": the maker's own, see `table`."""
    table: dict[str, str] = {}
    """The maker's identifier (text before the code, or two hex digits of the type byte of "ssi") and what it means: an
    AIM identifier, a name of a symbology, or "UPCA"."""


class Step(_Section, frozen=True):
    """One command at the start of the scanner."""

    about: str
    """What it asks the scanner to do, for the technician: "read continuously"."""
    send: str
    """In hex: for "plain" and "msgget" the bytes, for "grow" zone address and value, for "ssi" opcode and data.
    As text: for "newland" and "honeywell" the command, such as "@QRCENA1" or "SUFBK2990D!"."""
    expect: str = ""
    """In hex: the answer that says yes, only for "plain" and "msgget"; the others know their answers."""
    refuse: str = ""
    """In hex: the answer that says no, likewise."""
    within_ms: Annotated[int, Meta(ge=20, le=10_000)] = 500
    tries: Annotated[int, Meta(ge=1, le=10)] = 3
    needed: bool = True
    """Whether a scanner that does not do it is out of order."""


class Heartbeat(_Section, frozen=True):
    """A question now and then whether the scanner is there; only protocol "grow"."""

    every_s: Annotated[int, Meta(ge=1, le=3600)] = 10
    misses: Annotated[int, Meta(ge=1, le=10)] = 3


class HidPos(_Section, frozen=True):
    """What a scanner of protocol "hid-pos" needs."""

    features: tuple[str, ...] = ()
    """Feature reports to send when it is opened: hex of report number and data."""


class Profile(_Section, frozen=True):
    """One make of scanner."""

    title: str
    protocol: ProtocolName
    devices: tuple[str, ...] = ()
    """Which scanners it is for."""
    setup: str = ""
    """What must be set on the scanner itself, by codes of its manual."""
    proven: str = ""
    """What is known of it, and from where."""
    line: Line = Line()
    framing: Framing = Framing()
    identifiers: Identifiers = Identifiers()
    start: tuple[Step, ...] = ()
    heartbeat: Heartbeat | None = None
    hid_pos: HidPos | None = None


def find_profile(name: str, folder: str = "", device: str = "") -> Profile:
    """Read a profile by its name, from a mall's own folder first; raises UnknownProfile or BadProfile."""
    return read_profile(profile_path(name, folder, device), device or name)


def profile_path(name: str, folder: str = "", device: str = "") -> Path:
    """Give the file of a profile; raises UnknownProfile, or BadProfile if the folder is not there."""
    who = device or name
    if _NAME.fullmatch(name) is None:
        raise UnknownProfile(who, f'"{name}" is not a name of a profile: use a-z, 0-9 and -')
    for place in _places(folder, who):
        path = place / f"{name}.toml"
        if path.is_file():
            return path
    known = ", ".join(profile_names(folder))
    raise UnknownProfile(who, f'there is no scanner profile "{name}"; known are: {known}')


def profile_names(folder: str = "") -> tuple[str, ...]:
    """Name all profiles, shipped and own, sorted; raises BadProfile if the folder is not there."""
    return tuple(sorted({path.stem for place in _places(folder, "profiles") for path in place.glob("*.toml")}))


def read_profile(path: Path, device: str = "") -> Profile:
    """Read and check one file; raises BadProfile."""
    who = device or path.stem
    try:
        profile = msgspec.toml.decode(path.read_bytes(), type=Profile)
    except OSError as error:
        raise BadProfile(who, f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadProfile(who, f"{path}: {error}") from error
    problem = _problem(profile)
    if problem:
        raise BadProfile(who, f"{path}: {problem}")
    return profile


def from_hex(text: str) -> bytes:
    """Give the bytes of hex digits with or without spaces."""
    return bytes.fromhex(text)


def _places(folder: str, device: str) -> tuple[Path, ...]:
    if not folder:
        return (SHIPPED,)
    own = Path(folder)
    if not own.is_dir():
        raise BadProfile(device, f"there is no folder {own} of scanner profiles")
    return own, SHIPPED


def _problem(profile: Profile) -> str:
    """Say what a file of right types still has wrong, empty if nothing."""
    return (
        _wrong_for_protocol(profile)
        or _wrong_identifiers(profile)
        or next((wrong for step in profile.start if (wrong := _wrong_step(profile.protocol, step))), "")
    )


def _wrong_for_protocol(profile: Profile) -> str:
    name = profile.protocol
    if name != "grow" and (profile.framing.wrapped or profile.heartbeat is not None):
        return f'framing.wrapped and heartbeat belong to protocol "grow", not to "{name}"'
    if name != "hid-pos" and profile.hid_pos is not None:
        return f'hid_pos belongs to protocol "hid-pos", not to "{name}"'
    if name == "hid-pos" and profile.start:
        return 'protocol "hid-pos" knows no start commands; use hid_pos.features'
    features = profile.hid_pos.features if profile.hid_pos is not None else ()
    if not all(_HEX.fullmatch(feature) for feature in features):
        return "hid_pos.features: bytes are pairs of hex digits"
    return ""


def _wrong_identifiers(profile: Profile) -> str:
    identifiers = profile.identifiers
    if bool(identifiers.table) != (identifiers.kind == "table"):
        return 'identifiers: kind "table" and a table belong together'
    for key, meaning in identifiers.table.items():
        if not _IDENTIFIER.fullmatch(meaning):
            return f'identifiers.table: "{meaning}" is neither an AIM identifier such as "]Q1" nor a name such as "QR"'
        if not key or (profile.protocol == "ssi" and not re.fullmatch(r"[0-9A-F]{2}", key)):
            return f'identifiers.table: "{key}" is no identifier'
    return ""


def _wrong_step(protocol: ProtocolName, step: Step) -> str:
    told = {"send": step.send, "expect": step.expect, "refuse": step.refuse}
    wording = _WORDINGS.get(protocol)
    if wording is not None:
        del told["send"]
        if not wording[0].fullmatch(step.send):
            return f'start: "{step.send}" is no command such as "{wording[1]}"'
    for key, text in told.items():
        if text and not _HEX.fullmatch(text):
            return f'start, "{step.about}": {key} is pairs of hex digits, not "{text}"'
    if protocol not in ("plain", "msgget") and (step.expect or step.refuse):
        return f'start, "{step.about}": protocol "{protocol}" knows its answers, leave out expect and refuse'
    shortest = {"grow": 3, "ssi": 1}.get(protocol, 1)
    if wording is None and len(from_hex(step.send)) < shortest:
        return f'start, "{step.about}": send is too short'
    if protocol == "ssi" and from_hex(step.send)[0] not in set(Opcode):
        return f'start, "{step.about}": {step.send[:2]} is no opcode that this program knows'
    return ""
