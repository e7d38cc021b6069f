"""What the terminal and the camera's process say to each other: one JSON object a line, no picture among them."""

from __future__ import annotations

from typing import Any

import msgspec

LONGEST_LINE = 65_536
"""The largest code holds some 3 kB."""


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line."""


class Begin(Message, frozen=True, tag="begin"):
    """The first line to the process: which camera it keeps."""

    name: str
    driver: str
    options: dict[str, Any]


class Rearm(Message, frozen=True, tag="rearm"):
    """To the process: deliver again what is in view."""


class Seen(Message, frozen=True, tag="seen"):
    """From the process: a code came into view."""

    symbology: str
    raw: bytes
    aim: str
    at_ms: int


class Condition(Message, frozen=True, tag="condition"):
    """From the process: how the camera is doing now; "starting" before it is opened, and until the first picture."""

    state: str
    detail: str = ""


class Beat(Message, frozen=True, tag="beat"):
    """From the process, twice a second: it lives, and has got so many pictures."""

    frames: int


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


def decode_from_process(line: bytes) -> Seen | Condition | Beat:
    """Read a line of the process; WireError if it is none."""
    try:
        return msgspec.json.decode(line, type=Seen | Condition | Beat)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WireError(str(error)) from error


def decode_to_process(line: bytes) -> Begin | Rearm:
    """Read a line to the process; WireError if it is none."""
    try:
        return msgspec.json.decode(line, type=Begin | Rearm)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WireError(str(error)) from error
