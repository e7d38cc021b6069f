"""What the terminal and the camera's process say to each other: one JSON object a line; pictures only for who looks."""

from __future__ import annotations

from typing import Any

import msgspec

from device.decode.wanted import RETAIL_ITF
from device.sight import Guidance, LiveView, Place

LONGEST_LINE = 524_288
"""The largest code holds some 3 kB; a picture for who looks has `LARGEST_JPEG`, and a third more as text."""
LARGEST_JPEG = 300_000
WATCH_S = 3.0
"""So long pictures are sent after the last `Watch`."""


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line."""


class Begin(Message, frozen=True, tag="begin"):
    """The first line to the process: which camera it keeps."""

    name: str
    driver: str
    options: dict[str, Any]
    symbologies: tuple[str, ...] | None = None
    """Names of `device.decode.optical.SELECTABLE`; None for all."""
    itf_digits: tuple[int, ...] = tuple(RETAIL_ITF)


class Rearm(Message, frozen=True, tag="rearm"):
    """To the process: deliver again what is in view."""


class Watch(Message, frozen=True, tag="watch"):
    """To the process: somebody looks; send pictures of at most so many pixels across for `WATCH_S`."""

    width: int
    veiled: bool
    """Make everything that looks like a code too coarse to be read."""


class Seen(Message, frozen=True, tag="seen"):
    """From the process: a code came into view."""

    symbology: str
    raw: bytes
    aim: str
    at_ms: int
    place: Place | None = None


class Guide(Message, frozen=True, tag="guide"):
    """From the process: what keeps a code from being read has changed."""

    guidance: Guidance


class Shown(Message, frozen=True, tag="shown"):
    """From the process: one picture for who looks."""

    view: LiveView


class Condition(Message, frozen=True, tag="condition"):
    """From the process: how the camera is doing now; "starting" before it is opened, and until the first picture."""

    state: str
    detail: str = ""


class Beat(Message, frozen=True, tag="beat"):
    """From the process, twice a second: it lives, and has got so many pictures."""

    frames: int


FromProcess = Seen | Guide | Shown | Condition | Beat
ToProcess = Begin | Rearm | Watch


class WireError(ValueError):
    """A line that is not one of ours."""


class Lines:
    """Cuts a stream of bytes into lines."""

    def __init__(self) -> None:
        self._waiting = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Give the lines that are complete; WireError if one grows too long."""
        *lines, self._waiting = (self._waiting + data).split(b"\n")
        if len(self._waiting) > LONGEST_LINE or any(len(line) > LONGEST_LINE for line in lines):
            raise WireError(f"a line of more than {LONGEST_LINE} bytes")
        return lines


def encode(message: Message) -> bytes:
    """Give the line of a message."""
    return msgspec.json.encode(message) + b"\n"


def decode_from_process(line: bytes) -> FromProcess:
    """Read a line of the process; WireError if it is none."""
    try:
        message: FromProcess = msgspec.json.decode(line, type=FromProcess)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WireError(str(error)) from error
    return message


def decode_to_process(line: bytes) -> ToProcess:
    """Read a line to the process; WireError if it is none."""
    try:
        order: ToProcess = msgspec.json.decode(line, type=ToProcess)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WireError(str(error)) from error
    return order
